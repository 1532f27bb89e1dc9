"""Parts: a measurement cut into parts that processes share out, each told when it has ended.

A part is a function of a module and a few words, so that it can be sent to another process, and so can its answer. With
one process all happens in this one.

Refuses to keep anything for the next run.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any, NamedTuple


class Part(NamedTuple):
    """What is done, and with which words; `key` is its own."""

    key: str
    work: Callable[..., Any]
    words: tuple[object, ...] = ()


def done(parts: Sequence[Part], processes: int) -> Iterator[tuple[str, Any]]:
    """Answers by key, as the parts end; they begin in the order given, so the long ones should be first."""
    if processes == 1:
        for part in parts:
            yield part.key, part.work(*part.words)
        return
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        futures = {pool.submit(part.work, *part.words): part.key for part in parts}
        for future in as_completed(futures):
            yield futures[future], future.result()
