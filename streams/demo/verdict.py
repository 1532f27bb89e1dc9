"""Verdict: what was planted held against what came out. Pure.

A fault is found when exactly one incident of its tenant opened while it lasted, or shortly after, and names its cause
first. An incident that opened at no fault's time is a false one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.incidents import Incident
from schemas.remediations import Remediation
from streams.produce.shop.faults import Fault

GRACE_MS = 180_000
"""An alert needs its window and its `for`: an incident this long after a fault's end still is the fault's."""


@dataclass(frozen=True)
class Finding:
    """One planted fault, and the incidents that opened because of it."""

    fault: Fault
    incidents: tuple[Incident, ...]
    remediations: tuple[Remediation, ...]

    @property
    def found(self) -> bool:
        """Whether it became exactly one incident with the right cause first."""
        return len(self.incidents) == 1 and self.named == self.fault.cause

    @property
    def named(self) -> str:
        """The likeliest cause that was named, empty without an incident."""
        causes = self.incidents[0].causes if self.incidents else ()
        return causes[0].entity if causes else ""

    @property
    def delay_ms(self) -> int | None:
        """Event time from the fault's start to the incident's opening."""
        return self.incidents[0].opened_at - self.fault.start_ms if self.incidents else None


@dataclass(frozen=True)
class Verdict:
    """All findings, and the incidents that nobody planted."""

    findings: tuple[Finding, ...]
    false: tuple[Incident, ...]
    alerts: int

    @property
    def good(self) -> bool:
        """Every fault found, and no false incident."""
        return not self.false and all(f.found for f in self.findings)


def judge(
    faults: Sequence[Fault],
    incidents: Sequence[Incident],
    remediations: Sequence[Remediation],
    *,
    alerts: int,
) -> Verdict:
    """Hold the latest record of each incident against the planted faults."""

    def belongs(incident: Incident, fault: Fault) -> bool:
        within = fault.start_ms <= incident.opened_at <= fault.end_ms + GRACE_MS
        return within and incident.tenant == fault.tenant

    findings = []
    for fault in faults:
        mine = tuple(i for i in incidents if belongs(i, fault))
        ids = {i.id for i in mine}
        findings.append(Finding(fault, mine, tuple(r for r in remediations if r.incident in ids)))
    false = tuple(i for i in incidents if not any(belongs(i, f) for f in faults))
    return Verdict(tuple(findings), false, alerts)
