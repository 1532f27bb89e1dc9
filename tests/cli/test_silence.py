import json
from pathlib import Path

import pytest

from schemas.topics import COMMANDS
from sinks.record import History
from streams.transport.embedded import EmbeddedBroker
from tests.cli.conftest import Cli
from tests.sinks.sample import T0, make_alert, make_incident

NOBODY = ("--broker", "127.0.0.1:1")
AT = ("--at", str(T0 + 3_600_000))


@pytest.fixture
def history(folder: Path) -> Path:
    """Two incidents: one of orders alone, one of orders and payment."""
    both = (make_alert("orders"), make_alert("payment"))
    with History(folder / "tocsin.db") as history:
        history.record([make_incident("a"), make_incident("b", alerts=both)])
    return folder / "tocsin.db"


@pytest.mark.embedded
def test_added_listed_and_ended(cli: Cli, folder: Path) -> None:
    """What was added is listed until it is ended by the beginning of its id, and then only on demand."""
    with EmbeddedBroker() as broker:
        broker.create_topics([COMMANDS])
        where = ("--broker", broker.bootstrap)
        words = (
            'service="cart"',
            "severity=~info|warning",
            "--for",
            "2h",
            "--comment",
            "disk swap",
        )
        added = cli("silence", "add", *words, "--by", "ann", "--at-end", "summary", *where)
        listed = json.loads(cli("silence", "query", *where, "--output", "json").stdout)
        unknown = cli("silence", "expire", "zz", *where)
        ended = cli("silence", "expire", listed[0]["id"][:6], *where)
        none = cli("silence", "query", *where)
        old = cli("silence", "query", "--expired", *where)

    assert (0, 0) == (added.exit_code, ended.exit_code), added.output + ended.output
    assert listed[0]["id"] in added.stdout
    assert f"silence {listed[0]['id']} ends" in ended.stdout
    assert (1, "no silence 'zz'" in unknown.stderr) == (unknown.exit_code, True)
    assert [['service="cart"', 'severity=~"info|warning"']] == listed[0]["matchers"]
    assert ("active", "summary", "ann", "disk swap") == tuple(
        listed[0][key] for key in ("state", "at_end", "created_by", "comment")
    )
    assert "no silences\n" == none.stdout
    assert "expired" in old.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "service=~("), "bad regular expression"),
        (("add", "service"), "not a matcher"),
        (("add", "service=~.*"), "matches all"),
        (("add", "service=cart", "--for", "soon"), "--for"),
        (("add", "service=cart", "--until", "2001-01-01T00:00:00Z"), "over already"),
        (("add", "service=cart", "--for", "3y"), "too long"),
        (("add", "service=cart", "--interval", "night"), "unknown interval"),
        (("add",), "Missing argument"),
    ],
)
def test_refused_before_it_is_sent(
    cli: Cli, folder: Path, words: tuple[str, ...], said: str
) -> None:
    """What the correlator would refuse is refused here, in one line."""
    result = cli("silence", *words, *NOBODY)

    assert 2 == result.exit_code
    assert said in result.stderr
    assert 1 == len(result.stderr.splitlines())


def test_preview(cli: Cli, history: Path) -> None:
    """It says how many alerts of the past it would have silenced, and which incidents wholly."""
    words = ("silence", "preview", "service=orders", "--tenant", "shop", "--last", "2h", *AT)
    text = cli(*words).stdout
    found = json.loads(cli(*words, "--output", "json").stdout)

    assert "2 alerts of 2 incidents of 2 would have been silent, 1 incident wholly" in text
    assert {make_incident("a").id: True, make_incident("b").id: False} == {
        each["incident"]: each["whole"] for each in found
    }


@pytest.mark.parametrize(
    "words",
    [
        ("service=cart", "--tenant", "shop"),
        ("service=orders", "--tenant", "nobody"),
        ("service=orders", "--tenant", "shop", "--last", "30m"),
    ],
)
def test_preview_of_nothing(cli: Cli, history: Path, words: tuple[str, ...]) -> None:
    """Other services, other tenants and other times are left alone."""
    assert "0 alerts of 0 incidents" in cli("silence", "preview", *words, *AT).stdout
