"""Expressions against Prometheus: frozen answers everywhere, fresh ones where its engine can be built."""

import json
import os
from pathlib import Path

import pytest

from deploy.go import UnavailableError
from streams.windows.series import SeriesStore
from tests.rules.conftest import make_store
from tests.rules.differential.compare import agree, differences, evaluate, parts
from tests.rules.differential.judge import Case, build

GOLDEN = json.loads((Path(__file__).parent / "golden" / "language.json").read_text())
IN_CI = os.environ.get("CI") == "true"
FIXED, FRESH = 300, 100


@pytest.fixture(scope="module")
def store() -> SeriesStore:
    return make_store(GOLDEN["series"], GOLDEN["every_s"])


@pytest.fixture(scope="module")
def judge() -> Path:
    """Prometheus's engine, built if need be."""
    try:
        return build()
    except UnavailableError as error:
        if IN_CI:
            pytest.fail(f"CI needs Prometheus's engine: {error}", pytrace=False)
        pytest.skip(f"no Prometheus: {error}")


@pytest.mark.parametrize("number", range(len(GOLDEN["cases"])))
def test_answers_are_those_frozen_of_prometheus(store: SeriesStore, number: int) -> None:
    """Every function and operator, at its edges and nested: label sets, values and errors."""
    expression, at_s, expected = GOLDEN["cases"][number]
    found, why = evaluate(store, Case(expression, at_s))

    assert agree(expected, found), f"{expression} at {at_s} s: {expected} != {found} {why}"


def test_fixed_random_expressions_agree_with_prometheus(judge: Path) -> None:
    """The same expressions every time."""
    assert [] == differences(judge, 1, FIXED, make_store)


def test_fresh_random_expressions_agree_with_prometheus(judge: Path) -> None:
    """Others every time; `python -m tests.rules.differential run --seed N --count 100` repeats a failure."""
    seed = int.from_bytes(os.urandom(4), "big")

    assert [] == differences(judge, seed, FRESH, make_store), f"seed {seed}"


def test_a_differing_expression_is_shrunk_by_its_parts() -> None:
    """Arguments alone, and in the place of their call."""
    found = parts("sum by (a) (rate(x[5m])) + 1")

    assert "rate(x[5m])" in found
    assert "x[5m]" in found
    assert "rate(x[5m]) + 1" in found
