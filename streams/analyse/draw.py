"""Draw: a page on which series, bands and flags are seen at a glance; opens offline.

Each series is drawn whole, then around its flagged spans, the loudest first. Of many samples at one place the least and
the greatest are kept, and every flagged span keeps its mark.
Refuses to draw more series than `MOST_SERIES`, and a PNG where there is no browser: it says so.
"""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from detectors.base import FloatArray, IntArray
from schemas.errors import TocsinError
from schemas.records import rfc3339
from streams.analyse.answer import Detected, Span, Summary
from streams.demo.report import phrase
from streams.demo.report.contents import Chart
from streams.demo.report.plot import Plot, plot

MOST_SERIES = 40
MOST_DETAILS = 6
# Samples to each side of a flagged span that are drawn with it.
AROUND_SAMPLES = 60
# Of a long series, the least and the greatest of so many parts.
PARTS = 1000
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDTH_PIXELS = 1280
PATIENCE_SECONDS = 60
# Of the page's parts, in pixels: a series with its head, a row of two details.
_HEIGHTS = {"<section": 300, 'class="details"': 90, 'height="150"': 90}


class NoBrowserError(TocsinError):
    """A PNG is wanted, and nothing that could draw it is there."""


@dataclass(frozen=True)
class Drawing:
    """A plot and the flagged spans on it, as shares of its width in percent: left, width, title."""

    plot: Plot
    marks: tuple[tuple[float, float, str], ...]
    caption: str


@dataclass(frozen=True)
class Panel:
    """One series: whole, then in detail."""

    summary: Summary
    whole: Drawing
    details: tuple[Drawing, ...]


def render(found: Detected, title: str) -> str:
    """The page as HTML in UTF-8."""
    environment = Environment(
        loader=PackageLoader("streams.analyse"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "clean": phrase.clean,
        "moment": _moment,
        "quantity": phrase.quantity,
        "plural": phrase.plural,
    }
    series = found.summary()
    flagged = sorted(range(len(series)), key=lambda n: (-series[n].spans, n))
    shown = sorted(flagged[:MOST_SERIES])
    return environment.get_template("page.html").render(
        title=title,
        panels=[
            _panel(found, number, series[number]) for number in shown if series[number].samples
        ],
        left_out=len(series) - len(shown),
    )


def write_png(html: str, path: Path) -> None:
    """The page as an image.

    Raises:
        NoBrowserError: there is no browser, or it failed.

    """
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise NoBrowserError("a PNG needs Chromium or Chrome, and there is none: use FILE.html")
    with TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        page.write_text(html, encoding="utf-8")
        height = 110 + sum(html.count(part) * size for part, size in _HEIGHTS.items())
        image = Path(folder, "page.png")
        options = (
            "--headless --no-sandbox --disable-gpu --no-first-run --disable-sync --hide-scrollbars"
            f" --disable-background-networking --user-data-dir={folder}/profile"
            f" --window-size={WIDTH_PIXELS},{height} --screenshot={image}"
        )
        try:
            subprocess.run(  # noqa: S603  # our own arguments
                [browser, *options.split(" "), page.as_uri()],
                capture_output=True,
                timeout=PATIENCE_SECONDS,
                check=True,
            )
            shutil.copyfile(image, path)
        except (OSError, subprocess.SubprocessError) as error:
            raise NoBrowserError(f"{browser} made no image; use FILE.html") from error


def _panel(found: Detected, number: int, summary: Summary) -> Panel:
    start, end = found.bounds[number]
    spans = found.spans[number]
    whole = _drawing(found, summary.series, start, end, spans, "")
    score = found.judged.score
    loudest = sorted(spans, key=lambda s: -float(np.nanmax(score[s.first : s.last + 1])))
    details = []
    last = start
    for span in sorted(loudest[:MOST_DETAILS], key=lambda s: s.first):
        if span.first < last:  # it stands on the drawing before
            continue
        first = max(span.first - AROUND_SAMPLES, start)
        last = min(span.last + AROUND_SAMPLES + 1, end)
        caption = f"{_moment(int(found.frame.times[span.first]))}: {_said(found, span)}"
        details.append(_drawing(found, summary.series, first, last, spans, caption))
    return Panel(summary, whole, tuple(details) if end - start > 2 * AROUND_SAMPLES else ())


def _said(found: Detected, span: Span) -> str:
    """The loudest sample of a span in words."""
    scores = found.judged.score[span.first : span.last + 1]
    at = span.first + int(np.nanargmax(scores))
    value, usual = float(found.frame.values[at]), float(found.judged.expected[at])
    low, high = float(found.judged.low[at]), float(found.judged.high[at])
    said = f"{value:.4g}"
    if np.isfinite(usual):
        said += f", expected {usual:.4g} ({low:.4g} to {high:.4g})"
    return f"{said}, {phrase.plural(span.last - span.first + 1, 'sample')}"


def _drawing(
    found: Detected, name: str, start: int, end: int, spans: Sequence[Span], caption: str
) -> Drawing:
    at = _kept(found.frame.values, start, end)
    times = found.frame.times
    chart = Chart(
        title=name,
        unit="",
        tenant="",
        service="",
        times=times[at].tolist(),
        values=_cells(found.frame.values[at]),
        expected=_cells(found.judged.expected[at]),
        low=_cells(found.judged.low[at]),
        high=_cells(found.judged.high[at]),
    )
    drawn = plot(chart, int(times[start]), int(times[end - 1]))
    return Drawing(drawn, tuple(_marks(found, drawn, start, end, spans)), caption)


def _marks(
    found: Detected, drawn: Plot, start: int, end: int, spans: Sequence[Span]
) -> Iterator[tuple[float, float, str]]:
    times = found.frame.times
    for span in spans:
        if start <= span.first < end:
            first, last = int(times[span.first]), int(times[min(span.last, end - 1)])
            yield (
                drawn.times.percent(first),
                drawn.times.width(first, last),
                f"{_moment(first)}: {_said(found, span)}",
            )


def _kept(values: FloatArray, start: int, end: int) -> IntArray:
    """Places of the least and the greatest value of each part of a stretch, or all of a short one."""
    if end - start <= 2 * PARTS:
        return np.arange(start, end)
    edges = np.linspace(start, end, PARTS + 1).astype(np.int64)[:-1]
    inside = values[start:end]
    kept = []
    for part, offset in zip(np.split(inside, edges[1:] - start), edges.tolist(), strict=True):
        if np.isnan(part).all():
            kept.append(offset)
        else:
            kept += [offset + int(np.nanargmin(part)), offset + int(np.nanargmax(part))]
    return np.unique(np.array(kept))


def _cells(column: FloatArray) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in column.tolist()]


def _moment(time_ms: int) -> str:
    """Date and time to the second."""
    return rfc3339(time_ms)[:19].replace("T", " ")
