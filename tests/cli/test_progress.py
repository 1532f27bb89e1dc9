import pytest

from streams.cli.progress import show_count, show_share


def test_progress_is_for_terminals(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody watches, nothing is drawn, not even its end."""
    for show in (show_count, show_share):
        with show() as shown:
            shown.add_task("reading", total=None)

    assert ("", "") == capsys.readouterr()


def test_on_a_terminal_it_is_drawn_on_stderr(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a verb prints stays clean for whoever reads its stdout."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with show_count() as shown:
        shown.add_task("reading", total=None)

    out, err = capsys.readouterr()
    assert ("", True) == (out, "reading" in err)
