"""The report on one incident, and its two forms."""

import msgspec
import pytest

from schemas.decisions import Decision
from schemas.incidents import Incident, TimelineEntry
from schemas.notifications import Notification
from schemas.reasons import (
    DeliveryReason,
    Gate,
    IncidentChange,
    RemediationReason,
    RemediationState,
)
from schemas.remediations import Remediation
from sinks.record import IncidentHistory
from streams.report.chart import line_chart
from streams.report.incident import follow_ups, report_on
from streams.report.paper import Items, Paper, Picture, Section, Table, Text, to_html, to_markdown
from tests.sinks.sample import FIRST, T0, make_incident

HOSTILE = "<script>alert(1)</script> | *bold* [x](y)\n# head"


def make_history(incident: Incident | None = None, **changes: object) -> IncidentHistory:
    held = Decision(time=T0, gate=Gate.STORM, passed=False, reason="over_budget", text="page 4")
    note = TimelineEntry(time=T0, change=IncidentChange.NOTED, text="disk was full", actor="ann")
    incident = incident or msgspec.structs.replace(
        make_incident(), decisions=(held,), timeline=(*make_incident().timeline, note)
    )
    incident = msgspec.structs.replace(incident, **changes)
    failed = Notification(
        id="k",
        incident=incident.id,
        tenant="shop",
        receiver="hook",
        announce=FIRST,
        reason=DeliveryReason.GAVE_UP,
        final=True,
        attempt=1,
        time=T0,
    )
    done = Remediation(
        id="r",
        incident=incident.id,
        tenant="shop",
        playbook="restart",
        state=RemediationState.FAILED,
        reason=RemediationReason.ACTION_FAILED,
        action="POST https://ops",
        time=T0,
    )
    return IncidentHistory(incident, [incident], [failed], [done])


def test_report_has_all_that_is_known() -> None:
    """Summary, impact, cause with evidence, time line, gates, what was tried, follow-ups."""
    text = to_markdown(report_on(make_history()))

    for expected in (
        "## Summary",
        "Since 2023-11-14T22:12:50.000Z, open.",
        "1 alert of orders; 0 messages delivered.",
        "| orders-db | 100% | orders-db was slow first |",
        "| 2023-11-14T22:13:20.000Z | storm | stopped | over\\_budget: page 4 |  |",
        "ann: disk was full",
        "| 2023-11-14T22:13:20.000Z | restart | failed | action\\_failed | POST https://ops |",
        "- [ ] See why hook could not be told: 1 attempt failed",
    ):
        assert expected in text
    assert "## Series" not in text


def test_follow_ups_are_what_the_records_show() -> None:
    """Each has its cause in the records; a clean incident has none."""
    found = follow_ups(make_history(reopened=1, omitted=2))

    assert [
        "Nobody acknowledged it: ask whether it had to be told at all",
        "It came back: see whether it was resolved too early",
        "It was too large: raise correlate.max_alerts, or group it more finely",
        "Write a runbook for rule checkout/Slow, and name it as runbook_url",
        "See why hook could not be told: 1 attempt failed",
        "See why playbook restart failed",
    ] == found
    alert = make_incident().alerts[0]
    with_runbook = msgspec.structs.replace(
        alert.alert, annotations={"runbook_url": "https://example.com"}
    )
    clean = msgspec.structs.replace(
        make_incident(), owner="ann", alerts=(msgspec.structs.replace(alert, alert=with_runbook),)
    )

    assert ["Nothing in the records asks for anything."] == follow_ups(
        IncidentHistory(clean, [clean], [], [])
    )


@pytest.mark.parametrize("form", [to_markdown, to_html])
def test_text_of_telemetry_is_no_markup(form: object) -> None:
    """A label cannot bring a script, a link, a heading or a cell of its own."""
    paper = Paper(
        HOSTILE,
        (Section(HOSTILE, (Text(HOSTILE), Items((HOSTILE,)), Table((HOSTILE,), ((HOSTILE,),)))),),
    )
    said = form(paper)  # type: ignore[operator]  # one of the two forms

    assert "<script" not in said.replace("\\<script", "")
    if form is to_markdown:
        assert "\n# head" not in said
        assert {4} == {
            line.replace("\\|", "").count("|") + 2
            for line in said.splitlines()
            if line.startswith("| ")
        }


def test_html_has_the_charts_and_markdown_their_captions() -> None:
    """A picture is drawn into the page, with value, threshold and span."""
    svg = line_chart(
        [(0, 1.0), (10, float("nan")), (20, 3.0)], threshold=2.0, span=(5, 15), label="a < b"
    )
    paper = report_on(make_history(), [Picture(svg, "a < b")])

    assert svg in to_html(paper)
    assert "nan" not in svg
    assert "a &lt; b" in svg
    assert "*a \\< b*" in to_markdown(paper)


def test_chart_of_a_flat_series_is_drawn() -> None:
    """One value, one point, no division by zero."""
    assert "<polyline" in line_chart([(5, 1.0)], threshold=None, span=(5, 5), label="x")


@pytest.mark.parametrize(("end", "width"), [(3_600_000, 320.0), (None, 480.0)])
def test_chart_says_when(end: int | None, width: float) -> None:
    """Times stand below the axis; what is not over is shaded up to the end of the chart."""
    hours = [(n * 1_800_000, 1.0) for n in range(5)]
    svg = line_chart(hours, threshold=None, span=(1_800_000, end), label="x")

    for text in ("1970-01-01 00:00:00<", "1970-01-01 02:00:00<", ">00:30:00<"):
        assert text in svg
    assert f'width="{width if end is None else width / 2}"' in svg
