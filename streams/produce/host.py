"""This machine's telemetry: CPU, memory, disks, network, load, and the busiest processes.

`read` is the only function that asks the operating system; `host_samples` is arithmetic on two
readings. Ratios need two readings, so the first one gives no ratio of CPU, and a process that was
not there before has its whole CPU time counted from its own start.
Refuses to follow more than TOP processes: the others are in the totals of the host.
"""

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import psutil

from streams.produce.telemetry import Sample

TOP = 20
MAX_PROCESSES = 10_000  # beyond these the machine has other troubles than a missing process
SERVICE = "host"


class Usage(NamedTuple):
    """Bytes in use and in all, of memory, swap or a file system."""

    used_bytes: int
    total_bytes: int


class Process(NamedTuple):
    """One process; its identity is the number and the start, as numbers are used again."""

    pid: int
    started_seconds: float  # since the epoch
    name: str
    cpu_seconds: float
    resident_bytes: int


@dataclass(frozen=True, slots=True)
class Reading:
    """All that is read from the machine at one time; totals count since it started."""

    at_ms: int
    cores: Sequence[tuple[float, float]]  # busy and all seconds of each core
    memory: Usage
    swap: Usage
    load: tuple[float, float, float]  # over 1, 5 and 15 minutes
    file_systems: Mapping[str, Usage]  # by mount point
    totals: Mapping[tuple[str, str, str], int]  # by metric, and name and value of its label
    processes: Sequence[Process]


def host_name() -> str:
    """Return this machine's name."""
    return socket.gethostname()


def host_samples(previous: Reading | None, reading: Reading, host: str) -> list[Sample]:
    """Return the samples of a reading; ratios are over the time since the previous one.

    Ratios are left out when there is no previous reading or the clock went backwards.
    """
    labels = {"service": SERVICE, "host": host}
    at_ms = reading.at_ms
    found = [
        ("host_memory_used_bytes", labels, float(reading.memory.used_bytes)),
        ("host_memory_total_bytes", labels, float(reading.memory.total_bytes)),
        ("host_memory_usage_ratio", labels, _ratio(*reading.memory)),
        ("host_swap_used_bytes", labels, float(reading.swap.used_bytes)),
        ("host_swap_usage_ratio", labels, _ratio(*reading.swap)),
    ]
    found += [
        (f"host_load{minutes}", labels, load)
        for minutes, load in zip((1, 5, 15), reading.load, strict=True)
    ]
    for mount, usage in reading.file_systems.items():
        place = labels | {"mount": mount}
        found.append(("host_disk_used_bytes", place, float(usage.used_bytes)))
        found.append(("host_disk_usage_ratio", place, _ratio(*usage)))
    found += [
        (metric, labels | {label: value}, float(total))
        for (metric, label, value), total in reading.totals.items()
    ]
    if previous is not None and reading.at_ms > previous.at_ms:
        found += _cpu(previous, reading, labels)
        found += _processes(previous, reading, labels)
    return [Sample(metric, names, at_ms, value) for metric, names, value in found]


Figure = tuple[str, dict[str, str], float]


def _cpu(previous: Reading, reading: Reading, labels: dict[str, str]) -> Iterator[Figure]:
    spans = [
        (max(busy - busy_before, 0.0), max(whole - whole_before, 0.0))
        for (busy, whole), (busy_before, whole_before) in zip(
            reading.cores,
            previous.cores,
            strict=False,  # a core may be switched on or off
        )
    ]
    whole = sum(span for _, span in spans)
    yield "host_cpu_usage_ratio", labels, _ratio(sum(busy for busy, _ in spans), whole)
    for core, (busy, span) in enumerate(spans):
        yield "host_core_usage_ratio", labels | {"core": str(core)}, _ratio(busy, span)


def _processes(previous: Reading, reading: Reading, labels: dict[str, str]) -> Iterator[Figure]:
    elapsed_seconds = (reading.at_ms - previous.at_ms) / 1000.0
    before = {(old.pid, old.started_seconds): old.cpu_seconds for old in previous.processes}
    ratios = [
        (max(now.cpu_seconds - earlier, 0.0) / elapsed_seconds, now)
        for now in reading.processes
        if (earlier := _earlier(now, before, previous.at_ms)) is not None
    ]
    # Ties go to the larger and then the older process, so that an idle machine's list stays put.
    ratios.sort(key=lambda pair: (-pair[0], -pair[1].resident_bytes, pair[1].pid))
    for ratio, process in ratios[:TOP]:
        names = labels | {"process": process.name, "pid": str(process.pid)}
        yield "process_cpu_usage_ratio", names, ratio
        yield "process_resident_memory_bytes", names, float(process.resident_bytes)


def _earlier(
    process: Process, before: Mapping[tuple[int, float], float], since_ms: int
) -> float | None:
    """Return the CPU seconds up to the previous reading; None for an old one not seen there."""
    born_since = process.started_seconds * 1000.0 >= since_ms
    return before.get((process.pid, process.started_seconds), 0.0 if born_since else None)


def _ratio(part: float, whole: float) -> float:
    return min(part / whole, 1.0) if whole > 0 else 0.0


def read(at_ms: int) -> Reading:
    """Ask the operating system; takes some milliseconds, more with many processes."""
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    return Reading(
        at_ms=at_ms,
        cores=[_busy(times) for times in psutil.cpu_times(percpu=True)],
        memory=Usage(memory.total - memory.available, memory.total),
        swap=Usage(swap.used, swap.total),
        load=os.getloadavg(),
        file_systems=dict(_file_systems()),
        totals=dict(_totals()),
        processes=list(_running()),
    )


def _busy(times: object) -> tuple[float, float]:
    # Linux counts a guest's time in user and nice as well; take it once.
    shares = {
        name: value
        for name, value in times._asdict().items()  # type: ignore[attr-defined]  # per platform
        if name not in ("guest", "guest_nice")
    }
    whole = sum(shares.values())
    return whole - shares.get("idle", 0.0) - shares.get("iowait", 0.0), whole


def _file_systems() -> Iterator[tuple[str, Usage]]:
    for part in psutil.disk_partitions(all=False):
        try:
            usage = psutil.disk_usage(part.mountpoint)
        except OSError:
            continue  # taken away in between, or not ours to see
        yield part.mountpoint, Usage(usage.used, usage.total)


def _totals() -> Iterator[tuple[tuple[str, str, str], int]]:
    # Devices that never did anything (loop devices by the dozen) tell nothing.
    for device, io in (psutil.disk_io_counters(perdisk=True) or {}).items():
        if io.read_bytes or io.write_bytes:
            yield ("host_disk_read_bytes_total", "device", device), io.read_bytes
            yield ("host_disk_written_bytes_total", "device", device), io.write_bytes
    for name, net in psutil.net_io_counters(pernic=True).items():
        if net.bytes_recv or net.bytes_sent:
            yield ("host_network_received_bytes_total", "interface", name), net.bytes_recv
            yield ("host_network_sent_bytes_total", "interface", name), net.bytes_sent
            dropped = net.dropin + net.dropout + net.errin + net.errout
            yield ("host_network_failed_packets_total", "interface", name), dropped


def _running() -> Iterator[Process]:
    wanted = ["name", "create_time", "cpu_times", "memory_info"]
    for count, process in enumerate(psutil.process_iter(wanted)):
        if count >= MAX_PROCESSES:
            return
        info = process.info
        if info["cpu_times"] is None or info["memory_info"] is None:
            continue  # not ours to see
        yield Process(
            pid=process.pid,
            started_seconds=info["create_time"],
            # A name may hold bytes that are not UTF-8, which JSON could not carry.
            name=(info["name"] or "?").encode("utf-8", "replace").decode("utf-8"),
            cpu_seconds=info["cpu_times"].user + info["cpu_times"].system,
            resident_bytes=info["memory_info"].rss,
        )
