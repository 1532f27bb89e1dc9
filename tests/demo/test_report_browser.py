"""The report in a real browser."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from streams.demo.report import ReportData, render
from tests.demo.report_browser import page, run, structure
from tests.demo.report_story import hostile, story

pytestmark = pytest.mark.browser

VISIBLE = "[...document.querySelectorAll('article.card')].filter(c => c.offsetHeight)"


def written(folder: Path, data: ReportData) -> Path:
    file = folder / "report.html"
    file.write_text(render(data), encoding="utf-8")
    return file


@pytest.mark.parametrize("tell", [story, hostile], ids=["story", "hostile"])
def test_the_script_has_run(chromium: str, tmp_path: Path, tell: Callable[[], ReportData]) -> None:
    """The script ends without an error, nothing is refused or fetched, and every incident has its card."""
    data = tell()
    said = run(chromium, tmp_path / "profile", written(tmp_path, data), "--dump-dom")

    root = re.search(r"<html[^>]*>", said)
    assert root is not None
    assert f'data-ready="{len(data.incidents)}"' in root[0]
    assert "data-error" not in root[0]
    assert "data-violation" not in root[0]
    assert len(data.incidents) == said.count('<article class="panel card')
    assert [] == [line for line in said.splitlines() if "CONSOLE" in line]


@pytest.mark.parametrize("tell", [story, hostile], ids=["story", "hostile"])
def test_an_address_selects_an_incident(
    chromium: str, tmp_path: Path, tell: Callable[[], ReportData]
) -> None:
    """`#incident=ID` shows that incident's card, and only that, whatever signs the id has."""
    data = tell()
    chosen = data.incidents[1]  # the hostile one, and not the one that is shown unasked
    fragment = f"#incident={quote(chosen.id, safe='')}"
    file = written(tmp_path, data)
    said = run(chromium, tmp_path / "profile", file, "--dump-dom", fragment=fragment)

    cards = re.findall(r"<article class=\"panel card chosen\".*?<h3>.*?</h3>", said, re.DOTALL)
    assert 1 == len(cards)
    assert ">2</span>" in cards[0]


@pytest.mark.parametrize("width", [1280, 800])
def test_there_is_something_to_see(chromium: str, tmp_path: Path, width: int) -> None:
    """A picture of the page holds far more than one of an empty page, wide and narrow."""
    empty = tmp_path / "empty.html"
    empty.write_text("<!doctype html><title>empty</title>")
    shares = []
    for file in (written(tmp_path, story()), empty):
        picture = file.with_suffix(".png")
        options = (f"--window-size={width},1400", f"--screenshot={picture}")
        run(chromium, tmp_path / "profile", file, *options)
        shares.append(structure(picture.read_bytes()))

    assert shares[0] > 10 * shares[1]


async def test_clicks_and_pointer(chromium: str, tmp_path: Path) -> None:
    """A click on the line or the list selects an incident; the pointer over a chart reads off its values."""
    data = story()
    third, fourth = (i.id for i in sorted(data.incidents, key=lambda i: i.opened_at)[2:4])
    selected = "document.documentElement.dataset.selected"
    async with page(chromium, tmp_path / "profile") as shown:
        await shown.open(written(tmp_path, data).as_uri())

        await shown.click(f'.timeline a[data-incident="{third}"] rect')
        assert third == await shown.ask(selected)
        assert "acme-host-2" == await shown.ask(
            "document.querySelector('.node.cause').dataset.entity"
        )

        await shown.click(f'.roll a[data-incident="{fourth}"]')
        assert fourth == await shown.ask(selected)
        assert f"#incident={fourth}" == await shown.ask("location.hash")
        assert 1 == await shown.ask(f"{VISIBLE}.length")

        await shown.mouse("mouseMoved", ".card.chosen .chart svg.follow", 0.5)
        read = await shown.ask("document.querySelector('.card.chosen .chart .value').textContent")
        assert re.match(r"\d\d:\d\d:\d\d, [\d.]+ ", read)
        assert 1 < await shown.ask("document.querySelectorAll('.cursor.on').length")

        await shown.click("#all")
        assert len(data.incidents) == await shown.ask(f"{VISIBLE}.length")

        narrow = {"width": 800, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        await shown.call("Emulation.setDeviceMetricsOverride", **narrow)
        assert 800 == await shown.ask("document.documentElement.scrollWidth")

        assert [] == shown.complaints
        assert [] == [url for url in shown.requests if not url.startswith(("file:", "data:"))]


async def test_without_a_script_all_is_there(chromium: str, tmp_path: Path) -> None:
    """With scripts switched off every incident's card can be read, and the first one's cause is marked."""
    data = story()
    async with page(chromium, tmp_path / "profile") as shown:
        await shown.call("Emulation.setScriptExecutionDisabled", value=True)
        await shown.open(written(tmp_path, data).as_uri())

        assert len(data.incidents) == await shown.ask(f"{VISIBLE}.length")
        assert await shown.ask("document.documentElement.dataset.ready") is None
        assert 1 == await shown.ask("document.querySelectorAll('.node.cause').length")
