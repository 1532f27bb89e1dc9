"""Relabelling: Prometheus's `relabel_config` over the labels of one series, rule after rule.

Semantics are those of Prometheus 3 (model/relabel/relabel.go, label names as UTF-8): regular expressions are RE2 and
anchored, an empty value removes a label, what no rule names stays. Tests hold it against that very code.

It refuses to know what a label means: names that are reserved are the caller's matter.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import md5

from schemas.regex import Regex, expand

DEFAULT_SEPARATOR = ";"
DEFAULT_REGEX = "(.*)"
DEFAULT_REPLACEMENT = "$1"


class RelabelAction(StrEnum):
    """What a rule does."""

    REPLACE = "replace"
    KEEP = "keep"
    DROP = "drop"
    KEEPEQUAL = "keepequal"
    DROPEQUAL = "dropequal"
    HASHMOD = "hashmod"
    LABELMAP = "labelmap"
    LABELDROP = "labeldrop"
    LABELKEEP = "labelkeep"
    LOWERCASE = "lowercase"
    UPPERCASE = "uppercase"


@dataclass(frozen=True, slots=True)
class RelabelRule:
    """One rule, ready to be applied.

    Attributes:
        source_labels: labels whose values, joined by `separator`, are looked at; a missing one is empty.
        modulus: for `hashmod`, above 0 there.
        target_label: label that is written or compared; for `replace` a template of the regex's groups.
        replacement: template of the regex's groups.

    """

    action: RelabelAction
    regex: Regex
    source_labels: tuple[str, ...] = ()
    separator: str = DEFAULT_SEPARATOR
    modulus: int = 0
    target_label: str = ""
    replacement: str = DEFAULT_REPLACEMENT


class _Builder:
    """Labels under change: those that came, then those that rules wrote, in the order in which they wrote them.

    `labelmap` goes through them in that order, so of two that become one the later counts, as in Prometheus.
    """

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._came = {name: value for name, value in sorted(labels.items()) if value}
        self._wrote: dict[str, str] = {}

    def get(self, name: str) -> str:
        """Value of a label, empty when it is missing."""
        return self._wrote.get(name) or self._came.get(name, "")

    def set(self, name: str, value: str) -> None:
        """Write a label; an empty value removes it."""
        self._came.pop(name, None)
        if value:
            self._wrote[name] = value
        else:
            self._wrote.pop(name, None)

    def all(self) -> dict[str, str]:
        """The labels as they are now."""
        return self._came | self._wrote


def relabel(rules: Iterable[RelabelRule], labels: Mapping[str, str]) -> dict[str, str] | None:
    """The labels after all rules, without empty ones; None when a rule drops the series.

    The metric's name is the label `__name__`, before and after.
    """
    builder = _Builder(labels)
    return builder.all() if all(_apply(rule, builder) for rule in rules) else None


def _apply(rule: RelabelRule, builder: _Builder) -> bool:
    """Apply one rule; whether the series stays."""
    value = rule.separator.join(map(builder.get, rule.source_labels))
    match rule.action:
        case RelabelAction.KEEP:
            return rule.regex.matches(value)
        case RelabelAction.DROP:
            return not rule.regex.matches(value)
        case RelabelAction.KEEPEQUAL:
            return builder.get(rule.target_label) == value
        case RelabelAction.DROPEQUAL:
            return builder.get(rule.target_label) != value
        case RelabelAction.LABELMAP | RelabelAction.LABELDROP | RelabelAction.LABELKEEP:
            for name, found in builder.all().items():
                _rename(rule, builder, name, found)
        case _:
            _write(rule, builder, value)
    return True


def _rename(rule: RelabelRule, builder: _Builder, name: str, value: str) -> None:
    """Apply one of the rules that look at names to a label."""
    if rule.action is RelabelAction.LABELMAP:
        groups = rule.regex.groups(name)
        if groups is not None:
            builder.set(expand(rule.replacement, groups), value)
    elif rule.regex.matches(name) is (rule.action is RelabelAction.LABELDROP):
        builder.set(name, "")


def _write(rule: RelabelRule, builder: _Builder, value: str) -> None:
    """Apply one of the rules that write a label from a value."""
    if rule.action is RelabelAction.REPLACE:
        groups = rule.regex.groups(value)
        if groups is not None and (target := expand(rule.target_label, groups)):
            builder.set(target, expand(rule.replacement, groups))
    elif rule.action is RelabelAction.HASHMOD:
        digest = md5(value.encode(), usedforsecurity=False).digest()
        builder.set(rule.target_label, str(int.from_bytes(digest[8:], "big") % rule.modulus))
    else:
        change = _lower if rule.action is RelabelAction.LOWERCASE else _upper
        builder.set(rule.target_label, "".join(map(change, value)))


def _lower(letter: str) -> str:
    # Go maps letter to letter (Unicode's simple mapping); Python's own may give two
    return letter.lower()[0]


def _upper(letter: str) -> str:
    return next((u for u in (letter.upper(), letter.title()) if len(u) == 1), letter)
