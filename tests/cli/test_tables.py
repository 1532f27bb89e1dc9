import pytest

from streams.cli.tables import count, print_json, print_table


def test_plain_columns_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Columns are as wide as their longest cell, and no line ends in blanks."""
    print_table(("a", "bb"), [("long", ""), ("x", "y")], title="t")

    assert "t\na     bb\nlong\nx     y\n" == capsys.readouterr().out


def test_cells_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A label's value with line ends and escape codes is shown without them."""
    print_table(("a",), [("x\n\x1b[31my\r",)])

    assert "a\nx  [31my\n" == capsys.readouterr().out


def test_markup_of_users_is_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal too, what stands in brackets is what a user wrote and no colour."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    print_table(("a",), [("[red]x[/red]",)])

    assert "[red]x[/red]" in capsys.readouterr().out


def test_json_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """So that a script can read line by line."""
    print_json({"a": [1, "é"]})

    assert '{"a":[1,"é"]}\n' == capsys.readouterr().out


@pytest.mark.parametrize(("number", "words"), [(0, "0 rules"), (1, "1 rule"), (2, "2 rules")])
def test_numbers_are_told_in_words(number: int, words: str) -> None:
    """One is not many."""
    assert words == count(number, "rule")
