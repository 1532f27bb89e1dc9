"""Random rules over time: `ALERTS`, `ALERTS_FOR_STATE` and recorded series against Prometheus's, instant by instant."""

import json
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest

from schemas.labels import METRIC, encode_labels, fingerprint_bytes, make_labels
from streams.rules.answer import answer
from streams.rules.engine import RuleEngine
from streams.rules.load import parse_rules
from streams.rules.promtest.notation import STALE
from streams.rules.selectors import EVER_MS
from tests.rules.promtool import Verdict, find_promtool, judge

SEEDS = range(30)
STEPS = 40
SPANS = ("0s", "0s", "30s", "1m", "90s", "2m")
CONDITIONS = (
    "x > 1",
    "x{a='p'} != 2",
    "sum by (a) (x) > 3",
    "absent(x{a='q', b='1'})",
    "max_over_time(x[2m:]) > 3",
    "sum:x > 5",
    "count by (a, b) (ALERTS{alertstate='firing', alertname!='A1'})",
    "count by (a) (ALERTS{alertstate='pending'}) > 1",
    "time() - max by (a, b) (ALERTS_FOR_STATE{alertname='A0'}) > 60",
    "group by (a) ({alertname='A1', alertstate='firing'})",
)
LABELS: tuple[dict[str, str], ...] = (
    {},
    {"severity": "page"},
    {"site": "{{ $labels.a }}"},
    {"level": "{{ if gt $value 2.0 }}high{{ end }}"},
)

Sent = list[tuple[str, str, list[float | None]]]


def random_rules(random: Random) -> str:
    """A rule file in JSON, which is YAML."""

    def alert(number: int) -> dict[str, object]:
        return {
            "alert": f"A{number}",
            "expr": random.choice(CONDITIONS[:2] if number == 0 else CONDITIONS),
            "for": random.choice(SPANS),
            "keep_firing_for": random.choice(SPANS),
            "labels": random.choice(LABELS),
        }

    rules = [alert(number) for number in range(random.randint(3, 6))]
    rules.insert(random.randrange(len(rules)), {"record": "sum:x", "expr": "sum by (a) (x)"})
    cut = random.randint(1, len(rules) - 1)
    groups = [
        {
            "name": f"g{at}",
            "interval": "30s",
            "rules": part,
            "labels": random.choice(({}, {"team": "shop"})),
            "query_offset": random.choice(("0s", "0s", "30s", "45s")),
        }
        for at, part in enumerate((rules[:cut], rules[cut:]))
    ]
    return json.dumps({"groups": groups})


def random_series(random: Random) -> Sent:
    """Labels a and b of series of x, and their values each 30 s: None for a gap, and stale markers."""
    sent: Sent = []
    for a, b in (("p", "1"), ("p", "2"), ("q", "1")):
        values: list[float | None] = []
        while len(values) < STEPS:
            value = random.choice((0.0, 1.0, 2.0, 3.0, 4.0, None, STALE))
            values += [value] * random.randint(1, 6)
        sent.append((a, b, values[:STEPS]))
    return sent


def run_engine(rules: str, sent: Sent) -> RuleEngine:
    """Our engine, after all of it."""
    groups, problems = parse_rules(rules, "r.yml")
    assert [] == problems
    engine = RuleEngine(groups, max_series=1000, subquery_step_ms=30_000, keep_alert_series=True)
    engine.store.retain(EVER_MS)
    codes = [encode_labels(make_labels({METRIC: "x", "a": a, "b": b})) for a, b, _ in sent]
    rows = engine.store.rows(np.array(list(map(fingerprint_bytes, codes)), np.uint64), codes)
    for step in range(STEPS):
        values = [each[2][step] for each in sent]
        there = [at for at, value in enumerate(values) if value is not None]
        column = np.array([values[at] for at in there], np.float64)
        engine.append(rows[there], np.full(len(there), step * 30_000), column)
        engine.tick(step * 30_000)
    assert [] == engine.failures
    return engine


def expectations(engine: RuleEngine) -> list[dict[str, object]]:
    """Tests of all series that rules have made, at each instant, with what our engine has."""
    tests: list[dict[str, object]] = []
    for expression in ("ALERTS", "ALERTS_FOR_STATE", "sum:x"):
        for step in range(STEPS):
            found = answer(engine.store, expression, step * 30_000)
            samples = [
                {
                    "labels": "{" + ",".join(f"{n}={json.dumps(v)}" for n, v in labels) + "}",
                    "value": value,
                }
                for labels, value in found
            ]
            tests.append({"expr": expression, "eval_time": f"{step * 30}s", "exp_samples": samples})
    return tests


def judged(folder: Path, rules: str, sent: Sent, tests: list[dict[str, object]]) -> Verdict:
    """What promtool says of these expectations."""

    def written(value: float | None) -> str:
        if value is None:
            return "_"
        return "stale" if np.isnan(value) else str(value)

    (folder / "rules.yml").write_text(rules)
    series = [
        {"series": f'x{{a="{a}",b="{b}"}}', "values": " ".join(map(written, values))}
        for a, b, values in sent
    ]
    group = {"interval": "30s", "input_series": series, "promql_expr_test": tests}
    suite = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "30s",
        "group_eval_order": ["g0", "g1"],  # promtool has no order of its own
        "tests": [group],
    }
    (folder / "tests.yml").write_text(json.dumps(suite))
    return judge(find_promtool(), folder / "tests.yml")


@pytest.mark.parametrize("seed", SEEDS)
def test_alerts_are_those_of_prometheus_at_every_instant(seed: int, tmp_path: Path) -> None:
    """Names, labels, states and times since when, of rules with `for`, `keep_firing_for` and rules that read them."""
    random = Random(seed)
    rules, sent = random_rules(random), random_series(random)
    tests = expectations(run_engine(rules, sent))
    assert any(test["exp_samples"] for test in tests if test["expr"] == "ALERTS")
    verdict = judged(tmp_path, rules, sent, tests)
    assert (0, "") == (verdict.code, verdict.err), rules


def test_promtool_would_notice(tmp_path: Path) -> None:
    """One alert more at one instant, and it says so."""
    random = Random(0)
    rules, sent = random_rules(random), random_series(random)
    tests = expectations(run_engine(rules, sent))
    tests[7]["exp_samples"] = [{"labels": 'ALERTS{alertname="none"}', "value": 1}]
    assert 1 == judged(tmp_path, rules, sent, tests).code


def test_seeds_cover_what_they_are_for() -> None:
    """Among the rules are such as read alerts, alerts kept firing, offsets, and labels that come to nothing."""
    texts = [random_rules(Random(seed)) for seed in SEEDS]
    for word in ("ALERTS{", "ALERTS_FOR_STATE", '"query_offset": "45s"', "level", "[2m:]"):
        assert any(word in text for text in texts), word
    assert any(one != other for one, other in pairwise(texts))
