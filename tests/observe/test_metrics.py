import socket
import urllib.request
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from schemas.config import MetricsConfig
from schemas.errors import ConfigError
from schemas.reasons import (
    CommandReason,
    DeadLetterReason,
    DeliveryReason,
    DetectorState,
    Gate,
    IgnoreReason,
    ReloadReason,
    RemediationReason,
)
from streams.app import STAGES
from streams.correlate.reasons import DropReason
from streams.observe.metrics import serving_metrics
from streams.rules.reload import Reloads
from streams.stage import Figure
from streams.transport.stats import RunnerStats

BY_STAGE = {
    "tocsin_chunks",
    "tocsin_records",
    "tocsin_outputs",
    "tocsin_lost_records",
    "tocsin_lag_records",
    "tocsin_checkpoints",
    "tocsin_poisoned_records",
    "tocsin_series",
}
BY_REASON = {
    "tocsin_refused": DeadLetterReason,
    "tocsin_dead_letters": DeadLetterReason,
    "tocsin_ignored": IgnoreReason,
    "tocsin_samples_dropped": DeadLetterReason,
    "tocsin_alerts_dropped": DropReason,
    "tocsin_alerts_stopped": Gate,
    "tocsin_commands_refused": CommandReason,
    "tocsin_notifications": DeliveryReason,
    "tocsin_remediations": RemediationReason,
    "tocsin_rules_reloads": ReloadReason,
    "tocsin_detector_series": DetectorState,
}


def make_workers(figures: list[Figure] | None = None, lag: int = 0, pause: float = 0.0) -> Any:
    """Workers of all stages, each with one partition; that of notify has decided something."""
    runners = {}
    for name in STAGES:
        found = (figures or []) if name == "notify" else []
        stage = SimpleNamespace(figures=lambda found=found: found)
        runners[name] = SimpleNamespace(
            stats=RunnerStats(records=lag),
            vitals=lambda: SimpleNamespace(lag=lag, saves=0),
            series=lag,
            rereading=SimpleNamespace(poisoned=0),
            checkpointer=SimpleNamespace(
                partitions={0: SimpleNamespace(stage=stage), 1: SimpleNamespace(stage=object())}
            ),
        )
    pauses = SimpleNamespace(longest_seconds=pause)
    host = SimpleNamespace(runners=runners, pauses=pauses)
    return SimpleNamespace(host=host, reloads=Reloads())


def served(workers: Any) -> dict[tuple[str, str], float]:
    """Value of every series of ours by family and label, as an HTTP client gets them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with serving_metrics(MetricsConfig(port=port), workers) as told:
        assert port == told
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
            text = answer.read().decode()
    return {
        (family.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(text)
        if family.name.startswith("tocsin_")
        for sample in family.samples
    }


def test_every_series_is_there_from_the_start() -> None:
    """All names with all their stages and reasons are served at 0, and no others: an alert on a rate needs them."""
    expected = {(name, stage) for name in BY_STAGE for stage in STAGES}
    expected |= {(name, reason.value) for name, reasons in BY_REASON.items() for reason in reasons}
    expected.add(("tocsin_alerts_late", "correlate"))
    expected.add(("tocsin_samples_late", "detect"))
    expected.add(("tocsin_samples_unjudged", "detect"))
    expected.add(("tocsin_loop_longest_pause_seconds", ""))
    expected.add(("tocsin_rules_reload_failed", ""))
    expected.add(("tocsin_detector_longest_wait_seconds", ""))

    found = served(make_workers())

    assert expected == found.keys()
    assert {0.0} == set(found.values())


def test_figures_of_stages_are_summed_by_reason() -> None:
    """What the partitions have counted is added up; stages without figures count nothing."""
    reason = DeliveryReason.GAVE_UP.value
    figures = [Figure("notifications", reason, 2), Figure("notifications", reason, 3)]

    found = served(make_workers(figures, lag=7))

    assert 5.0 == found["tocsin_notifications", reason]
    assert 0.0 == found["tocsin_remediations", RemediationReason.DONE.value]
    assert (7.0, 7.0) == (found["tocsin_lag_records", "detect"], found["tocsin_records", "detect"])
    assert 7.0 == found["tocsin_series", "detect"]


def test_the_longest_pause_of_the_loop_is_told() -> None:
    """What the host has noted is served as it is."""
    found = served(make_workers(pause=0.25))

    assert 0.25 == found["tocsin_loop_longest_pause_seconds", ""]


def test_only_the_tenants_with_most_refusals_are_named() -> None:
    """Of a hundred tenants the ten with most refusals are shown, summed over partitions."""
    figures = [Figure("tenant_refused", f"t{n}", n) for n in range(100)] * 2

    found = served(make_workers(figures))

    shown = {name[1]: total for name, total in found.items() if name[0] == "tocsin_tenant_refused"}
    assert {f"t{n}": 2.0 * n for n in range(90, 100)} == shown


def test_what_was_scrubbed_is_told_by_kind_and_label() -> None:
    """Counts of all partitions are added up under both; `served` shows the first label."""
    figures = [Figure("scrubbed", "email/user", 2), Figure("scrubbed", "email/user", 3)]

    found = served(make_workers(figures))

    assert 5.0 == found["tocsin_scrubbed", "email"]


def test_a_reason_that_no_enum_has_makes_no_series() -> None:
    """Labels stay bounded, whatever a stage counts."""
    found = served(make_workers([Figure("notifications", "made up", 1)]))

    assert ("tocsin_notifications", "made up") not in found


def test_nothing_is_served_unless_asked_for() -> None:
    """Port 0 is the default and means none."""
    with serving_metrics(MetricsConfig(), make_workers()) as port:
        assert 0 == port


def test_a_port_that_is_taken_is_a_fault_of_the_configuration() -> None:
    """It is said with the address, and not only in a thread."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        config = MetricsConfig(port=taken.getsockname()[1])

        with (
            pytest.raises(ConfigError, match=r"cannot listen on 127\.0\.0\.1:\d+: Address already"),
            serving_metrics(config, make_workers()),
        ):
            pytest.fail("it was served")


def test_the_longest_wait_of_a_detector_is_told() -> None:
    """Partitions are not added up: the series that is last counts; how many there are in a state is."""
    figures = [
        Figure("detector_wait_ms", "g/A", 60_000),
        Figure("detector_wait_ms", "g/A", 90_000),
        Figure("detector_series", "waiting", 2),
        Figure("detector_series", "waiting", 3),
    ]

    found = served(make_workers(figures))

    assert 90.0 == found["tocsin_detector_longest_wait_seconds", ""]
    assert 5.0 == found["tocsin_detector_series", "waiting"]
