import sys
import threading
from pathlib import Path

import pytest

from benchmarks import measure
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
    runs = [Measured(100, 1.0, 1.0), Measured(100, 10.0, 10.0), Measured(100, 2.0, 4.0)]
    found = Repeated(runs)
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
