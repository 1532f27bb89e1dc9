import re
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block: its document, line, language and text."""

    document: Path
    line: int
    language: str
    text: str

    @property
    def id(self) -> str:
        """`README.md:12`, for the name of a test."""
        return f"{self.document.name}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    """Blocks of all documents in these languages."""
    found = []
    for document in DOCUMENTS:
        text = document.read_text()
        for fence in _FENCE.finditer(text):
            line = text.count("\n", 0, fence.start()) + 1
            found.append(Block(document, line, fence[1], fence[2]))
    return [block for block in found if block.language in languages]


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of the repository, which is the current one while the test runs."""
    monkeypatch.chdir(ROOT)
    return ROOT
