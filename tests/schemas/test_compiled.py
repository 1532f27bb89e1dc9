"""Compiled functions: loaded once somebody has work enough, and never from a stale copy."""

import importlib
import logging
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.compiled import WORTH_CALLING, WORTH_LOADING, Lazily

CALLED = """
from schemas.compiled import compiled

@compiled
def called(n: int) -> int:
    return n + {more}
"""
CALLER = """
from schemas.compiled import compiled
from {called} import called

@compiled
def caller(n: int) -> int:
    return called(n) * 2
"""


def finish(name: str) -> None:
    """Wait for the thread that loads a module."""
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join()


def test_little_work_loads_nothing() -> None:
    """Only rows by the thousand begin the loading, and small work is not handed over even then."""
    lazily = Lazily[Callable[[float], float]]("math", "sqrt")
    assert lazily.get(WORTH_LOADING - 1) is None
    lazily.get(WORTH_LOADING)
    finish("math")
    found = lazily.get(WORTH_CALLING)
    assert found is not None
    assert 3.0 == found(9.0)
    assert lazily.get(WORTH_CALLING - 1) is None


def test_what_cannot_be_loaded_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """The plain form serves on, and nobody tries again."""
    lazily = Lazily[object]("schemas.nowhere", "nothing")
    with caplog.at_level(logging.WARNING, "schemas.compiled"):
        for _ in range(3):
            assert lazily.get(WORTH_LOADING) is None
            finish("schemas.nowhere")
    assert ["schemas.nowhere cannot be compiled, its plain form serves"] == caplog.messages


def test_a_caller_follows_what_it_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change in another module counts, though numba looks at the caller's file alone."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names = "tocsin_test_called", "tocsin_test_caller"
    (tmp_path / f"{names[1]}.py").write_text(CALLER.format(called=names[0]))

    def call(more: int, newer_seconds: int) -> int:
        path = tmp_path / f"{names[0]}.py"
        path.write_text(CALLED.format(more=more))
        stamp = path.stat().st_mtime + newer_seconds
        os.utime(path, (stamp, stamp))
        importlib.invalidate_caches()
        for name in names:
            sys.modules.pop(name, None)
        found: int = importlib.import_module(names[1]).caller(1)
        return found

    try:
        assert [4, 6] == [call(1, -60), call(2, 60)]
    finally:
        for name in names:
            sys.modules.pop(name, None)
