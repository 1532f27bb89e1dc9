"""What a test file of promtool's format says, as data: groups of input series, and what is expected of them.

`read_suite` reads a text; rule files are found by whoever runs the tests. Times are ms since the start of the test.
Refuses what promtool refuses, in its words.
"""

import re
import warnings
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import Node

from schemas.errors import RuleError
from streams.rules.promtest.strict import (
    boolean,
    duration,
    listing,
    number,
    struct,
    text,
    texts,
)
from streams.rules.template.gofmt import quote

DEFAULT_INTERVAL_MS = 60_000


@dataclass(frozen=True)
class InputSeries:
    """A series in series notation, and the line where it stands."""

    line: int
    series: str = ""
    values: str = ""


@dataclass(frozen=True)
class ExpectedAlert:
    """Labels and annotations of one firing alert."""

    line: int
    exp_labels: dict[str, str] = field(default_factory=dict)
    exp_annotations: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AlertTest:
    """What fires under a name at a time."""

    line: int
    eval_time: int = 0
    alertname: str = ""
    exp_alerts: list[ExpectedAlert] = field(default_factory=list)


@dataclass(frozen=True)
class ExpectedSample:
    """One element of a result; with a histogram, the value is ignored."""

    line: int
    labels: str = ""
    value: float = 0.0
    histogram: str = ""


@dataclass(frozen=True)
class ExpressionTest:
    """The result of an expression at a time."""

    line: int
    expr: str = ""
    eval_time: int = 0
    exp_samples: list[ExpectedSample] = field(default_factory=list)


@dataclass(frozen=True)
class TestGroup:
    """Input series, and what is expected of them.

    Attributes:
        interval: ms between the samples of an input series, 0 for the file's evaluation interval.
        start_timestamp: event time at which the test starts, ms since the epoch.

    """

    __test__ = False  # pytest would take it for a class of tests

    line: int
    name: str = ""
    interval: int = 0
    input_series: list[InputSeries] = field(default_factory=list)
    alert_rule_test: list[AlertTest] = field(default_factory=list)
    promql_expr_test: list[ExpressionTest] = field(default_factory=list)
    external_labels: dict[str, str] = field(default_factory=dict)
    external_url: str = ""
    start_timestamp: int = 0

    @property
    def span_ms(self) -> int:
        """The latest time at which something is expected."""
        times = [test.eval_time for test in self.alert_rule_test]
        times += [test.eval_time for test in self.promql_expr_test]
        return max(times, default=0)


@dataclass(frozen=True)
class Suite:
    """A test file."""

    line: int = 1
    rule_files: list[str] = field(default_factory=list)
    evaluation_interval: int = DEFAULT_INTERVAL_MS
    group_eval_order: list[str] = field(default_factory=list)
    tests: list[TestGroup] = field(default_factory=list)
    fuzzy_compare: bool = False


_UNIX = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)")


def _start(node: Node, faults: list[str]) -> int:
    word = text(node, faults)
    if not word:
        return 0
    if _UNIX.fullmatch(word):
        return round(float(word) * 1000)
    if _RFC3339.fullmatch(word):
        try:
            return round(datetime.fromisoformat(word).timestamp() * 1000)
        except ValueError:
            pass
    raise ValueError(f"cannot parse {quote(word)} to a valid timestamp")


_series = struct("main.series", {"series": text, "values": text}, InputSeries)
_alert = struct("main.alert", {"exp_labels": texts, "exp_annotations": texts}, ExpectedAlert)
_sample = struct(
    "main.sample", {"labels": text, "value": number, "histogram": text}, ExpectedSample
)
_alert_test = struct(
    "main.alertTestCase",
    {"eval_time": duration, "alertname": text, "exp_alerts": listing(_alert, "main.alert")},
    AlertTest,
)
_expression_test = struct(
    "main.promqlTestCase",
    {"expr": text, "eval_time": duration, "exp_samples": listing(_sample, "main.sample")},
    ExpressionTest,
)
_group = struct(
    "main.testGroup",
    {
        "interval": duration,
        "input_series": listing(_series, "main.series"),
        "alert_rule_test": listing(_alert_test, "main.alertTestCase"),
        "promql_expr_test": listing(_expression_test, "main.promqlTestCase"),
        "external_labels": texts,
        "external_url": text,
        "name": text,
        "start_timestamp": _start,
    },
    TestGroup,
)
_suite = struct(
    "main.unitTestFile",
    {
        "rule_files": listing(text, "string"),
        "evaluation_interval": duration,
        "group_eval_order": listing(text, "string"),
        "tests": listing(_group, "main.testGroup"),
        "fuzzy_compare": boolean,
    },
    Suite,
)


def read_suite(given: str) -> Suite:
    """A test file's text.

    Raises:
        RuleError: it is no such file; the message is promtool's where both see the same fault.

    """
    node = _compose(given)
    if node is None:
        return Suite()
    faults: list[str] = []
    try:
        suite = _suite(node, faults)
    except ValueError as error:
        raise RuleError(str(error)) from error
    if faults:
        raise RuleError("\n  ".join(["yaml: unmarshal errors:", *faults]))
    seen: set[str] = set()
    for name in suite.group_eval_order:
        if name in seen:
            raise RuleError(f"group name repeated in evaluation order: {name}")
        seen.add(name)
    return suite


def _compose(given: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)  # YAML allows it
            return YAML(typ="safe", pure=True).compose(given)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(str(error.problem or error.context).split())
        raise RuleError(f"yaml: line {mark.line + 1 if mark else 1}: {what}") from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise RuleError(
            f"yaml: {next(iter(str(error).splitlines()), type(error).__name__)}"
        ) from error
