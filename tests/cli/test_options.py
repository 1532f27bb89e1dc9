import os
from pathlib import Path

import pytest

from schemas.config import load_document
from schemas.errors import ConfigError
from streams.cli.options import config_file, open_document, open_rules, rule_files

GROUP = "groups: [{name: g, rules: [{alert: A, expr: %s}]}]"


def test_the_configuration_is_found_in_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is named on the command line goes before the environment, that before ./tocsin.yaml."""
    assert None is config_file(None)
    (folder / "tocsin.yaml").write_text("")
    assert Path("tocsin.yaml") == config_file(None)
    monkeypatch.setenv("TOCSIN_CONFIG", "env.yaml")
    assert Path("env.yaml") == config_file(None)
    assert Path("named.yaml") == config_file(Path("named.yaml"))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "c.yaml: cannot read the configuration: No such file or directory"),
        (b"\xff\xfe", "c.yaml: not UTF-8 at byte 0"),
    ],
)
def test_an_unreadable_configuration_is_refused(
    folder: Path, content: bytes | None, problem: str
) -> None:
    """A file that is missing or no text is one problem."""
    if content is not None:
        (folder / "c.yaml").write_bytes(content)

    with pytest.raises(ConfigError) as refused:
        open_document(Path("c.yaml"))

    assert [problem] == refused.value.problems


def test_a_folder_is_no_configuration(folder: Path) -> None:
    """It is said, and no traceback."""
    with pytest.raises(ConfigError, match="cannot read the configuration: Is a directory"):
        open_document(folder)


def test_a_byte_order_mark_does_no_harm(folder: Path) -> None:
    """Editors on Windows write one."""
    (folder / "c.yaml").write_bytes(b"\xef\xbb\xbfmetrics: {port: 9}\n")

    assert 9 == open_document(Path("c.yaml")).config.metrics.port


def test_rule_files_are_named_by_globs_beside_the_configuration(folder: Path) -> None:
    """Relative, recursive and absolute patterns work; a file counts once; a pattern that finds none is a problem."""
    (folder / "deep").mkdir()
    for name in ("a.yml", "b.yml", "deep/c.yml"):
        (folder / name).write_text(GROUP % "up == 0")
    text = (
        f"rules:\n  - a.yml\n  - '*.yml'\n  - '**/c.yml'\n  - {folder}/deep/*.yml\n  - none-*.yml\n"
    )
    document = load_document(text, str(folder / "tocsin.yaml"))

    files, problems = rule_files(document)

    assert ["a.yml", "b.yml", "deep/c.yml"] == [os.path.relpath(f, folder) for f in files]
    place = f"{folder}/tocsin.yaml:6"
    assert [f"{place}: rules: no file 'none-*.yml' beside the configuration"] == problems


@pytest.mark.parametrize(
    ("expr", "problems"), [("sum(up) == 0", 0), ("max_over_time(sum(up)[5m:1m]) == 0", 1)]
)
def test_rules_that_cannot_be_evaluated_in_two_stages_are_refused(
    folder: Path, expr: str, problems: int
) -> None:
    """Rules wider than the locality are sound, unless somebody would have to keep the past of what all see."""
    (folder / "a.yml").write_text(GROUP % expr)
    document = load_document("rules: [a.yml]\n", str(folder / "tocsin.yaml"))

    try:
        open_rules(document)
        found = 0
    except ConfigError as error:
        found = len(error.problems)

    assert problems == found
