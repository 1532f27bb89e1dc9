"""Templates: what is masked, and what is bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import CheckpointError
from schemas.wire.otlp.templates import (
    MASK,
    MOST_CHILDREN,
    MOST_SERVICES,
    MOST_TEMPLATES,
    OTHER,
    Templates,
)

LINES = {
    "order 4711 paid in 31 ms": "order <*> paid in <*> ms",
    "GET /cart/42 from 10.0.0.1:9100": "GET <*> from <*>",
    "mail to ann@example.com bounced": "mail to <*> bounced",
    'level=info msg="it is done" id=ab': "level=<*> msg=<*> id=<*>",
    "user 'ann b' not found": "user <*> not found",
    "trace 0af7651916cd43dd8448eb211c80319c": "trace <*>",
    "first line\nsecond line": "first line",
    "": "",
}


@pytest.mark.parametrize(("line", "wanted"), LINES.items())
def test_what_differs_by_rule_is_masked(line: str, wanted: str) -> None:
    """Numbers, addresses, ids, quoted texts and values leave nothing behind but their place."""
    assert wanted == Templates().find("cart", line).rpartition(" #")[0]


def test_lines_that_differ_in_numbers_are_of_one_template() -> None:
    """The id is that of the whole template, which may be longer than what is shown."""
    templates = Templates()
    long = "word " * 20

    assert templates.find("s", f"{long} a 1") == templates.find("s", f"{long} a 2")
    assert templates.find("s", f"{long} a 1") != templates.find("s", f"{long} b 1")


def test_words_of_which_there_are_too_many_are_masked() -> None:
    """The first few names keep templates of their own, all further ones share one."""
    templates = Templates()
    names = [chr(ord("a") + n) * 3 for n in range(MOST_CHILDREN + 5)]
    found = [templates.find("s", f"{name} logged in") for name in names]

    assert MOST_CHILDREN + 1 == len(set(found))
    assert found[-1].startswith(f"{MASK} logged in #")
    assert found == [templates.find("s", f"{name} logged in") for name in names]


def test_a_service_has_only_so_many_templates() -> None:
    """What comes after them is other, and takes nothing from other services."""
    templates = Templates()
    words = "abcdefgh"
    found = {templates.find("s", f"{a} {b} {c}") for a in words for b in words for c in words}

    assert MOST_TEMPLATES + 1 == len(found)
    assert OTHER in found
    assert OTHER != templates.find("t", "a b c")


def test_there_are_only_so_many_services() -> None:
    """Services beyond them have one template."""
    templates = Templates()
    for number in range(MOST_SERVICES):
        templates.find(f"s{number}", "x")

    assert OTHER == templates.find("one more", "x")
    assert OTHER != templates.find("s0", "x")


@given(st.lists(st.text("ab 1", max_size=9), max_size=30), st.integers(0, 30))
def test_a_restart_changes_no_template(lines: list[str], cut: int) -> None:
    """Templates hang on the lines before, and those outlive a checkpoint."""
    whole, first, second = Templates(), Templates(), Templates()
    wanted = [whole.find("s", line) for line in lines]
    found = [first.find("s", line) for line in lines[:cut]]
    second.restore(first.snapshot())

    assert wanted == found + [second.find("s", line) for line in lines[cut:]]


def test_a_checkpoint_that_is_none_is_refused() -> None:
    """With an error of its own."""
    with pytest.raises(CheckpointError):
        Templates().restore({})
