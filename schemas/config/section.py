"""What every section of the configuration shares: strict keys, and the types Duration and Secret."""

import os
import re
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
)

from schemas.errors import ConfigError

_UNITS_MS = {
    "ms": 1,
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
    "y": 31_536_000_000,
}
_DURATION = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")
_PART = re.compile(r"(\d+)(ms|[smhdwy])")


def parse_duration(text: object) -> int:
    """Milliseconds of a Prometheus duration such as `30s`, `1h30m`, `1w`; `0` is allowed.

    Raises:
        ValueError: it is none.

    """
    if text in (0, "0"):
        return 0
    if not isinstance(text, str) or not _DURATION.fullmatch(text):
        raise ValueError(
            f"not a duration: {text!r}; write a number with a unit, such as 30s, 5m or 1h30m"
        )
    return sum(int(n) * _UNITS_MS[unit] for n, unit in _PART.findall(text))


def format_duration(ms: int) -> str:
    """Shortest Prometheus duration of this many milliseconds."""
    if ms == 0:
        return "0s"
    out = ""
    for unit in ("w", "d", "h", "m", "s", "ms"):
        n, ms = divmod(ms, _UNITS_MS[unit])
        out += f"{n}{unit}" if n else ""
    return out


def _duration(given: object, info: ValidationInfo) -> int:
    # in a file a bare number would leave its unit open; in the program it is milliseconds
    if type(given) is int and given >= 0 and not (info.context or {}).get("file"):
        return given
    return parse_duration(given)


Duration: TypeAlias = Annotated[int, BeforeValidator(_duration), PlainSerializer(format_duration)]
"""A duration in the file, milliseconds in the program."""
Span: TypeAlias = Annotated[Duration, Field(gt=0)]
"""A duration that is not 0."""
Count: TypeAlias = Annotated[int, Field(ge=1)]
"""A whole number above 0."""

_REFERENCE = re.compile(r"\$\{(env|file):([^}]+)\}")


class Secret(str):
    """A text that may name `${env:NAME}` or `${file:PATH}`; it prints as stars and is resolved late."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"

    def reveal(self) -> str:
        """The text with its references resolved.

        Raises:
            ConfigError: a variable or a file that it names is not there.

        """

        def resolve(found: re.Match[str]) -> str:
            kind, name = found.groups()
            if kind == "env":
                if name not in os.environ:
                    raise ConfigError([f"environment variable {name} is not set"])
                return os.environ[name]
            try:
                return Path(name).read_text().strip()
            except OSError as error:
                raise ConfigError(
                    [f"cannot read the secret file {name}: {error.strerror}"]
                ) from error

        return _REFERENCE.sub(resolve, str.__str__(self))


def _secret(given: object) -> Secret:
    if not isinstance(given, str):
        raise ValueError("must be a text")  # noqa: TRY004  pydantic reports ValueError only
    return Secret(given)


SecretText: TypeAlias = Annotated[Secret, PlainValidator(_secret), PlainSerializer(lambda _: "***")]


class Section(BaseModel):
    """A section: frozen, and a key that it does not know is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)
