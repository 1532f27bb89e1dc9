"""Records of files: a recorded topic, one record a line, one record a file, or a table of samples.

What a file is, its beginning tells: a recording by its keys, ours or that of `kcat -C -J`; else lines that are records
of a format; else the whole file is one; else it is CSV or JSON lines with a column of times, as `tocsin backtest` reads
them; else its lines are taken for records, whatever they are.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, pairwise
from pathlib import Path

import msgspec

from schemas.errors import ConfigError
from streams.inspect.guess import UNTOLD, Guess
from streams.produce.columns import Columns
from streams.replay.pipeline import Recorded
from streams.replay.sources import is_recording, open_files

LINES_TOLD = 20
"""So many lines are looked at to tell what a file is."""


class _Kcat(msgspec.Struct):
    """A line of `kcat -J`; `ts` is the record's time in ms, `headers` are names and values in turn."""

    topic: str
    payload: str | None
    ts: int
    partition: int = 0
    offset: int | None = None
    headers: list[str | None] = []


_decode_kcat = msgspec.json.Decoder(_Kcat).decode
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def open_records(
    paths: Sequence[Path], topic: str, guess: Guess
) -> tuple[Iterator[Recorded], bool]:
    """Records of all files, and whether they have times of their own.

    Raises:
        ConfigError: a file cannot be read; names file and line.

    """
    if all(_is_kcat(path) for path in paths):
        return chain.from_iterable(map(_kcat, paths)), True
    if any(is_recording(path) for path in paths) or not all(_is_raw(path, guess) for path in paths):
        records = open_files(paths, topic, Columns())
        try:
            first = list(islice(records, 1))
        except ConfigError:
            if any(is_recording(path) for path in paths):
                raise
        else:
            return chain(first, records), True
    values = chain.from_iterable(_values(path, guess) for path in paths)
    return (Recorded(topic, 0, at, 0, value) for at, value in enumerate(values)), False


def is_recorded(path: Path) -> bool:
    """Whether a file holds records of a topic with their places and times."""
    return is_recording(path) or _is_kcat(path)


def _is_kcat(path: Path) -> bool:
    return any(True for _ in _kcat_lines(_head(path)[:1]))


def _kcat_lines(lines: Iterable[bytes]) -> Iterator[_Kcat]:
    for line in lines:
        try:
            yield _decode_kcat(line)
        except _UNREADABLE:
            continue


def _kcat(path: Path) -> Iterator[Recorded]:
    with path.open("rb") as file:
        for number, line in enumerate(_lines(file), start=1):
            try:
                found = _decode_kcat(line)
            except _UNREADABLE as error:
                raise ConfigError([f"{path}:{number}: no line of kcat -J: {error}"]) from error
            value = None if found.payload is None else found.payload.encode()
            headers = tuple(
                (name or "", (text or "").encode())
                for at, (name, text) in enumerate(pairwise(found.headers))
                if at % 2 == 0
            )
            offset = number - 1 if found.offset is None else found.offset
            yield Recorded(found.topic, found.partition, offset, found.ts, value, headers)


def _is_raw(path: Path, guess: Guess) -> bool:
    """Whether a file's lines, or the file as a whole, are records of a format."""
    return _mostly_told(_head(path), guess) or _is_told(path.read_bytes(), guess)


def _values(path: Path, guess: Guess) -> Iterator[bytes]:
    if not _mostly_told(_head(path), guess) and _is_told(path.read_bytes(), guess):
        yield path.read_bytes()
        return
    with path.open("rb") as file:
        yield from _lines(file)


def _head(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        return list(islice(_lines(file), LINES_TOLD))


def _lines(file: Iterable[bytes]) -> Iterator[bytes]:
    return (stripped for line in file if (stripped := line.rstrip(b"\r\n")))


def _mostly_told(lines: Sequence[bytes], guess: Guess) -> bool:
    return 2 * sum(_is_told(line, guess) for line in lines) > len(lines)


def _is_told(value: bytes, guess: Guess) -> bool:
    """Whether a format claims these bytes, and they are not just the beginning of JSON that goes on behind them."""
    if guess.tell(value)[0] == UNTOLD:
        return False
    if value.lstrip()[:1] not in (b"{", b"["):
        return True
    try:
        msgspec.json.decode(value)
    except _UNREADABLE:
        return False
    return True
