"""Upper bounds of exponential buckets within an octave, to the last bit as Prometheus has them.

Bound i of schema s is 2**(i / 2**s - 1); the table in model/histogram/generic.go is a few units in the last place off
that, and `count_values` shows it. So each digit here is 1 less that difference.
"""

import math

_DIGITS = (
    "1",
    "12",
    "1122",
    "11112122",
    "1111111122122323",
    "11121111121112122223122323342333",
    "1111112211111111112211111121112222222233112222322233334422323233",
    (
        "1112121112122222121212121212121211122323121211111111231212122322"
        "2223232222233333121223232322332324233434333445452323342334233534"
    ),
    (
        "1111112111211111112311222222222211211121122211221122102211221122"
        "1111112222332132112111211112111111121011213311221222112121332222"
        "2121223322322122222222323233323311221121223321332233212232332232"
        "2243223233433343333333444455435422322333324422333243223333543344"
    ),
)


def _octave(digits: str) -> tuple[float, ...]:
    exact = [2.0 ** (at / len(digits)) / 2 for at in range(len(digits))]
    return tuple(
        value + (1 - int(digit)) * math.ulp(value)
        for value, digit in zip(exact, digits, strict=True)
    )


OCTAVES = tuple(map(_octave, _DIGITS))
"""For schema 0 to 8, from 0.5 upwards."""
