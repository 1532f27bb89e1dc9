"""The graph of rules: who feeds whom, in each of its forms."""

from streams.rules.graph import as_dot, as_mermaid, as_object, as_text, build_graph
from streams.rules.load import parse_rules

RULES = """
groups:
  - name: g
    rules:
      - {record: "a:x:sum", expr: sum(x) + sum(y), labels: {kind: one}}
      - {record: "a:x:sum", expr: sum(z), labels: {kind: two}}
      - {alert: One, expr: 'a:x:sum{kind="one"} > 1'}
      - {alert: Any, expr: '{__name__=~"a:.+"} > y'}
      - {alert: None, expr: vector(1)}
"""


def drawn(form: object) -> object:
    """RULES in one of the forms."""
    groups, problems = parse_rules(RULES, "r.yml")
    assert [] == problems
    assert callable(form)
    return form(build_graph(groups))


def test_text_names_what_feeds_each_rule() -> None:
    """A recorded series stands for its rule, by name and labels; a selector without a name stands as it is."""
    assert (
        "g/a:x:sum (record, r.yml:5)\n  <- x\n  <- y\n"
        "g/a:x:sum (record, r.yml:6)\n  <- z\n"
        "g/One (alert, r.yml:7)\n  <- g/a:x:sum\n"
        'g/Any (alert, r.yml:8)\n  <- g/a:x:sum\n  <- g/a:x:sum\n  <- {__name__=~"a:.+"}\n  <- y\n'
        "g/None (alert, r.yml:9)"
    ) == drawn(as_text)


def test_graphviz_and_mermaid_have_every_node_and_edge() -> None:
    """With a shape for each kind, and names quoted."""
    dot, mermaid = str(drawn(as_dot)), str(drawn(as_mermaid))

    assert dot.startswith("digraph rules {")
    assert dot.endswith("}")
    assert r'label="{__name__=~\"a:.+\"}", shape=plaintext' in dot
    assert mermaid.startswith("flowchart LR\n")
    assert 'n0["a:x:sum"]' in mermaid
    assert 'n2{{"One"}}' in mermaid
    assert "{__name__=~#quot;a:.+#quot;}" in mermaid
    assert dot.count(" -> ") == mermaid.count(" --> ") == 8


def test_json_has_places() -> None:
    """Nodes with file and line, edges as pairs of positions."""
    found = drawn(as_object)
    assert isinstance(found, dict)

    assert {"name": "One", "kind": "alert", "group": "g", "file": "r.yml", "line": 7} == found[
        "nodes"
    ][2]
    assert [0, 2] in found["edges"]
    assert [1, 2] not in found["edges"]
