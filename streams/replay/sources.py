"""Sources of a backtest: a recording of a topic as it stood there, or any files that `produce replay` reads."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import msgspec

from schemas.errors import ConfigError
from streams.produce.columns import Columns
from streams.produce.refusal import ReplayError
from streams.produce.replay import read
from streams.replay.pipeline import Recorded


class _Line(msgspec.Struct):
    topic: str
    partition: int
    offset: int
    timestamp: int
    value: str | None


def is_recording(path: Path) -> bool:
    """Whether the first line of a file is a record of a recorded topic."""
    with path.open("rb") as file:
        try:
            msgspec.json.decode(file.readline(), type=_Line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return False
    return True


def recorded(path: Path) -> Iterator[Recorded]:
    """Records of a recording, in the order of the file.

    Raises:
        ConfigError: a line is none; names file and line.

    """
    decode = msgspec.json.Decoder(_Line).decode
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                found = decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise ConfigError([f"{path}:{number}: not a recorded record: {error}"]) from error
            value = None if found.value is None else found.value.encode()
            yield Recorded(found.topic, found.partition, found.offset, found.timestamp, value)


def open_files(paths: Sequence[Path], topic: str, columns: Columns) -> Iterator[Recorded]:
    """Records of the files: recordings one after the other, or else all other files merged by time.

    Raises:
        ConfigError: a file cannot be read, or recordings and other files are mixed; names file and line.

    """
    kinds = {is_recording(path) for path in paths}
    if len(kinds) > 1:
        raise ConfigError(["recordings of a topic and other files cannot be mixed in one backtest"])
    if kinds == {True}:
        yield from chain.from_iterable(map(recorded, paths))
        return
    try:
        for offset, record in enumerate(read(paths, columns)):
            yield Recorded(topic, 0, offset, record.timestamp_ms, record.value)
    except ReplayError as error:
        raise ConfigError([str(error)]) from error
