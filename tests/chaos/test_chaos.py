"""The short form of `make chaos`: a few faults of different kinds on a real Kafka of three brokers."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.compare import Written, compare
from tests.chaos.conftest import Scene
from tests.chaos.faults import draw
from tests.chaos.installation import Plan
from tests.chaos.report import as_text
from tests.chaos.run import run

FAULTS = 10
SEED = "ci/6"


def without_one_record(written: Written) -> Written:
    """As if the last record of an incident had been lost on its way."""
    key = max(written.records)
    kept = {k: v for k, v in written.records.items() if k != key}
    last = written.last | {key[0]: key[1] - 1}
    return replace(written, records=kept, last=last)


@pytest.mark.slow
@pytest.mark.kafka
async def test_ten_faults_change_nothing(three_brokers: Scene, tmp_path: Path) -> None:
    """Incidents and pages are those of an undisturbed run and of a replay; and a lost record or page would be told."""
    cluster, without, skipped = three_brokers
    faults = draw(SEED, FAULTS, without)
    result = await run(cluster, SEED, faults, Plan(tmp_path), lambda _: None)
    print(as_text([result], skipped))  # noqa: T201  what was done, beside whatever fails
    assert FAULTS == result.faults.total()
    assert result.calm.incidents >= 5
    assert [] == list(map(str, result.differences))

    lost = compare(result.calm, without_one_record(result.storm))
    assert 1 == len(lost)
    assert lost[0].what.startswith("incident ")
    key = max(result.storm.pages)
    fewer = {k: v for k, v in result.storm.pages.items() if k != key}
    (unsaid,) = compare(result.calm, replace(result.storm, pages=fewer))
    assert f"page {key}" == unsaid.what
