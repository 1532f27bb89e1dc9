import re
from itertools import chain

import pytest

from docs.configuration import MEANINGS, Place, keys_table, page, places, rule_keys
from docs.pages import BLOCKS, filled, generated
from docs.tables import REFUSALS
from schemas.config import Config
from schemas.reasons import DeadLetterReason
from streams.cli import main
from tests.docs.conftest import DOCUMENTS, ROOT

# Measured anew by each `make bench`, so they may differ from what was written down last.
NUMBERS = re.compile(r"<!-- begin (numbers|headlines) -->.*?<!-- end \1 -->", re.DOTALL)


def test_what_is_written_from_the_code_is_current() -> None:
    """What `make docs` would write is what stands in the repository."""
    stale = [
        str(path.relative_to(ROOT))
        for path, text in generated().items()
        if not path.exists() or NUMBERS.sub("", text) != NUMBERS.sub("", path.read_text())
    ]

    assert [] == stale


def test_no_schema_is_left_over() -> None:
    """Every JSON Schema in docs/schemas is of a record that there is."""
    made = sorted(path for path in generated() if path.suffix == ".json")

    assert made == sorted(ROOT.glob("docs/schemas/*"))


def test_every_block_is_used() -> None:
    """No table is made that no document shows."""
    shown = chain.from_iterable(
        re.findall("<!-- begin ([a-z ]+) -->", d.read_text()) for d in DOCUMENTS
    )

    assert set(BLOCKS) == set(shown)


def test_an_unknown_block_is_refused() -> None:
    """A mark that nobody fills is an error, not an empty place."""
    with pytest.raises(KeyError):
        filled("<!-- begin nonsense -->\n<!-- end nonsense -->")


def test_every_key_is_in_the_reference() -> None:
    """Each key of each section stands in docs/configuration.md with a meaning."""
    text = page()
    keys = [
        field.alias or name
        for place in places(Place("", Config))
        for name, field in place.model.model_fields.items()
    ]

    assert [] == [key for key in keys if f"| `{key}` |" not in text]
    assert [] == re.findall(r"^\| .* \|  \|$", text + rule_keys(), re.MULTILINE)


def test_no_meaning_is_left_over() -> None:
    """meanings.yml explains no key that is not there, and none that its section explains."""
    tables = {place.path or "top": keys_table(place) for place in places(Place("", Config))}
    ours = {name: keys for name, keys in MEANINGS.items() if not name.startswith("groups")}
    lost = [
        (section, key)
        for section, keys in ours.items()
        for key, meaning in keys.items()
        if f"| `{key}` |" not in tables[section]
        or meaning.replace("|", "\\|") not in tables[section]
    ]

    assert [] == lost


def test_every_reason_of_a_dead_letter_is_explained() -> None:
    """The table of refusals has one line for each reason, in the order of the enum."""
    assert list(DeadLetterReason) == list(REFUSALS)


def test_every_exit_code_is_explained() -> None:
    """docs/operating.md has a line for each exit code."""
    codes = {0} | {v for k, v in vars(main).items() if k.startswith("EXIT_")}
    told = re.findall(r"^\| (\d+) \|", (ROOT / "docs/operating.md").read_text(), re.MULTILINE)

    assert codes == set(map(int, told))
