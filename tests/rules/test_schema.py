"""The JSON Schema of rule files follows the sections that read them."""

import re
from typing import Any

from streams.rules.rule_file import DetectSection, FileSection, GroupSection, RuleSection
from streams.rules.schema import rule_schema


def sections() -> list[dict[str, Any]]:
    """Schemas of a file, a group, a rule and a `detect` block."""
    file: Any = rule_schema()
    group = file["properties"]["groups"]["items"]
    rule = group["properties"]["rules"]["items"]
    return [file, group, rule, rule["properties"]["detect"]]


def test_every_key_is_there_and_no_other() -> None:
    """With a meaning; strict but in `detect`, where a detector has its own."""
    models = (FileSection, GroupSection, RuleSection, DetectSection)
    for model, schema in zip(models, sections(), strict=True):
        keys = {field.alias or name for name, field in model.model_fields.items()}
        assert keys == set(schema["properties"])
        assert all(each["description"] for each in schema["properties"].values())
        assert (model is DetectSection) is schema["additionalProperties"]


def test_required_keys_are_named() -> None:
    """A group has a name, a rule an expression and one of two names; a `detect` block may leave all to the defaults."""
    _, group, rule, detect = sections()

    assert (["name"], ["expr"]) == (group["required"], rule["required"])
    assert "required" not in detect
    assert [{"required": ["alert"]}, {"required": ["record"]}] == rule["oneOf"]


def test_durations_have_a_pattern() -> None:
    """Which takes what Prometheus writes."""
    pattern = sections()[2]["properties"]["for"]["pattern"]

    assert all(re.search(pattern, text) for text in ("5m", "1h30m", "100ms", "0"))
    assert not any(re.search(pattern, text) for text in ("5", "m", "5 m", ""))
