"""promtool and Prometheus, from Go's modules; both of one module, which other judges copy."""

from pathlib import Path

from deploy.go import Program, go

VERSION = "v0.315.0"  # Prometheus 3.15; its Go module counts from 0
PACKAGE = "github.com/prometheus/prometheus/cmd"
FOLDER = Path(__file__).resolve().parents[2] / ".prometheus"


def _program(name: str) -> Program:
    def make(folder: Path, part: Path) -> None:
        module, package = folder / "module", f"{PACKAGE}/{name}"
        module.mkdir(exist_ok=True)
        if not (module / "go.mod").is_file():
            go(["mod", "init", "judge"], module)
        go(["get", "-tool", f"{package}@{VERSION}"], module)
        # service discovery is most of the build, and no test needs it
        go(["build", "-tags", "remove_all_sd", "-o", str(part), package], module)

    return Program(name, VERSION, make)


PROMTOOL, PROMETHEUS = _program("promtool"), _program("prometheus")
