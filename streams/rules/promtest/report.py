"""Runs test files and tells the outcome: what is printed, an object for scripts, and JUnit's XML.

`run_file` never raises for what stands in a file; what is wrong with it is an outcome too. The text is promtool's, on
the stream on which promtool prints it.
"""

import glob
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from schemas.errors import RuleError
from streams.rules.load import load_rules
from streams.rules.promtest.suite import Suite, read_suite
from streams.rules.promtest.trial import run_group

# encoding/xml of Go writes these for what an XML reader would otherwise change
_ENTITIES = {'"': "&#34;", "'": "&#39;", "\n": "&#xA;", "\t": "&#x9;", "\r": "&#xD;"}


@dataclass
class CaseOutcome:
    """One group of tests: what differs, one text for each test that fails."""

    name: str
    line: int
    errors: list[str] = field(default_factory=list)


@dataclass
class FileOutcome:
    """One test file.

    Attributes:
        warnings: what promtool warns of.
        fault: why it could not be run at all, empty if it was.

    """

    file: str
    warnings: list[str] = field(default_factory=list)
    fault: str = ""
    cases: list[CaseOutcome] = field(default_factory=list)

    @property
    def errors(self) -> list[str]:
        """Everything that makes the file fail."""
        return [self.fault] if self.fault else [e for case in self.cases for e in case.errors]

    @property
    def passed(self) -> bool:
        """Whether nothing does."""
        return not self.errors


def run_file(
    name: str,
    *,
    wanted: re.Pattern[str] | None = None,
    as_diff: bool = False,
    ignore_unknown: bool = False,
) -> FileOutcome:
    """Run a test file; `wanted` picks groups of tests by name."""
    outcome = FileOutcome(name)
    try:
        suite = read_suite(Path(name).read_text(encoding="utf-8"))
    except OSError as error:
        outcome.fault = f"open {name}: {(error.strerror or '').lower()}"
        return outcome
    except (RuleError, UnicodeDecodeError) as error:
        outcome.fault = str(error)
        return outcome
    paths = _rule_files(suite, Path(name).parent, outcome.warnings)
    # promtool loads the rules for each group of tests, so their faults are told for each
    groups, problems = load_rules(paths, ignore_unknown=ignore_unknown)
    for at, group in enumerate(suite.tests):
        if wanted is not None and not wanted.search(group.name):
            continue
        case = CaseOutcome(group.name or f"unnamed#{at}", group.line)
        outcome.cases.append(case)
        case.errors = problems or run_group(suite, group, groups, as_diff=as_diff)
    return outcome


def _rule_files(suite: Suite, folder: Path, warnings: list[str]) -> list[Path]:
    found: list[Path] = []
    for pattern in suite.rule_files:
        where = str(folder / pattern) if pattern else ""
        matches = sorted(glob.glob(where))  # noqa: PTH207  Path.glob takes no absolute pattern
        if not matches:
            warnings.append(f"  WARNING: no file match pattern {where}")
        found += map(Path, matches)
    return found


def as_object(outcomes: Iterable[FileOutcome]) -> list[dict[str, object]]:
    """For scripts: each file with its cases and what failed in them."""
    return [
        {
            "file": each.file,
            "passed": each.passed,
            "fault": each.fault,
            "warnings": [line.removeprefix("  WARNING: ") for line in each.warnings],
            "cases": [
                {"name": c.name, "line": c.line, "passed": not c.errors, "errors": c.errors}
                for c in each.cases
            ],
        }
        for each in outcomes
    ]


def as_junit(outcomes: Iterable[FileOutcome], at: str) -> str:
    """JUnit's XML, as promtool writes it; `at` is the time of the run, `2006-01-02T15:04:05`."""
    suites = []
    for each in outcomes:
        cases = [
            "<testcase"
            + _attributes(name=case.name)
            + ">"
            + "".join(f"<failure>{_text(error)}</failure>" for error in case.errors)
            + "</testcase>"
            for case in each.cases
        ]
        if each.fault:
            cases.append(f'<testcase name="unknown"><error>{_text(each.fault)}</error></testcase>')
        counts = {
            "name": each.file,
            "tests": str(len(cases)),
            "failures": str(sum(len(case.errors) for case in each.cases)),
            "errors": str(int(bool(each.fault))),
            "skipped": "0",
            "timestamp": "" if each.fault else at,
        }
        suites.append(f"<testsuite{_attributes(**counts)}>{''.join(cases)}</testsuite>")
    return f"<testsuites>{''.join(suites)}</testsuites>"


def _attributes(**given: str) -> str:
    return "".join(f' {name}="{_text(value)}"' for name, value in given.items())


def _text(value: str) -> str:
    return escape(value, _ENTITIES)
