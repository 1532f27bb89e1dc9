"""The difference of two JSON values for a terminal, as `promtool test rules --diff` prints it.

Green is what was added, red what is missing, yellow what changed. The form is that of the Go package nsf/jsondiff with
its options for consoles. Values are lists, objects and texts, which is all that alerts are made of.
"""

from collections.abc import Iterator
from typing import TypeAlias

from streams.rules.template.gofmt import quote

Json: TypeAlias = "str | list[Json] | dict[str, Json]"
Entry: TypeAlias = "tuple[str, Json | None, Json | None]"

ADDED, REMOVED, CHANGED, END = "\033[0;32m", "\033[0;31m", "\033[0;33m", "\033[0m"
_STEP = " " * 4


def difference(expected: Json, got: Json, level: int = 0) -> str:
    """What became of `expected`."""
    if isinstance(expected, list) and isinstance(got, list):
        return _collection("[]", _beside(expected, got), level)
    if isinstance(expected, dict) and isinstance(got, dict):
        pairs = ((f"{quote(k)}: ", expected.get(k), got.get(k)) for k in sorted({*expected, *got}))
        return _collection("{}", pairs, level)
    if expected == got:
        return _value(expected, level, "")
    return f"{CHANGED}{_brief(expected)} => {_brief(got)}{END}"


def _beside(first: list[Json], second: list[Json]) -> Iterator[Entry]:
    for at in range(max(len(first), len(second))):
        yield (
            "",
            first[at] if at < len(first) else None,
            second[at] if at < len(second) else None,
        )


def _collection(brackets: str, entries: Iterator[Entry], level: int) -> str:
    shown = []
    for key, first, second in entries:
        if first is None and second is not None:
            shown.append(f"{ADDED}{key}{_value(second, level + 1, ADDED)}{END}")
        elif second is None and first is not None:
            shown.append(f"{REMOVED}{key}{_value(first, level + 1, REMOVED)}{END}")
        elif first is not None and second is not None:
            shown.append(key + difference(first, second, level + 1))
    return _enclosed(brackets, shown, level, "")


def _value(value: Json, level: int, colour: str) -> str:
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, list):
        return _enclosed("[]", [_value(each, level + 1, colour) for each in value], level, colour)
    pairs = [f"{quote(k)}: {_value(v, level + 1, colour)}" for k, v in sorted(value.items())]
    return _enclosed("{}", pairs, level, colour)


def _enclosed(brackets: str, entries: list[str], level: int, colour: str) -> str:
    if not entries:
        return brackets
    # a colour ends with the line and begins anew, so that it never paints the margin
    end = END if colour else ""
    inner, outer = f"{end}\n{_STEP * (level + 1)}{colour}", f"{end}\n{_STEP * level}{colour}"
    return brackets[0] + inner + f",{inner}".join(entries) + outer + brackets[1]


def _brief(value: Json) -> str:
    return quote(value) if isinstance(value, str) else "[]" if isinstance(value, list) else "{}"
