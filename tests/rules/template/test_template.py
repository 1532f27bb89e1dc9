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
        (
            "{{ humanise $value }}",
            "1:4: function \"humanise\" not defined: did you mean 'humanize'",
        ),
        ("a\nbc {{ $valeu }}", "2:7: undefined variable \"$valeu\": did you mean '$value'?"),
        ("{{ $score }}", '1:4: undefined variable "$score"'),
        ("{{ $x = 1 }}", '1:4: undefined variable "$x"'),
        ("{{ if true }}a", "unexpected EOF"),
        ("{{ if true }}a{{ else }}b", "unexpected EOF"),
        ("{{ if true }}a{{ else }}b{{ else }}{{ end }}", "expected end; found {{else}}"),
        ("{{end}}", "1:1: unexpected {{end}}"),
        ("{{ $value", "1:10: unclosed action"),
        ("{{ ($value }}", "unclosed left paren"),
        ("{{ ) }}", "1:4: unexpected right paren"),
        ("{{ # }}", 'unexpected "#" in command'),
        ("{{ }}", "missing value for command"),
        ("{{ /* a */ }}", 'unexpected "/" in command'),
        ("{{/* a", "1:3: unclosed comment"),
        ('{{ "a }}', "1:4: unterminated quoted string"),
        ("{{ 1 | 2 }}", "1:8: non executable command in pipeline stage 2"),
        ("{{ 1x }}", "bad number syntax"),
        ("{{ .Foo }}", "1:4: can't evaluate field Foo: known are"),
        ("{{ break }}", "{{break}} outside {{range}}"),
        ("{{ range $a, $b, $c := $labels }}{{ end }}", "too many declarations in range"),
        ("{{ if false }}{{ $y := 1 }}{{ end }}{{ $y }}", 'undefined variable "$y"'),
        ('{{ define "x" }}{{ $value }}{{ end }}', 'undefined variable "$value"'),
        ('{{ query "up" }}', '"query" is not supported: a template cannot run queries'),
        ('{{ "up" | first }}', "it takes the result of a query, and a template cannot run queries"),
    ],
)
def test_refuses_at_parse_time(text: str, message: str) -> None:
    """What is unknown or malformed is refused with its place, before any alert needs it."""
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
