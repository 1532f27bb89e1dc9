"""A small OpenTelemetry Collector, OTLP in and Kafka out, of the source beside and of Go's modules."""

import hashlib
import shutil
from pathlib import Path

from deploy.go import Program, go

SOURCES = Path(__file__).resolve().parent
FOLDER = SOURCES.parents[1] / ".otel"
MAIN = "main.go"
_CORE, _STABLE = "v0.155.0", "v1.61.0"
MODULES = (
    f"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/kafkaexporter@{_CORE}",
    f"go.opentelemetry.io/collector/otelcol@{_CORE}",
    f"go.opentelemetry.io/collector/receiver/otlpreceiver@{_CORE}",
    f"go.opentelemetry.io/collector/service@{_CORE}",
    f"go.opentelemetry.io/collector/confmap/provider/fileprovider@{_STABLE}",
)
"""The newest version of the exporter that the module proxy has whole, and what goes with it."""


def _make(folder: Path, part: Path) -> None:
    module = folder / "module"
    shutil.rmtree(module, ignore_errors=True)
    module.mkdir()
    shutil.copy(SOURCES / MAIN, module)
    go(["mod", "init", COLLECTOR.name], module)
    go(["get", *MODULES], module)
    go(["mod", "tidy"], module)
    go(["build", "-o", str(part), "."], module)


def _stamp() -> str:
    main = (SOURCES / MAIN).read_bytes()
    return hashlib.sha256(main + " ".join(MODULES).encode()).hexdigest()


COLLECTOR = Program("collector", _stamp(), _make)
