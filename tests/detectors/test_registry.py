"""The registry: names, parameters and their faults."""

from importlib.metadata import EntryPoint

import pytest

from detectors import create, describe, names, parameters, registry
from detectors.gaussian import Gaussian
from schemas.errors import ConfigError


def test_names() -> None:
    """All detectors of this version are there."""
    assert {"ewma", "gaussian", "river", "robust", "seasonal"} <= set(names())


@pytest.mark.parametrize(
    ("name", "params", "said"),
    [
        ("robsut", {}, "unknown detector 'robsut'; did you mean 'robust'?"),
        ("xyzzy", {}, "unknown detector 'xyzzy'; known are auto, change_point, cusum"),
        ("ewma", {"half_life": 3}, "did you mean 'half_life_s"),
        ("ewma", {"half_life_samples": -1.0}, "half_life_samples"),
        ("ewma", {"half_life_samples": "long"}, "half_life_samples"),
        ("robust", {"direction": "sideways"}, "sideways"),
    ],
)
def test_faults_name_what_is_wrong(name: str, params: dict[str, object], said: str) -> None:
    """An unknown name or parameter names the nearest known one, a bad value its parameter."""
    with pytest.raises(ConfigError) as error:
        create(name, params)
    assert said in str(error.value)


def test_all_unknown_parameters_are_told_at_once() -> None:
    """Each unknown parameter is a problem of its own."""
    with pytest.raises(ConfigError) as error:
        create("robust", {"windows": 3, "refresh": 4, "direction": "up"})
    assert len(error.value.problems) == 2


def test_describe_tells_every_parameter() -> None:
    """Every detector has a summary, and every parameter a type, a default and a meaning."""
    told = describe()
    assert [description.name for description in told] == names()
    for description in told:
        assert description.summary.endswith((".", ",", "0"))
        fields = parameters(description.name).__struct_fields__
        assert {parameter.name for parameter in description.parameters} == set(fields)
        assert all(parameter.meaning and parameter.type for parameter in description.parameters)
    direction = next(p for p in told[0].parameters if p.name == "direction")
    assert (direction.type, direction.default) == ("both | up | down", "both")


def test_a_users_own_detector_comes_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point adds a name, and cannot take over one of ours."""
    points = [
        EntryPoint(name, "detectors.gaussian:Gaussian", registry.GROUP)
        for name in ("mine", "robust")
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group else [])
    registry._known.cache_clear()
    try:
        assert isinstance(create("mine", {}), Gaussian)
        assert not isinstance(create("robust", {}), Gaussian)
    finally:
        registry._known.cache_clear()
