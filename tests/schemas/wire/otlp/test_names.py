"""Names: as Prometheus's own translator gives them. `golden/names/main.go` makes the golden file."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import DecodeError
from schemas.wire.otlp.names import info_of, label_name, labels_of, metric_name

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parent / "golden" / "names.json").read_text(encoding="utf-8")
)


def name_of(row: dict[str, Any]) -> str:
    """Our name of a metric, empty where there is none."""
    try:
        return metric_name(row["Name"], row["Unit"], row["Kind"])
    except DecodeError:
        return ""


def test_metrics_are_named_as_prometheus_names_them() -> None:
    """Every name with every unit and kind of the golden file comes out as Prometheus has it."""
    wanted = {(r["Name"], r["Unit"], r["Kind"]): r["Prometheus"] for r in GOLDEN["metrics"]}
    found = {(r["Name"], r["Unit"], r["Kind"]): name_of(r) for r in GOLDEN["metrics"]}

    assert wanted == found
    assert len(wanted) > 1000


@pytest.mark.parametrize(("name", "wanted"), GOLDEN["labels"].items())
def test_labels_are_named_as_prometheus_names_them(name: str, wanted: str) -> None:
    """So is every label; one of which nothing is left has no name."""
    assert wanted == label_name(name)


def test_values_of_labels_that_become_one_are_put_together() -> None:
    """Two attributes with one name here are one label with both values, in the order of their own names."""
    assert {"a_b": "1;2;3"} == labels_of({"a_b": "3", "a.b": "2", "a-b": "1"})


def test_target_info_has_what_identity_has_not() -> None:
    """It is about a job and an instance, and tells the other attributes; without either there is none."""
    resource = {"service.name": "cart", "service.instance.id": "c1", "host.name": "web"}

    assert {
        "job": "cart",
        "instance": "c1",
        "service.name": "cart",
        "host_name": "web",
    } == info_of(resource, "tenant")
    assert info_of({"service.name": "cart"}, "tenant") is None
    assert info_of({"host.name": "web"}, "tenant") is None
