"""Relabelling: each action by its documented meaning, and 600 random rule lists as Prometheus itself answers."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.config.relabel import RelabelConfig
from schemas.relabel import relabel

HERE = Path(__file__).parent
NAMED: list[dict[str, Any]] = json.loads((HERE / "cases.json").read_text())
GOLDEN: list[dict[str, Any]] = json.loads((HERE / "golden.json").read_text())["cases"]


def ours(rules: list[dict[str, Any]], labels: dict[str, str]) -> dict[str, Any]:
    """What we make of a case, in the words of the golden file."""
    try:
        made = [RelabelConfig.model_validate(rule).rule for rule in rules]
    except ValidationError:
        return {"error": True}
    found = relabel(made, labels)
    if found is None:
        return {"dropped": True}
    return {"labels": found} if found else {}


@pytest.mark.parametrize("case", NAMED, ids=lambda case: case["claim"])
def test_an_action_does_what_is_documented(case: dict[str, Any]) -> None:
    """The labels after the rules, None where the series is dropped, are those of Prometheus's documentation."""
    wanted = {"dropped": True} if case["meaning"] is None else {"labels": case["meaning"]}

    assert wanted == ours(case["rules"], case["labels"])


def test_every_case_is_answered_as_prometheus_answers() -> None:
    """Labels, drops and refused rules are those of Prometheus's own code, for named and for random cases."""
    different = []
    for case in GOLDEN:
        answer = {"error": True} if "error" in case["answer"] else case["answer"]
        found = ours(case["rules"], case["labels"])
        if answer != found:
            different.append((case, found))

    assert [] == different
    assert 600 < len(GOLDEN)


def test_the_golden_file_holds_the_named_cases() -> None:
    """Whoever adds a named case asks Prometheus too."""
    asked = [(c["rules"], c["labels"]) for c in GOLDEN[: len(NAMED)]]

    assert [(c["rules"], c["labels"]) for c in NAMED] == asked


texts = st.text(max_size=8)


@given(st.dictionaries(texts.filter(bool), texts, max_size=5))
def test_no_rules_change_nothing_but_empty_labels(labels: dict[str, str]) -> None:
    """Without rules a label set stays as it is, without its empty labels."""
    assert {k: v for k, v in labels.items() if v} == relabel([], labels)


def test_the_tenant_cannot_be_written() -> None:
    """A rule that names the reserved label of the tenant is refused."""
    with pytest.raises(ValidationError, match="reserved"):
        RelabelConfig(target_label="__tenant__", replacement="other")
