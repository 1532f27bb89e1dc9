"""The mapping table: names of other producers."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.labelling import Labelling
from schemas.mapping import OTEL_LABELS, map_labels
from schemas.regex import compile_regex
from schemas.relabel import RelabelAction, RelabelRule


def test_otel_names_become_ours() -> None:
    """Resource attributes get the names that rules ask for."""
    found = map_labels(OTEL_LABELS, {"service.name": "cart", "k8s.pod.name": "cart-1", "code": "5"})

    assert {"service": "cart", "pod": "cart-1", "code": "5"} == found


def test_a_label_that_is_there_is_not_overwritten() -> None:
    """Where a series has the label already, the other keeps its own name; of two, the first by name gets it."""
    both = {"deployment.environment": "old", "deployment.environment.name": "new"}

    assert {"service": "a", "service.name": "b"} == map_labels(
        OTEL_LABELS, {"service.name": "b", "service": "a"}
    )
    assert {"env": "old", "deployment.environment.name": "new"} == map_labels(OTEL_LABELS, both)


def test_an_empty_name_drops_the_label() -> None:
    """A label that is mapped to nothing is gone."""
    assert {"a": "1"} == map_labels({"noise": ""}, {"a": "1", "noise": "x"})


names = st.sampled_from(["a", "b", "c", "service.name", "service"])


@given(st.dictionaries(names, st.text(min_size=1)), st.dictionaries(names, names))
def test_no_value_is_lost(labels: dict[str, str], table: dict[str, str]) -> None:
    """However names are mapped, every value is still there, as often as before."""
    assert sorted(labels.values()) == sorted(map_labels(table, labels).values())


def test_what_no_table_names_is_the_very_mapping() -> None:
    """A label set that has nothing to map costs one look."""
    labels = {"a": "1"}

    assert labels is map_labels(OTEL_LABELS, labels)


def test_rules_see_mapped_names_and_leave_no_reserved_ones() -> None:
    """Mapping comes first; labels that begin with two underscores do not outlive the rules."""
    rules = [
        RelabelRule(
            RelabelAction.REPLACE, compile_regex("(.*)"), ("service",), target_label="__tmp"
        ),
        RelabelRule(RelabelAction.REPLACE, compile_regex("(.*)"), ("__tmp",), target_label="copy"),
        RelabelRule(RelabelAction.LABELMAP, compile_regex("copy"), replacement="__tenant__"),
    ]

    assert ("m", {"service": "cart", "copy": "cart"}) == Labelling(rules).rename(
        "m", {"service.name": "cart"}
    )
