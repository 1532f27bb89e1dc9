"""A real Alertmanager beside us, on the real clock; it runs where the program is installed."""

from pathlib import Path
from typing import Any

import pytest

from schemas.reasons import Gate
from streams.correlate.dispatcher import Dispatcher
from tests.correlate.differential import live
from tests.correlate.differential.play import config_of, play, releases
from tests.correlate.differential.scenarios import Scenario


def _ours_at_the_end(scenario: Scenario) -> dict[str, Gate | None]:
    """What keeps each alert that fires from being told when the scenario ends."""
    config = config_of(scenario)
    assert config.route is not None
    dispatcher = Dispatcher(config, config.route)
    inputs = releases(scenario)
    for release in inputs:
        dispatcher.advance(release, [])
    stopped = {}
    for group in dispatcher.snapshot().groups:
        for held in group.alerts.values():
            if held.firing:
                judged = dispatcher.gates.judge(held.alert, inputs[-1].until)
                stopped[held.alert.labels["id"]] = None if judged is None else judged.gate
    return stopped


def _differing(program: str, folder: Path, scenarios: list[Scenario]) -> dict[str, object]:
    """Play scenarios through both; what differs, by scenario."""
    inbox = live.Inbox()
    config = live.configuration(scenarios, inbox.server.server_address[1])
    with live.running(program, folder, config) as (address, _):
        live.act(address, scenarios, inbox)
        alerts = live.call("GET", f"{address}/api/v2/alerts")
    inbox.close()
    found: dict[str, object] = {}
    for scenario in scenarios:
        rows = inbox.rows.get(scenario.name, [])
        ours = live.sequences(scenario, play(scenario)), _ours_at_the_end(scenario)
        theirs = live.sequences(scenario, rows), _theirs_at_the_end(scenario, alerts)
        if ours != theirs:
            found[scenario.name] = {"ours": ours, "theirs": theirs}
    return found


def _theirs_at_the_end(scenario: Scenario, alerts: list[Any]) -> dict[str, Gate | None]:
    """The same as Alertmanager says it."""
    return {
        a["labels"]["id"]: Gate.INHIBITION
        if a["status"]["inhibitedBy"]
        else Gate.SILENCE
        if a["status"]["silencedBy"]
        else None
        for a in alerts
        if a["labels"][live.LABEL] == scenario.name
    }


@pytest.mark.slow
@pytest.mark.skipif(live.find() is None, reason="no Alertmanager is installed")
def test_beside_a_real_alertmanager(tmp_path: Path) -> None:
    """The same notifications to each receiver in the same order, and the same alerts inhibited and silenced.

    What differs is played once more: on the real clock a busy machine is late now and then.
    """
    program = live.find()
    assert program is not None
    scenarios = live.chosen(random_ones=20)
    assert len(scenarios) >= 40 + 20
    differing = _differing(program, tmp_path, scenarios)
    if differing:
        again = [s for s in scenarios if s.name in differing]
        differing = _differing(program, tmp_path / "again", again)
    assert {} == differing
