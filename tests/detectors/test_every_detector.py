"""The conformance suite over the registry, with the defaults and with every option turned."""

from collections.abc import Mapping
from functools import partial

import pytest

from detectors.checks import CHECKS, Check, Factory
from detectors.registry import create, names

OPTIONS: dict[str, Mapping[str, object]] = {
    "auto": {"direction": "up", "warm_up_samples": 20},
    "change_point": {"lengths": 24, "usual_run_samples": 100.0, "direction": "up"},
    "cusum": {"allowance_scales": 1.0, "half_life_samples": 50.0, "direction": "down"},
    "ewma": {"half_life_seconds": 7200.0, "direction": "up", "refractory": True},
    "extreme": {"first_samples": 60, "drift_samples": 10, "tail": "past"},
    "fluctuation": {"season_ms": 43_200_000, "days": 2, "slots": 12, "direction": "up"},
    "forecast": {"lags": 3, "forgetting": 0.99, "tail": "normal"},
    "gaussian": {"tail": "past", "direction": "down", "warm_up_samples": 20},
    "half_space_trees": {"trees": 5, "height": 4, "window_samples": 40, "most_members": 4},
    "holt_winters": {"season_ms": 86_400_000, "slots": 24, "direction": "down"},
    "newcomers": {"half_life_seconds": 3600.0, "warm_up_samples": 20},
    "novelty": {"values": 33, "warm_up_samples": 20, "refractory": True},
    "page_hinkley": {"allowance_scales": 0.3, "forgetting": 0.99, "warm_up_samples": 20},
    "pca": {"components": 1, "half_life_samples": 200.0, "direction": "up"},
    "peers": {"fewest": 2, "own_level": False, "warm_up_samples": 20},
    "robust": {"window_samples": 30, "refresh_samples": 1, "tail": "normal"},
    "seasonal": {"season_ms": 43_200_000, "slots": 10, "zone": "Asia/Kathmandu"},
    "river": {"blind_samples": 30, "model": "river.anomaly.GaussianScorer"},
}
CASES: list[tuple[str, Mapping[str, object]]] = [(name, {}) for name in names()] + list(
    OPTIONS.items()
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(
    ("name", "params"), CASES, ids=[name + ("-options" if params else "") for name, params in CASES]
)
def test_conformance(name: str, params: Mapping[str, object], check: Check) -> None:
    """Every detector keeps every promise of the conformance suite."""
    factory: Factory = partial(create, name, params, seed=7)
    check(factory)


def test_all_detectors_have_options_tested() -> None:
    """No detector is left out of the second pass."""
    assert sorted(OPTIONS) == names()
