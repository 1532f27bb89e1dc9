"""Regular expressions as Prometheus and Alertmanager read them: RE2, anchored at both ends, dot matching newline.

RE2 takes time linear in the text, so no expression of a rule or a route can hold a worker up.
Refuses what RE2 refuses, such as look-ahead and back references.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]  # the wheel has no stubs

_OPTIONS = re2.Options()
_OPTIONS.dot_nl = True
_OPTIONS.log_errors = False

_SEARCH_OPTIONS = re2.Options()
_SEARCH_OPTIONS.log_errors = False

_REFERENCE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<braced>\w+)\}|(?P<bare>\w+))")


class RegexError(ValueError):
    """A text that is no RE2 expression; the message says why."""


class Regex:
    """A compiled expression."""

    def __init__(self, pattern: str) -> None:
        """Compile it.

        Raises:
            RegexError: it is none.

        """
        self._pattern = pattern
        self._compiled = _compile(pattern, _OPTIONS)

    def __reduce__(self) -> tuple[Callable[[str], "Regex"], tuple[str]]:
        return compile_regex, (self._pattern,)

    @property
    def count(self) -> int:
        """How many groups it has."""
        return int(self._compiled.groups)

    def matches(self, text: str) -> bool:
        """Whether the whole text matches."""
        return self._compiled.fullmatch(text) is not None

    def groups(self, text: str) -> dict[str, str] | None:
        """The whole match under "0", groups by number and by name, unmatched ones empty; None without a match."""
        found = self._compiled.fullmatch(text)
        if found is None:
            return None
        numbered = {str(at + 1): group or "" for at, group in enumerate(found.groups())}
        named = {name: group or "" for name, group in found.groupdict().items()}
        return {"0": text, **numbered, **named}


class Searcher:
    """An expression that is searched for anywhere in a text; the dot matches no newline."""

    def __init__(self, pattern: str) -> None:
        """Compile it; raises RegexError as `Regex` does."""
        self._compiled = _compile(pattern, _SEARCH_OPTIONS)

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """From where up to where each match stands; of one with groups, the first group that took part."""
        for found in self._compiled.finditer(text):
            start, end = found.span(found.lastindex or 0)
            if start < end:
                yield start, end


def _compile(pattern: str, options: Any) -> Any:
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        why = error.args[0] if error.args else error
        shown = why.decode(errors="replace") if isinstance(why, bytes) else str(why)
        raise RegexError(f"regular expression {pattern!r}: {shown}") from None


@lru_cache(maxsize=1024)
def compile_regex(pattern: str) -> Regex:
    """The compiled expression; the newest 1024 are kept.

    Raises:
        RegexError: it is none.

    """
    return Regex(pattern)


def expand(template: str, groups: Mapping[str, str]) -> str:
    """A template, `$1`, `${name}` and `$$` filled in as Go's regexp.Expand does: unknown ones are empty."""

    def filled(found: re.Match[str]) -> str:
        return "$" if found["dollar"] else groups.get(found["braced"] or found["bare"], "")

    return _REFERENCE.sub(filled, template)
