"""Sections `record` and `metrics`: where history goes and where our own figures can be read."""

from typing import Annotated

from pydantic import Field

from schemas.config.section import Section


class RecordConfig(Section):
    """SQLite file of the recorder."""

    path: str = "tocsin.db"


class MetricsConfig(Section):
    """Prometheus endpoint of the workers; port 0 means none."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 0
