"""Which files are written from the code, and the marked blocks within those that people write.

A block stands between `<!-- begin NAME -->` and `<!-- end NAME -->`; all else in such a file is left alone.
Refuses a mark that nobody fills.
"""

import re
from collections.abc import Callable
from pathlib import Path

from docs import configuration, records, tables

ROOT = Path(__file__).parents[1]


def _example(name: str) -> str:
    return f"```python\n{(ROOT / 'examples' / name).read_text()}```"


BLOCKS: dict[str, Callable[[], str]] = {
    "aggregations": tables.aggregations,
    "detectors": tables.detectors,
    "detector parameters": tables.detector_parameters,
    "example detector": lambda: _example("detector.py"),
    "example receiver": lambda: _example("receiver.py"),
    "functions": tables.functions,
    "headlines": tables.headlines,
    "lint codes": tables.lint_codes,
    "metrics": tables.metrics,
    "numbers": tables.numbers,
    "receivers": tables.receivers,
    "refusals": tables.refusals,
    "rule keys": configuration.rule_keys,
    "template functions": tables.template_functions,
    "topics": tables.topic_table,
}

_BLOCK = re.compile(r"(<!-- begin ([a-z ]+) -->\n).*?(<!-- end \2 -->)", re.DOTALL)


def filled(text: str) -> str:
    """The text with each marked block as the code says it now.

    Raises:
        KeyError: a block has a name that nobody fills.

    """
    return _BLOCK.sub(lambda found: f"{found[1]}\n{BLOCKS[found[2]]()}\n\n{found[3]}", text)


def generated() -> dict[Path, str]:
    """Text of every file that follows from the code, in whole or in part, by its path."""
    folder = ROOT / "docs"
    whole = {folder / "configuration.md": configuration.page()}
    whole |= {folder / "schemas" / name: text for name, text in records.schemas().items()}
    people = [ROOT / "README.md", *sorted(folder.glob("*.md"))]
    return whole | {path: filled(path.read_text()) for path in people if path not in whole}
