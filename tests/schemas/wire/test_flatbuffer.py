"""What the header of an Arrow message announces."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.wire.flatbuffer import Announced, announced
from tests.schemas.wire.test_arrow import FORMS, stream


def headers(value: bytes) -> list[bytes]:
    """Headers of the messages of a stream."""
    return [m.metadata.to_pybytes() for m in pa.ipc.MessageReader.open_stream(pa.py_buffer(value))]


@pytest.mark.parametrize(
    ("compression", "compressed"), [(None, False), ("lz4", True), ("zstd", True)]
)
def test_rows_and_compression_are_seen(compression: str | None, compressed: bool) -> None:
    """Dictionaries and batches tell their rows, and whether their bodies are compressed; the schema has none."""
    value = stream(FORMS["dictionaries"], compression=compression)

    # two dictionaries, of one metric and of two services, then a batch of two samples
    assert [None, *(Announced(rows, compressed) for rows in (1, 2, 2))] == [
        announced(header) for header in headers(value)
    ]


@given(
    st.sampled_from(headers(stream(FORMS["map of dictionaries"]))), st.integers(0, 400), st.binary()
)
def test_a_damaged_header_is_read_or_refused(header: bytes, at: int, damage: bytes) -> None:
    """Whatever stands in a header, it announces something or is a ValueError."""
    damaged = header[:at] + damage + header[at + len(damage) :]
    try:
        found = announced(damaged)
    except ValueError as error:
        assert "cut off" in str(error)  # noqa: PT017  raised for some damage only
    else:
        assert found is None or isinstance(found.rows, int)
