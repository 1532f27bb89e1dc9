"""Which series feed which rule: a graph of metrics and rules, drawn as text, for Graphviz, for Mermaid, or as JSON.

A recorded series is no node of its own: its rule feeds whoever reads it. A selector without a metric's name reads every
recorded series whose labels can match, and stands in the graph as it was written.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from schemas.labels import METRIC, make_labels
from streams.rules.plan import compile_expression
from streams.rules.rule import Kind, Rule, RuleGroup
from streams.rules.selectors import Selection


@dataclass(frozen=True)
class Box:
    """A node: `kind` is series, record or alert; a rule has a group and a place in a file."""

    name: str
    kind: str
    group: str = ""
    file: str = ""
    line: int = 0


@dataclass
class Graph:
    """Nodes, and edges from what feeds to what is fed, as positions among the nodes."""

    nodes: list[Box] = field(default_factory=list)
    edges: list[tuple[int, int]] = field(default_factory=list)

    def feeds(self, node: int) -> list[int]:
        """What a node is fed by."""
        return [source for source, target in self.edges if target == node]


def build_graph(groups: Iterable[RuleGroup]) -> Graph:
    """The graph of all rules of these groups."""
    graph = Graph()
    rules = [rule for group in groups for rule in group.rules]
    for rule in rules:
        graph.nodes.append(Box(rule.name, rule.kind.value, rule.group, rule.file, rule.line))
    series: dict[str, int] = {}
    for target, rule in enumerate(rules):
        sources: dict[int, None] = {}
        for selection in compile_expression(rule.expr).selectors:
            recorded = [at for at, other in enumerate(rules) if _records(other, selection)]
            if not recorded or not selection.metric:
                name = selection.metric or _show(selection)
                if name not in series:
                    series[name] = len(graph.nodes)
                    graph.nodes.append(Box(name, "series"))
                recorded.append(series[name])
            sources.update(dict.fromkeys(recorded))
        graph.edges += [(source, target) for source in sources]
    return graph


def _records(rule: Rule, selection: Selection) -> bool:
    """Whether a rule can make a series that a selector picks, by its name and its own labels."""
    if rule.kind is not Kind.RECORD:
        return False
    own = make_labels({METRIC: rule.name, **rule.labels})
    names = {name for name, _ in own}
    return all(each.matches(own) for each in selection.matchers if each.name in names)


def _show(selection: Selection) -> str:
    return "{" + ", ".join(map(str, selection.matchers)) + "}"


def as_text(graph: Graph) -> str:
    """Each rule with what feeds it."""
    lines = []
    for at, box in enumerate(graph.nodes):
        if box.kind == "series":
            continue
        lines.append(f"{box.group}/{box.name} ({box.kind}, {box.file}:{box.line})")
        for source in graph.feeds(at):
            fed = graph.nodes[source]
            lines.append(
                f"  <- {fed.name}" if fed.kind == "series" else f"  <- {fed.group}/{fed.name}"
            )
    return "\n".join(lines)


def as_dot(graph: Graph) -> str:
    """Graphviz: series are plain, recording rules boxes, alerts filled."""
    shapes = {
        "series": "shape=plaintext",
        "record": "shape=box",
        "alert": 'shape=box, style="rounded,filled", fillcolor="#ffd9d9"',
    }
    lines = ["digraph rules {", "  rankdir=LR;"]
    for at, box in enumerate(graph.nodes):
        lines.append(f"  n{at} [label={_quoted(box.name)}, {shapes[box.kind]}];")
    lines += [f"  n{source} -> n{target};" for source, target in graph.edges]
    return "\n".join([*lines, "}"])


def as_mermaid(graph: Graph) -> str:
    """Mermaid, which many places that show Markdown draw."""
    brackets = {"series": ("([", "])"), "record": ("[", "]"), "alert": ("{{", "}}")}
    lines = ["flowchart LR"]
    for at, box in enumerate(graph.nodes):
        left, right = brackets[box.kind]
        name = box.name.replace('"', "#quot;")
        lines.append(f'  n{at}{left}"{name}"{right}')
    return "\n".join([*lines, *(f"  n{a} --> n{b}" for a, b in graph.edges)])


def as_object(graph: Graph) -> dict[str, Sequence[object]]:
    """For scripts: nodes, and edges as pairs of positions among them."""
    nodes = [
        {"name": n.name, "kind": n.kind}
        | ({"group": n.group, "file": n.file, "line": n.line} if n.group else {})
        for n in graph.nodes
    ]
    return {"nodes": nodes, "edges": [list(edge) for edge in graph.edges]}


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
