"""`tocsin rules test`: its options and its outputs for machines."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.cli.rules import command
from streams.rules.promtest.report import CaseOutcome, FileOutcome, as_junit

RULES = "groups: [{name: g, owner: me, rules: [{record: twice, expr: given * 2}]}]"
TESTS = """
rule_files: [rules.yml, missing*.yml]
tests:
  - name: right
    input_series: [{series: given, values: 2}]
    promql_expr_test: [{expr: twice, eval_time: 0, exp_samples: [{labels: twice, value: 4}]}]
  - input_series: [{series: given, values: 2}]
    promql_expr_test: [{expr: twice, eval_time: 0, exp_samples: [{labels: twice, value: 5}]}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "tests.yml").write_text(TESTS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["test", *arguments])


def test_unknown_fields_of_rules_are_refused_unless_asked(folder: Path) -> None:
    """A key that only another tool knows is passed over with `--ignore-unknown-fields`."""
    assert "unknown key 'owner'" in run("tests.yml").stderr
    assert "unknown key" not in run("--ignore-unknown-fields", "tests.yml").stderr


def test_groups_are_picked_by_name(folder: Path) -> None:
    """Only those whose name matches one of the patterns are run."""
    picked = run("--ignore-unknown-fields", "--run", "rig.t", "--run", "none", "tests.yml")

    assert (0, "  SUCCESS\n\n") == (picked.exit_code, picked.stdout)
    assert 2 == run("--run", "[", "tests.yml").exit_code


def test_a_pattern_without_files_is_a_warning(folder: Path) -> None:
    """As with promtool, the tests run all the same."""
    warned = run("--ignore-unknown-fields", "--run", "right", "tests.yml")

    assert "  WARNING: no file match pattern missing*.yml\n" == warned.stderr


def test_the_outcome_as_json_has_lines(folder: Path) -> None:
    """Each case with its name, its line and what failed."""
    result = run("--ignore-unknown-fields", "--output", "json", "tests.yml")
    (file,) = json.loads(result.stdout)

    assert (1, False, "tests.yml") == (result.exit_code, file["passed"], file["file"])
    assert [("right", 4, True), ("unnamed#1", 7, False)] == [
        (case["name"], case["line"], case["passed"]) for case in file["cases"]
    ]
    assert 'got: {__name__="twice"} 4E+00' in file["cases"][1]["errors"][0]


def test_junit_is_promtools() -> None:
    """Element by element, with Go's entities; a file that cannot be run has an error."""
    outcomes = [
        FileOutcome("a.yml", cases=[CaseOutcome("x", 1), CaseOutcome("y", 2, ['say "no"\n'])]),
        FileOutcome("b.yml", fault="broken"),
    ]

    assert (
        '<testsuites><testsuite name="a.yml" tests="2" failures="1" errors="0" skipped="0"'
        ' timestamp="2024-01-01T00:00:00"><testcase name="x"></testcase><testcase name="y">'
        "<failure>say &#34;no&#34;&#xA;</failure></testcase></testsuite>"
        '<testsuite name="b.yml" tests="1" failures="0" errors="1" skipped="0" timestamp="">'
        '<testcase name="unknown"><error>broken</error></testcase></testsuite></testsuites>'
    ) == as_junit(outcomes, "2024-01-01T00:00:00")


def test_junit_is_written_to_a_file(folder: Path) -> None:
    """Whatever the verdict is."""
    run("--ignore-unknown-fields", "--junit", "out.xml", "tests.yml")

    assert '<testsuite name="tests.yml" tests="2" failures="1"' in Path("out.xml").read_text()
