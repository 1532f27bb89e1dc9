"""The reference that every run has beside the undisturbed one: what the pure stages make of what it left on its topics.

Live equals replay, whatever was done to the workers; also where telemetry itself fell silent, so that what came after
it was late, and no undisturbed run can say what is right.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from schemas.config import load_document
from streams.replay.backtest import Backtest
from streams.replay.pipeline import Recorded
from streams.rules.load import parse_rules
from tests.chaos.compare import Difference, Written, compare


async def unlike_replay(
    storm: Written, samples: Sequence[Recorded], folder: Path
) -> list[Difference]:
    """How records differ from those that a replay of these samples writes, by the configuration in a folder."""
    replayed = await asyncio.to_thread(_replay, samples, folder)
    # the pages are the notifier's, which a replay does not run: as many as the records ask for
    found = compare(replace(replayed, pages=storm.pages), storm)
    asked, came = replayed.announced, len(storm.pages)
    if asked != came:
        found.append(Difference("pages", str(asked), str(came)))
    return [each._replace(what=f"replay: {each.what}") for each in found]


def _replay(samples: Iterable[Recorded], folder: Path) -> Written:
    config = folder / "tocsin.yaml"
    groups, faults = parse_rules((folder / "rules.yml").read_text(), "rules.yml")
    assert not faults, faults
    backtest = Backtest(load_document(config.read_text(), str(config)).config, groups)
    # partitions side by side, each in its own order
    recording = sorted(samples, key=lambda r: (r.offset, r.partition))
    return Written.of(backtest.run(recording, flush=False).values, {})
