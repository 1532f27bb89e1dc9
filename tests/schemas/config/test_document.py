import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config import find_problems, load_document, read_document
from schemas.errors import ConfigError

WRONG = """\
kafka:
  bootsrap: broker:9092
  partitions: 0
  security: tls
sources: {topic: a}
time: {tick: 5}
metrics: {port: 99999}
notify:
  receivers:
    - {type: webhok, name: a}
  routes:
    - {receiver: b}
playbooks:
  - {name: p}
record: {path: 5}
"""


def test_every_fault_is_told_with_its_line() -> None:
    """One reading names typos, wrong types, limits, missing keys and unknown names, each with its own line."""
    duration = "write a number with a unit, such as 30s, 5m or 1h30m"
    assert [
        "f:2: unknown key 'kafka.bootsrap': did you mean 'bootstrap'?",
        "f:3: kafka.partitions: must be at least 1",
        "f:4: kafka.security: must be one of 'plaintext', 'ssl', 'sasl_plaintext' or 'sasl_ssl'",
        "f:5: sources: must be a list, such as [a, b]",
        f"f:6: time.tick: not a duration: 5; {duration}",
        "f:7: metrics.port: must be at most 65535",
        "f:10: notify.receivers.0: unknown type 'webhok': did you mean 'webhook'?",
        "f:12: route to unknown receiver 'b': known are a",
        "f:14: 'playbooks.0.matchers' is missing",
        "f:14: 'playbooks.0.action' is missing",
        "f:15: record.path: must be a text: put it in quotes",
    ] == find_problems(WRONG, "f")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "f:1: not YAML: expected the node content, but found '<stream end>'"),
        ("- a\n", "f:1: the file must hold keys and values, such as 'sources:'"),
        ("rules: []\nrules: []\n", "f:2: not YAML: found duplicate key"),
        ("x: 1\n---\ny: 2\n", "f:2: not YAML: but found another document"),
        ("a: 1\nb: \x01\n", "f:2: not YAML: unacceptable character #x0001"),
        ("a: 2024-13-45\n", "f:1: not YAML: month must be in 1..12"),
        ("a: " + "[" * 5_000, "f:1: not YAML that we read: nested too deeply"),
        ("a: &x [*x]\n", "f:1: unknown key 'a'"),
        ("rules: &x\n  - *x\n", "f:1: rules.0: must be a text"),
        ("topology: {calls: &x {a: *x}}\n", "f:1: topology.calls.a: must be a list"),
        ("sources: []\n", "f:1: sources: must have an entry"),
        ("sources: [{topic: t, formt: otlp}]\n", "f:1: unknown key 'sources.0.formt'"),
        (
            "sources: [{topic: t, relabel: [{action: keeep}]}]\n",
            "f:1: sources.0.relabel.0.action: must be one of 'replace', 'keep'",
        ),
        ("1: 2\n", "f:1: 1: must be a text, as every key"),
        ("locality: [service]\n", "f:1: locality must begin with 'tenant'"),
    ],
)
def test_what_is_no_configuration_is_refused_in_one_line(text: str, problem: str) -> None:
    """Broken, endless, doubled or strange YAML gives one problem with its line, and no traceback."""
    (found,) = find_problems(text, "f")

    assert problem == found[: len(problem)]


def test_a_fault_that_is_merged_in_has_the_line_where_it_stands() -> None:
    """Sources may share their keys by `<<`, and a typo among these is told for each."""
    text = "sources:\n  - &s {topic: a, formt: x}\n  - {<<: *s, topic: b}\n"
    typo = "unknown key 'sources.{}.formt': did you mean 'format'?"

    assert [f"f:2: {typo.format(at)}" for at in (0, 1)] == find_problems(text, "f")


def test_an_anchor_may_be_used_again() -> None:
    """YAML allows it, and nothing is said about it."""
    assert [] == find_problems("rules: &x []\nlocality: &x [tenant]\n", "f")


def test_what_is_sound_can_be_judged_further() -> None:
    """Entries and sections with a fault are left out; the others keep what the file says."""
    document, problems = read_document(
        "rules: [r.yml]\nkafka: {partitions: 9, x: 1}\nsources:\n  - {topic: a}\n  - {topik: b}\n",
        "f",
    )

    assert 2 == len(problems)
    assert ("r.yml",) == document.config.rules
    assert 4 == document.config.kafka.partitions
    assert ["a"] == [source.topic for source in document.config.sources]
    assert {"kafka", "sources"} == document.unsound


def test_loading_raises_all_faults() -> None:
    """`load_document` gives a whole configuration or every fault."""
    with pytest.raises(ConfigError) as refused:
        load_document("kafka: 5\nmetrics: 6\n", "f")

    must = "must hold keys and values"
    assert [f"f:1: kafka: {must}", f"f:2: metrics: {must}"] == refused.value.problems


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Any text is a configuration or a list of problems, each with the file and a line."""
    assert all(problem.startswith("f:") for problem in find_problems(text, "f"))
