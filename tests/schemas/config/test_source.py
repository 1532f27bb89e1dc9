"""Sources: rules, tenants and patterns that cannot be meant are told with their line."""

import pytest

from schemas.config import find_problems, load_document

WRONG = """\
sources:
  - topic: telemetry
    tenant: {topic: 'telemetry-(.+)'}
  - topic: other
    tenant: {topic: 'other'}
  - topic: both
    tenant: {fixed: a, header: b}
  - topic: rules
    relabel:
      - {action: hashmod, target_label: shard}
      - {action: dorp}
      - {action: labeldrop, regex: a, separator: x}
      - regex: '('
        target_label: a
      - {target_label: __tenant__, replacement: x}
scrub:
  patterns: {email: x}
  kinds: [mail]
"""

EXPECTED = {
    2: "finds no tenant in the topic 'telemetry'",
    5: "has no group that would be the tenant",
    7: "header and fixed cannot both say the tenant",
    10: "hashmod needs a modulus above 0",
    11: "'labeldrop'",
    12: "labeldrop takes only regex, not separator",
    13: "regular expression '('",
    15: "__tenant__ is reserved",
    17: "'email' is no name for a pattern",
    18: "'email'",
}


def test_every_fault_is_told_with_its_line() -> None:
    """Each of these lines has one fault, and each is told where it stands."""
    found = {}
    for problem in find_problems(WRONG, "tocsin.yaml"):
        _, line, what = problem.split(":", 2)
        found[int(line)] = what

    assert set(EXPECTED) == set(found) - {1}
    assert [] == [(n, found[n]) for n, part in EXPECTED.items() if part not in found[n]]


@pytest.mark.parametrize(
    ("tenant", "expected"),
    [
        ("{label: org}", None),
        ("{fixed: acme}", "acme"),
        ("{topic: '(.+)-metrics'}", "acme"),
        ("{topic: '(?P<team>a)(.+)-metrics'}", "a"),
        ("{header: X-Tenant}", None),
    ],
)
def test_a_topic_names_its_tenant(tenant: str, expected: str | None) -> None:
    """One name for all that is in a topic, from `fixed` or the first group of `topic`; None where records say it."""
    text = f"sources: [{{topic: acme-metrics, tenant: {tenant}}}]"
    (source,) = load_document(text, "t").config.sources

    assert expected == source.tenant.of_topic(source.topic)


def test_a_secret_of_scrubbing_is_not_shown() -> None:
    """Printing the configuration prints stars."""
    config = load_document("scrub: {secret: hunter2}", "t").config

    assert "hunter2" not in repr(config) + config.model_dump_json()
