"""Numbered label sets."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.fingerprints import fingerprints_of
from schemas.labels import Labels, encode_labels, make_labels
from streams.windows.label_sets import LabelSets, Origin
from streams.windows.packed import pack

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
                sets.numbers_made(origin, np.array([origin.source.number(labels)])).item(),
                origin.transform(labels),
            )
        if meant not in known:
            known.append(meant)
        assert known.index(meant) == found
    assert known == [*sets] == sets[:] == [sets[at] for at in range(len(sets))]
    assert [*map(encode_labels, known)] == [sets.encoded(at) for at in range(len(sets))]
    assert known[-1:] == [sets[-1]] if known else not len(sets)


@given(st.lists(st.lists(LABELS, unique=True, max_size=6), max_size=4))
def test_several_at_once_are_numbered_as_one_by_one(parts: list[list[Labels]]) -> None:
    """Held or made, whatever merges: many at once get the numbers that they would get in their order."""
    at_once, by_one = LabelSets(), LabelSets()
    made_at_once, made_by_one = LabelSets(), LabelSets()
    origin, other = (Origin(sets, without("a").transform) for sets in (at_once, by_one))
    for part in parts:
        encoded = [encode_labels(labels) for labels in part]
        packed = [pack(each) for each in encoded]
        found = at_once.numbers_of(packed, fingerprints_of(encoded))
        assert [by_one.number(labels) for labels in part] == found.tolist()
        assert fingerprints_of(encoded).tolist() == at_once.fingerprints(found).tolist()
        assert packed == [at_once.packed(number) for number in found.tolist()]
        made = made_at_once.numbers_made(origin, found)
        expected = [made_by_one.numbers_made(other, found[[at]]).item() for at in range(len(part))]
        assert expected == made.tolist()
        assert [*made_by_one] == [*made_at_once]
