"""Telegraf with its inputs for a host and its output for Kafka, from Go's modules.

Its own module with its own `go.sum` is built, so the versions of all that it needs are those of its makers.
"""

import json
import shutil
import tempfile
from pathlib import Path

from deploy.go import Program, go

VERSION = "v1.37.2"
MODULE = "github.com/influxdata/telegraf"
PLUGINS = (
    *(f"inputs.{name}" for name in ("cpu", "file", "internal", "mem", "net")),
    *("outputs.file", "outputs.kafka", "parsers.influx", "parsers.json"),
    *("serializers.influx", "serializers.json"),
)
FOLDER = Path(__file__).resolve().parents[2] / ".telegraf"
_FLAGS = "-buildvcs=false"


def _make(_folder: Path, part: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="tocsin-telegraf-") as work:
        wanted = ["mod", "download", "-json", f"{MODULE}@{VERSION}"]
        found = json.loads(go(wanted, Path(work), _FLAGS))
        sources = Path(work) / "sources"
        # the module cache is read-only, and so would a copy of its modes be
        shutil.copytree(found["Dir"], sources, copy_function=shutil.copyfile)
        for path in (sources, *sources.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        tags = ",".join(("custom", *PLUGINS))
        go(["build", "-tags", tags, "-o", str(part), "./cmd/telegraf"], sources, _FLAGS)


TELEGRAF = Program("telegraf", f"{VERSION} {','.join(PLUGINS)}", _make)
