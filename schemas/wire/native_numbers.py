"""Numbers: JSON's decimal numbers to the nearest float64, by compiled code.

By Lemire's product of the digits with 128 bits of a power of five (Number Parsing at a Gigabyte per Second, 2021, its
algorithm and its table), which rounds as everybody else does: to the nearest, and of two that are as near to the even.

It refuses what is no number of JSON, and those few that the product does not settle: more than 19 digits, values below
1e-250 or above 1e250, minus zero.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.compiled import Int, compiled

_MOST_POWER = 250
_MOST_DIGITS = 19
"""They fit into 64 bits, whichever they are."""
_MOST_EXPONENT_DIGITS = 4

_MINUS, _PLUS, _POINT, _ZERO, _NINE, _E, _LOWER_E = b"-+.09Ee"
_HALF = np.uint64(32)
_LOW = np.uint64(2**32 - 1)
_ALL_ONES = np.uint64(2**64 - 1)
_SPARE = 9
"""Bits of the upper half of a product below those of the float, its rounding bit and one for a leading zero."""
_SPARE_BITS = np.uint64(2**_SPARE - 1)
_EXACT_FROM, _EXACT_TO = -27, 55
"""Powers of ten whose power of five has 64 bits at most, or 128 that tell all."""
_HALFWAY_FROM, _HALFWAY_TO = -4, 23
"""Powers of ten with which 64 bits can stand just between two floats."""


def _power_of_five(power: int) -> int:
    """The first 128 bits of a power of five; of a fraction that 64 bits can tell, the next above."""
    five: int = 5 ** abs(power)
    if power >= 0:
        return five << 128 >> five.bit_length()
    bits = (five - 1).bit_length()
    return (1 << bits + 127) // five + (power >= _EXACT_FROM)


_FIVES = np.array(
    [divmod(_power_of_five(n), 2**64) for n in range(-_MOST_POWER, _MOST_POWER + 1)], np.uint64
)


@compiled
def _product(a: np.uint64, b: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Upper and lower half of a product of 128 bits."""
    upper_a, lower_a, upper_b, lower_b = a >> _HALF, a & _LOW, b >> _HALF, b & _LOW
    middle = upper_a * lower_b + (lower_a * lower_b >> _HALF)
    other = lower_a * upper_b + (middle & _LOW)
    return upper_a * upper_b + (middle >> _HALF) + (other >> _HALF), a * b


@compiled
def _scale(whole: np.uint64, power: Int) -> float:
    """The float next to a whole number by a power of ten; -1 where it is not settled."""
    shift = 0
    for step in (32, 16, 8, 4, 2, 1):
        if whole >> np.uint64(64 - step) == 0:
            whole <<= np.uint64(step)
            shift += step
    five = _FIVES[power + _MOST_POWER]
    upper, lower = _product(whole, five[0])
    if upper & _SPARE_BITS == _SPARE_BITS:
        more, _ = _product(whole, five[1])
        lower += more
        upper += np.uint64(more > lower)
    if lower == _ALL_ONES and not _EXACT_FROM <= power <= _EXACT_TO:
        return -1.0
    leading = upper >> np.uint64(63)
    spare = leading + np.uint64(_SPARE)
    digits = upper >> spare
    if (
        lower <= 1
        and _HALFWAY_FROM <= power <= _HALFWAY_TO
        and digits & np.uint64(3) == 1
        and digits << spare == upper
    ):
        digits &= ~np.uint64(1)
    digits = (digits + (digits & np.uint64(1))) >> np.uint64(1)
    # the logarithm of ten to the base of two, by 65536
    exponent: Any = (217706 * power >> 16) + 63 + np.int64(leading) - shift
    return math.ldexp(float(digits), exponent - 52)


@compiled
def _digits(text: NDArray[np.uint8], at: Int, end: Int, whole: np.uint64) -> tuple[np.uint64, Int]:
    """A whole number with the digits behind it that stand here, and where they end."""
    while at < end and _ZERO <= text[at] <= _NINE:
        whole = whole * np.uint64(10) + np.uint64(text[at] - _ZERO)
        at += 1
    return whole, at


@compiled
def _zeros(text: NDArray[np.uint8], at: Int) -> Int:
    """How many zeros there are before the first other digit of a number that is not zero."""
    count = 0
    while text[at] == _ZERO or text[at] == _POINT:
        count += text[at] == _ZERO
        at += 1
    return count


@compiled
def _exponent(text: NDArray[np.uint8], at: Int, end: Int) -> tuple[Int, Int]:
    """The exponent that may stand here, and where it ends; it ends at -1 where it is none."""
    if at == end or (text[at] != _E and text[at] != _LOWER_E):
        return 0, at
    at += 1
    smaller = at < end and text[at] == _MINUS
    at += smaller or (at < end and text[at] == _PLUS)
    exponent, stop = _digits(text, at, end, np.uint64(0))
    if not 0 < stop - at <= _MOST_EXPONENT_DIGITS:
        return 0, -1
    return (-np.int64(exponent) if smaller else np.int64(exponent)), stop


@compiled
def read_number(text: NDArray[np.uint8], at: Int, end: Int) -> tuple[float, Int]:
    """The number that begins here, and where it ends; it ends at -1 where there is none, or none that is settled."""
    negative = text[at] == _MINUS
    first = at + negative
    whole, at = _digits(text, first, end, np.uint64(0))
    digits = at - first
    if digits == 0 or (digits > 1 and text[first] == _ZERO):
        return 0.0, -1
    power = 0
    if at < end and text[at] == _POINT:
        point = at + 1
        whole, at = _digits(text, point, end, whole)
        power = point - at
        if power == 0:
            return 0.0, -1
    digits -= power
    exponent, stop = _exponent(text, at, end)
    power += exponent
    if whole == 0 or stop < 0:
        # all digits may be zeros, or have run over: then there are more than there can be
        zero = stop >= 0 and digits <= _MOST_DIGITS and not negative
        return 0.0, stop if zero else -1
    if digits > _MOST_DIGITS and digits - _zeros(text, first) > _MOST_DIGITS:
        return 0.0, -1
    if not -_MOST_POWER <= power <= _MOST_POWER - _MOST_DIGITS:
        return 0.0, -1
    number = _scale(whole, power)
    return (-number if negative else number), (stop if number > 0 else -1)
