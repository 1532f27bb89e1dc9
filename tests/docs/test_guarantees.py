"""docs/guarantees.md: no sentence without a test, and no test that is not there."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "guarantees.md").read_text()
PROMISES = TEXT.split("## Not promised")[0].split("## ", 1)[1]
TEST = re.compile(r"`(tests/[a-z_/]+\.py)::(test_[a-z0-9_]+)`")


def promises() -> list[str]:
    """Each sentence with its tests, on one line."""
    found = re.split(r"^- ", PROMISES, flags=re.MULTILINE)[1:]
    return [" ".join(each.split("\n\n")[0].split()) for each in found]


def functions(path: Path) -> set[str]:
    """Names of the test functions of a file."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, kinds)}


def test_every_promise_names_a_test() -> None:
    """At least one, behind the words."""
    without = [promise for promise in promises() if not TEST.search(promise)]

    assert len(promises()) > 20
    assert [] == without


def test_every_test_that_is_named_is_there() -> None:
    """A test that is renamed or taken away takes its promise with it."""
    missing = [
        (file, name)
        for promise in promises()
        for file, name in TEST.findall(promise)
        if not (ROOT / file).exists() or name not in functions(ROOT / file)
    ]

    assert [] == missing
