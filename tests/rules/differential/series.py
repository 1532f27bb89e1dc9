"""Random series in promtool's notation: counters with resets, gauges with NaN and infinity, classic histograms.

All have gaps and stale markers; of half of them the samples are early or late, and some come twice. The same seed gives
the same series and times.
"""

from collections.abc import Mapping
from random import Random

EVERY_S = 5
LENGTH = 130
CUSTOM = -53
JITTER_MS = 2_400


def _with_gaps(random: Random, values: list[str]) -> str:
    missing, stale = random.choice([(0.0, 0.0), (0.1, 0.0), (0.5, 0.02), (0.8, 0.02)])
    shown = []
    for value in values:
        drawn = random.random()
        shown.append("stale" if drawn < stale else "_" if drawn < stale + missing else value)
    return " ".join(shown)


def _counter(random: Random) -> list[float]:
    total, found = float(random.choice([0, 12, 102.5])), []
    for _ in range(LENGTH):
        total = random.choice([0.0, 0.5]) if random.random() < 0.03 else total
        total += random.choice([0, 0, 0.1, 1, 2, 7])
        found.append(total)
    return found


def _gauge(random: Random) -> list[str]:
    odd = random.choice([0.0, 0.0, 0.1])
    values = []
    for _ in range(LENGTH):
        value = repr(random.choice([-1, 1]) * random.choice([0, 0.5, 1, 1, 3, 10.25, 1e3, 2.5e8]))
        values.append(random.choice(["NaN", "Inf", "-Inf"]) if random.random() < odd else value)
    return values


def _literal(schema: int, counts: list[int], offset: int, zero: int, negative: int) -> str:
    buckets = " ".join(map(str, counts))
    total = sum(counts) + zero + negative
    if schema == CUSTOM:
        bounds = "custom_values:[0.5 1 2.5 5]"
        return (
            f"{{{{schema:{CUSTOM} sum:{total * 1.5} count:{total} {bounds} buckets:[{buckets}]}}}}"
        )
    below = f" n_buckets:[{negative}]" if negative else ""
    width = f" z_bucket:{zero} z_bucket_w:0.001" if zero else ""
    return (
        f"{{{{schema:{schema} sum:{total * 0.75} count:{total}{width} "
        f"offset:{offset} buckets:[{buckets}]{below}}}}}"
    )


def _histograms(random: Random, schemas: list[int], *, floats: bool = False) -> str:
    """A counter of observations with resets, schemas that change, now and then a float.

    No bucket is empty: Prometheus keeps some empty ones, depending on what else its chunk holds.
    """
    counts, zero, found = [1, 1, 1, 1], 0, []
    negative = 1 if len(schemas) > 1 else 0
    schema, offset = schemas[0], random.choice([-2, 0, 1])
    if schema == CUSTOM:
        offset = 0
    for _ in range(LENGTH):
        if random.random() < 0.04:
            counts, zero, negative = [1, 1, 1, 1], 0, min(negative, 1)
            schema = random.choice(schemas)
        counts = [each + random.choice([0, 0, 1, 3]) for each in counts]
        if schema != CUSTOM:
            zero += random.choice([0, 0, 1])
            negative += random.choice([0, 0, 0, 2]) if negative else 0
        value = _literal(schema, counts, offset, zero, negative)
        found.append("7.5" if floats and random.random() < 0.1 else value)
    return _with_gaps(random, found)


def random_series(random: Random) -> dict[str, str]:
    """Values by series."""
    found = {}
    for name in ("c1", "c2"):
        for job in "xy":
            for inst in "ab":
                text = _with_gaps(random, [repr(value) for value in _counter(random)])
                found[f'{name}{{inst="{inst}",job="{job}"}}'] = text
    for name, insts in (("g1", "abc"), ("g2", "ab")):
        for job in "xy":
            for inst in insts:
                text = _with_gaps(random, _gauge(random))
                found[f'{name}{{inst="{inst}",job="{job}"}}'] = text
    found['info{inst="a",team="red-1"}'] = _with_gaps(random, ["1"] * LENGTH)
    found['info{inst="b",team="blue-22"}'] = _with_gaps(random, ["1"] * LENGTH)
    for inst in "ab":
        found[f'n1{{inst="{inst}",job="x"}}'] = _histograms(random, [1])
        found[f'n1{{inst="{inst}",job="y"}}'] = _histograms(random, [2, 0, 3])
        found[f'n2{{inst="{inst}",job="x"}}'] = _histograms(random, [CUSTOM])
        found[f'n2{{inst="{inst}",job="y"}}'] = _histograms(random, [0], floats=True)
    for job in "xy":
        low, high = _counter(random), _counter(random)
        for le, counts in (
            ("0.1", low),
            ("0.5", [a + b / 2 for a, b in zip(low, high, strict=True)]),
            ("2.5", [a + b for a, b in zip(low, high, strict=True)]),
            ("+Inf", [a + b + 1 for a, b in zip(low, high, strict=True)]),
        ):
            found[f'h_bucket{{job="{job}",le="{le}"}}'] = " ".join(map(repr, counts))
    return found


def random_times(seed: int, series: Mapping[str, str]) -> dict[str, list[int]]:
    """Milliseconds of the values of those series that are irregular: up to half a step off, 3 % at the time before."""
    random = Random(seed)
    found = {}
    for name in sorted(series):
        if random.random() < 0.5:
            continue
        times = [
            max(0, at * EVERY_S * 1000 + random.randint(-JITTER_MS, JITTER_MS))
            for at in range(LENGTH)
        ]
        for at in range(1, LENGTH):
            if random.random() < 0.03:
                times[at] = times[at - 1]
        found[name] = times
    return found
