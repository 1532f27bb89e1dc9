"""The block that the receiver `stdout` prints."""

import io

from schemas.config.notify import StdoutReceiver
from sinks.notify.attempt import Attempt
from sinks.notify.receivers.stdout import StdoutSink, render
from tests.sinks.sample import make_alert, make_incident

CONFIG = StdoutReceiver(type="stdout", name="stdout")


def test_the_block_reads_well() -> None:
    """The block says what, why now, since when, the likeliest cause and the first alerts."""
    incident = make_incident()

    assert (
        "[CRITICAL] orders-db: Slow (first notification)\n"
        f"  incident {incident.id}, tenant shop, since 2023-11-14T22:13:20.000Z, 1 of 1 alerts firing\n"
        "  likely cause: orders-db 100%: orders-db was slow first\n"
        "  firing: Slow | service=orders | orders is slow; value 0.5\n"
        "  more: https://x\n"
    ) == render(CONFIG, incident, "https://x").decode()


def test_many_alerts_are_counted() -> None:
    """Beyond the first five, alerts are counted."""
    alerts = tuple(make_alert(f"s{n}") for n in range(8))

    assert "  and 3 more\n" in render(CONFIG, make_incident(alerts=alerts), "").decode()


def test_labels_cannot_steer_the_terminal() -> None:
    """Control characters of labels do not reach the terminal, and a label makes no line of its own."""
    wild = make_alert("\x1b[2J\n[CRITICAL] all is lost\u202e", name="\x07bell")
    block = render(CONFIG, make_incident(alerts=(wild,)), "").decode()

    assert 4 == len(block.splitlines())
    assert [] == [c for c in block if not c.isprintable() and c != "\n"]


async def test_a_poor_terminal_gets_question_marks() -> None:
    """A terminal that cannot show a character shows a question mark instead of nothing."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")

    await StdoutSink(stream).deliver(Attempt(key="k", receiver="s", body="für…\n".encode()))

    assert b"f?r?\n" == raw.getvalue()
