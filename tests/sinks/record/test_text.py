"""An incident as it is shown."""

from schemas.notifications import Notification
from schemas.reasons import (
    AnnounceReason,
    DeliveryReason,
    RemediationReason,
    RemediationState,
)
from schemas.remediations import Remediation
from sinks.record import IncidentHistory, describe, to_lines
from tests.sinks.sample import T0, make_alert, make_incident

INCIDENT = make_incident()
FAILED = Notification(
    id="n1",
    incident=INCIDENT.id,
    tenant="shop",
    receiver="hook",
    announce=AnnounceReason.FIRST_NOTIFICATION,
    reason=DeliveryReason.SERVER_ERROR,
    final=False,
    attempt=1,
    time=T0 + 1_000,
    detail="HTTP 503",
)
SAID = Notification(
    id="n1",
    incident=INCIDENT.id,
    tenant="shop",
    receiver="hook",
    announce=AnnounceReason.FIRST_NOTIFICATION,
    reason=DeliveryReason.DELIVERED,
    final=True,
    attempt=2,
    time=T0 + 1_000,
    delivered_at=T0 + 3_000,
)
DONE = Remediation(
    id="r1",
    incident=INCIDENT.id,
    tenant="shop",
    playbook="restart",
    state=RemediationState.DRY_RUN,
    reason=RemediationReason.DRY_RUN,
    action="POST https://ops/…",
    time=T0 + 500,
)


def test_an_incident_reads_as_blocks() -> None:
    """Facts, causes, alerts and one timeline of what happened, was said and was done."""
    lines = to_lines(describe(IncidentHistory(INCIDENT, [INCIDENT], [FAILED, SAID], [DONE])))

    assert [
        "incident",
        f"  id        {INCIDENT.id}",
        "  title     orders-db: Slow",
        "  tenant    shop",
        "  state     open",
        "  severity  critical",
        "  priority  P3",
        "  group     env=prod",
        "  opened    2023-11-14T22:13:20.000Z",
        "  updated   2023-11-14T22:13:20.000Z",
        "causes",
        "  orders-db  100%  orders-db was slow first",
        "alerts",
        "  firing  2023-11-14T22:13:20.000Z  Slow  service=orders  orders is slow; value 0.5  first_of_group",
        "timeline",
        "  2023-11-14T22:13:20.000Z  opened        Slow fires on orders",
        "  2023-11-14T22:13:20.500Z  remediation   restart: dry_run, dry_run: POST https://ops/…",
        (
            "  2023-11-14T22:13:21.000Z  notification  first notification to hook: server_error, attempt 1,"
            " will be tried again (HTTP 503)"
        ),
        (
            "  2023-11-14T22:13:21.000Z  notification  first notification to hook:"
            " delivered at 2023-11-14T22:13:23.000Z, attempt 2"
        ),
    ] == lines


def test_every_row_fits_its_columns() -> None:
    """Each row of each block has a cell for each column."""
    blocks = describe(IncidentHistory(INCIDENT, [INCIDENT], [SAID], [DONE]))

    assert [] == [b.title for b in blocks for row in b.rows if len(row) != len(b.columns)]


def test_blocks_without_rows_are_left_out() -> None:
    """An incident without causes and alerts shows its facts and its timeline."""
    bare = make_incident(alerts=(), cause="")

    assert ["incident", "timeline"] == [
        b.title for b in describe(IncidentHistory(bare, [bare], [], []))
    ]


def test_labels_cannot_steer_the_terminal() -> None:
    """No control character of a label, title or receiver reaches the terminal."""
    wild = make_incident(alerts=(make_alert("\x1b[2J\n"),), cause="\x07\r\n", tenant="\x9b")
    lines = to_lines(describe(IncidentHistory(wild, [wild], [], [])))

    assert [] == [line for line in lines if not line.isprintable()]
