import re
from pathlib import Path

from schemas.compiled import Lazily
from streams import compile_ahead

ROOT = Path(__file__).parents[2]
MADE = re.compile(r'= Lazily\[[^"]*?\(\s*"([a-z_.]+)"', re.DOTALL)


def test_all_that_is_compiled_can_be_compiled_ahead() -> None:
    """Each module that some file of the packages loads lazily is known to `streams.compile_ahead`."""
    texts = [
        file.read_text()
        for room in ("schemas", "detectors", "streams", "sinks")
        for file in (ROOT / room).rglob("*.py")
    ]
    named = {module for text in texts for module in MADE.findall(text)}
    assert compile_ahead.main is not None
    assert len(named) >= 5
    assert named <= {each.module for each in Lazily.every}
