import re
import subprocess
import sys
from pathlib import Path

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
    program = (
        "import streams.compile_ahead as ahead; print(*(e.module for e in ahead.Lazily.every))"
    )
    # a process of its own: what other tests have imported must not count
    known = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert len(named) >= 5
    assert named <= set(known.stdout.split())
