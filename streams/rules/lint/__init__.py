"""Finds usual mistakes in rules that load: what Prometheus accepts, and nobody wants."""

from streams.rules.lint.finding import CODES, Finding, Level
from streams.rules.lint.lint import lint_files, lint_text

__all__ = ["CODES", "Finding", "Level", "lint_files", "lint_text"]
