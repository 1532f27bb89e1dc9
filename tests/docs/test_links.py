import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.docs.conftest import DOCUMENTS, ROOT

LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(document: Path) -> set[str]:
    """Names of a document's headings, as a forge makes them."""
    heads = re.findall(r"^#+ (.+)$", FENCE.sub("", document.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
def test_links_lead_to_a_file_and_a_heading(document: Path) -> None:
    """Each link within the repository names a file that is there, and a heading that is in it."""
    broken = []
    for link in LINK.findall(FENCE.sub("", document.read_text())):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert [] == broken


def test_every_document_can_be_found() -> None:
    """Each page in docs/ is linked from another document."""
    linked = {
        (document.parent / link.partition("#")[0]).resolve()
        for document in DOCUMENTS
        for link in LINK.findall(document.read_text())
        if "://" not in link
    }

    assert [] == [page for page in (ROOT / "docs").glob("*.md") if page not in linked]


def test_the_picture_is_sound() -> None:
    """The picture is XML, has a title for those who cannot see it, and a form for dark screens."""
    text = (ROOT / "docs/path.svg").read_text()
    title = ET.fromstring(text).find("{http://www.w3.org/2000/svg}title")

    assert title is not None
    assert title.text
    assert "prefers-color-scheme: dark" in text
