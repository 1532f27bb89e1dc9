"""Documents: what they point to is there."""

import re
from pathlib import Path

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
MAKE = re.compile(r"(?:^|[`$])\s*make ([a-z][a-z-]*)", re.MULTILINE)


def documents(own_files: list[Path]) -> list[Path]:
    return [file for file in own_files if file.suffix == ".md"]


def test_links_lead_somewhere(own_files: list[Path], root: Path) -> None:
    """Every relative link of a Markdown file names a file of the repository."""
    broken = [
        f"{document.relative_to(root)}: {target}"
        for document in documents(own_files)
        for target in LINK.findall(FENCE.sub("", document.read_text()))
        if "://" not in target and not target.startswith("mailto:")
        if not (document.parent / target).exists()
    ]
    assert [] == broken


def test_named_targets_exist(own_files: list[Path], root: Path) -> None:
    """Every `make TARGET` that a document tells to type is in the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    unknown = [
        f"{document.relative_to(root)}: make {target}"
        for document in documents(own_files)
        for target in MAKE.findall(document.read_text())
        if target not in targets
    ]
    assert [] == unknown
