"""Numbered label sets."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.labels import Labels, encode_labels, make_labels
from streams.windows.label_sets import LabelSets, Origin

LABELS = st.dictionaries(
    st.sampled_from(["__name__", "a", "b", "c"]), st.sampled_from(["", "x", "y", "z"])
).map(lambda found: make_labels(found.items()))


def without(name: str) -> Origin:
    """An operation that takes a label off, on label sets of its own."""
    return Origin(LabelSets(), lambda labels: tuple(pair for pair in labels if pair[0] != name))


@given(st.lists(st.tuples(st.integers(0, 2), LABELS)))
def test_what_can_be_made_again_is_as_good_as_what_is_held(steps: list[tuple[int, Labels]]) -> None:
    """Given as texts or made by this or that operation, every label set has one number, and is read there."""
    sets, origins, known = LabelSets(), [without("a"), without("b")], []
    for kind, labels in steps:
        if kind == 2:
            found, meant = sets.number(labels), labels
        else:
            origin = origins[kind]
            found, meant = (
                sets.number_made(origin, origin.source.number(labels)),
                origin.transform(labels),
            )
        if meant not in known:
            known.append(meant)
        assert known.index(meant) == found
    assert known == [*sets] == sets[:] == [sets[at] for at in range(len(sets))]
    assert [*map(encode_labels, known)] == [sets.encoded(at) for at in range(len(sets))]
    assert known[-1:] == [sets[-1]] if known else not len(sets)
