"""Paper: a report as headings, paragraphs, lists, tables and pictures, and its two forms, Markdown and HTML.

Every text is taken as it is: what telemetry brings cannot become markup. The HTML stands alone: no script, no link to
another file, one style for screen and print.
"""

import html
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0 1.5rem; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.7rem; border-bottom: 1px solid #d6dce4; }
th { font-weight: 600; }
h2 { margin-top: 2rem; }
svg { max-width: 100%; height: auto; }
@media (prefers-color-scheme: dark) { body { background: #11161d; color: #d8dfe8; } th, td { border-color: #323c49; } }
""".strip()


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Items:
    """A list; with `to_do` each has a box to tick."""

    items: tuple[str, ...]
    to_do: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under heads; each has as many cells."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Picture:
    """An SVG of our own, and what it shows in words, which is all that Markdown has of it."""

    svg: str
    caption: str


Part: TypeAlias = Text | Items | Table | Picture


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Paper:
    """A whole report; sections without parts are left out."""

    title: str
    sections: tuple[Section, ...]


def to_markdown(paper: Paper) -> str:
    """The report in Markdown (CommonMark with tables)."""
    lines = [f"# {_escaped(paper.title)}"]
    for section in paper.sections:
        if section.parts:
            lines += ["", f"## {_escaped(section.title)}"]
            for part in section.parts:
                lines += ["", *_markdown(part)]
    return "\n".join(lines) + "\n"


def _markdown(part: Part) -> Iterable[str]:
    match part:
        case Text(text=text):
            yield _escaped(text)
        case Items(items=items, to_do=to_do):
            yield from (f"- {'[ ] ' if to_do else ''}{_escaped(item)}" for item in items)
        case Table(heads=heads, rows=rows):
            yield _row(heads)
            yield "|" + " --- |" * len(heads)
            yield from map(_row, rows)
        case Picture(caption=caption):
            yield f"*{_escaped(caption)}*"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(_escaped(cell) for cell in cells) + " |"


def _escaped(text: str) -> str:
    line = " ".join(text.split())
    for sign in "\\`*_{}[]<>|#":
        line = line.replace(sign, f"\\{sign}")
    return line


def to_html(paper: Paper) -> str:
    """The report as one HTML page that opens offline."""
    title = html.escape(paper.title)
    body = [f"<h1>{title}</h1>"]
    for section in paper.sections:
        if section.parts:
            body.append(f"<h2>{html.escape(section.title)}</h2>")
            body += map(_html, section.parts)
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>\n{_STYLE}\n</style>\n{chr(10).join(body)}\n</html>\n"
    )


def _html(part: Part) -> str:
    match part:
        case Text(text=text):
            return f"<p>{html.escape(text)}</p>"
        case Items(items=items, to_do=to_do):
            box = '<input type="checkbox"> ' if to_do else ""
            found = "".join(f"<li>{box}{html.escape(item)}</li>" for item in items)
            return f"<ul>{found}</ul>"
        case Table(heads=heads, rows=rows):
            head = "".join(f"<th>{html.escape(cell)}</th>" for cell in heads)
            lines = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows)
            body = "".join(f"<tr>{line}</tr>" for line in lines)
            return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        case Picture(svg=svg, caption=caption):
            return f"<figure>{svg}<figcaption>{html.escape(caption)}</figcaption></figure>"
