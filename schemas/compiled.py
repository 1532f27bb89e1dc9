"""Compiled functions: loops over bytes and rows that numpy has no form for, compiled by numba on first use.

numba takes a fifth of a second and some 65 MB, and the first import on a machine some ten. So a module of compiled
functions is imported only where it is needed: in a thread of its own, once there is work enough for it (`Lazily`), and
what it does has a plain form with the same results, bit by bit, which serves until it is there and where it cannot be.
What is compiled is kept beside the module, or in the user's cache.
"""

import gc
import importlib
import importlib.util
import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar, cast

import numpy as np

Int = int | np.integer[Any]
"""What is one kind of whole number to a compiled function."""
F = TypeVar("F", bound=Callable[..., object])
T = TypeVar("T")

log = logging.getLogger(__name__)

_ONE_AT_A_TIME = threading.Lock()
"""Two threads that import the same parts of numba at once may find them half made."""
WORTH_LOADING = 4_000
"""Rows at once: who has so many works off a backlog, for which a second of processor time is little."""
READ_BYTES = 1 << 20
WORTH_CALLING = 64
"""With fewer rows the plain forms are as fast: a call takes some microseconds."""


def compiled(function: F) -> F:
    """The function as machine code: it holds no lock of the interpreter, and divides as numpy does."""
    import numba  # noqa: PLC0415 - a fifth of a second and 65 MB, for those who compile alone

    def compile_(*, keep: bool) -> Any:
        return numba.njit(cache=keep, nogil=True, error_model="numpy", forceinline=True)(function)

    try:
        made = compile_(keep=True)
        _forget_stale(function, Path(made.stats.cache_path))
    except RuntimeError:  # there is no place to keep it in
        made = compile_(keep=False)
    return cast("F", made)


def _forget_stale(function: Callable[..., object], kept: Path) -> None:
    """Drop what was kept of a function before a module changed of which it calls a compiled function.

    numba looks at the function's own file alone, though what it calls is compiled into it.
    """
    called = [
        each for each in vars(sys.modules[function.__module__]).values() if hasattr(each, "py_func")
    ]
    changed = max((Path(e.py_func.__code__.co_filename).stat().st_mtime for e in called), default=0)
    for index in kept.glob(f"*.{function.__qualname__}-*.nbi"):
        if index.stat().st_mtime < changed:
            index.unlink(missing_ok=True)


def _read_ahead() -> None:
    """Have LLVM's 180 MB in memory before they are linked: that holds the interpreter for as long as the disk takes.

    From a cold disk it held it for two seconds, with other work beside it for longer than a fence waits.
    """
    found = importlib.util.find_spec("llvmlite")
    folders = (found.submodule_search_locations if found else None) or ()
    for file in (file for folder in folders for file in Path(folder).rglob("*.so")):
        with file.open("rb", buffering=0) as library:
            while library.read(READ_BYTES):
                pass


class Lazily(Generic[T]):
    """What a module of compiled functions offers under a name, once somebody has work enough for it.

    `every` holds all that have been made.
    """

    every: "ClassVar[list[Lazily[Any]]]" = []

    def __init__(self, module: str, name: str) -> None:
        self.module, self._name = module, name
        self.every.append(self)
        self._found: T | None = None
        self._begun = threading.Lock()

    def get(self, rows: int) -> T | None:
        """The function, for work on so many rows; None while it is not there, or where it is not worth it."""
        if self._found is None:
            if rows >= WORTH_LOADING and self._begun.acquire(blocking=False):
                threading.Thread(target=self._try, name=self.module).start()
            return None
        return self._found if rows >= WORTH_CALLING else None

    def load(self) -> T:
        """The function now."""
        self._begun.acquire(blocking=False)
        if self._found is None:
            with _ONE_AT_A_TIME:
                if "llvmlite" not in sys.modules:
                    _read_ahead()
                self._found = getattr(importlib.import_module(self.module), self._name)
        return cast("T", self._found)

    def _try(self) -> None:
        try:
            self.load()
            if gc.get_freeze_count():
                # the objects of numba stay too: to look at them all would stop everything for tens of milliseconds
                gc.freeze()
        except Exception:  # the plain form gives the same results
            log.warning("%s cannot be compiled, its plain form serves", self.module, exc_info=True)
