"""Chart: one series as a line, with the threshold of its rule and the span of the incident, as SVG; times are UTC."""

import html
import math
from collections.abc import Sequence

from schemas.records import rfc3339

WIDTH, HEIGHT = 720, 180
LEFT, RIGHT, TOP, BOTTOM = 70, 10, 10, 24
LABEL = 110
"""A time below the axis is about so wide."""


def line_chart(
    points: Sequence[tuple[int, float]],
    *,
    threshold: float | None,
    span: tuple[int, int | None],
    label: str,
) -> str:
    """An SVG of (event time ms, value) in order of time.

    `span` is begin and end of the incident, ms; None is an end that has not come.
    """
    finite = [(t, v) for t, v in points if math.isfinite(v)]
    values = [v for _, v in finite] + ([] if threshold is None else [threshold])
    low, high = min(values, default=0.0), max(values, default=1.0)
    if low == high:
        low, high = low - 1.0, high + 1.0
    first, last = points[0][0], max(points[-1][0], points[0][0] + 1)

    def x(time: int) -> float:
        inside = min(max(time, first), last)
        return round(LEFT + (inside - first) / (last - first) * (WIDTH - LEFT - RIGHT), 1)

    def y(value: float) -> float:
        return round(TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    base = HEIGHT - BOTTOM
    begin, end = x(span[0]), x(last if span[1] is None else span[1])
    path = " ".join(f"{x(t)},{y(v)}" for t, v in finite)
    width, height = round(max(end - begin, 1.0), 1), base - TOP
    place = f'x="{begin}" y="{TOP}" width="{width}" height="{height}"'
    parts = [
        f'<rect {place} fill="#d64545" opacity="0.12"/>',
        f'<polyline points="{path}" fill="none" stroke="#2f6fb0" stroke-width="1.5"/>',
        f'<text x="{LEFT - 6}" y="{TOP + 10}" text-anchor="end">{high:.4g}</text>',
        f'<text x="{LEFT - 6}" y="{base}" text-anchor="end">{low:.4g}</text>',
        f'<text x="{LEFT}" y="{HEIGHT - 6}">{_minute(first)}</text>',
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end">{_minute(last)}</text>',
    ]
    if LEFT + LABEL < begin < WIDTH - RIGHT - LABEL - LABEL / 2:
        parts.append(f'<text x="{begin}" y="{HEIGHT - 6}">{_minute(span[0])[11:]}</text>')
    if threshold is not None:
        at = y(threshold)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at}" y2="{at}" stroke="#d64545" '
            'stroke-dasharray="4 3"/>'
        )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(label)}" '
        f'font-size="11" fill="currentColor">{"".join(parts)}</svg>'
    )


def _minute(time_ms: int) -> str:
    return rfc3339(time_ms)[:19].replace("T", " ")
