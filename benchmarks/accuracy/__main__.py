"""`python -m benchmarks.accuracy --data DIR`: the accuracy of detection and of causes, one shipped configuration.

The figures go to benchmarks/accuracy.json, key by key, and what else is in there stays. A set that is not in DIR is
skipped, loudly. The exit code is 1 where a floor of the causes is missed; a target of detection that is missed is told.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table as Screen

from benchmarks.accuracy import boutique, petshop, report
from benchmarks.accuracy.trial import Score, Trial, score, spread_over_halves

OUTPUT = Path(__file__).parent.parent / "accuracy.json"
SETS: dict[str, Callable[[Path], Iterator[Trial]]] = {
    petshop.NAME: petshop.trials,
    boutique.NAME: boutique.trials,
}
ORIGINS = {
    petshop.NAME: "github.com/amazon-science/petshop-root-cause-analysis (CC-BY-4.0)",
    boutique.NAME: "github.com/IntelligentDDS/Nezha (MIT), day 2022-08-22",
}
FLOORS: dict[tuple[str, str, bool, bool], dict[str, float]] = {
    ("petshop", "own alarm", True, True): {"ac1": 0.66, "ac3": 0.94, "avg5": 0.89},
    ("boutique", "true time", True, False): {"avg5": 0.71},
}
"""What must be reached at least, to two digits: the best prototype's figures."""
WIDE = 140
MISSED = "MISSED"


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder with the sets.")
@click.option("--output", type=click.Path(path_type=Path), default=OUTPUT, show_default=True)
@click.option(
    "--only", type=click.Choice(["detection", "causes"]), help="One half; without it, both."
)
@click.option(
    "--processes",
    type=click.IntRange(1),
    default=os.cpu_count(),
    show_default="processors",
    help="Processes that share the work.",
)
def main(data: Path | None, output: Path, only: str | None, processes: int) -> None:
    """Measure how well detectors detect, and how often the true cause is among the first named."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDE)
    if only != "causes" and (results := report.measure(data, console, processes)):
        _keep(output, results)
    if only != "detection":
        _causes(data, output, console)


def _keep(output: Path, results: Mapping[str, Mapping[str, object]]) -> None:
    kept = json.loads(output.read_text()) if output.exists() else {}
    output.write_text(json.dumps(kept | dict(results), indent=2, sort_keys=True) + "\n")


def _causes(data: Path | None, output: Path, console: Console) -> None:
    screen = Screen(
        "set", "trials", "time", "graph", "symptom", "AC@1 AC@3 Avg@5", "halves", "at least", ""
    )
    results: dict[str, dict[str, float | str]] = {}
    for name, trials in SETS.items():
        path = _find(data, name)
        if path is None:
            console.print(
                f"SKIPPED {name}: not in {data or '--data DIR'}; it comes from {ORIGINS[name]}"
            )
            continue
        results |= _measure(name.partition(".")[0], list(trials(path)), console, screen)
    if not results:
        return
    console.print(screen)
    _keep(output, results)
    if any(result.get("met") == MISSED for result in results.values()):
        raise SystemExit(1)


def _find(data: Path | None, name: str) -> Path | None:
    if data is None:
        return None
    return next(
        (p for p in (data / name, data / name.partition(".")[0] / name) if p.exists()), None
    )


def _measure(
    name: str, trials: list[Trial], console: Console, screen: Screen
) -> dict[str, dict[str, float | str]]:
    found: dict[str, dict[str, float | str]] = {}
    given = (True, False) if any(t.symptom for t in trials) else (False,)
    modes = [(own, graph, s) for own in (True, False) for graph in (True, False) for s in given]
    for own, graph, symptom in track(modes, name, console=console):
        places = [t.place(own_alarm=own, graph=graph, symptom=symptom) for t in trials]
        time = "own alarm" if own else "true time"
        for group, chosen in _groups(trials).items():
            part = [places[i] for i in chosen]
            result = score(part)
            low, high = spread_over_halves(part)
            floor = FLOORS.get((name, time, graph, symptom), {}) if _judged(name, group) else {}
            verdict = _verdict(result, floor)
            told = ("graph" if graph else "no graph", "symptom" if symptom else "no symptom")
            key = ".".join((name, group, time, *told))
            found[f"causes.{key.replace(' ', '_')}"] = {
                **{k: round(v, 4) for k, v in asdict(result).items()},
                "halves_low": round(low, 4),
                "halves_high": round(high, 4),
                "command": "python -m benchmarks.accuracy --data DIR",
            } | ({"met": verdict} if verdict else {})
            screen.add_row(
                f"{name}: {group}",
                str(result.trials),
                time,
                "yes" if graph else "no",
                "given" if symptom else "no",
                str(result),
                f"{low:.2f} to {high:.2f}",
                ", ".join(f"{what} {least}" for what, least in floor.items()),
                verdict,
            )
    return found


def _groups(trials: list[Trial]) -> dict[str, list[int]]:
    """Numbers of all trials, and of those of each kind."""
    groups = {"all": list(range(len(trials)))}
    for number, trial in enumerate(trials):
        groups.setdefault(trial.kind, []).append(number)
    return groups


def _judged(name: str, group: str) -> bool:
    return group == {"petshop": "all", "boutique": "resources and network"}[name]


def _verdict(found: Score, floor: dict[str, float]) -> str:
    """Whether a score reaches its floor, to two digits as the floor has; empty without one."""
    if not floor:
        return ""
    reached = all(round(getattr(found, what), 2) >= least for what, least in floor.items())
    return "met" if reached else MISSED


if __name__ == "__main__":
    main()
