"""Asking: decoders that need to know a schema before they can read a record, and the answers that they get.

A decoder has no I/O: it says what it wants to know of a chunk, whoever drives it finds that out and tells it, and only
then has it decode. So a registry that is down holds a chunk back and makes no dead letter.

An id that was asked for in vain is an answer too: what needs it is refused.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from schemas.records import Headers


class Schema(NamedTuple):
    """A schema as a registry has it.

    Attributes:
        kind: `AVRO`, `JSON` or `PROTOBUF`.
        text: the schema itself.
        references: the schemas that it names, each before those that name it.

    """

    kind: str
    text: str
    references: tuple[str, ...] = ()


class Nothing(NamedTuple):
    """There is no such schema, or none that can be had; why."""

    detail: str


Answers = Mapping[int, Schema | Nothing]


@runtime_checkable
class Asking(Protocol):
    """A decoder that needs schemas."""

    def wanted(
        self, values: Sequence[bytes | None], headers: Sequence[Headers] | None = None
    ) -> set[int]:
        """Ids of schemas that these records need and that it does not know."""
        ...

    def learn(self, answers: Answers) -> None:
        """Take in what was found out."""
        ...
