"""Options that several verbs share, and how a configuration and its rules are found and opened."""

import glob
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from schemas.config import Document, read_document
from schemas.errors import ConfigError
from streams.cli.heeding import heed
from streams.rules.load import load_rules
from streams.rules.partial.split import find_unsplittable
from streams.rules.rule import RuleGroup

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_FILE = "tocsin.yaml"

IN_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


class OutFile(click.Path):
    """A file to be written: told at once, and not after the work is done, that it cannot be."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, writable=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.parent.is_dir():
            self.fail(f"{path}: there is no folder {path.parent}", param, ctx)
        if not path.exists() and not os.access(path.parent, os.W_OK):
            self.fail(f"{path}: the folder {path.parent} cannot be written to", param, ctx)
        return path


with_config = click.option(
    "--config",
    "config_path",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default=None,
    help=f"Configuration; default ${{TOCSIN_CONFIG}}, else ./{DEFAULT_FILE}, else the defaults.",
)
with_output = click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print: for people or for scripts.",
)


def with_columns(command: F) -> F:
    """Options that name the columns of a table."""
    for name in ("value", "time"):
        command = click.option(
            f"--{name}",
            f"{name}_column",
            metavar="COLUMN",
            default=None,
            help=f"Column with the {name}; guessed when not given.",
        )(command)
    return command


def config_file(path: Path | None) -> Path | None:
    """The configuration file that the user means, None where there is none."""
    given = os.environ.get("TOCSIN_CONFIG")
    chosen = path or (Path(given) if given else None)
    if chosen is None and Path(DEFAULT_FILE).exists():
        return Path(DEFAULT_FILE)
    return chosen


def read_config(path: Path | None) -> tuple[Document, list[str]]:
    """What is sound of the configuration that the user means, and every fault of it.

    Raises:
        ConfigError: the file cannot be read, or is no YAML.

    """
    given = config_file(path)
    if given is None:
        return read_document("", DEFAULT_FILE)
    try:
        text = given.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError([f"{given}: cannot read the configuration: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{given}: not UTF-8 at byte {error.start}"]) from error
    return read_document(text, str(given))


def open_document(path: Path | None) -> Document:
    """The configuration that the user means.

    Raises:
        ConfigError: the file cannot be read, or has faults; all of them are named.

    """
    document, problems = read_config(path)
    if problems:
        raise ConfigError(problems)
    return document


def rule_files(document: Document) -> tuple[list[Path], list[str]]:
    """Rule files that the configuration names, and a problem for each pattern that finds none."""
    base = Path(document.name).parent
    files: dict[Path, None] = {}
    problems: list[str] = []
    for at, pattern in enumerate(document.config.rules):
        found = sorted(glob.glob(str(base / pattern), recursive=True))  # noqa: PTH207  takes absolute patterns too
        if not found:
            line = document.line("rules", at)
            problems.append(
                f"{document.name}:{line}: rules: no file {pattern!r} beside the configuration"
            )
        files |= dict.fromkeys(map(Path, found))
    return list(files), problems


def check_rules(document: Document) -> tuple[list[RuleGroup], list[str]]:
    """Rule groups of a configuration, and every fault of their files."""
    files, problems = rule_files(document)
    groups, faults = load_rules(files)
    problems += faults
    groups, faults = heed(groups, document)
    problems += faults
    if "locality" not in document.unsound:
        problems += find_unsplittable(groups, document.config.locality)
    return groups, problems


def open_rules(document: Document) -> list[RuleGroup]:
    """Rule groups of a configuration.

    Raises:
        ConfigError: a file is missing or has faults; all of them are named.

    """
    groups, problems = check_rules(document)
    if problems:
        raise ConfigError(problems)
    return groups
