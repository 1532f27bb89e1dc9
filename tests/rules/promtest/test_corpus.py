"""The corpus of rules and their tests: our verdict and words against the real promtool's, file by file."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli.rules import command
from streams.rules.load import load_rules
from tests.rules.promtool import Verdict, find_promtool, judge

CORPUS = Path(__file__).parents[1] / "corpus"
FILES = sorted(path.name for path in CORPUS.glob("*.test.yml"))
PASSING = [name for name in FILES if not name.startswith("broken") and ".failing" not in name]
LEAST_RULES = 80


def ours(file: Path, *options: str, monkeypatch: pytest.MonkeyPatch) -> Verdict:
    """Our verdict on a test file, run in its folder."""
    monkeypatch.chdir(file.parent)
    result = CliRunner().invoke(command, ["test", *options, file.name], color=True)
    return Verdict(result.exit_code, result.stdout, result.stderr)


@pytest.mark.parametrize("name", FILES)
def test_says_what_promtool_says(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same exit code, and the same text on both streams."""
    expected = judge(find_promtool(), CORPUS / name)

    assert expected == ours(CORPUS / name, monkeypatch=monkeypatch)


@pytest.mark.parametrize("name", [name for name in FILES if ".failing" in name])
def test_shows_the_difference_that_promtool_shows(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--diff` has the same colours and the same marks."""
    expected = judge(find_promtool(), CORPUS / name, "--diff")

    assert expected == ours(CORPUS / name, "--diff", monkeypatch=monkeypatch)


@pytest.mark.parametrize("name", FILES)
def test_judges_rightly_without_promtool(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files say by their names whether they pass."""
    verdict = ours(CORPUS / name, monkeypatch=monkeypatch)

    assert (0 if name in PASSING else 1) == verdict.code
    assert (name in PASSING) is ("SUCCESS" in verdict.out)
    assert (name not in PASSING) is ("FAILED:" in verdict.err)


def test_the_corpus_is_wide_enough() -> None:
    """At least 80 rules that load; every file of rules has tests that pass and tests that fail."""
    files = sorted(CORPUS.glob("*.rules.yml"))
    groups, problems = load_rules(files)

    assert [] == problems
    assert sum(len(group.rules) for group in groups) >= LEAST_RULES
    kinds = [path.name.removesuffix(".rules.yml") for path in files]
    wanted = {f"{kind}{end}" for kind in kinds for end in (".test.yml", ".failing.test.yml")}
    assert set() == wanted - set(FILES)
