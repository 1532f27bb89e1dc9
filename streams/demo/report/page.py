"""The page: all parts of a report in one HTML document, with nothing to fetch.

Style, script and data are inlined; a content security policy allows exactly these two by their hashes, so markup
that slipped through escaping could still not run. Every printed value is cleaned and escaped in one place, here.
Without the script the page reads the same; the script only selects an incident and follows the pointer.
Refuses nothing: whatever labels say, they become text.
"""

import base64
import json
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files
from statistics import median
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from streams.demo.report import phrase
from streams.demo.report.axis import TimeAxis
from streams.demo.report.card import Card, Drawing, cards, entity, latest, missed, owners
from streams.demo.report.contents import ReportData
from streams.demo.report.lanes import BAR, THIN, alert_spans, lanes
from streams.demo.report.layers import BOX_HEIGHT, BOX_WIDTH, layout
from streams.demo.verdict import Finding

PACKAGE = "streams.demo.report"
MOST_TEXT_IN_BOX = 16


def render(data: ReportData) -> str:
    """The report as one HTML document in UTF-8."""
    style, script = _asset("style.css"), _asset("script.js")
    shown, unseen = cards(data), missed(data)
    drawings = [d for card in shown for d in card.drawings]
    drawings += [d for miss in unseen for d in miss.drawings]
    spans = alert_spans(data.alerts, data.end_ms)
    faults = [f.fault for f in data.verdict.findings]
    named = {name for card in shown for name in card.entities}
    return (
        _environment()
        .get_template("page.html")
        .render(
            data=data,
            style=Markup(style),  # noqa: S704  our own file
            script=Markup(script),  # noqa: S704  our own file
            style_hash=_hash(style),
            script_hash=_hash(script),
            json=_embedded(_payload(shown, drawings)),
            cards=shown,
            missed=unseen,
            delays=sorted(f.delay_ms for f in data.verdict.findings if f.delay_ms is not None),
            card_of={card.incident.id: card for card in shown},
            owners=owners(spans, shown),
            axis=TimeAxis(data.start_ms, data.end_ms),
            lanes=lanes(faults, spans, [card.incident for card in shown], data.end_ms),
            spans=spans,
            remediations=latest(data.remediations),
            graph=layout(data.edges, named),
        )
    )


def shortfall(finding: Finding) -> str:
    """Why a fault does not count as found; empty when it does."""
    if finding.found:
        return ""
    if not finding.incidents:
        return "no incident"
    if len(finding.incidents) > 1:
        return f"{len(finding.incidents)} incidents instead of one"
    return f"{finding.named or 'nothing'} was named first"


def anchor(identity: str) -> str:
    """The fragment that selects an incident."""
    return "#incident=" + quote(phrase.clean(identity), safe="")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_cleaned,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "act": phrase.act,
        "anchor": anchor,
        "brief": lambda text: phrase.clean(text, MOST_TEXT_IN_BOX),
        "clock": phrase.clock,
        "day": phrase.day,
        "duration": phrase.duration,
        "elapsed": phrase.elapsed,
        "entity": entity,
        "median": median,
        "minute": phrase.minute,
        "plural": phrase.plural,
        "quantity": phrase.quantity,
        "shortfall": shortfall,
        "words": phrase.words,
    }
    environment.globals |= {
        "bar": BAR,
        "thin": THIN,
        "box_width": BOX_WIDTH,
        "box_height": BOX_HEIGHT,
    }
    return environment


def _cleaned(value: object) -> object:
    """What is printed: markup of ours as it is, all else as printable text."""
    return value if isinstance(value, Markup) else phrase.clean(str(value))


def _payload(shown: Sequence[Card], drawings: Sequence[Drawing]) -> object:
    """What the script needs: who is in which incident (cleaned as in the markup), and the samples to read off."""
    return {
        "incidents": [
            {
                "id": phrase.clean(card.incident.id),
                "cause": phrase.clean(card.cause),
                "entities": [phrase.clean(name) for name in card.entities],
            }
            for card in shown
        ],
        "charts": {
            drawing.key: {
                "unit": drawing.plot.chart.unit,
                "start": drawing.plot.times.start_ms,
                "times": [t - drawing.plot.times.start_ms for t in drawing.plot.chart.times],
                "values": _rounded(drawing.plot.chart.values),
                "expected": _rounded(drawing.plot.chart.expected),
                "low": _rounded(drawing.plot.chart.low),
                "high": _rounded(drawing.plot.chart.high),
            }
            for drawing in drawings
        },
    }


def _rounded(column: Sequence[float | None] | None) -> list[float | None] | None:
    """Four significant digits are more than a pixel shows."""
    if column is None:
        return None
    return [None if value is None else float(f"{value:.4g}") for value in column]


def _embedded(document: object) -> Markup:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(document, separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704  no sign is left that means anything in HTML


def _asset(name: str) -> str:
    return files(PACKAGE).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Source expression of an inline element, CSP level 3 section 2.3.1."""
    return "'sha256-" + base64.b64encode(sha256(text.encode()).digest()).decode() + "'"
