from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from aiohttp.test_utils import TestClient, TestServer
from click.testing import CliRunner

from detectors import registry
from detectors.bank import Settings
from detectors.checks import CHECKS, Check
from examples import receiver
from examples.detector import Jump
from schemas.config.notify import WebhookReceiver
from schemas.config.section import Secret
from sinks.notify import Attempt
from sinks.notify.receivers import find_kind
from streams.cli.main import main
from streams.rules.load import parse_rules
from tests.docs.conftest import ROOT
from tests.sinks.sample import make_incident

CONFIGURATIONS = sorted(ROOT.glob("examples/**/tocsin.yaml"))
RULES = sorted(ROOT.glob("examples/**/rules.yml"))
JUMP_RULE = """
groups:
  - name: own
    rules:
      - alert: Jumped
        expr: queue_length
        detect: {detector: jump, warm_up_samples: 20}
"""


@pytest.fixture
def own_detector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The example's detector, as an installed package would offer it."""
    point = EntryPoint("jump", "examples.detector:Jump", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    registry._known.cache_clear()
    yield
    registry._known.cache_clear()


@pytest.mark.parametrize("file", CONFIGURATIONS, ids=lambda f: f.parent.name)
def test_configurations_are_sound(file: Path) -> None:
    """`tocsin check` finds no fault in an example's configuration and rules."""
    result = CliRunner().invoke(main, ["check", "--config", str(file)])

    assert (0, True) == (result.exit_code, "all sound" in result.output)


@pytest.mark.parametrize("file", RULES, ids=lambda f: f.parent.name)
def test_rules_are_sound(file: Path) -> None:
    """An example's rule file has rules and no fault."""
    groups, problems = parse_rules(file.read_text(), file.name)

    assert [] == problems
    assert any(group.rules for group in groups)


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_the_own_detector_keeps_every_promise(check: Check) -> None:
    """The example's detector passes the conformance suite."""
    check(lambda: Jump(Settings()))


def test_the_own_detector_compares_with_the_value_before_even_while_it_does_not_learn() -> None:
    """A jump and the jump back are odd, and what comes after them is not, though the series is frozen by then."""
    jump = Jump(Settings(warm_up_samples=20))
    row = np.zeros(1, np.int64)
    jump.grow(1)
    scores = []
    for minute, value in enumerate([5.0 + (n % 3) * 0.1 for n in range(60)] + [50.0, 5.0, 5.1]):
        scores.append(jump.update(row, row + 60_000 * minute, np.array([value])).score[0])
        if value == 50.0:
            jump.freeze(row, frozen=True)

    assert scores[60] > 0.99
    assert scores[61] > 0.99
    assert scores[62] < 0.99


@pytest.mark.usefixtures("own_detector")
def test_rules_can_name_the_own_detector() -> None:
    """A detector that a package offers can be named in a rule."""
    groups, problems = parse_rules(JUMP_RULE, "own.yml")

    assert [] == problems
    assert "jump" == groups[0].rules[0].detect.detector  # type: ignore[union-attr]  # it has one


async def test_the_own_receiver_prints_an_announcement_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What the webhook sends is printed once by the example's receiver, however often it is sent."""
    async with TestClient(TestServer(receiver.app())) as client:
        section = WebhookReceiver(type="webhook", name="own", url=Secret(str(client.make_url("/"))))
        kind = find_kind("webhook")
        attempt = Attempt(key="k1", receiver="own", body=kind.render(section, make_incident(), ""))
        sink = kind.open(section)
        await sink.deliver(attempt)
        await sink.deliver(attempt)
        await sink.close()

    assert "firing: orders-db: Slow (cause: orders-db)\n" == capsys.readouterr().out
