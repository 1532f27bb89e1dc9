"""The page, read as text."""

import base64
import json
import re
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

import msgspec
import pytest

from schemas.labels import content_id
from streams.demo.report import Chart, ReportData, render
from streams.demo.report.card import MOST_CARDS, cards
from streams.demo.verdict import judge
from tests.demo.report_story import HOSTILE, hostile, story

VOID = {"meta", "link", "input", "img", "br"}


class Reader(HTMLParser):
    """The elements of a page; fails on one that is closed out of order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert [] == self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert tag == self._open.pop()

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


def headline(data: ReportData) -> str:
    found = re.search(r"<h1>(.*?)</h1>", render(data), re.DOTALL)
    assert found is not None
    return found[1]


def bare(data: ReportData, **changes: object) -> ReportData:
    """The same demo in which nothing came out."""
    verdict = judge([f.fault for f in data.verdict.findings], (), (), alerts=0)
    nothing = replace(data, verdict=verdict, incidents=(), alerts=(), remediations=())
    return replace(nothing, **changes)


def test_the_headline_is_the_verdict() -> None:
    """What was found and what was false stands in the headline."""
    assert "5 of 5 faults found, no false incidents" == headline(story())


def test_faults_that_were_missed_are_told() -> None:
    """Without incidents every fault is missed, and each has its charts."""
    text = render(bare(story()))

    assert "0 of 5 faults found, no false incidents" in text
    assert 5 == text.count('<article class="panel missed">')
    assert "No incident was opened." in text
    assert text.count('<figure class="chart">') > 5


def test_a_false_incident_is_told() -> None:
    """An incident that no fault explains is named as false in the headline, the table and its card."""
    data = story()
    first = data.incidents[0]
    stray = msgspec.structs.replace(first, id="stray", opened_at=data.start_ms + 60_000)
    incidents = [*data.incidents, stray]
    faults = [f.fault for f in data.verdict.findings]
    text = render(
        replace(data, incidents=incidents, verdict=judge(faults, incidents, (), alerts=1))
    )

    assert "5 of 5 faults found, 1 false incident</h1>" in text
    assert "no fault was planted at that time" in text


def test_nothing_at_all_is_a_page() -> None:
    """A demo without faults, incidents, services, charts and length is told as such."""
    empty = judge((), (), (), alerts=0)
    data = bare(story(), verdict=empty, edges={}, charts=(), facts={})
    reader = Reader(render(replace(data, end_ms=data.start_ms)))

    assert "No fault was planted, no false incidents" == headline(data)
    assert "Nothing happened." in reader.texts


def test_it_fetches_nothing() -> None:
    """Nothing on the page points anywhere but into the page."""
    reader = Reader(render(story()))
    places = [
        value
        for _, attrs in reader.elements
        for name, value in attrs.items()
        if name in {"href", "src", "xlink:href", "action", "srcset", "data"}
    ]

    assert [] == [p for p in places if p is None or not p.startswith(("#", "data:,"))]
    assert "@import" not in render(story())


def test_only_our_script_and_style_may_run() -> None:
    """The policy allows nothing but the inlined style and script, each by the hash of its text."""
    text = render(hostile())
    policy = next(a["content"] for a in Reader(text).all("meta") if "http-equiv" in a)
    style = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    script = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)

    assert policy is not None
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for directive, (source,) in (("style-src", style), ("script-src", script)):
        digest = base64.b64encode(sha256(source.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}';" in policy


def test_hostile_text_stays_text() -> None:
    """Labels full of markup make no element, no handler and no inline style."""
    text = render(hostile())
    reader = Reader(text)

    assert 2 == len(reader.all("script"))
    assert [] == reader.all("img")
    handlers = [name for _, attrs in reader.elements for name in attrs if name.startswith("on")]
    assert [] == handlers
    assert [] == [attrs for _, attrs in reader.elements if "style" in attrs]
    assert HOSTILE in "".join(reader.texts)
    assert "\u202e" not in text


def test_hostile_text_does_not_fill_the_page() -> None:
    """A label of a megabyte is cut."""
    assert len(render(hostile())) < len(render(story())) + 50_000


def test_the_data_can_be_read() -> None:
    """The embedded data is JSON with the incidents and the samples of every chart on the page."""
    text = render(hostile())
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    document = json.loads(found[1])

    charts = {a["data-chart"] for a in Reader(text).all("svg") if "data-chart" in a}
    assert charts == set(document["charts"])
    assert HOSTILE == document["incidents"][1]["cause"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_a_value_that_is_not_finite_is_a_gap(value: float | None) -> None:
    """A chart may hold NaN and infinities; the page still is one, and its data still are JSON."""
    data = story()
    fault = data.verdict.findings[0].fault
    times = [fault.start_ms + 1000 * row for row in range(3)]
    chart = Chart("odd", "s", fault.tenant, fault.cause, times, [1.0, value, 2.0])
    assert '"values":[1.0,null,2.0]' in render(replace(data, charts=[chart]))


def test_the_page_is_bounded() -> None:
    """Many incidents, alerts and long charts make a page below 2 MB that says what it leaves out."""
    data = story()
    first = data.incidents[0]
    incidents = [
        msgspec.structs.replace(first, id=content_id(n), alerts=first.alerts * 40)
        for n in range(200)
    ]
    alerts = [
        msgspec.structs.replace(a, id=content_id(a.id, n), fingerprint=content_id(n))
        for n in range(2_000)
        for a in data.alerts[:2]
    ]
    times = range(data.start_ms, data.end_ms, 1_000)
    long = Chart(
        "long",
        "s",
        first.tenant,
        first.causes[0].entity,
        times,
        [float(t % 977) for t in times],
        [1.0 / 3] * len(times),
        [t % 331 / 7 for t in times],
        [t % 997 * 1.1 for t in times],
    )
    text = render(replace(data, incidents=incidents, alerts=alerts, charts=[long] * 20))

    assert len(text.encode()) < 2_000_000
    assert MOST_CARDS == text.count('<article class="panel card')
    assert "and 160 incidents more" in text


def test_the_same_demo_makes_the_same_page() -> None:
    """The page hangs on nothing but what it tells, whatever the order it comes in."""
    data = story()
    turned = replace(data, incidents=[*reversed(data.incidents)], alerts=[*reversed(data.alerts)])

    assert render(data) == render(turned)


def test_what_changed_most_is_shown_first() -> None:
    """The first chart of a slow database is its latency, of a drop of traffic the requests."""
    kinds = {
        card.finding.fault.kind.value: card.drawings[0].plot.chart
        for card in cards(story())
        if card.finding is not None and card.drawings
    }

    assert "mean latency" == kinds["slow_database"].title
    assert "memory, largest instance" == kinds["memory_leak"].title
    assert "requests" == kinds["traffic_drop"].title
    assert "failed requests" == kinds["bad_deployment"].title
    assert "catalogue-db" == kinds["slow_database"].service


def test_an_intent_gives_way_to_its_result() -> None:
    """A remediation is told once, as its result."""
    (card,) = (c for c in cards(story()) if c.remediations)

    assert ["succeeded"] == [r.state.value for r in card.remediations]


def test_lists_of_different_length_are_refused() -> None:
    """A chart whose band is shorter than its line would be drawn shifted."""
    with pytest.raises(ValueError, match="differ in length"):
        Chart("odd", "s", "acme", "cart", [1, 2], [1.0, 2.0], high=[1.0])
