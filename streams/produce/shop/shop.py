"""The simulated shop: a seeded, pure source of telemetry with planted faults and the truth on them.

The same seed, start and repairs give the same samples. Each step draws from a generator of its
own, made from the seed and the step's number, so a repair changes nothing but what it repairs.
Time is simulated: event time moves by `step_ms` a step, however fast the steps are taken.
Refuses to read a clock, to wait and to send: pacing and sending are the caller's business.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
import numpy as np

from streams.produce.shop.effects import Effects, effects, restarts
from streams.produce.shop.faults import MINUTE_MS, TAIL_MINUTES, Fault, FaultKind, schedule
from streams.produce.shop.graph import EDGES, INDEX, INSTANCES, NAMES, TENANTS
from streams.produce.shop.physics import Tick, advance, healthy
from streams.produce.shop.series import Telemetry
from streams.produce.telemetry import Record, Sample, record

STEP_MS = 15_000
TRUTH_VERSION = 1


class Shop:
    """A shop that begins at `start_ms` (event time) and suffers one fault of each of `kinds`.

    With no kinds it stays well for ever. ValueError for a negative seed, a step below 1 s or
    above 60 s, or a kind that is named twice.
    """

    def __init__(
        self,
        seed: int,
        start_ms: int,
        step_ms: int = STEP_MS,
        kinds: Sequence[FaultKind] = tuple(FaultKind),
    ) -> None:
        if seed < 0:
            raise ValueError(f"a seed is not negative: {seed}")
        if not 1_000 <= step_ms <= MINUTE_MS:
            raise ValueError(f"a step lasts from 1,000 to 60,000 ms, not {step_ms}")
        if len(set(kinds)) < len(kinds):
            raise ValueError("each kind of fault is planted at most once")
        self.seed, self.start_ms, self.step_ms = seed, start_ms, step_ms
        plan = np.random.default_rng([seed, 0])
        self._scale = plan.uniform(0.85, 1.15, len(TENANTS))
        self._faults = list(schedule(plan, kinds, start_ms, step_ms))
        self._state = healthy()
        self._telemetry = Telemetry()
        self._steps = 0
        self._repaired = np.zeros((len(TENANTS), len(NAMES), INSTANCES), dtype=np.bool_)
        last_ms = max((fault.end_ms for fault in self._faults), default=start_ms)
        self._end_ms = last_ms + int(TAIL_MINUTES * MINUTE_MS)

    @property
    def now_ms(self) -> int:
        """Event time of the last step, or the start before there is one."""
        return self.start_ms + self._steps * self.step_ms

    @property
    def end_ms(self) -> int:
        """Event time at which the story is over; a repair does not bring it forward."""
        return self._end_ms

    @property
    def done(self) -> bool:
        """Whether the story is over; more steps may be taken, and all is well in them."""
        return self.now_ms >= self._end_ms

    def step(self) -> list[Sample]:
        """Take one step and return its samples, all at its event time."""
        return [sample for group in self._groups() for sample in group]

    def messages(self) -> list[Record]:
        """Take one step and return its samples as records: one an instance, a host, a tenant."""
        return [record(group) for group in self._groups()]

    def records(self) -> Iterator[Record]:
        """Take steps until the story is over, and yield their records."""
        while not self.done:
            yield from self.messages()

    def advance(self) -> Tick:
        """Take one step and return what happened in it as arrays, without making samples.

        The counters do not see it: for statistics on the shop itself, not to be mixed with step.
        """
        return self._advance()[0]

    def repair(self, tenant: str, service: str) -> Fault | None:
        """Restart a service between two steps; return the leak that this ended, if there was one.

        Counters begin anew and leaked memory is free again. No other fault is mended by a
        restart. ValueError for a tenant or service that the shop has not.
        """
        if tenant not in TENANTS or service not in INDEX:
            raise ValueError(f"the shop has no service {service!r} of a tenant {tenant!r}")
        self._repaired[TENANTS.index(tenant), INDEX[service]] = True
        for place, fault in enumerate(self._faults):
            if (
                fault.kind is FaultKind.MEMORY_LEAK
                and (fault.tenant, fault.service) == (tenant, service)
                and fault.active(self.now_ms)
            ):
                ended = msgspec.structs.replace(fault, end_ms=self.now_ms, repaired_ms=self.now_ms)
                self._faults[place] = ended
                return ended
        return None

    def truth(self) -> list[Fault]:
        """Return the planted faults in order of time, repairs included."""
        return list(self._faults)

    def truth_json(self) -> bytes:
        """Return the truth as one JSON document: the faults, the tenants and their call graphs."""
        return msgspec.json.encode(
            {
                "v": TRUTH_VERSION,
                "seed": self.seed,
                "start_ms": self.start_ms,
                "step_ms": self.step_ms,
                "end_ms": self.end_ms,
                "edges": {tenant: self.edges(tenant) for tenant in TENANTS},
                "faults": self._faults,
            }
        )

    def edges(self, tenant: str) -> Mapping[str, tuple[str, ...]]:
        """Return a tenant's call graph, caller to callees; ValueError for an unknown tenant."""
        if tenant not in TENANTS:
            raise ValueError(f"the shop has no tenant {tenant!r}")
        return dict(EDGES)

    def _groups(self) -> list[list[Sample]]:
        anew = restarts(self._faults, self.now_ms) | self._repaired
        self._repaired[:] = False
        tick, effect = self._advance()
        return self._telemetry.groups(tick, effect, anew, self.now_ms, self.step_ms)

    def _advance(self) -> tuple[Tick, Effects]:
        from_ms = self.now_ms
        self._steps += 1
        rng = np.random.default_rng([self.seed, 1, self._steps])
        effect = effects(self._faults, from_ms, self.now_ms)
        self._state, tick = advance(
            self._state, effect, self.now_ms, self.step_ms, self._scale, rng
        )
        return tick, effect
