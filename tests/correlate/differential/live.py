"""A real Alertmanager, as Debian packs it, on the real clock: many scenarios at once, each under a label of its own.

A second of a scenario takes `1 / SPEED` of a second. What would hang on a hair is left out: time intervals, which know
minutes only, a repeat interval that ends in the moment of a flush, and events that come late in a scenario. So is what
Debian's 0.25 does otherwise than 0.34, by which we go: it keeps the rhythm of a group that is empty for a while, and
reads an empty `group_by` as none.
"""

import json
import random
import shutil
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from deploy.ports import free_port
from schemas.config.section import parse_duration
from schemas.matchers import parse_matchers
from tests.correlate.differential.named import named
from tests.correlate.differential.play import play
from tests.correlate.differential.scenarios import S, Scenario, random_scenario

SPEED = 25
SPAN = 760
"""Seconds of a scenario that are played."""
HAIR = 4
"""So many seconds sooner or later must not matter: a busy machine is late."""
LABEL = "scenario"
BY_A_HAIR = "repeat_interval_a_multiple_of_group_interval"
DEFAULTS = {"group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h"}


def find() -> str | None:
    """The program, if it is installed."""
    return shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")


def chosen(random_ones: int) -> list[Scenario]:
    """Named scenarios and random ones that do not hang on a hair, each with its label."""
    found = [s for each in named() if _fits(each) if _is_steady(s := _trimmed(each))]
    seed = 10_000
    while random_ones:
        scenario = random_scenario(seed)
        seed += 1
        scenario.time_intervals = []
        _simplify(scenario.route)
        trimmed = _trimmed(scenario)
        if len(scenario.events) > 3 and not _begins_again(trimmed) and _is_steady(trimmed):
            found.append(trimmed)
            random_ones -= 1
    return found


def _fits(scenario: Scenario) -> bool:
    long = len(scenario.events) > 50
    return not scenario.time_intervals and not long and scenario.name != BY_A_HAIR


def _simplify(route: dict[str, Any]) -> None:
    """Take out time intervals, and what the older version reads otherwise."""
    route.pop("mute_time_intervals", None)
    route.pop("active_time_intervals", None)
    if route.get("group_by") == []:
        del route["group_by"]
    for child in route.get("routes", ()):
        _simplify(child)


def _begins_again(scenario: Scenario) -> bool:
    """Whether somebody is told of a group as of a new one twice."""
    first = [tuple(row[1:3]) for row in play(scenario) if row[3] == "first notification"]
    return len(set(first)) < len(first)


def _trimmed(given: Scenario) -> Scenario:
    scenario = deepcopy(given)
    scenario.until = SPAN * S
    scenario.events = [e for e in scenario.events if e["at"] < SPAN * S - 20 * S]
    for event in scenario.events:
        event.setdefault("labels", {})[LABEL] = scenario.name
        if event["kind"] == "silence":
            event["matchers"] = [*event["matchers"], f'{LABEL}="{scenario.name}"']
    return scenario


def sequences(scenario: Scenario, rows: Iterable[list[Any]]) -> dict[tuple[str, str], list[Any]]:
    """What each receiver is told of each group, in order."""
    found: dict[tuple[str, str], list[Any]] = {}
    for at, receiver, group, _, firing, resolved in rows:
        if at < (SPAN - HAIR) * S:
            found.setdefault((receiver, group), []).append([firing, resolved])
    return found


def _is_steady(scenario: Scenario) -> bool:
    """Whether the same is told when every event comes a little sooner or later."""
    told = sequences(scenario, play(scenario))
    dice = random.Random(1)
    for _ in range(25):
        moved = deepcopy(scenario)
        for event in moved.events:
            event["at"] += dice.randint(0, HAIR * S)
            if "until" in event:
                event["until"] += dice.randint(-HAIR * S, HAIR * S)
        moved.until += HAIR * S
        moved.events.sort(key=lambda e: int(e["at"]))
        if sequences(moved, play(moved)) != told:
            return False
    return bool(told)


def configuration(scenarios: Iterable[Scenario], port: int) -> dict[str, Any]:
    """One Alertmanager's configuration of all scenarios."""
    routes, receivers, rules = [], [{"name": "nobody"}], []
    for scenario in scenarios:
        only = f'{LABEL}="{scenario.name}"'
        route = DEFAULTS | deepcopy(scenario.route)
        _quicken(route, scenario.name)
        routes.append({**route, "matchers": [only]})
        for name in scenario.receivers:
            hook = {
                "url": f"http://127.0.0.1:{port}/{scenario.name}/{name}",
                "send_resolved": name not in scenario.quiet,
            }
            receivers.append({"name": f"{scenario.name}/{name}", "webhook_configs": [hook]})
        for rule in scenario.inhibit_rules:
            sides = {
                f"{side}_matchers": [*rule[f"{side}_matchers"], only]
                for side in ("source", "target")
            }
            rules.append({**rule, **sides})
    root = {"receiver": "nobody", "routes": routes}
    return {"route": root, "receivers": receivers, "inhibit_rules": rules}


def _quicken(route: dict[str, Any], name: str) -> None:
    if "receiver" in route:
        route["receiver"] = f"{name}/{route['receiver']}"
    for key in ("group_wait", "group_interval", "repeat_interval"):
        if key in route:
            route[key] = f"{parse_duration(route[key]) // SPEED}ms"
    for child in route.get("routes", ()):
        _quicken(child, name)


class Inbox:
    """Collects what an Alertmanager tells its webhooks; rows as `play` makes them, by scenario."""

    def __init__(self) -> None:
        self.rows: dict[str, list[list[Any]]] = {}
        self.began = 0.0
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                inbox.take(self.path, body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
                """Keep quiet."""

        class Server(ThreadingHTTPServer):
            request_queue_size = (
                256  # all groups are told at once; who finds no room tries again a second later
            )

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Take no more."""
        self.server.shutdown()
        self.server.server_close()

    def take(self, path: str, body: dict[str, Any]) -> None:
        """One notification."""
        _, name, receiver = path.split("/")
        by_state: dict[str, list[str]] = {"firing": [], "resolved": []}
        for alert in body["alerts"]:
            by_state[alert["status"]].append(alert["labels"]["id"])
        at = int((time.monotonic() - self.began) * SPEED * S)
        group = body["groupKey"].replace(f'{{}}/{{{LABEL}="{name}"}}', "{}", 1)
        row = [at, receiver, group, "", sorted(by_state["firing"]), sorted(by_state["resolved"])]
        self.rows.setdefault(name, []).append(row)


@contextmanager
def running(program: str, folder: Path, config: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """An Alertmanager with this configuration; its address and the id of its process."""
    folder.mkdir(exist_ok=True)
    file = folder / "alertmanager.yml"
    with file.open("w") as out:
        YAML(typ="safe", pure=True).dump(config, out)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    options = [
        f"--config.file={file}",
        f"--storage.path={folder}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        "--log.level=error",
    ]
    process = subprocess.Popen([program, *options], stderr=subprocess.PIPE)
    try:
        for _ in range(200):
            if process.poll() is not None:
                raise RuntimeError(process.communicate()[1].decode()[-2000:])
            try:
                urllib.request.urlopen(f"{address}/-/ready", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield address, process.pid
    finally:
        process.terminate()
        process.communicate(timeout=30)


def call(method: str, address: str, body: Any = None) -> Any:
    """An answer of Alertmanager's API."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        address, data, {"Content-Type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request, timeout=300) as answer:
        text = answer.read()
    return json.loads(text) if text.strip() else None


def act(address: str, scenarios: Iterable[Scenario], inbox: Inbox) -> None:
    """Play all scenarios at once, to their end."""
    steps = sorted(
        ((e["at"], n, e) for n, s in enumerate(scenarios) for e in s.events), key=lambda x: x[:2]
    )
    started: dict[str, str] = {}
    silenced: dict[tuple[int, str], str] = {}
    inbox.began = time.monotonic()
    while steps:
        _wait(inbox, steps[0][0])
        now = (time.monotonic() - inbox.began) * SPEED * S
        due = [step for step in steps if step[0] <= now]
        del steps[: len(due)]
        alerts = []
        for _, number, event in due:
            if event["kind"] == "alert":
                alerts.append(_alert(event, started))
            elif event["kind"] == "silence":
                made = call("POST", f"{address}/api/v2/silences", _silence(event))
                silenced[number, event["name"]] = made["silenceID"]
            else:
                identity = silenced[number, event["name"]]
                call("DELETE", f"{address}/api/v2/silence/{identity}")
        if alerts:
            call("POST", f"{address}/api/v2/alerts", alerts)
    _wait(inbox, SPAN * S)


def _wait(inbox: Inbox, at: int) -> None:
    left = at / S / SPEED - (time.monotonic() - inbox.began)
    if left > 0:
        time.sleep(left)


def _stamp(later: float = 0.0) -> str:
    return datetime.fromtimestamp(time.time() + later, UTC).isoformat()


def _alert(event: dict[str, Any], started: dict[str, str]) -> dict[str, Any]:
    labels = event["labels"]
    known = f"{labels[LABEL]}/{labels['id']}"
    if event["firing"]:
        started[known] = _stamp()
    return {
        "labels": labels,
        "startsAt": started[known],
        "endsAt": _stamp(3600.0) if event["firing"] else _stamp(),
    }


def _silence(event: dict[str, Any]) -> dict[str, Any]:
    matchers = [
        {
            "name": m.name,
            "value": m.value,
            "isRegex": "~" in m.op.value,
            "isEqual": not m.op.value.startswith("!"),
        }
        for text in event["matchers"]
        for m in parse_matchers(text)
    ]
    lasts = (event["until"] - event["at"]) / S / SPEED
    return {
        "matchers": matchers,
        "startsAt": _stamp(),
        "endsAt": _stamp(lasts),
        "createdBy": "test",
        "comment": "test",
    }
