"""The demo, whole: the embedded broker, all workers, a verdict, a recording, and a backtest of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from streams.demo.run import demo_text

pytestmark = [pytest.mark.slow, pytest.mark.embedded]


def tocsin(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    command = [sys.executable, "-m", "streams.cli.main", *words]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=240, check=False
    )


def test_demo_finds_all_faults_and_a_backtest_of_it_finds_the_same(
    tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All planted faults are found, each with its cause; the recorded telemetry gives the same incident ids."""
    monkeypatch.setenv("PYTHONPATH", str(pytestconfig.rootpath))
    demo = tocsin(
        "demo", "--seed", "11", "--speed", "400", "--record", "telemetry.jsonl", "--report", "report.html",
        "--database", "demo.db", "--output", "json", folder=tmp_path,
    )  # fmt: skip
    assert demo.returncode == 0, demo.stdout + demo.stderr
    told = json.loads(demo.stdout)
    assert told["good"]
    assert [f["named"] for f in told["findings"]] == [f["cause"] for f in told["findings"]]
    assert told["false"] == []
    leak = next(f for f in told["findings"] if f["kind"] == "memory_leak")
    assert leak["remediations"] == ["intended", "succeeded"]
    assert "forgets all at exit" in demo.stderr
    assert "<html" in (tmp_path / "report.html").read_text()

    for name in ("tocsin.yaml", "rules.yml"):
        (tmp_path / name).write_text(demo_text(name))
    backtest = tocsin("backtest", "telemetry.jsonl", "--output", "json", folder=tmp_path)
    assert backtest.returncode == 0, backtest.stderr
    assert sorted(i["id"] for i in json.loads(backtest.stdout)) == told["incidents"]

    listed = tocsin(
        "incident", "list", "--database", "demo.db", "--output", "json", folder=tmp_path
    )
    assert sorted(i["id"] for i in json.loads(listed.stdout)) == told["incidents"]


def test_stories_of_other_seeds_are_told_right_too(pytestconfig: pytest.Config) -> None:
    """For any seed, every fault becomes one incident with the right cause first, and nothing else does."""
    from collections import Counter

    from schemas.config import load_document
    from streams.demo.run import demo_rules
    from streams.demo.verdict import judge
    from streams.produce.shop import Shop
    from streams.replay.backtest import Backtest
    from streams.replay.pipeline import Recorded

    config = load_document(demo_text("tocsin.yaml"), "tocsin.yaml").config
    for seed in (0, 17, 123_456_789):
        shop = Shop(seed, 1_700_000_000_000 // 60_000 * 60_000)
        offsets: Counter[int] = Counter()
        records = []
        for turn, record in enumerate(shop.records()):
            partition = turn % 4
            records.append(
                Recorded(
                    "telemetry", partition, offsets[partition], record.timestamp_ms, record.value
                )
            )
            offsets[partition] += 1
        outcome = Backtest(config, demo_rules()).run(records)
        verdict = judge(shop.truth(), outcome.incidents, [], alerts=0)

        assert [f.found for f in verdict.findings] == [True] * 5, seed
        assert verdict.false == (), seed
