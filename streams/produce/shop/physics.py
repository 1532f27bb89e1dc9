"""One step of the shop: demand flows down the call graph, time and errors flow up.

A request to a service takes the service's own time and that of its calls; it fails by the service's
own fault or, in part, because a call failed. A caller feels what its callees did in the step before,
and what they did worse than usual only in part, so trouble arrives late and weakened further up.
Latencies are log-logistic, whose distribution function has a closed form. Requests are Poisson.
Refuses to draw from anything but the generator it is given, and to keep counters.
"""

from dataclasses import dataclass

import numpy as np

from streams.produce.shop.effects import BoolArray, Effects
from streams.produce.shop.graph import (
    HOSTS,
    INSTANCES,
    NAMES,
    SERVICES,
    TENANTS,
    FloatArray,
    IntArray,
    call_matrix,
    hosting,
    visits,
)
from streams.produce.shop.rhythm import BASE_PER_SECOND, demand, wander

BOUNDS_SECONDS = np.array([0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5])

SHAPE = 4.0  # of the log-logistic distribution: p99 is 2.84 times the mean
MEAN_OVER_SCALE = (np.pi / SHAPE) / np.sin(np.pi / SHAPE)
# Standard deviation over mean, from the closed forms of the first two moments.
SPREAD = float(np.sqrt((2 * np.pi / SHAPE) / np.sin(2 * np.pi / SHAPE) / MEAN_OVER_SCALE**2 - 1.0))

LATENCY_FELT = 0.85  # of a callee's extra time that its caller waits for; the rest is cached
ERRORS_FELT = 0.5  # of failed calls that fail the caller's request; the rest are retried
OWN_ERRORS = 0.0008
LATENCY_NOISE = 0.03
MEMORY_NOISE = 0.01
CPU_NOISE = 0.03
QUEUE_NOISE = 0.05
CPU_IDLE, CPU_BUSY = 0.05, 0.20  # of one core: at rest, and more at the daily mean of requests
CORES = 8  # of one host

_OWN_SECONDS = np.array([service.own_seconds for service in SERVICES])
_MEMORY_BYTES = np.array([service.memory_bytes for service in SERVICES])
_MISSING = np.array([service.missing_ratio for service in SERVICES])
_QUEUED_SECONDS = np.array([service.queued_seconds for service in SERVICES])
_CALLS = call_matrix()
_VISITS = visits(_CALLS)
_HOSTING = hosting()
_PLACES = (len(TENANTS), len(NAMES))
_SPOTS = (*_PLACES, INSTANCES)

# What a healthy service takes, from l = own + C l, and how often it fails, from e = own + f C e.
USUAL_SECONDS = np.linalg.solve(np.eye(len(NAMES)) - _CALLS, _OWN_SECONDS)
USUAL_ERRORS = np.linalg.solve(
    np.eye(len(NAMES)) - ERRORS_FELT * np.minimum(_CALLS, 1.0), np.full(len(NAMES), OWN_ERRORS)
)


@dataclass(frozen=True, slots=True)
class State:
    """What one step leaves for the next: shapes (T,) and (T, S)."""

    noise: FloatArray
    latency_seconds: FloatArray
    errors: FloatArray


@dataclass(frozen=True, slots=True)
class Tick:
    """What happened in one step. T tenants, S services, I instances, B bounds and infinity."""

    alive: BoolArray  # (T, S, I) the instance reports
    requests: IntArray  # (T, S, I, 3) by status 200, 404, 500
    buckets: IntArray  # (T, S, I, B) requests within the bound and above the one before
    seconds: FloatArray  # (T, S, I) sum of the requests' latencies
    memory_bytes: FloatArray  # (T, S, I)
    cpu: FloatArray  # (T, S, I) ratio of one core
    queued: FloatArray  # (T, S, I) requests that wait; 0 where there is no queue
    host_cpu: FloatArray  # (T, H) ratio of the whole host


def healthy() -> State:
    """Return the state of a shop that has been well for a while."""
    return State(
        noise=np.zeros(len(TENANTS)),
        latency_seconds=np.tile(USUAL_SECONDS, (len(TENANTS), 1)),
        errors=np.tile(USUAL_ERRORS, (len(TENANTS), 1)),
    )


def advance(
    state: State,
    effect: Effects,
    ts_ms: int,
    step_ms: int,
    scale: FloatArray,
    rng: np.random.Generator,
) -> tuple[State, Tick]:
    """Return the state after the step that ends at `ts_ms`, and what happened in it.

    `scale` multiplies each tenant's usual demand, shape (T,).
    """
    noise = wander(state.noise, rng.standard_normal(len(TENANTS)))
    per_second = (demand(ts_ms, scale, noise) * effect.demand)[:, None] * _VISITS

    own = _OWN_SECONDS * effect.latency * np.exp(LATENCY_NOISE * rng.standard_normal(_PLACES))
    extra = state.latency_seconds - USUAL_SECONDS
    latency = own + (USUAL_SECONDS + LATENCY_FELT * extra) @ _CALLS.T
    passed = ERRORS_FELT * state.errors @ np.minimum(_CALLS, 1.0).T
    errors = np.minimum(OWN_ERRORS + effect.errors + passed, 0.95)

    alive = ~np.take_along_axis(effect.silent, _HOSTING.reshape(len(TENANTS), -1), axis=1).reshape(
        _SPOTS
    )
    share = alive / alive.sum(axis=2, keepdims=True)
    spread = per_second[..., None] * share
    counts = rng.poisson(spread * (step_ms / 1000.0))

    missing = np.minimum(_MISSING, 1.0 - errors)
    statuses = np.stack([1.0 - missing - errors, missing, errors], axis=-1)
    mean = np.broadcast_to(latency[..., None], _SPOTS)
    fractions = np.diff(_within(latency), axis=-1, prepend=0.0, append=1.0)
    # The sum of n latencies is normal about its mean for the n in play here.
    sway = SPREAD / np.sqrt(np.maximum(counts, 1)) * rng.standard_normal(_SPOTS)
    cpu = _cpu(spread, rng)
    tick = Tick(
        alive=alive,
        requests=rng.multinomial(counts, statuses[:, :, None]),
        buckets=rng.multinomial(counts, fractions[:, :, None]),
        seconds=counts * mean * np.maximum(1.0 + sway, 0.1),
        memory_bytes=(_MEMORY_BYTES * effect.memory)[..., None]
        * np.exp(MEMORY_NOISE * rng.standard_normal(_SPOTS)),
        cpu=cpu,
        queued=_queued(spread, latency, rng),
        host_cpu=_host_cpu(cpu * alive),
    )
    return State(noise, latency, errors), tick


def _within(mean_seconds: FloatArray) -> FloatArray:
    """Return the part of requests within each bound, shape (..., bounds)."""
    scale = mean_seconds[..., None] / MEAN_OVER_SCALE
    within: FloatArray = 1.0 / (1.0 + (BOUNDS_SECONDS / scale) ** -SHAPE)
    return within


def _cpu(spread: FloatArray, rng: np.random.Generator) -> FloatArray:
    usual = (BASE_PER_SECOND[:, None] * _VISITS)[..., None] / INSTANCES
    busy = CPU_IDLE + CPU_BUSY * spread / usual
    return busy * np.exp(CPU_NOISE * rng.standard_normal(_SPOTS))


def _queued(spread: FloatArray, latency: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return the waiting requests by Little's law: arrivals a second times seconds of waiting."""
    waiting = np.where(_QUEUED_SECONDS > 0.0, _QUEUED_SECONDS + latency, 0.0)
    noise = np.exp(QUEUE_NOISE * rng.standard_normal(_SPOTS))
    return np.round(spread * waiting[..., None] * noise)


def _host_cpu(cpu: FloatArray) -> FloatArray:
    on_host = _HOSTING[..., None] == np.arange(HOSTS)
    busy: FloatArray = (cpu[..., None] * on_host).sum(axis=(1, 2)) / CORES
    return busy
