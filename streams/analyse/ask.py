"""Ask: what to watch series with, in the words of a rule's `detect:` block.

Refuses what that block refuses, and names the nearest known word.
"""

from typing import Any

from pydantic import ValidationError

from detectors import registry
from schemas.config.near import nearest
from schemas.errors import ConfigError
from streams.rules.rule import DetectBlock
from streams.rules.rule_file import DetectSection

PREFERRED = ("auto", "robust")


def ask(detector: str | None = None, **settings: Any) -> DetectBlock:
    """What to watch with, as a rule's `detect:` block says it; keys and defaults are the same.

    Without a detector it is `auto` where there is one, else `robust`. `parameters` are the detector's own.

    Raises:
        ConfigError: a setting is wrong.

    """
    known = registry.names()
    name = detector or next(name for name in PREFERRED if name in known)
    own = dict(settings.pop("parameters", None) or {})
    try:
        given = DetectSection.model_validate({"detector": name, **settings})
    except ValidationError as error:
        faults = [
            f"{'.'.join(map(str, e['loc']))}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors()
        ]
        raise ConfigError(faults) from error
    fields = registry.parameters(name).__struct_fields__
    unknown = sorted(given.model_extra or {})
    if unknown:
        raise ConfigError(
            [
                f"no setting {key!r}; {nearest(key, list(DetectSection.model_fields))}"
                for key in unknown
            ]
        )
    if given.season is not None and "season_ms" in fields:
        own.setdefault("season_ms", given.season)
    if "direction" in fields:
        own.setdefault("direction", given.direction)
    return given.block(own)
