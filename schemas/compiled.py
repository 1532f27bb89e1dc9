"""Compiled functions: loops over bytes and rows that numpy has no form for, compiled by numba on first use.

A module that uses this is imported only where it is needed: numba takes a fifth of a second and some 65 MB, and the
first call on a machine a second or two. What is compiled is kept beside the module, or in the user's cache.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """The function as machine code: it holds no lock of the interpreter, and divides as numpy does."""
    made = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return cast("F", made)
