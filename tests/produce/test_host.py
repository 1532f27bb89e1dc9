import os
from collections.abc import Sequence

import pytest

from streams.produce.host import (
    MAX_PROCESSES,
    TOP,
    Process,
    Reading,
    Usage,
    host_name,
    host_samples,
    read,
)
from streams.produce.telemetry import Sample, encode_samples


def reading(
    at_ms: int,
    cores: Sequence[tuple[float, float]] = ((10.0, 100.0), (20.0, 100.0)),
    processes: Sequence[Process] = (),
) -> Reading:
    return Reading(
        at_ms=at_ms,
        cores=cores,
        memory=Usage(40, 100),
        swap=Usage(0, 0),
        load=(0.5, 0.4, 0.3),
        file_systems={"/": Usage(30, 60)},
        totals={("host_disk_read_bytes_total", "device", "sda"): 7},
        processes=processes,
    )


def values(samples: Sequence[Sample], metric: str) -> list[float]:
    return [sample.value for sample in samples if sample.metric == metric]


def test_the_first_reading_has_no_ratio_of_cpu() -> None:
    """Gauges and totals are there at once; what needs two readings is not made up."""
    found = host_samples(None, reading(1_000, processes=[Process(1, 0.0, "init", 5.0, 9)]), "h")

    assert [0.4] == values(found, "host_memory_usage_ratio")
    assert [0.0] == values(found, "host_swap_usage_ratio")
    assert [0.5] == values(found, "host_disk_usage_ratio")
    assert [7.0] == values(found, "host_disk_read_bytes_total")
    assert not [sample for sample in found if "cpu" in sample.metric]
    assert all(sample.labels["host"] == "h" for sample in found)
    assert {1_000} == {sample.ts_ms for sample in found}


def test_cpu_is_busy_over_all_between_two_readings() -> None:
    """The ratio of each core and of the whole is that of the time in between."""
    before = reading(0, cores=[(10.0, 100.0), (20.0, 100.0)])
    after = reading(10_000, cores=[(20.0, 110.0), (20.0, 110.0)])

    found = host_samples(before, after, "h")

    assert [0.5] == values(found, "host_cpu_usage_ratio")
    assert [1.0, 0.0] == values(found, "host_core_usage_ratio")


def test_the_busiest_processes_come_first_and_are_bounded() -> None:
    """Only the busiest are told, by name and number."""
    before = reading(0, processes=[Process(pid, 0.0, "p", 0.0, pid) for pid in range(100)])
    after = reading(1_000, processes=[Process(n, 0.0, "p", n / 100, n) for n in range(100)])

    busiest = [
        sample
        for sample in host_samples(before, after, "h")
        if sample.metric == "process_cpu_usage_ratio"
    ]

    assert TOP == len(busiest)
    assert busiest[0].labels["pid"] == "99"
    assert busiest[0].value == pytest.approx(0.99)


def test_a_number_used_again_is_another_process() -> None:
    """A new process under an old number is measured from its own start."""
    before = reading(10_000, processes=[Process(7, 1.0, "old", 500.0, 1)])
    after = reading(12_000, processes=[Process(7, 11.0, "new", 1.0, 1)])

    assert [0.5] == values(host_samples(before, after, "h"), "process_cpu_usage_ratio")


def test_an_old_process_seen_for_the_first_time_has_no_ratio() -> None:
    """CPU time from before the previous reading is not taken for CPU time since."""
    after = reading(12_000, processes=[Process(7, 1.0, "old", 500.0, 1)])

    assert [] == values(host_samples(reading(10_000), after, "h"), "process_cpu_usage_ratio")


@pytest.mark.parametrize("at_ms", [1_000, 900])
def test_a_clock_that_stands_or_goes_back_gives_no_ratio(at_ms: int) -> None:
    """Without time in between there is nothing to divide by."""
    found = host_samples(reading(1_000), reading(at_ms), "h")

    assert [] == values(found, "host_cpu_usage_ratio")


def test_this_machine_can_be_read() -> None:
    """Two readings of the real machine give samples that can be sent, this process among them."""
    first = read(1_000)

    found = host_samples(first, read(2_000), host_name())

    assert any(process.pid == os.getpid() for process in first.processes)
    assert len(first.processes) <= MAX_PROCESSES
    assert 0.0 < values(found, "host_memory_usage_ratio")[0] <= 1.0
    assert 0.0 <= values(found, "host_cpu_usage_ratio")[0] <= 1.0
    assert encode_samples(found).startswith(b"[{")
