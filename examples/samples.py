"""The binary form of samples, written with nothing but the standard library: docs/samples-format.md in code.

`python -m examples.samples` prints the worked example of that page.
"""

import struct
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from json import dumps

Sample = tuple[Mapping[str, str], int, float]
"""Labels with the metric's name as `__name__`, event time in ms since the epoch UTC, value."""


def encode(samples: Sequence[Sample]) -> bytes:
    """One record of these samples."""
    dictionary: dict[bytes, int] = {}
    series = []
    for labels, _, _ in samples:
        pairs = sorted([name, value] for name, value in labels.items() if value)
        text = dumps(pairs, separators=(",", ":"), ensure_ascii=False).encode()
        series.append(dictionary.setdefault(text, len(dictionary)))
    ends = [0]
    for text in dictionary:
        ends.append(ends[-1] + len(text))
    k, n = len(dictionary), len(samples)
    # MessagePack: an array of eight; "", 0, 0 and 0 are what ingest says itself, false at the end as well
    head = (
        b"\x98\xa0\x00\x00\x00" + struct.pack(">BIBIBI", 0xCE, k, 0xCE, n, 0xCE, ends[-1]) + b"\xc2"
    )
    return b"".join(
        (
            b"TCSN",
            struct.pack("<BI", 1, len(head)),
            head,
            *(blake2b(text, digest_size=8).digest()[::-1] for text in dictionary),
            struct.pack(f"<{k + 1}I", *ends),
            *dictionary,
            struct.pack(f"<{n}I", *series),
            struct.pack(f"<{n}q", *(time_ms for _, time_ms, _ in samples)),
            struct.pack(f"<{n}d", *(value for _, _, value in samples)),
            bytes(8 * n),
        )
    )


CART = {"__name__": "up", "service": "cart"}
SHOP = {"__name__": "up", "service": "shop"}
EXAMPLE: tuple[Sample, ...] = (
    (CART, 1_767_225_600_000, 1.0),
    (SHOP, 1_767_225_600_000, 0.0),
    (CART, 1_767_225_601_000, 1.0),
)

if __name__ == "__main__":
    print(encode(EXAMPLE).hex(" ", 1))  # noqa: T201  it is what one came for
