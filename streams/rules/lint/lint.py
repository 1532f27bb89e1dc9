"""Runs the checks over rule files, finds the places of what they found, and leaves out what a comment switches off.

`# lint: ignore CODE, CODE` within a rule, or on the lines right above it, is for that rule; `# lint: ignore-file CODE`
anywhere is for the file; without a code all are meant.

Refuses nothing: a rule that does not load is a problem of its own, and not looked at.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap

from schemas.config.document import find_line, parse_yaml
from schemas.errors import ConfigError
from streams.rules.lint.checks import CHECKS, Context, Found
from streams.rules.lint.expression import Expression
from streams.rules.lint.finding import Finding
from streams.rules.load import parse_rules
from streams.rules.rule import Kind, Rule, RuleGroup
from streams.rules.source import Source

_IGNORE = re.compile(r"#\s*lint:\s*ignore(-file)?\b([\w ,-]*)")
EVERY = "*"


def lint_files(paths: Iterable[Path]) -> tuple[list[Finding], list[str]]:
    """Findings of these files by place, and every fault because of which a rule was not looked at."""
    findings: list[Finding] = []
    problems: list[str] = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{path}:1: cannot be read: {error}")
            continue
        more, faults = lint_text(text, str(path))
        findings += more
        problems += faults
    return findings, problems


def lint_text(text: str, name: str) -> tuple[list[Finding], list[str]]:
    """Findings of a rule file's text by place, and its faults."""
    groups, problems = parse_rules(text, name)
    try:
        tree = parse_yaml(text, name)
    except ConfigError:
        return [], problems
    lint = _Lint(text, name, tree, groups)
    findings = [each for group in groups for each in lint.group(group)]
    findings.sort(key=lambda each: (each.line, each.column, each.code))
    return findings, problems


class _Lint:
    """One file."""

    def __init__(self, text: str, name: str, tree: Any, groups: list[RuleGroup]) -> None:
        self._name = name
        self._source = Source(text, tree)
        self._tree = tree
        self._paths = _paths(tree)
        self._ignored = _ignored(text, sorted(self._paths))
        rules = [rule for group in groups for rule in group.rules]
        self._expressions = {id(rule): Expression(rule.expr) for rule in rules}
        self._recorded = {
            rule.name: self._expressions[id(rule)] for rule in rules if rule.kind is Kind.RECORD
        }

    def group(self, group: RuleGroup) -> Iterable[Finding]:
        names = [rule.name if rule.kind is Kind.RECORD else "" for rule in group.rules]
        for at, rule in enumerate(group.rules):
            later = frozenset(names[at + 1 :]) - frozenset(names[: at + 1])
            context = Context(rule, self._expressions[id(rule)], self._recorded, later - {""})
            ignored = self._ignored.get(0, set()) | self._ignored.get(rule.line, set())
            for check in CHECKS:
                for found in check(context):
                    if not ignored & {found.code, EVERY}:
                        line, column = self._place(rule, found)
                        yield Finding(self._name, line, column, found.code, rule.id, found.what)

    def _place(self, rule: Rule, found: Found) -> tuple[int, int]:
        path = self._paths[rule.line]
        if isinstance(found.at, int):
            line, column = self._expressions[id(rule)].place(found.at)
            place = self._source.find((*path, "expr"), rule.expr, line, column)
            return place or (find_line(self._tree, (*path, "expr")), 1)
        keys = tuple(found.at.split("."))
        inner = (*path, *keys)
        text = rule.name if len(keys) == 1 else getattr(rule, keys[0]).get(keys[1], "")
        return self._source.find(inner, text, 1, 1) or (find_line(self._tree, inner), 1)


def _paths(tree: Any) -> dict[int, tuple[str | int, ...]]:
    """The path of the rule that begins on each line."""
    found: dict[int, tuple[str | int, ...]] = {}
    for i, group in enumerate((tree or {}).get("groups") or ()):
        rules = group.get("rules") if isinstance(group, CommentedMap) else None
        for j, _ in enumerate(rules or ()):
            path = ("groups", i, "rules", j)
            found[find_line(tree, path)] = path
    return found


def _ignored(text: str, starts: list[int]) -> dict[int, set[str]]:
    """Codes that comments switch off, by the line at which the rule begins; those of the whole file under 0."""
    off: dict[int, set[str]] = {}
    lines = text.splitlines()
    for row, line in enumerate(lines, 1):
        found = _IGNORE.search(line)
        if found is None:
            continue
        codes = set(re.split(r"[\s,]+", found[2].strip())) - {""} or {EVERY}
        if found[1]:
            off.setdefault(0, set()).update(codes)
            continue
        below = row
        while below <= len(lines) and lines[below - 1].lstrip().startswith("#"):
            below += 1
        start = below if below in starts else max((s for s in starts if s <= row), default=0)
        if start:
            off.setdefault(start, set()).update(codes)
    return off
