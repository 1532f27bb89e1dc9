"""Series notation: `name{a="b"} 1 _ stale 0+10x3`, as in promtool's test files.

`load_lines` cuts a whole test's input into lines as promtool does; `read_line` gives a label set and its values, NaN
with `there` false where a sample is left out. Steps are added one after the other, as Prometheus does, so that sums
have the same last digit.

Native histograms stand in double braces; `h+hx3` adds one again and again.
Refuses what Prometheus's parser refuses, as `line:column: parse error: what`.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

import msgspec
import numpy as np

from detectors.base import BoolArray, FloatArray
from schemas.errors import RuleError
from schemas.histograms import NativeHistogram, parse_histogram
from schemas.labels import METRIC, Labels, make_labels
from schemas.samples import STALE_BITS
from streams.rules.native.arithmetic import IncompatibleError, added
from streams.rules.promtest.suite import InputSeries
from streams.rules.template.gofmt import quote

MOST_VALUES = 10_000_000
"""Of one item of a series; more is a slip of the pen that would fill the memory."""

MOST_HISTOGRAMS = 100_000

STALE = float(np.array([STALE_BITS], np.int64).view(np.float64)[0])

_DIGITS = r"\d+(?:_\d+)*"
_NUMBER = (
    rf"(?:(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:[eE][-+]?{_DIGITS})?"
    r"|(?i:inf|nan)(?![A-Za-z0-9_:]))"
)
_ITEM = re.compile(
    rf"""(?:
      (?P<blank>_)
    | (?P<stale>stale)(?![A-Za-z0-9_:])
    | (?P<start>[-+]?{_NUMBER})(?P<step>[-+]{_NUMBER}(?=x))?
    | (?P<histogram>\{{\{{.*?\}}\}})(?P<sign>[-+](?=\{{\{{))?(?P<second>(?<=[-+])\{{\{{.*?\}}\}})?
    )(?:x(?P<times>\d+))?(?=\s|$)""",
    re.VERBOSE,
)
_HISTOGRAM_ITEM = re.compile(
    r"(?:(?:schema|offset|n_offset):-?\d+|(?:sum|count|z_bucket):[-+]?[^\s\[\]]+|z_bucket_w:[^\s\[\]]+"
    r"|(?:buckets|n_buckets|custom_values):\[[^\]]*\]|counter_reset_hint:(?:unknown|reset|not_reset|gauge))"
)
_NAME = re.compile(r"\s*([A-Za-z_:][A-Za-z0-9_:]*)?")
_TEXT = r"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)"""
_PAIR = re.compile(
    rf"\s*(?:([A-Za-z_][A-Za-z0-9_]*|{_TEXT})\s*=\s*({_TEXT})|({_TEXT}))\s*(,|(?=\}}))"
)
_UNFINISHED = re.compile(rf"\s*(?:[A-Za-z_][A-Za-z0-9_]*\s*(?:=\s*(?:{_TEXT}\s*)?)?)?")


class Written(NamedTuple):
    """A series as it was written: values float64[n], which of them are there, bool[n], and histograms by position."""

    labels: Labels
    values: FloatArray
    there: BoolArray
    histograms: dict[int, NativeHistogram]


class Line(NamedTuple):
    """One line of a test's input: its number as promtool counts, the text, and the line of the file."""

    number: int
    text: str
    file_line: int


def load_lines(series: Iterable[InputSeries]) -> list[Line]:
    """Lines with a series; promtool stops at the first empty one, which a block text's last newline makes."""
    lines: list[Line] = []
    number = 1
    for each in series:
        for part in f"  {each.series} {each.values}".split("\n"):
            number += 1
            text = part.strip()
            if not text or text.startswith("#"):
                return lines
            lines.append(Line(number, text, each.line))
    return lines


def read_line(line: Line) -> Written:
    """Label set and values of one line.

    Raises:
        RuleError: it is not in series notation.

    """
    try:
        labels, at = _read_labels(line.text)
        return _read_values(labels, line, at)
    except _NotationError as fault:
        raise RuleError(f"{line.number}:{fault.at + 1}: parse error: {fault}") from fault


def read_histogram(text: str) -> NativeHistogram:
    """The histogram of a literal.

    Raises:
        RuleError: it is none.

    """
    try:
        return _histogram(text.strip(), 3)
    except _NotationError as fault:
        raise RuleError(f"1:{fault.at + 1}: parse error: {fault}") from fault


def read_metric(text: str) -> Labels:
    """Label set of `name{a="b"}`; of nothing, the empty one.

    Raises:
        RuleError: it is none.

    """
    try:
        labels, at = _read_labels(text)
    except _NotationError as fault:
        raise RuleError(f"1:{fault.at + 1}: parse error: {fault}") from fault
    if text[at:].strip():
        raise RuleError(f"1:{at + 1}: parse error: unexpected {quote(text[at:].strip())} in metric")
    return labels


class _NotationError(Exception):
    def __init__(self, what: str, at: int) -> None:
        super().__init__(what)
        self.at = at


def _read_labels(text: str) -> tuple[Labels, int]:
    found = _NAME.match(text)
    assert found is not None, "it matches the empty text"
    name, at = found[1] or "", found.end()
    pairs = {METRIC: name}
    rest = re.compile(r"\s*\{(?!\{)").match(text, at)
    if rest is None:
        if not name and text.strip():
            raise _NotationError(f"unexpected character: {text.strip()[0]!r}", at)
        return make_labels(pairs), at
    at, closed = rest.end(), False
    while not closed:
        end = re.compile(r"\s*\}").match(text, at)
        if end is not None:
            at, closed = end.end(), True
            continue
        pair = _PAIR.match(text, at)
        if pair is None:
            begun = _UNFINISHED.match(text, at)
            at = begun.end() if begun else at
            what = f"unexpected character inside braces: {text[at : at + 1]!r}"
            if at == len(text):
                what = "unexpected end of input inside braces"
            raise _NotationError(what, at)
        if pair[3] is not None:
            pairs[METRIC] = _unquote(pair[3])
        else:
            label = pair[1] if pair[1][0] not in "\"'`" else _unquote(pair[1])
            pairs[label] = _unquote(pair[2])
        at = pair.end()
    return make_labels(pairs), at


def _unquote(text: str) -> str:
    if text[0] == "`":
        return text[1:-1]
    inner = text[1:-1].replace("\\'", "'") if text[0] == "'" else text[1:-1].replace('\\"', '"')
    try:
        return msgspec.json.decode('"' + inner.replace('"', '\\"') + '"', type=str)
    except msgspec.DecodeError:
        return inner


def _read_values(labels: Labels, line: Line, at: int) -> Written:
    parts: list[FloatArray] = [np.zeros(0)]
    there: list[BoolArray] = [np.zeros(0, np.bool_)]
    histograms: dict[int, NativeHistogram] = {}
    text, size = line.text, 0
    while True:
        while at < len(text) and text[at] in " \t":
            at += 1
        if at == len(text):
            break
        item = _ITEM.match(text, at)
        if item is None:
            raise _NotationError(_what_is_wrong(text[at:]), at)
        if item["histogram"]:
            found = _histograms(item, at)
            histograms |= {size + k: each for k, each in enumerate(found)}
            values = np.zeros(len(found))
        else:
            values = _values(item, at)
        parts.append(values)
        there.append(np.full(len(values), item["blank"] is None))
        size += len(values)
        at = item.end()
    return Written(labels, np.concatenate(parts), np.concatenate(there), histograms)


def _histograms(item: re.Match[str], at: int) -> list[NativeHistogram]:
    first = _histogram(item["histogram"], at)
    times = int(item["times"] or 0)
    if times > MOST_HISTOGRAMS:
        raise _NotationError(f"more than {MOST_HISTOGRAMS} histograms", at)
    if not item["second"]:
        return [first] * (times + 1)
    step, sign = (
        _histogram(item["second"], item.start("second")),
        -1.0 if item["sign"] == "-" else 1.0,
    )
    found = [first]
    for _ in range(times):
        if found[-1].schema > step.schema:
            what = f"cannot merge from schema {step.schema} to {found[-1].schema}"
            raise _NotationError(f"error combining histograms: {what}", at)
        try:
            found.append(added(found[-1], step, sign))
        except IncompatibleError as error:
            raise _NotationError(f"error combining histograms: {error}", at) from error
    return found


def _histogram(word: str, at: int) -> NativeHistogram:
    left = word[2:-2].rstrip()
    while left.lstrip():
        found = _HISTOGRAM_ITEM.match(left.lstrip())
        if found is None:
            name = re.split(r"[\s:]", left.lstrip())[0]
            place = at + word.rindex(left.lstrip())
            raise _NotationError(f"bad histogram descriptor found: {quote(name)}", place)
        left = left.lstrip()[found.end() :]
    try:
        return parse_histogram(word)
    except ValueError as error:
        raise _NotationError(str(error), at) from error


def _values(item: re.Match[str], at: int) -> FloatArray:
    times = int(item["times"]) if item["times"] is not None else None
    if times is not None and times > MOST_VALUES:
        raise _NotationError(f"more than {MOST_VALUES} values", at)
    if item["blank"]:
        return np.full(1 if times is None else times, np.nan)
    start = STALE if item["stale"] else _number(item["start"])
    values = np.full(1 if times is None else times + 1, start)
    if item["step"]:
        values[1:] = _number(item["step"])
        np.add.accumulate(values, out=values)
    return values


def _number(word: str) -> float:
    # Prometheus reads a whole number as Go does, where a leading 0 means octal
    if re.fullmatch(r"[-+]?0[0-7]+", word):
        return float(int(word, 8))
    return float(word)


def _what_is_wrong(rest: str) -> str:
    name = re.match(r"[A-Za-z_:][A-Za-z0-9_:]*", rest)
    if name is not None:
        return (
            f'unexpected identifier {quote(name[0])} in series values, expected number or "stale"'
        )
    if not re.match(r"[-+.\dx_{]", rest):
        return f"unexpected character in series sequence: {rest[0]!r}"
    return f"unexpected {quote(rest.split(maxsplit=1)[0])} in series values"
