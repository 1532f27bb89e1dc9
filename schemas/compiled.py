"""Compiled functions: loops over bytes and rows that numpy has no form for, compiled by numba on first use.

numba takes a fifth of a second and some 65 MB, and the first call on a machine a second or two. So a module of compiled
functions is imported only where it is needed: in a thread of its own, once there is work enough for it (`Lazily`), and
what it does has a plain form with the same results, bit by bit, which serves until it is there and where it cannot be.
What is compiled is kept beside the module, or in the user's cache.
"""

import importlib
import logging
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

F = TypeVar("F", bound=Callable[..., object])
T = TypeVar("T")

log = logging.getLogger(__name__)

WORTH_LOADING = 1_000
"""Rows at once: who has so many has much to do."""
WORTH_CALLING = 64
"""With fewer rows the plain forms are as fast: a call takes some microseconds."""


def compiled(function: F) -> F:
    """The function as machine code: it holds no lock of the interpreter, and divides as numpy does."""
    import numba  # noqa: PLC0415 - a fifth of a second and 65 MB, for those who compile alone

    def compile_(*, keep: bool) -> Any:
        return numba.njit(cache=keep, nogil=True, error_model="numpy")(function)

    try:
        made = compile_(keep=True)
    except RuntimeError:  # there is no place to keep it in
        made = compile_(keep=False)
    return cast("F", made)


class Lazily(Generic[T]):
    """What a module of compiled functions offers under a name, once somebody has work enough for it."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name
        self._found: T | None = None
        self._begun = threading.Lock()

    def get(self, rows: int) -> T | None:
        """The function, for work on so many rows; None while it is not there, or where it is not worth it."""
        if self._found is None:
            if rows >= WORTH_LOADING and self._begun.acquire(blocking=False):
                threading.Thread(target=self._try, name=self._module, daemon=True).start()
            return None
        return self._found if rows >= WORTH_CALLING else None

    def load(self) -> T:
        """The function now."""
        self._begun.acquire(blocking=False)
        self._found = getattr(importlib.import_module(self._module), self._name)
        return self._found

    def _try(self) -> None:
        try:
            self.load()
        except Exception:  # the plain form gives the same results
            log.warning("%s cannot be compiled, its plain form serves", self._module, exc_info=True)
