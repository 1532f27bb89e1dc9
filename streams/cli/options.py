"""Options that several verbs share, and how a configuration is found and opened."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from schemas.config import Config, Document, KafkaConfig, load_document
from schemas.errors import BrokerError, ConfigError
from streams.rules.load import load_rules
from streams.rules.rule import RuleGroup

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_FILE = "tocsin.yaml"

THREE_WAYS = (
    "no broker configured; name one of three: `--broker embedded` (in this process, forgets all at exit), "
    "`make kafka` and then `--broker 127.0.0.1:9092`, or your own (`kafka.bootstrap` in tocsin.yaml)"
)

with_config = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    default=None,
    help=f"Configuration file; default ${{TOCSIN_CONFIG}}, else ./{DEFAULT_FILE}, else the defaults.",
)
with_broker = click.option(
    "--broker",
    default=None,
    help="HOST:PORT of a Kafka broker, or 'embedded'; goes before kafka.bootstrap.",
)
with_output = click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print: for people or for scripts.",
)


def open_document(path: Path | None) -> Document:
    """The configuration that the user means.

    Raises:
        ConfigError: the file cannot be read, or has faults.

    """
    given = path or (Path(os.environ["TOCSIN_CONFIG"]) if "TOCSIN_CONFIG" in os.environ else None)
    if given is None:
        if not Path(DEFAULT_FILE).exists():
            return load_document("", DEFAULT_FILE)
        given = Path(DEFAULT_FILE)
    try:
        text = given.read_text()
    except OSError as error:
        raise ConfigError([f"{given}: cannot read the configuration: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{given}: not UTF-8 at byte {error.start}"]) from error
    return load_document(text, str(given))


def rule_files(document: Document) -> tuple[list[Path], list[str]]:
    """Rule files that the configuration names, sorted, and a problem for each pattern that finds none."""
    base = Path(document.name).parent
    files: list[Path] = []
    problems: list[str] = []
    for at, pattern in enumerate(document.config.rules):
        found = sorted(base.glob(pattern)) if not Path(pattern).is_absolute() else [Path(pattern)]
        if not any(f.exists() for f in found):
            line = document.line("rules", at)
            problems.append(
                f"{document.name}:{line}: rules: no file {pattern!r} beside the configuration"
            )
        files += [f for f in found if f not in files]
    return files, problems


def open_rules(document: Document) -> list[RuleGroup]:
    """Rule groups of a configuration.

    Raises:
        ConfigError: a file is missing or has faults; all of them are named.

    """
    files, problems = rule_files(document)
    groups, faults = load_rules([f for f in files if f.exists()])
    if problems or faults:
        raise ConfigError(problems + faults)
    return groups


def choose_broker(config: Config, broker: str | None) -> KafkaConfig:
    """Section `kafka` with the broker that the command line names.

    Raises:
        BrokerError: neither names one.

    """
    bootstrap = broker or config.kafka.bootstrap
    if not bootstrap:
        raise BrokerError(THREE_WAYS)
    return config.kafka.model_copy(update={"bootstrap": bootstrap})
