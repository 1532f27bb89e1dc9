"""How many requests reach the front door: a day's rhythm, and mild noise around it.

The rhythm is a cosine over the day, with its peak at an hour of each tenant's own; it moves less
than 1 % in five minutes. The noise is first-order autoregressive, so it wanders but always returns.
Refuses to draw noise itself: random numbers come in.
"""

import numpy as np

from streams.produce.shop.graph import TENANTS, FloatArray

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
AMPLITUDE = 0.30
PEAK_HOURS = np.array([14.0, 20.0])  # UTC, one a tenant
BASE_PER_SECOND = np.array([200.0, 120.0])  # requests a second at the daily mean, one a tenant

NOISE_RATIO = 0.025  # standard deviation of the wandering
NOISE_MEMORY = 0.9  # of one 15 s step in the next; half of a swing is forgotten in 100 s

assert len(PEAK_HOURS) == len(BASE_PER_SECOND) == len(TENANTS)


def rhythm(ts_ms: int) -> FloatArray:
    """Return each tenant's demand at an event time as a ratio of its daily mean."""
    hours = (ts_ms % DAY_MS) / HOUR_MS
    return 1.0 + AMPLITUDE * np.cos((hours - PEAK_HOURS) * (2.0 * np.pi / 24.0))


def wander(noise: FloatArray, shocks: FloatArray) -> FloatArray:
    """Return the next noise from the last one and standard normal shocks, both one a tenant.

    The shocks are scaled so that the variance stays NOISE_RATIO squared.
    """
    return NOISE_MEMORY * noise + NOISE_RATIO * float(np.sqrt(1.0 - NOISE_MEMORY**2)) * shocks


def demand(ts_ms: int, scale: FloatArray, noise: FloatArray) -> FloatArray:
    """Return each tenant's requests a second at the front door."""
    return BASE_PER_SECOND * scale * rhythm(ts_ms) * np.exp(noise)
