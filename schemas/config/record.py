"""Sections `record` and `metrics`: where history goes and where our own figures can be read."""

from typing import Annotated

from pydantic import Field

from schemas.config.section import Duration, Section


class RecordConfig(Section):
    """SQLite file of the recorder.

    Attributes:
        path: relative to the working directory.
        retention: an ended incident stays for so long after its last change, with all that was said of it; 0: for ever.

    """

    path: str = "tocsin.db"
    retention: Duration = 34_560_000_000


class MetricsConfig(Section):
    """Prometheus endpoint of the workers; port 0 means none."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 0
