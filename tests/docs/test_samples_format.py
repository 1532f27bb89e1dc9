"""docs/samples-format.md and examples/samples.py say what ingest reads, to the byte."""

import re

from hypothesis import given
from hypothesis import strategies as st

from examples.samples import EXAMPLE, Sample, encode
from schemas.config.limits import LimitsConfig
from schemas.labels import decode_labels
from schemas.wire.interner import Identity, Interner
from schemas.wire.samples import Samples
from tests.docs.conftest import blocks

HEX = re.compile(r"^((?:[0-9a-f]{2} )*[0-9a-f]{2})(?: {2,}|$)", re.MULTILINE)


def decoded(value: bytes) -> list[tuple[dict[str, str], int, float]]:
    """The samples of a record, none of which is refused, as ingest reads them."""
    interner = Interner(Identity(), LimitsConfig())
    columns = Samples(LimitsConfig()).decode([value], interner)
    assert [] == columns.refused
    labels = [dict(decode_labels(text)) for text in interner.label_bytes]
    for each in labels:
        del each["__tenant__"]
    return [
        (labels[row], time_ms, number)
        for row, time_ms, number in zip(
            columns.series.tolist(), columns.times.tolist(), columns.values.tolist(), strict=True
        )
    ]


def test_the_worked_example_is_what_ingest_reads() -> None:
    """The bytes of the page are those of the example, and give its samples."""
    (block,) = (b for b in blocks("text") if b.document.name == "samples-format.md")
    shown = bytes.fromhex(" ".join(HEX.findall(block.text)))

    assert (218, encode(EXAMPLE)) == (len(shown), shown)
    assert [(dict(labels), t, v) for labels, t, v in EXAMPLE] == decoded(shown)


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=4).filter(
    lambda name: not name.startswith("__")
)
labels = st.dictionaries(names, st.text(st.characters(codec="utf-8"), max_size=4), max_size=4)


@given(
    st.lists(
        st.tuples(
            labels.map(lambda found: found | {"__name__": "m"}),
            st.integers(0, 2**40),
            st.floats(allow_nan=False, allow_infinity=False),
        ),
        max_size=8,
    )
)
def test_the_written_rules_are_enough(samples: list[Sample]) -> None:
    """A writer that knows the page alone is understood, whatever the labels are."""
    expected = [({n: v for n, v in found.items() if v}, t, value) for found, t, value in samples]

    assert expected == decoded(encode(samples))
