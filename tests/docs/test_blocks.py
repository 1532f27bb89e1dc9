import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from docs.records import RECORDS
from schemas.config import find_problems
from schemas.config.limits import LimitsConfig
from schemas.samples import decode_batch
from schemas.topics import TELEMETRY, all_topics
from schemas.wire.interner import Identity, Interner
from schemas.wire.native import NativeJson
from schemas.wire.registry import make_decoder
from streams.cli.main import main
from streams.rules.load import parse_rules
from tests.docs.conftest import ROOT, Block, blocks

COMMAND = re.compile(r"(?:^|[|&] |\$ )((?:\.venv/bin/)?tocsin .*|make demo .*)$", re.MULTILINE)
YAML, SHELL, JSON, PYTHON = (
    blocks("yaml"),
    blocks("sh", "console"),
    blocks("json"),
    blocks("python"),
)


def commands() -> list[tuple[str, str]]:
    """Every line that calls `tocsin`, also by `make demo ARGS=`, with where it stands."""
    found = []
    for block in SHELL:
        for line in COMMAND.findall(block.text):
            made = re.fullmatch(r'make demo ARGS="(.*)"', line)
            found.append((block.id, f"tocsin demo {made[1]}" if made else line))
    return found


@pytest.mark.parametrize(
    "block", [b for b in YAML if not b.text.startswith("rule_files:")], ids=lambda b: b.id
)
def test_yaml_is_sound(block: Block) -> None:
    """Every YAML block is a configuration or a rule file without a fault."""
    is_rules = block.text.startswith("groups:")
    problems = parse_rules(block.text, block.id)[1] if is_rules else find_problems(block.text, "x")

    assert [] == problems


def test_the_documented_tests_pass_on_the_documented_rules(tmp_path: Path) -> None:
    """The block that shows a test file, beside the first rules of the same page."""
    page = [b.text for b in YAML if b.document.name == "rules.md"]
    rules = next(text for text in page if text.startswith("groups:"))
    (tests,) = (text for text in page if text.startswith("rule_files:"))
    (tmp_path / "rules.yml").write_text(rules)
    (tmp_path / "tests.yml").write_text(tests)
    result = CliRunner().invoke(main, ["rules", "test", str(tmp_path / "tests.yml")])

    assert (0, "  SUCCESS\n\n", "") == (result.exit_code, result.stdout, result.stderr)


def test_the_readme_is_one_working_setting(tmp_path: Path) -> None:
    """The README's configuration and its rules, put side by side, pass `tocsin check`."""
    config, rules = (b.text for b in YAML if b.document.name == "README.md")
    (tmp_path / "tocsin.yaml").write_text(config)
    (tmp_path / "rules.yml").write_text(rules)
    result = CliRunner().invoke(main, ["check", "--config", str(tmp_path / "tocsin.yaml")])

    assert (0, "3 rules, all sound") == (result.exit_code, result.stdout.splitlines()[0])


@pytest.mark.parametrize(("where", "line"), commands())
def test_commands_are_known(where: str, line: str) -> None:
    """Every command exists, and its options and their values are known to it."""
    _, *words = shlex.split(line, comments=True)
    command: click.Command = main
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, f"{where}: no command {words[0]!r}"
        command, words = found, words[1:]
    context = click.Context(command, info_name=command.name)
    values, _, _ = command.make_parser(context).parse_args(words)
    for parameter in command.params:
        given = values.get(parameter.name or "")
        # what is not given is a mark of click's own
        if isinstance(given, str | tuple | list | bool) and not isinstance(
            parameter.type, click.Path
        ):
            parameter.type_cast_value(context, given)


@pytest.mark.parametrize("block", JSON, ids=lambda b: b.id)
def test_json_is_telemetry(block: Block) -> None:
    """Every JSON block is telemetry that `auto` tells, none of which is refused."""
    decoder = make_decoder("auto", LimitsConfig())
    columns = decoder.decode([block.text.encode()], Interner(Identity(), LimitsConfig()))

    assert [] == columns.refused
    assert len(columns.values)


def test_the_shell_line_sends_a_sample() -> None:
    """What `echo` prints in the README is native telemetry."""
    line = next(b.text for b in SHELL if "kcat" in b.text).rpartition("| kcat")[0]
    sent = subprocess.run(["bash", "-c", line], capture_output=True, check=True).stdout
    decoder = NativeJson(message_bytes=10_000, samples_per_message=10)
    columns = decoder.decode([sent], Interner(Identity(), LimitsConfig()))

    assert ([], [0.99]) == (columns.refused, columns.values.tolist())


@pytest.mark.embedded
def test_the_python_producer_runs() -> None:
    """The README's producer sends its samples to a broker, and says so."""
    pytest.importorskip("confluent_kafka")
    from confluent_kafka import Consumer

    from streams.transport.embedded import EmbeddedBroker

    text = next(b.text for b in PYTHON if b.document.name == "README.md" and "Producer(" in b.text)
    with EmbeddedBroker() as broker:
        broker.create_topics(t.name for t in all_topics())
        ours = text.replace("127.0.0.1:9092", broker.bootstrap)
        ran = subprocess.run(
            [sys.executable, "-c", ours],
            check=True,
            timeout=60,
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        reader = Consumer(
            {
                "bootstrap.servers": broker.bootstrap,
                "group.id": "test",
                "auto.offset.reset": "earliest",
            }
        )
        reader.subscribe([TELEMETRY])
        (message,) = reader.consume(1, timeout=30)
        reader.close()

    assert ran.stdout.startswith("Stats(sent=2, queued=0,")
    assert [0.99, 0.41] == decode_batch(message.value()).values.tolist()


@pytest.mark.parametrize("block", blocks("console"), ids=lambda b: b.id)
def test_printed_output_is_what_comes_out(block: Block, root: Path) -> None:
    """A block with a prompt shows, to the letter, what its command prints."""
    line, _, expected = block.text.partition("\n")
    _, *words = shlex.split(line.removeprefix("$ "))
    process = subprocess.run(
        [sys.executable, "-m", "streams.cli.main", *words],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
        env={k: v for k, v in os.environ.items() if k != "TOCSIN_CONFIG"},
    )

    assert expected == process.stdout


def test_every_record_is_described() -> None:
    """docs/topics.md names the schema of each record, beside its topic."""
    text = (ROOT / "docs/topics.md").read_text()

    assert [] == [
        name for name, (topic, _) in RECORDS.items() if f"| `{topic}` | [{name}.json]" not in text
    ]
