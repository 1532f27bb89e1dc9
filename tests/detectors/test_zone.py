"""Zone: local clocks, over many years and around their changes."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from detectors import create
from detectors.zone import local
from schemas.errors import ConfigError

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def shown(time_ms: int, zone: str) -> int:
    offset = (
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms))
        .astimezone(ZoneInfo(zone))
        .utcoffset()
    )
    assert offset is not None
    return time_ms + int(offset.total_seconds() * 1000)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca"])
def test_local_times_are_those_of_the_database(zone: str) -> None:
    """Over ten years, all at once or one by one, the clock shows what zoneinfo says."""
    times = np.random.default_rng(1).integers(45 * 365 * DAY_MS, 55 * 365 * DAY_MS, 500)
    expected = [shown(time_ms, zone) for time_ms in times.tolist()]
    assert local(times, zone).tolist() == expected
    assert [int(local(times[at : at + 1], zone)[0]) for at in range(50)] == expected[:50]


def test_the_change_is_exact() -> None:
    """Berlin's clock jumps from 02:00 to 03:00 at one o'clock UTC, to the millisecond."""
    change = int(datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp() * 1000)
    moved = local(np.array([change - 1, change]), "Europe/Berlin")
    assert np.diff(moved).tolist() == [HOUR_MS + 1]


def test_seasonal_keeps_its_hours_when_clocks_change() -> None:
    """A rise at nine by the local clock stays expected after summer time began; by UTC it comes an hour early."""
    start = int(datetime(2026, 3, 22, tzinfo=UTC).timestamp() * 1000)
    times = start + np.arange(11 * 48) * (HOUR_MS // 2)
    clock = local(times, "Europe/Berlin") % DAY_MS // HOUR_MS
    values = np.where((clock >= 9) & (clock < 17), 200.0, 100.0)
    values += np.random.default_rng(2).normal(size=values.size)
    after = times >= start + 7 * DAY_MS + 6 * HOUR_MS
    loud = {}
    for zone in ("Europe/Berlin", "UTC"):
        detector = create("seasonal", {"zone": zone, "slots": 48})
        detector.grow(1)
        said = detector.update(np.zeros(times.size, np.int64), times, values)
        loud[zone] = int((said.score[after] > 0.9999).sum())
    assert loud["Europe/Berlin"] == 0
    assert loud["UTC"] > 2


@pytest.mark.parametrize("name", ["seasonal", "fluctuation", "holt_winters"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    """A zone that the database does not know is a fault of the configuration."""
    with pytest.raises(ConfigError, match="unknown time zone 'Europe/Atlantis'"):
        create(name, {"zone": "Europe/Atlantis"})
