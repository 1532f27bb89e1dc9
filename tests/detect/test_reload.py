"""Other rules as an event for a detect stage."""

import pytest

from schemas.config import Config, SourceConfig
from streams.detect.stage import DetectStage, FusedStage
from streams.rules.load import parse_rules
from streams.rules.reload import NewRules

SOURCE = SourceConfig(topic="shop", keyed=True)


def new_rules(interval: str) -> NewRules:
    """One rule of a group with this interval."""
    text = f"groups: [{{name: g, interval: {interval}, rules: [{{alert: A, expr: x > 1}}]}}]"
    groups, problems = parse_rules(text, "r.yml")
    assert [] == problems
    return NewRules(groups)


def test_both_stages_go_on_with_other_rules() -> None:
    """Nothing is sent for it; what ends, ends at the next tick."""
    config = Config(sources=(SOURCE,))
    before = new_rules("15s").groups
    for stage in (DetectStage(config, before, 0), FusedStage(config, before, SOURCE, 0)):
        assert [] == stage.apply_event(new_rules("1m"))
        assert [60_000] == stage.core.engine.intervals_ms


def test_no_other_event_is_known() -> None:
    """A stage that is told of something else ends."""
    with pytest.raises(TypeError, match="no such events"):
        DetectStage(Config(), [], 0).apply_event("hello")
