"""Records of tocsin.partials: what goes in comes out, and nothing else is taken."""

import pytest

from schemas.errors import DecodeError
from schemas.labels import make_labels
from schemas.partials import MAGIC, Partials, decode_partials, encode_partials
from schemas.samples import make_batch

SAMPLE = (make_labels({"__name__": "partial:1", "az": "a"}), 1000, 2.5, 7)


def record() -> Partials:
    """One value of one cut."""
    batch = make_batch("tocsin.samples", 3, watermark=2000, record_time=5, samples=[SAMPLE])
    return Partials({"partial:1": 0, "partial:2": 900}, batch)


def test_a_record_is_read_as_it_was_written() -> None:
    """Also the order in which cuts were told does not matter to its bytes."""
    data = encode_partials(record())

    found = decode_partials(data)

    assert record().since == found.since
    assert (3, 2000, [2.5]) == (
        found.batch.partition,
        found.batch.watermark,
        found.batch.values.tolist(),
    )
    turned = Partials(dict(reversed(list(record().since.items()))), record().batch)
    assert data == encode_partials(turned)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage that is long enough",
        MAGIC + b"\x09" + bytes(10),
        encode_partials(record())[:-1],
        encode_partials(record())[:12],
    ],
)
def test_what_is_no_record_is_refused(data: bytes) -> None:
    """Another magic number or version, and every length."""
    with pytest.raises(DecodeError):
        decode_partials(data)
