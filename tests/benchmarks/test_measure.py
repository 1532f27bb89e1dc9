import sys
import threading
from pathlib import Path

import pytest

from benchmarks import measure
from benchmarks.latency import Times, quantile
from benchmarks.measure import Measured, Meter, Repeated


def burn(seconds: float) -> None:
    end = measure.cpu_seconds() + seconds
    while measure.cpu_seconds() < end:
        pass


def test_a_meter_counts_messages_and_cpu_of_all_threads() -> None:
    """What another thread of the process burns is counted, and what came before the meter is not."""
    burn(0.05)
    meter = Meter(100)
    thread = threading.Thread(target=burn, args=(0.1,))
    thread.start()
    thread.join()
    found = meter.stop(350, alerts=2)
    assert 250 == found.messages
    assert {"alerts": 2} == found.notes
    assert 0.1 <= found.cpu_seconds < 0.15


def test_rates_are_messages_over_time() -> None:
    """Per core-second divides by CPU time, per second by the wall's."""
    found = Measured(1_000, 2.0, 4.0)
    assert (500.0, 250.0) == (found.per_core_second, found.per_second)


def test_of_several_runs_the_median_counts() -> None:
    """One slow or fast run of three has no say."""
    runs = iter([Measured(100, 1.0, 1.0), Measured(100, 10.0, 10.0), Measured(100, 2.0, 4.0)])
    found = Repeated.run(3, lambda: next(runs))
    assert (50.0, 25.0) == (found.per_core_second, found.per_second)


def test_a_process_reports_on_its_last_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever a process prints before, its last line is the figure."""
    (tmp_path / "talkative.py").write_text(
        "from benchmarks.measure import Measured, report\nprint('hello')\nreport(Measured(5, 1.0, 2.0))\n"
    )
    monkeypatch.setenv("PYTHONPATH", ":".join([str(tmp_path), *sys.path]))
    assert Measured(5, 1.0, 2.0) == measure.measured_in_process("talkative", [])


def test_a_process_that_fails_is_an_error_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A run that broke gives no figure, but what it said."""
    (tmp_path / "broken.py").write_text("raise SystemExit('out of luck')\n")
    monkeypatch.setenv("PYTHONPATH", ":".join([str(tmp_path), *sys.path]))
    with pytest.raises(RuntimeError, match="out of luck"):
        measure.measured_in_process("broken", [])


def test_quantiles_are_waits_that_were_measured() -> None:
    """A quantile is never a number between two waits, and p99.9 of a few hundred is the longest."""
    waits = [float(n) for n in range(1, 301)]
    assert [150.0, 297.0, 300.0] == [quantile(waits, share) for share in (0.5, 0.99, 0.999)]


def test_only_the_first_page_of_a_breach_after_the_warm_up_counts() -> None:
    """A repeated announcement does not change a wait; breaches of the warm-up and those still open have none."""
    times = Times(expected=3)
    times.sent = {"early": 1.0, "late": 10.0, "open": 11.0}
    for service, now in (("early", 1.5), ("late", 10.25), ("late", 12.0)):
        times.page(service, now)
    assert [250.0] == times.waits_ms(times.paged, since=5.0)
    assert not times.all_paged.is_set()
    times.page("open", 13.0)
    assert times.all_paged.is_set()
