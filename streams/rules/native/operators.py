"""Operators between histograms and floats; all others than these have no answer, and the element is left out."""

from collections.abc import Callable
from typing import TypeAlias

from msgspec.structs import replace

from schemas.histograms import Hint, NativeHistogram
from streams.rules.native.arithmetic import IncompatibleError, added, divided, same, scaled

Value: TypeAlias = float | NativeHistogram


def _filled(histogram: NativeHistogram) -> NativeHistogram:
    """Without the buckets that a product left empty."""
    return replace(
        histogram,
        positive={index: count for index, count in histogram.positive.items() if count},
        negative={index: count for index, count in histogram.negative.items() if count},
    )


def _of_two(symbol: str, left: NativeHistogram, right: NativeHistogram) -> Value | bool | None:
    try:
        match symbol:
            case "+":
                return added(left, right)
            case "-":
                return replace(added(left, right, sign=-1.0), hint=Hint.GAUGE)
            case "==":
                return same(left, right)
            case "!=":
                return not same(left, right)
    except IncompatibleError:
        pass
    return None


def operate(symbol: str, left: Value, right: Value) -> Value | bool | None:
    """The result, a truth for a comparison, None for no answer; at least one operand is a histogram."""
    if isinstance(left, NativeHistogram) and isinstance(right, NativeHistogram):
        return _of_two(symbol, left, right)
    if isinstance(left, NativeHistogram) and isinstance(right, float):
        if symbol == "*":
            return _filled(scaled(left, right))
        return _filled(divided(left, right)) if symbol == "/" else None
    if isinstance(right, NativeHistogram) and isinstance(left, float) and symbol == "*":
        return _filled(scaled(right, left))
    return None


NativeOperator: TypeAlias = Callable[..., NativeHistogram | None]
"""What an operator makes of a histogram, and of the scalar if there is one; None for nothing."""


def with_scalar(symbol: str, *, vector_at: int = 0) -> NativeOperator:
    """The operator as a function of the histogram and the scalar, wherever the vector stands."""

    def call(histogram: NativeHistogram, number: float) -> NativeHistogram | None:
        pair = (number, histogram) if vector_at else (histogram, number)
        found = operate(symbol, *pair)
        return found if isinstance(found, NativeHistogram) else None

    return call


def nothing(*_: NativeHistogram | float) -> None:
    """What most functions make of a histogram."""


def negated(histogram: NativeHistogram) -> NativeHistogram:
    """The unary minus."""
    return scaled(histogram, -1.0)
