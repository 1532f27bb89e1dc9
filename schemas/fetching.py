"""Fetching: a hint to the processor, from compiled code, that memory will be read soon.

A processor waits for many lines of memory at once, but a search names one after the other: hints let them come side by
side. They change no result.
"""

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir  # type: ignore[import-untyped]  # it has no types
from numba.core import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from schemas.compiled import Int

# To be read, to be kept as near as possible, data: what LLVM's `prefetch` takes after the address.
_READ, _NEAR, _DATA = 0, 3, 1


def _fetch(typing: Any, array: Any, row: Any, place: Any) -> Any:  # noqa: ARG001 - numba asks for it
    def build(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        held = context.make_array(signature.args[0])(context, builder, given[0])
        offset = builder.mul(builder.extract_value(held.strides, 0), given[1])
        step = builder.mul(builder.extract_value(held.strides, 1), given[2])
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        at = builder.gep(builder.bitcast(held.data, byte), [builder.add(offset, step)])
        hint = builder.module.declare_intrinsic(
            "llvm.prefetch", [byte], ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        )
        builder.call(hint, [at, word(_READ), word(_NEAR), word(_DATA)])
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp), build


fetch = cast("Callable[[NDArray[Any], Int, Int], None]", intrinsic(_fetch))
"""Hint that `array[row, place]`, a place within it, will be read; for compiled functions alone."""
