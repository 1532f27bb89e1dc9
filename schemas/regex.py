"""Regular expressions as Prometheus and Alertmanager read them: RE2, anchored at both ends, dot matching newline.

RE2 takes time linear in the text, so no expression of a rule or a route can hold a worker up.
Refuses what RE2 refuses, such as look-ahead and back references.
"""

from collections.abc import Callable
from functools import lru_cache

import re2  # type: ignore[import-untyped]  # the wheel has no stubs

_OPTIONS = re2.Options()
_OPTIONS.dot_nl = True
_OPTIONS.log_errors = False


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
        try:
            self._compiled = re2.compile(pattern, _OPTIONS)
        except re2.error as error:
            why = error.args[0] if error.args else error
            shown = why.decode(errors="replace") if isinstance(why, bytes) else str(why)
            raise RegexError(f"regular expression {pattern!r}: {shown}") from None

    def __reduce__(self) -> tuple[Callable[[str], "Regex"], tuple[str]]:
        return compile_regex, (self._pattern,)

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


@lru_cache(maxsize=1024)
def compile_regex(pattern: str) -> Regex:
    """The compiled expression; the newest 1024 are kept.

    Raises:
        RegexError: it is none.

    """
    return Regex(pattern)
