"""House rules that a machine can see in the files themselves."""

import re
from pathlib import Path

import pytest

LONGEST = 350
VAGUE = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "base_impl", "stuff"}
# Put together here, so that this file does not name them itself.
MACHINE_FOLDERS = ("work", "farm", "root", "tmp")
MACHINE_PATH = re.compile(
    rf"(?<![A-Za-z0-9_.\-/$}})~])/({'|'.join(MACHINE_FOLDERS)})(/|\b(?=['\"\s]))"
)
REGISTRIES = ("pypi|org", "pythonhosted|org", "maven|org", "npmjs|org", "crates|io", "golang|org")


def texts(files: list[Path]) -> list[tuple[Path, str]]:
    """The files that are text, with what they say."""
    found = []
    for file in files:
        try:
            found.append((file, file.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def test_no_python_file_is_too_long(own_files: list[Path]) -> None:
    """A file says one thing, so none is longer than 350 lines."""
    lengths = {f: len(f.read_text().splitlines()) for f in own_files if f.suffix == ".py"}
    assert lengths
    assert {} == {file: length for file, length in lengths.items() if length > LONGEST}


def test_no_name_explains_nothing(own_files: list[Path], root: Path) -> None:
    """No file or folder of code has a name that would fit any other as well."""
    parts = [f.relative_to(root).with_suffix("").parts for f in own_files if f.suffix == ".py"]
    assert [] == [path for path in parts if VAGUE & set(path)]


def test_every_module_says_what_it_holds(own_files: list[Path], root: Path) -> None:
    """Each module but a test's, whose name is its subject, opens with a docstring."""
    modules = [file.relative_to(root) for file in own_files if file.suffix == ".py"]
    silent = [
        module
        for module in modules
        if module.parts[0] != "tests" and not re.match(r'r?"""\S', (root / module).read_text())
    ]
    assert [] == silent


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cd /{}/main", True),
        ('"/{}"', True),
        ("file:/{}/x", True),
        ("$HOME/{}/x", False),
        ("docs/{}/x", False),
        ("/{}ing/x", False),
    ],
)
def test_a_machine_path_is_seen(text: str, found: bool) -> None:
    """Paths from the root are recognised, and folders of the same names elsewhere are not."""
    for folder in MACHINE_FOLDERS:
        assert found == bool(MACHINE_PATH.search(text.format(folder)))


def test_no_machine_path(own_files: list[Path], root: Path) -> None:
    """No file names a folder of the machine that it was written on."""
    hits = [
        f"{file.relative_to(root)}:{text.count(chr(10), 0, hit.start()) + 1}"
        for file, text in texts(own_files)
        for hit in MACHINE_PATH.finditer(text)
    ]
    assert [] == hits


def test_no_registry_address(own_files: list[Path], root: Path) -> None:
    """Locks and scripts hold names, versions and hashes, never where a package is fetched from."""
    hosts = [host.replace("|", ".") for host in REGISTRIES]
    hits = [
        (str(file.relative_to(root)), host)
        for file, text in texts(own_files)
        for host in hosts
        if re.search(rf"\b{re.escape(host)}/", text)
    ]
    assert [] == hits
