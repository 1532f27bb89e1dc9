"""Draw: a page with series, bands and flags."""

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from streams.analyse import detect, draw
from streams.analyse.draw import NoBrowserError, render, write_png
from tests.demo.report_browser import run, structure


def _figures(page: str) -> list[str]:
    return re.findall("<figure>.*?</figure>", page, re.DOTALL)


def test_each_flagged_span_is_marked(times: np.ndarray, values: np.ndarray) -> None:
    """The whole series has a line, an expected line, a band and a mark for every flagged span; then details."""
    found = detect(times, {"cpu": values}, detector="robust")
    whole, *details = _figures(render(found, "a.csv"))

    assert len(found.spans[0]) == whole.count('class="flag"')
    assert ['class="line"', 'class="expected"', 'class="band"'] == [
        part for part in ('class="line"', 'class="expected"', 'class="band"') if part in whole
    ]
    assert details
    assert "2026-01-01 11:40:00: " in details[0]


def test_a_peak_of_a_long_series_is_drawn() -> None:
    """Of a hundred thousand samples the one wild value is still the highest point of the line."""
    values = np.random.default_rng(1).normal(size=100_000)
    values[54_321] = 50.0
    page = render(detect(60_000 * np.arange(100_000), values, detector="robust"), "long")
    line = re.search(r'class="line" d="M([^"]+)"', page)
    assert line is not None
    tops = [tuple(map(int, place.split(","))) for place in re.findall(r"-?\d+,-?\d+", line[1])]

    assert 543 == min(tops, key=lambda place: place[1])[0]


def test_names_are_text(times: np.ndarray, values: np.ndarray) -> None:
    """Markup in a series' name or in the title stays text."""

    class Tags(HTMLParser):
        seen: set[str] = set()

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.seen.add(tag)

    tags = Tags()
    tags.feed(
        render(detect(times, {"<script>x</script>": values}, detector="robust"), "<img src=x>")
    )

    assert {"script", "img"}.isdisjoint(tags.seen)


def test_of_many_series_those_with_flags_are_drawn(
    times: np.ndarray, values: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More series than fit: the flagged ones are shown, and how many are not is said."""
    monkeypatch.setattr(draw, "MOST_SERIES", 1)
    page = render(detect(times, {"calm": np.ones(1500), "odd": values}, detector="robust"), "many")

    assert ("<h2>odd</h2>" in page, "<h2>calm</h2>" in page) == (True, False)
    assert "1 more series" in page


def test_the_page_draws_in_a_browser(
    chromium: str, tmp_path: Path, times: np.ndarray, values: np.ndarray
) -> None:
    """Chromium has no complaint about the page, and the image of it is not blank."""
    page = tmp_path / "page.html"
    page.write_text(render(detect(times, {"cpu": values}, detector="robust"), "a.csv"))
    said = run(chromium, tmp_path / "profile", page, "--dump-dom")
    write_png(page.read_text(), tmp_path / "page.png")

    assert "CONSOLE" not in said
    assert structure((tmp_path / "page.png").read_bytes()) > 0.01


def test_without_a_browser_a_png_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no browser it is said, with what to do instead; so it is when that one fails."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(NoBrowserError, match=r"use FILE\.html"):
        write_png("<p>", tmp_path / "a.png")
    monkeypatch.setattr(shutil, "which", lambda _: "/nowhere/chromium")
    with pytest.raises(NoBrowserError, match="made no image"):
        write_png("<p>", tmp_path / "a.png")
