"""What the demo's tests may ask for: a headless Chromium, and one loud line where there is none.

Refuses to skip it in CI: with CI=true in the environment its absence is a failure.
"""

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
NO_CHROMIUM = "no Chromium"


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is not None:
        return found
    reason = f"{NO_CHROMIUM}: none of {', '.join(NAMES)} is installed"
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI needs a browser: {reason}", pytrace=False)
    pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what a machine without a browser has not seen."""
    skipped = [
        report.longrepr[2]
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple) and NO_CHROMIUM in report.longrepr[2]
    ]
    if skipped:
        line = f"!!! {len(skipped)} TESTS IN A BROWSER SKIPPED: no Chromium is installed !!!"
        terminalreporter.write_line(line, red=True, bold=True)
