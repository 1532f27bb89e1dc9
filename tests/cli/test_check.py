import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

WRONG_RULES = """\
groups:
  - name: g
    intervall: 15s
    rules:
      - alert: Typo
        expr: up == 0
        fro: 5m
      - alert: NotPromQL
        expr: up ==
      - alert: NoSuchFunction
        expr: rte(up[5m]) > 1
      - alert: WrongType
        expr: up == 0
        for: 5
      - alert: BadTemplate
        expr: up == 0
        annotations: {summary: "{{ $valeu }}"}
      - alert: NotOnArrival
        expr: rate(up[5m]) > 1
        evaluate: on_arrival
      - alert: TooFar
        expr: max_over_time(sum(up)[5m:1m]) == 0
      - alert: NoDetector
        expr: up
        detect: {detector: robusto}
"""

WRONG_CONFIG = """\
rules: [wrong.yml, missing.yml]
kafka: {bootsrap: a}
notify:
  receivers:
    - {type: webhook, name: pager, url: "ftp://pager"}
    - {type: webhook, name: secret, url: "${env:NOT_SET}"}
  routes:
    - {receiver: pagr}
playbooks:
  - name: restart
    matchers: ["cause=orders"]
    action: {type: http, url: "http://x/{{ incidnt.id }}"}
  - name: note
    matchers: ["cause ~~ x"]
    action: {type: kafka, topic: tocsin.alerts}
"""

WIDE = """\
groups:
  - name: g
    rules:
      - {alert: Wide, expr: sum(up) == 0}
      - {record: made, expr: 'rate(errors_total[5m])'}
      - {alert: Dear, expr: 'max_over_time(stddev_over_time(up[1m])[1h:15s]) > 1'}
"""
RECORD = {"topic": "t", "partition": 0, "timestamp": 1}


def test_all_faults_are_told_at_once(cli: Cli, folder: Path) -> None:
    """Configuration, receivers, playbooks and rules: every fault with the file and the line where it stands."""
    (folder / "tocsin.yaml").write_text(WRONG_CONFIG)
    (folder / "wrong.yml").write_text(WRONG_RULES)

    result = cli("check")

    assert (1, "") == (result.exit_code, result.stderr)
    *problems, verdict = [line for line in result.stdout.splitlines() if line[:4] != "    "]
    places = [
        ("tocsin.yaml", 2, "unknown key 'kafka.bootsrap': did you mean 'bootstrap'?"),
        ("tocsin.yaml", 8, "route to unknown receiver 'pagr': did you mean 'pager'?"),
        ("tocsin.yaml", 14, "playbooks.1.matchers: not a matcher: 'cause ~~ x'"),
        ("tocsin.yaml", 1, "rules: no file 'missing.yml'"),
        ("wrong.yml", 3, "unknown key 'intervall': did you mean 'interval'?"),
        ("wrong.yml", 7, "unknown key 'fro': did you mean 'for'?"),
        ("wrong.yml:9", 20, "expr: unexpected end"),
        ("wrong.yml:11", 15, "expr: "),
        ("wrong.yml", 14, "for: not a duration: 5"),
        ("wrong.yml:17", 36, "template of 'summary'"),
        ("wrong.yml", 20, "on_arrival needs an expression of one plain selector"),
        ("wrong.yml", 25, "unknown detector 'robusto'; did you mean 'robust'?"),
        ("wrong.yml", 21, "rule 'TooFar' is wider than the locality: 1:"),
        ("tocsin.yaml", 10, "playbook 'restart': action.url: unknown name 'incidnt'"),
        ("tocsin.yaml", 5, "receiver 'pager': url must begin with http:// or https://"),
    ]
    for (file, line, what), problem in zip(places, problems, strict=True):
        assert f"{file}:{line}: {what}" in problem
    assert "1 rule, 15 problems" == verdict


def test_metrics_are_checked_and_wide_rules_counted(cli: Cli, folder: Path) -> None:
    """Metrics that no source declares are faults with their lines; rules for which no partition sees all are sound."""
    (folder / "tocsin.yaml").write_text(
        "sources: [{topic: t, metrics: [up, errors_total]}]\nrules: [r.yml]\n"
    )
    (folder / "r.yml").write_text(
        "groups:\n  - name: g\n    rules:\n"
        "      - {alert: A, expr: sum(up) == 0}\n"
        "      - {record: made, expr: 'rate(errors_total[5m])'}\n"
        "      - {alert: B, expr: made > 1 and made < 9}\n"
        "      - {alert: C, expr: error_total > 1 or error_total < 0}\n"
    )

    *problems, _ = cli("check").stdout.splitlines()

    unknown = "r.yml:7: unknown metric 'error_total': did you mean 'errors_total'?"
    assert [unknown] == [line for line in problems if line[:4] != "    "]
    (folder / "r.yml").write_text(WIDE)
    assert "3 rules, 1 of them in two stages, all sound\n" == cli("check").stdout


def test_the_cost_of_rules_is_told(cli: Cli, folder: Path) -> None:
    """A rule that is too dear is named, with the exit code 1; `--explain` says how selectors are read, and why."""
    (folder / "tocsin.yaml").write_text("rules: [r.yml]\n")
    (folder / "r.yml").write_text(WIDE)

    table = cli("check", "--cost", "--explain", "--series", "50000")
    found = json.loads(cli("check", "--cost", "--series", "50000", "--output", "json").stdout)
    cheap = cli("check", "--cost", "--series", "10")

    assert (1, 0) == (table.exit_code, cheap.exit_code)
    assert "too dear" not in cheap.stdout
    (dear,) = [line for line in table.stdout.splitlines() if line.endswith("too dear")]
    assert dear.startswith("r.yml:6 Dear")
    assert "r.yml:4: two stages: 'sum' aggregates across different service" in table.stdout
    assert [2, 1, 1] == [each["stages"] for each in found["costs"]]
    assert ["latest sample", "running value", "samples"] == [
        each["selectors"][0]["kept"] for each in found["costs"]
    ]
    assert [False, False, True] == [each["dear"] for each in found["costs"]]


def test_the_cost_is_measured_over_samples(cli: Cli, folder: Path) -> None:
    """With a recording the series and samples are those in it."""
    (folder / "tocsin.yaml").write_text("rules: [r.yml]\n")
    (folder / "r.yml").write_text(WIDE)
    lines = [
        json.dumps(
            {
                "ts": 1_760_000_000_000 + 1000 * at,
                "metric": "up",
                "value": 1,
                "labels": {"service": name},
            }
        )
        for at in range(10)
        for name in "abc"
    ]
    (folder / "s.jsonl").write_text("\n".join(lines))

    result = cli("check", "--cost", "--recording", "s.jsonl", "--output", "json")

    costs = json.loads(result.stdout)["costs"]
    assert [(3, 10), (0, 0), (3, 10)] == [
        (each["selectors"][0]["series"], each["selectors"][0]["samples"]) for each in costs
    ]
    assert all(each["seconds"] > 0 for each in costs)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "s.jsonl",
            '{"ts": 1, "metric": "up", "value": 1}\n\n[{"ts": 1, "metric": "down", "value": 1}]\n',
        ),
        ("s.csv", "timestamp,up,down\n2024-01-01,1,2\n"),
        (
            "s.jsonl",
            "".join(
                json.dumps(RECORD | {"offset": at, "value": value}) + "\n"
                for at, value in enumerate(['{"ts": 1, "metric": "up"}', "garbage"])
            ),
        ),
    ],
    ids=["json lines", "csv", "recording"],
)
def test_metrics_are_learnt_from_samples(cli: Cli, folder: Path, name: str, text: str) -> None:
    """With `--sample` any file that can be replayed says which metrics there are."""
    (folder / "tocsin.yaml").write_text("rules: [r.yml]\n")
    (folder / "r.yml").write_text(
        "groups: [{name: g, rules: [{alert: A, expr: up == 0}, {alert: B, expr: upp}]}]"
    )
    (folder / name).write_text(text)

    *problems, _ = cli("check", "--sample", name).stdout.splitlines()

    assert ["r.yml:1: unknown metric 'upp': did you mean 'up'?"] == problems


def test_a_bad_sample_file_is_wrong_usage(cli: Cli, folder: Path) -> None:
    """It is no fault of the configuration: exit code 2, with file and line."""
    (folder / "s.jsonl").write_text('{"ts": 1, "metric": "up", "value": 1}\n{nonsense\n')

    result = cli("check", "--sample", "s.jsonl")

    assert 2 == result.exit_code
    assert result.stderr.startswith("tocsin: s.jsonl:2: ")


def test_a_folder_without_configuration_is_sound(cli: Cli) -> None:
    """The defaults are a configuration; it is said that they were checked."""
    result = cli("check")

    assert (0, "no tocsin.yaml here, so the defaults: 0 rules, all sound\n") == (
        result.exit_code,
        result.stdout,
    )


def test_scripts_read_json(cli: Cli, folder: Path) -> None:
    """`--output json` gives file, problems, warnings and the number of sound rules."""
    (folder / "c.yaml").write_text("rules: [r.yml]\nmetrics: {prot: 1}\nscrub: {secret: x}\n")
    (folder / "r.yml").write_text("groups: [{name: g, rules: [{alert: A, expr: up == 0}]}]")

    result = cli("check", "--config", "c.yaml", "--output", "json")

    problem = "c.yaml:2: unknown key 'metrics.prot': did you mean 'port'?"
    found = {"file": "c.yaml", "problems": [problem], "warnings": [], "rules": 1}
    found |= {"two_stages": 0, "detectors": [], "costs": []}
    assert found == json.loads(result.stdout)
    assert 1 == result.exit_code


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xff\n", "r.yml:1: not UTF-8 at byte 0"),
        (b"a: &x [*x]\n", "r.yml:1: unknown key 'a'"),
        (b"groups: []\ngroups: []\n", "r.yml:2: not YAML: found duplicate key"),
        (b"groups: [" * 3_000, "r.yml:1: not YAML"),
        (b"null: 1\n", "r.yml:1: None: must be a text, as every key"),
        (None, "r.yml:1: cannot be read: Is a directory"),
    ],
)
def test_strange_rule_files_are_faults(
    cli: Cli, folder: Path, content: bytes | None, problem: str
) -> None:
    """Not UTF-8, recursion, doubled keys, endless nesting, a folder: one fault, never a traceback."""
    (folder / "tocsin.yaml").write_text("rules: [r.yml]\n")
    if content is None:
        (folder / "r.yml").mkdir()
    else:
        (folder / "r.yml").write_bytes(content)

    result = cli("check")

    assert 1 == result.exit_code
    assert result.stdout.startswith(problem)
    assert result.stdout.endswith("0 rules, 1 problem\n")
