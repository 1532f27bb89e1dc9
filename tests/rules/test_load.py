"""Rule files: what they become, and every fault with its line."""

from pathlib import Path

from streams.rules.load import load_rules, parse_rules
from streams.rules.rule import Evaluate, Kind

GOOD = """
groups:
  - name: checkout
    interval: 30s
    limit: 5
    query_offset: 1m
    labels: {team: shop}
    rules:
      - record: job:up:sum
        expr: sum by (service) (up)
        labels: {team: core}
      - alert: Errors
        expr: |
          rate(errors_total[5m])
            > 0.01
        for: 5m
        keep_firing_for: 10m
        labels: {severity: critical, tier: 1}
        annotations: {summary: "{{ $labels.service }} fails {{ $value | humanizePercentage }}"}
      - alert: Odd
        expr: latency_seconds
        evaluate: on_arrival
        detect:
          detector: seasonal
          season: 1w
          false_alarms: 2 per 12h
          direction: up
          min_effect: 0.1
          min_change: 0.2
          relearn_after: 2h
          warm_up_samples: 10
        annotations: {summary: "{{ $value }} instead of {{ $expected }}"}
"""


def test_a_sound_file_has_no_faults() -> None:
    """Every key that we know is taken."""
    groups, problems = parse_rules(GOOD, "r.yml")
    assert problems == []
    assert [("checkout", 30_000, 3)] == [(g.name, g.interval_ms, len(g.rules)) for g in groups]


def test_rules_carry_what_was_written() -> None:
    """Durations are milliseconds, group labels lie under the rule's, numbers in labels are texts."""
    record, errors, odd = parse_rules(GOOD, "r.yml")[0][0].rules
    assert (Kind.RECORD, "job:up:sum", {"team": "core"}) == (
        record.kind,
        record.name,
        dict(record.labels),
    )
    assert ("checkout/Errors", 300_000, 600_000, 60_000, 5, 12) == (
        errors.id,
        errors.for_ms,
        errors.keep_firing_for_ms,
        errors.query_offset_ms,
        errors.limit,
        errors.line,
    )
    assert {"team": "shop", "severity": "critical", "tier": "1"} == dict(errors.labels)
    assert Evaluate.ON_ARRIVAL is odd.evaluate
    assert odd.detect is not None
    assert (2.0, 43_200_000, "up", 0.1, 0.2, 7_200_000) == (
        odd.detect.false_alarms,
        odd.detect.per_ms,
        odd.detect.direction,
        odd.detect.min_effect,
        odd.detect.min_change,
        odd.detect.relearn_after_ms,
    )
    expected = {"season_ms": 604_800_000, "warm_up_samples": 10, "direction": "up"}
    assert expected == dict(odd.detect.parameters)


def test_texts_are_as_they_stand() -> None:
    """Prometheus takes any scalar for a text, and a key with nothing behind it as left out, as templates write it."""
    text = """groups:
  - name: 5
    interval:
    labels:
    rules:
      - alert: true
        expr: 1_000  # a number
        for:
        annotations:
        labels: &shared
          a: 1.50  # not 1.5
          b: 010
          c: [no]
          d: &tier 0x1F
          e: *tier
          f:
          g: 2024-01-01 10:00:00
          h: -.inf
      - {alert: B, expr: up, labels: {<<: *shared, a: False,b: 1e3, c: ~, i: 1,j: "1.50"}}
"""
    groups, problems = parse_rules(text, "r.yml")
    first, second = parse_rules(text.replace("[no]", "no"), "r.yml")[0][0].rules
    rest = {"d": "0x1F", "e": "0x1F", "f": "", "g": "2024-01-01 10:00:00", "h": "-.inf"}

    assert ["r.yml:13: labels.c: must be a text: put it in quotes"] == problems
    assert ("5", 15_000) == (groups[0].name, groups[0].interval_ms)
    assert ("true", "1_000", 0, {}) == (first.name, first.expr, first.for_ms, first.annotations)
    assert {"a": "1.50", "b": "010", "c": "no", **rest} == first.labels
    assert {"a": "False", "b": "1e3", "c": "", "i": "1", "j": "1.50", **rest} == second.labels


def test_a_fault_that_is_merged_in_has_the_line_where_it_stands() -> None:
    """A rule may take keys from another one by `<<`; what is wrong with them is told for both."""
    text = "groups: [{name: g, rules: [\n&a {alert: A, expr: up >},\n{<<: *a, alert: B, fro: 5m}]}]"

    assert [
        "r.yml:2:25: expr: unexpected end, an expression is wanted",
        "r.yml:3: unknown key 'fro': did you mean 'for'?",
        "r.yml:2:25: expr: unexpected end, an expression is wanted",
    ] == parse_rules(text, "r.yml")[1]


def test_the_interval_is_fifteen_seconds_unless_given() -> None:
    """Ours is shorter than Prometheus's minute."""
    groups, _ = parse_rules("groups: [{name: a, rules: [{alert: A, expr: up == 0}]}]", "r.yml")
    assert groups[0].rules[0].interval_ms == 15_000


def test_all_faults_of_a_file_are_told_at_once() -> None:
    """Each with its line and, for a typo, the nearest key."""
    text = """groups:
  - name: a
    intervall: 15s
    rules: []
  - name: b
    rules:
      - alert: A
        expr: up ==
      - alert: B
        expr: up == 0
        fro: 5m
      - alert: C
        expr: up == 0
        for: 5
        annotations:
          summary: "{{ $valeu }}"
      - expr: up == 0
      - record: x
        expr: up
        for: 5m
      - alert: D
        expr: sum(up)
        evaluate: on_arrival
      - alert: E
        expr: up
        detect: {detector: robusto}
      - alert: F
        expr: up
        detect: {detector: robust, window_sample: 3}
      - alert: G
        expr: up
        detect:
          detector: gaussian
          season: 1d
          false_alarms: seldom
      - alert: H
        expr: up
        labels:
          __tenant__: mine
          "not a name": x
      - alert: I
        expr: topkk(3, up)
  - name: b
    interval: 0s
"""
    groups, problems = parse_rules(text, "r.yml")
    told = {int(p.split(":")[1]): p for p in problems}
    for line, words in {
        3: "unknown key 'intervall': did you mean 'interval'?",
        8: "expr: ",
        11: "unknown key 'fro': did you mean 'for'?",
        14: "for: not a duration",
        16: 'undefined variable "$valeu"',
        17: "a rule needs either 'alert' or 'record'",
        20: "a recording rule has no 'for'",
        23: "on_arrival needs an expression of one plain selector",
        26: "unknown detector 'robusto'; did you mean 'robust'?",
        29: "detector 'robust' has no 'window_sample': did you mean 'window_samples'?",
        35: "not a budget: 'seldom'",
        39: "label '__tenant__' is ours to set",
        40: "not a label name: 'not a name'",
        42: "expr: ",
        43: "group 'b' stands already on line 5",
        44: "interval must be longer than 0",
    }.items():
        assert words in told[line], problems
    assert [("a", []), ("b", [])] == [(g.name, [r.name for r in g.rules]) for g in groups]


def test_a_season_is_refused_where_the_detector_has_none() -> None:
    """A parameter that would be ignored is a fault."""
    text = """groups: [{name: a, rules: [{alert: A, expr: up, detect: {detector: robust, season: 1d}}]}]"""
    _, problems = parse_rules(text, "r.yml")
    assert len(problems) == 1
    assert "detector 'robust' has no 'season'" in problems[0]


def test_templates_are_checked_for_what_the_rule_has() -> None:
    """$expected exists for rules with a detector only; a comparison that cannot work is found."""
    text = """groups:
  - name: a
    rules:
      - alert: A
        expr: up
        annotations: {x: "{{ $expected }}"}
      - alert: B
        expr: up
        labels: {severity: "{{ if gt $value 9 }}critical{{ end }}"}
"""
    _, problems = parse_rules(text, "r.yml")
    assert len(problems) == 2
    assert "r.yml:6:30: template of 'x': undefined variable \"$expected\"" in problems[0]
    assert "r.yml:9:35: template of 'severity': incompatible types" in problems[1]


def test_labels_on_arrival_cannot_depend_on_the_value() -> None:
    """The alert of a series is found without looking at each sample."""
    text = """groups:
  - name: a
    rules:
      - alert: A
        expr: up == 0
        evaluate: on_arrival
        labels: {v: "{{ $value }}"}
"""
    _, problems = parse_rules(text, "r.yml")
    assert len(problems) == 1
    assert "labels of an on_arrival rule cannot depend on the value" in problems[0]


def test_what_is_no_yaml_is_one_fault() -> None:
    """Also an empty file is no fault, and a list is."""
    assert parse_rules("", "r.yml") == ([], [])
    assert "r.yml:1: the file must hold keys" in parse_rules("- a", "r.yml")[1][0]
    assert "not YAML" in parse_rules("a: [", "r.yml")[1][0]


def test_files_are_read_in_order_and_a_missing_one_is_told(tmp_path: Path) -> None:
    """One unreadable file does not hide the others."""
    good = tmp_path / "good.yml"
    good.write_text(GOOD)
    groups, problems = load_rules([tmp_path / "none.yml", good])
    assert ["checkout"] == [group.name for group in groups]
    assert len(problems) == 1
    assert "cannot be read" in problems[0]


def test_the_identity_of_a_rule_is_what_its_state_depends_on() -> None:
    """An annotation or the place in the file changes nothing, an expression does."""
    first = parse_rules(GOOD, "r.yml")[0][0].rules[1]
    moved = parse_rules("\n\n" + GOOD.replace("fails", "breaks"), "s.yml")[0][0].rules[1]
    other = parse_rules(GOOD.replace("> 0.01", "> 0.02"), "r.yml")[0][0].rules[1]
    assert first.identity == moved.identity
    assert first.identity != other.identity
