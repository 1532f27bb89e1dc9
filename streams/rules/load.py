"""Reads rule files: Prometheus's format, and our keys `detect` and `evaluate`.

Every fault of every file is reported at once, as `file:line: what`; a typo gets the nearest key that is known.
Expressions are compiled, templates parsed and detectors made, so that a rule that loads can be evaluated.

Refuses unknown keys, and what could only be evaluated differently from what it says.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from pydantic import ValidationError
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from detectors import registry
from schemas.config.document import find_line, parse_yaml
from schemas.config.fault import explain
from schemas.config.near import nearest
from schemas.config.section import Section
from schemas.errors import ConfigError, RuleError
from schemas.labels import LABEL_NAME, METRIC, METRIC_NAME, TENANT
from streams.rules.grouped import group_faults
from streams.rules.plan import Plan, compile_expression
from streams.rules.rule import DetectBlock, Evaluate, Kind, Rule, RuleGroup
from streams.rules.rule_file import DetectSection, FileSection, GroupSection, RuleSection
from streams.rules.source import Source
from streams.rules.template import DETECT_VARIABLES, NOW, PLAIN_VARIABLES, Template

__all__ = ["RuleGroup", "load_rules", "parse_rules"]

# In place of a value with a fault, where a section cannot do without one.
TEXTS = frozenset({"alert", "expr", "name", "record"})
"""Keys whose value is a text, whatever YAML takes it for."""
STAND_INS = {"name": "?", "alert": "?", "expr": "0"}

Place: TypeAlias = tuple[str | int, ...]
S = TypeVar("S", bound=Section)


def load_rules(
    paths: Iterable[Path], *, ignore_unknown: bool = False
) -> tuple[list[RuleGroup], list[str]]:
    """Groups of these files in order, and every fault; groups with a fault lack the rules that have it."""
    groups: list[RuleGroup] = []
    problems: list[str] = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except OSError as error:
            problems.append(f"{path}:1: cannot be read: {error.strerror}")
            continue
        except UnicodeDecodeError as error:
            problems.append(f"{path}:1: not UTF-8 at byte {error.start}")
            continue
        more, faults = parse_rules(text, str(path), ignore_unknown=ignore_unknown)
        groups += more
        problems += faults
    return groups, problems


def parse_rules(
    text: str, name: str, *, ignore_unknown: bool = False
) -> tuple[list[RuleGroup], list[str]]:
    """Groups of a rule file's text, and every fault as `name:line: what`.

    With `ignore_unknown`, keys that we do not know are passed over, outside of `detect`.
    """
    try:
        tree = parse_yaml(text, name)
    except ConfigError as error:
        return [], error.problems
    tree = CommentedMap() if tree is None else tree
    reader = _Reader(name, tree, Source(text, tree), ignore_unknown)
    return reader.read(), reader.problems


@dataclass
class _Reader:
    """One file, and the faults found in it so far."""

    name: str
    tree: Any
    _source: Source
    ignore_unknown: bool = False
    problems: list[str] = field(default_factory=list)

    def read(self) -> list[RuleGroup]:
        file = self._section(FileSection, self.tree, ())
        groups: list[RuleGroup] = []
        lines: dict[str, int] = {}
        for index, given in enumerate(file.groups if file else ()):
            path = ("groups", index)
            group = self._section(GroupSection, given, path)
            if group is None:
                continue
            first = lines.setdefault(group.name, find_line(self.tree, path))
            if first != find_line(self.tree, path):
                self._fault((*path, "name"), f"group '{group.name}' stands already on line {first}")
            if group.interval == 0:
                self._fault((*path, "interval"), "interval must be longer than 0")
                continue
            groups.append(self._group(group, path))
        return groups

    def _group(self, group: GroupSection, path: Place) -> RuleGroup:
        self._check_labels(group.labels, (*path, "labels"), PLAIN_VARIABLES)
        rules = []
        for index, given in enumerate(group.rules):
            at = (*path, "rules", index)
            before = len(self.problems)
            section = self._section(RuleSection, given, at)
            rule = self._rule(group, section, at) if section else None
            if rule is not None and len(self.problems) == before:
                rules.append(rule)
        line = find_line(self.tree, path)
        return RuleGroup(group.name, group.interval, tuple(rules), self.name, line)

    def _rule(self, group: GroupSection, section: RuleSection, path: Place) -> Rule | None:
        if (section.alert is None) is (section.record is None):
            self._fault(path, "a rule needs either 'alert' or 'record'")
            return None
        if section.record is not None:
            self._check_record(section, path)
        detect = self._detect(section, path)
        plan = self._plan(section, path)
        variables = DETECT_VARIABLES if section.detect else PLAIN_VARIABLES
        uses = frozenset[str]()
        if section.alert is not None:  # labels of recording rules are no templates
            uses = self._check_labels(section.labels, (*path, "labels"), variables)
            if NOW in uses:
                what = "labels cannot depend on now: each evaluation would make another alert"
                self._fault((*path, "labels"), what)
        self._check_texts(section.annotations, (*path, "annotations"), variables)
        if section.evaluate == "on_arrival":
            if plan is not None and not plan.is_per_series:
                what = "on_arrival needs an expression of one plain selector, compared with or scaled by numbers"
                self._fault((*path, "evaluate"), what)
            if uses - {"$labels", "$externalLabels", "$externalURL", NOW}:
                self._fault(
                    (*path, "labels"), "labels of an on_arrival rule cannot depend on the value"
                )
        return Rule(
            group=group.name,
            name=section.alert or section.record or "",
            kind=Kind.ALERT if section.alert else Kind.RECORD,
            expr=section.expr,
            file=self.name,
            line=find_line(self.tree, path),
            interval_ms=group.interval,
            for_ms=section.for_,
            keep_firing_for_ms=section.keep_firing_for,
            query_offset_ms=group.query_offset,
            limit=group.limit,
            labels={**group.labels, **section.labels},
            annotations=section.annotations,
            evaluate=Evaluate(section.evaluate),
            detect=detect,
        )

    def _check_record(self, section: RuleSection, path: Place) -> None:
        for key in ("for", "keep_firing_for", "annotations", "detect", "evaluate"):
            if key in section.model_fields_set or f"{key}_" in section.model_fields_set:
                self._fault((*path, key), f"a recording rule has no '{key}'")
        if not METRIC_NAME.fullmatch(section.record or ""):
            self._fault((*path, "record"), f"not a metric name: '{section.record}'")

    def _plan(self, section: RuleSection, path: Place) -> Plan | None:
        try:
            return compile_expression(section.expr)
        except RuleError as error:
            self._fault_within((*path, "expr"), section.expr, "expr", str(error))
            return None

    def _detect(self, section: RuleSection, path: Place) -> DetectBlock | None:
        given, path = section.detect, (*path, "detect")
        if given is None:
            return None
        parameters: dict[str, object] = dict(given.model_extra or {})
        try:
            known = registry.parameters(given.detector).__struct_fields__
        except ConfigError as error:
            self._fault((*path, "detector"), error.problems[0])
            return None
        if given.season is not None:
            parameters["season_ms"] = given.season
        if "direction" in known:
            parameters["direction"] = given.direction
        for key in sorted(set(parameters) - set(known)):
            shown = "season" if key == "season_ms" else key
            ours = [k for k in DetectSection.model_fields if k != "season" or "season_ms" in known]
            hint = nearest(shown, sorted({*known, *ours} - {"season_ms"}))
            self._fault((*path, shown), f"detector '{given.detector}' has no '{shown}': {hint}")
            del parameters[key]
        try:
            made = registry.create(given.detector, parameters)
        except ConfigError as error:
            for problem in error.problems:
                self._fault(path, problem)
        else:
            for fault in group_faults(given, section.evaluate, hasattr(made, "assign")):
                self._fault(path, fault)
        return given.block(parameters)

    def _check_labels(
        self, labels: dict[str, str], path: Place, variables: frozenset[str]
    ) -> frozenset[str]:
        for key in labels:
            if key in (METRIC, TENANT):
                self._fault((*path, key), f"label '{key}' is ours to set")
        return self._check_texts(labels, path, variables)

    def _check_texts(
        self, texts: dict[str, str], path: Place, variables: frozenset[str]
    ) -> frozenset[str]:
        """Check names and templates; the variables that the templates use."""
        uses: frozenset[str] = frozenset()
        for key, text in texts.items():
            if not LABEL_NAME.fullmatch(key):
                self._fault((*path, key), f"not a label name: '{key}'")
            try:
                template = Template(text, variables)
            except RuleError as error:
                self._fault_within((*path, key), text, f"template of '{key}'", str(error))
                continue
            uses |= template.uses
            problem = template.problem()
            if problem:
                self._fault_within((*path, key), text, f"template of '{key}'", problem)
        return uses

    def _section(self, kind: type[S], given: Any, path: Place) -> S | None:
        """Validate a part of the tree; keys with a fault, which is noted, are left out so that the rest is seen too."""
        if not isinstance(given, CommentedMap):
            what = "an entry" if path else "the file"
            self._fault(path, f"{what} must hold keys and values, such as {_example(kind)}")
            return None
        given = self._as_written(given, path)
        try:
            return kind.model_validate(given, context={"file": True})
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False)
            for each in faults:
                foreign = each["type"] == "extra_forbidden" and each["loc"][0] != "detect"
                if not (foreign and self.ignore_unknown):
                    self._validation_fault(kind, path, each)
            wrong = {each["loc"][0] for each in faults}
            stand_ins = {key: value for key, value in STAND_INS.items() if key in wrong}
            rest = {k: v for k, v in given.items() if k not in wrong and isinstance(k, str)}
            return kind.model_validate(rest | stand_ins, context={"file": True})

    def _as_written(self, given: CommentedMap, path: Place) -> dict[Any, Any]:
        """A section without keys that have nothing behind them, and its texts as they stand: `true`, `1.50`, `010`."""
        written: dict[Any, object] = {}
        for key, value in given.items():
            if key in {"labels", "annotations"} and isinstance(value, CommentedMap):
                at = (*path, key)
                written[key] = {
                    name: self._as_text(one, (*at, name)) for name, one in value.items()
                }
            elif value is not None:
                written[key] = self._as_text(value, (*path, key)) if key in TEXTS else value
        return written

    def _as_text(self, value: object, path: Place) -> object:
        if value is None:
            return ""
        if isinstance(value, str | CommentedMap | CommentedSeq):
            return value
        return self._source.plain(path) or value

    def _validation_fault(self, kind: type[Section], path: Place, error: Any) -> None:
        loc = error["loc"]
        where = ".".join(map(str, loc))
        inner = DetectSection if loc[0] == "detect" and len(loc) > 1 else kind
        match error["type"]:
            case "extra_forbidden":
                known = sorted(f.alias or n for n, f in inner.model_fields.items())
                message = f"unknown key '{where}': {nearest(str(loc[-1]), known)}"
            case "missing":
                message = f"'{where}' is missing"
            case _:
                message = f"{where}: {explain(error)}"
        self._fault((*path, *loc), message)

    def _fault_within(self, path: Place, text: str, what: str, fault: str) -> None:
        """Note a fault of an expression or a template; where it says `line:column: `, that is found in the file."""
        found = re.match(r"(\d+):(\d+): ", fault)
        place = self._source.find(path, text, int(found[1]), int(found[2])) if found else None
        if found is None or place is None:
            self._fault(path, f"{what}: {fault}")
            return
        self.problems.append(f"{self.name}:{place[0]}:{place[1]}: {what}: {fault[found.end() :]}")

    def _fault(self, path: Place, what: str) -> None:
        self.problems.append(f"{self.name}:{find_line(self.tree, path)}: {what}")


def _example(kind: type[Section]) -> str:
    return {FileSection: "'groups:'", GroupSection: "'name: checkout'"}.get(
        kind, "'alert: CheckoutErrors'"
    )
