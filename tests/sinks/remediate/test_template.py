"""Templates of playbooks: what they can say and what they cannot do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateError
from yarl import URL

from sinks.remediate import template as template_module
from sinks.remediate.template import Filled, template_problems

VALUES: dict[str, object] = {
    "incident": {"id": "i1", "title": "Slow", "severity": "critical"},
    "labels": {"service": 'or"ders', "zone": "a/b"},
    "tenant": "shop",
    "cause": "orders-db",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("restart {{ cause }}", "restart orders-db"),
        ("{{ incident.id }}/{{ labels['zone'] }}", "i1/a/b"),
        ('{"service": {{ labels.service | tojson }}}', '{"service": "or\\"ders"}'),
        ("{{ labels.get('missing', 'none') }}", "none"),
        ("{% for n, v in labels.items() %}{{ n }} {% endfor %}", "service zone "),
        ("{% if tenant == 'shop' %}yes{% endif %}", "yes"),
        ("{{ 2 * 3 + 2 ** 3 % 5 }}", "9"),
        ("{{ labels.missing | default('x') }}", "x"),
        ("plain\n", "plain\n"),
    ],
)
def test_it_says(text: str, expected: str) -> None:
    """Values, filters, loops over what is given and arithmetic work."""
    assert [] == template_problems(text)
    assert expected == Filled(text).fill(VALUES)


@pytest.mark.parametrize(
    "text",
    [
        "{{ labels.missing }}",
        "{{ labels.service.missing.deeper }}",
        "{{ 'x' * 10**9 }}",
        "{{ [0] * 10**9 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ 10 ** 1000000000 }}",
        "{{ 1 / 0 }}",
        "{{ labels.service.ljust(1000000000) }}",
        "{{ '{:>999999999}'.format(1) }}",
        "{{ labels.pop('service') }}",
        "{{ labels.__class__.__mro__ }}",
        "{{ ''.__class__ }}",
        "{{ labels.service | dictsort }}",
        "{% include 'x' %}",
        "{% macro m() %}x{% endmacro %}{{ m() }}",
    ],
)
def test_it_cannot(text: str) -> None:
    """What is missing, reaches out of the sandbox or makes much out of little is an error, at once."""
    with pytest.raises(TemplateError):
        Filled(text).fill(VALUES)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{{ labels.service", "unexpected end of template"),
        ("{{ label.service }}", "unknown name 'label'; there are cause, incident, labels, tenant"),
        ("{{ 'x' | center(1000000000) }}", "No filter named 'center'."),
        ("{{ [1] | random }}", "No filter named 'random'."),
        ("{{ range(10) }}", "unknown name 'range'"),
        ("{{ lipsum() }}", "unknown name 'lipsum'"),
    ],
)
def test_problems_are_found_before_it_is_used(text: str, problem: str) -> None:
    """Syntax, unknown names and unknown filters are found when the configuration is checked."""
    (found,) = template_problems(text)

    assert found.startswith(problem)


def test_the_output_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Output beyond the cap is an error."""
    monkeypatch.setattr(template_module, "OUTPUT_BYTES_MAX", 10)

    assert "0123456789" == Filled("{{ tenant }}").fill({"tenant": "0123456789"})
    with pytest.raises(TemplateError, match="longer than 10 bytes"):
        Filled("{{ tenant }}x").fill({"tenant": "0123456789"})


@given(value=st.text(min_size=1).filter(lambda t: t not in {".", ".."}))
def test_a_value_stays_one_segment_of_a_url(value: str) -> None:
    """Whatever a label holds, it is one segment of the path, and the host and the query stay as written."""
    text = Filled("http://ops:80/restart/{{ cause }}?x=1", in_url=True).fill({"cause": value})
    url = URL(text, encoded=True)

    assert ("ops", 80, ("/", "restart", value), "x=1") == (
        url.host,
        url.port,
        url.parts,
        url.query_string,
    )


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_value_cannot_climb_in_a_url(value: str) -> None:
    """A value that would change the path is refused."""
    with pytest.raises(TemplateError, match="cannot stand in a URL"):
        Filled("http://ops/{{ cause }}/x", in_url=True).fill({"cause": value})


def test_a_value_cannot_name_a_secret() -> None:
    """A label that looks like a reference to a secret is not one any more after it is filled into a URL."""
    text = Filled("http://ops/{{ cause }}", in_url=True).fill({"cause": "${env:HOME}"})

    assert "http://ops/%24%7Benv%3AHOME%7D" == text
