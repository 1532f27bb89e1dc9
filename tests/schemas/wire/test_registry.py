"""Formats by name, as the configuration asks for them."""

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest

from schemas.config import LimitsConfig, find_problems
from schemas.errors import ConfigError
from schemas.wire import registry
from schemas.wire.native import NativeJson
from schemas.wire.registry import CONFLUENT, OURS, find_format, make_decoder, names

THEIRS = [
    EntryPoint("graphite", "schemas.wire.format:NATIVE", registry.GROUP),
    EntryPoint("native", "nowhere:AT_ALL", registry.GROUP),
    EntryPoint("broken", "nowhere:AT_ALL", registry.GROUP),
]


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Formats that an installed package offers, one of them under a name of ours."""
    monkeypatch.setattr(registry, "entry_points", lambda group: THEIRS)
    registry._known.cache_clear()
    yield
    registry._known.cache_clear()


@pytest.mark.parametrize("name", OURS)
def test_every_format_of_ours_makes_a_decoder(name: str) -> None:
    """Each of our formats is there under its name."""
    assert name in names()
    assert callable(make_decoder(name, LimitsConfig()).decode)


@pytest.mark.usefixtures("offered")
def test_a_package_adds_a_format_and_takes_none_over() -> None:
    """A format of an installed package has its name; one that has ours is passed over."""
    assert sorted([*OURS, "broken", "graphite"]) == names()
    assert isinstance(make_decoder("graphite", LimitsConfig()), NativeJson)
    assert isinstance(make_decoder("native", LimitsConfig()), NativeJson)


@pytest.mark.usefixtures("offered")
def test_a_format_that_cannot_be_loaded_says_why() -> None:
    """What is wrong with a package is told with the format's name."""
    with pytest.raises(ConfigError, match="format 'broken' cannot be loaded: No module named"):
        find_format("broken")


def test_check_names_the_nearest_format_with_its_line() -> None:
    """An unknown format is a fault of the configuration, with file, line and the nearest name."""
    text = (
        "sources:\n  - topic: a\n    format: arow\n  - topic: b\n    format: json\n  - topic: c\n"
    )
    known = ", ".join(names())

    assert [
        "tocsin.yaml:3: sources.0.format: unknown format 'arow': did you mean 'arrow'?",
        f"tocsin.yaml:5: sources.1.format: unknown format 'json': known are {known}",
    ] == find_problems(text, "tocsin.yaml")


@pytest.mark.parametrize("name", OURS)
def test_known_formats_are_sound(name: str) -> None:
    """Each of our formats may stand in a configuration."""
    where = "    options: {registry: {url: http://registry.example.com}}\n"
    text = f"sources:\n  - format: {name}\n{where if name == CONFLUENT else ''}"

    assert [] == find_problems(text, "tocsin.yaml")


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its package a format is a fault that says what to install."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "schemas.wire.arrow", raising=False)
    text = "sources:\n  - topic: a\n  - topic: b\n    format: arrow\n"

    (problem,) = find_problems(text, "tocsin.yaml")
    assert problem.startswith("tocsin.yaml:4: sources.1.format: the format 'arrow' needs the extra")
    assert "tocsin[history]" in problem
