"""Templates of labels and annotations, against Go's text/template with Prometheus's options."""

import pytest

from schemas.errors import RuleError
from streams.rules.template import DETECT_VARIABLES, Template

SCOPE: dict[str, object] = {
    "$labels": {"a": "q", "b": "z"},
    "$value": 0.75,
    "$externalLabels": {"dc": "x1"},
    "$externalURL": "",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain }} text", "plain }} text"),
        ("{{ $value }}", "0.75"),
        ("{{ .Value }}{{ .Labels.a }}", "0.75q"),
        ('a {{- " b " -}} c', "a b c"),
        ("{{/* c */}}x{{- /* d */ -}} y", "xy"),
        ("{{ $labels.missing }}|{{ $labels }}", "|map[a:q b:z]"),
        ("{{ $externalLabels.dc }}", "x1"),
        ('{{ printf "%s is %.1f" $labels.a $value }}', "q is 0.8"),
        ('{{ $labels.a | printf "%s-%s" "p" }}', "p-q"),
        ("{{ $labels.a | toUpper }}", "Q"),
        ("{{ $value | humanizePercentage }}", "75%"),
        ("{{ if gt $value 0.5 }}x{{ else }}z{{ end }}", "x"),
        ('{{ if gt $value 0.9 }}x{{else if eq $labels.a "q"}}y{{ else }}z{{ end }}', "y"),
        ("{{ if $labels.missing }}yes{{ end }}", ""),
        ('{{if and (gt $value 0.2) (eq $labels.a "q")}}both{{end}}', "both"),
        ('{{ and 0 1 }} {{ or 0.0 "" "x" }} {{ not $labels.zz }}', "0 x true"),
        ('{{ eq $labels.a "b" "q" }}', "true"),
        ('{{ if eq $labels.a "q" | not }}n{{ else }}m{{ end }}', "m"),
        ('{{ len $labels.a }} {{ index $labels "a" }}', "1 q"),
        ('{{ $x := "v" }}{{ $x }}', "v"),
        ("{{ `raw` }} {{ 0x10 }} {{ 1_000 }} {{ -3 }} {{ +2.50 }}", "raw 16 1000 -3 2.5"),
        ('{{ (index $labels "a") }}{{ ($value) }}', "q0.75"),
        ("a\n  {{- if true }}\n  b\n  {{- end }}\nc", "a\n  b\nc"),
        ('}} {{ "{{" }}', "}} {{"),
        ("{{ lt $value 1e1 }}", "true"),
        ('{{ urlquery "a b&c" }}', "a+b%26c"),
    ],
)
def test_expands_as_go_does(text: str, expected: str) -> None:
    """The text is the one that Go's text/template gives for the same data."""
    assert expected == Template(text).render(SCOPE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ humanise $value }}", "line 1: function humanise is not defined: did you mean"),
        ("a\n{{ $valeu }}", "line 2: undefined variable $valeu: did you mean '$value'?"),
        ("{{ $score }}", "undefined variable $score"),
        ("{{ if true }}a", "{{if}} without {{end}}"),
        ("{{ if true }}a{{ else }}b", "{{if}} without {{end}}"),
        ("{{end}}", "unexpected {{end}}"),
        ("{{ $value", "unclosed action"),
        ('{{ "a" "b" }}', "can't give argument to non-function"),
        ("{{ range $labels }}{{ end }}", "range is not supported"),
        ('{{ query "up" }}', "function query is not supported: a template cannot run queries"),
        ("{{ not }}", "wrong number of args for not: want 1 got 0"),
        ("{{ .Foo }}", "unknown field .Foo"),
        ("{{ if false }}{{ $y := 1 }}{{ end }}{{ $y }}", "undefined variable $y"),
        ("{{ $value | $labels }}", "is no function to pipe into"),
        ("{{ ($value }}", "unclosed left parenthesis"),
        ("{{ # }}", "unexpected '#'"),
        ("{{ }}{{ | }}", "unexpected '|'"),
    ],
)
def test_refuses_at_parse_time(text: str, message: str) -> None:
    """What is unknown or malformed is refused with its line, before any alert needs it."""
    with pytest.raises(RuleError) as caught:
        Template(text)
    assert message in str(caught.value)


def test_a_failure_becomes_text() -> None:
    """An alert whose annotation fails still goes out, and says so."""
    text = Template("{{ humanize $labels.a }}").expand(SCOPE)
    assert text.startswith("<error expanding template: ")


def test_a_float_is_never_compared_with_an_int() -> None:
    """Go refuses it at run time; here it is found when the rules are loaded."""
    problem = Template("{{ if gt $value 90 }}x{{ end }}").problem()
    assert problem is not None
    assert "incompatible types for comparison: float64 and int" in problem
    assert Template("{{ if gt $value 90.0 }}x{{ end }}").problem() is None


def test_tells_what_it_depends_on() -> None:
    """Only given variables count, also when they are reached by a field."""
    template = Template("{{ $x := .Value }}{{ $labels.a }}{{ $x }}", DETECT_VARIABLES)
    assert frozenset({"$value", "$labels"}) == template.uses
