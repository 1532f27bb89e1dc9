"""Report: the tables of detection on the screen, and their figures by key.

Sets that are not in the folder are skipped, loudly; without any of them nothing is measured.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table as Screen

from benchmarks.accuracy import detection, groups, shop
from benchmarks.accuracy.alarms import ASKED
from benchmarks.accuracy.kinds import KINDS
from benchmarks.accuracy.online import Said, listen

COMMAND = "python -m benchmarks.accuracy --data DIR --only detection"
GROUP_DETECTORS = ("auto", "ewma", "pca")
Results = dict[str, dict[str, object]]


def measure(data: Path | None, console: Console) -> Results:
    """Measure detection, print every table, and return the figures by key."""
    for kind in KINDS:
        if data is None or detection.find(data, kind) is None:
            console.print(
                f"SKIPPED {kind.path}: not in {data or '--data DIR'}; it comes from {kind.origin}"
            )
    corpora = detection.read(data) if data is not None else {}
    if not corpora:
        return {}
    found: Results = {}
    said: dict[str, Said] = {}
    rows = Screen(
        "set", "detector", "1 a week", "best", "at", "found", "false in 10,000", "target", ""
    )
    length = len(detection.TABLE) * len(corpora)
    for key, result, heard in track(
        detection.table(corpora), "detectors", total=length, console=console
    ):
        name, _, title = key.partition(".")
        if title == "auto":
            said[name] = heard
        _add(rows, name, title, result)
        found[f"detection.{key}"] = _kept(result)
    console.print(rows)
    found |= _left_out(corpora, said, console)
    found |= _calibration(corpora, said, console)
    servers = next(kind for kind in KINDS if kind.name == "servers")
    path = None if data is None else detection.find(data, servers)
    if path is not None:
        found |= _groups(path, console)
    found |= _ablations(corpora, console)
    return found


def _kept(result: Mapping[str, object]) -> dict[str, object]:
    return {**result, "command": COMMAND}


def _add(rows: Screen, name: str, title: str, result: detection.Result) -> None:
    target = detection.TARGETS[name]
    reached = float(result["score"]) >= target
    judged = title == "auto"
    rows.add_row(
        name,
        title,
        str(result["score"]),
        str(result["best"]),
        f"{result['best_per_week']:.3g} a week",
        f"{result['found']} of {result['events']}",
        str(result["false_per_10k"]),
        str(target) if judged else "",
        ("met" if reached else "MISSED") if judged else "",
    )
    if judged:
        result["met"] = "met" if reached else "MISSED"


def _left_out(
    corpora: detection.Corpora, said: Mapping[str, Said], console: Console
) -> Iterator[tuple[str, dict[str, object]]]:
    """The threshold chosen elsewhere."""
    rows = Screen("auto: threshold chosen on", "judged on", "score", "chosen")
    if len(corpora) > 1:
        for key, result in detection.left_out(corpora, said):
            rows.add_row(
                "the other kinds",
                key.partition(".")[0],
                str(result["score"]),
                f"{result['per_week']} a week",
            )
            yield f"detection.{key}", _kept(result)
    for key, result in detection.halves(corpora, said):
        name = key.partition(".")[0]
        rows.add_row(f"half of {name}", "that half", str(result["chosen_on"]), "")
        rows.add_row(f"half of {name}", "the other half", str(result["other"]), "")
        yield f"detection.{key}", _kept(result)
    console.print(rows)


def _ablations(
    corpora: detection.Corpora, console: Console
) -> Iterator[tuple[str, dict[str, object]]]:
    rows = Screen("auto", "set", "1 a week", "best", "found", "false in 10,000")
    length = len(detection.ABLATIONS) * len(corpora)
    for key, result in track(
        detection.ablations(corpora), "ablations", total=length, console=console
    ):
        name, _, title = key.partition(".")
        rows.add_row(
            title.replace("_", " "),
            name,
            *(str(result[what]) for what in ("score", "best", "found", "false_per_10k")),
        )
        yield f"detection.ablation.{key}", _kept(result)
    console.print(rows)


def _calibration(
    corpora: detection.Corpora, said: Mapping[str, Said], console: Console
) -> Iterator[tuple[str, dict[str, object]]]:
    calm = list(shop.series())
    every = {"shop": calm, **corpora}
    heard = {"shop": listen("auto", calm, {}), **said}
    rows = Screen("alarms that came for one asked", *ASKED)
    for key, result in detection.calibration(every, heard):
        rows.add_row(key.partition(".")[0], *(f"{result[asked]:.2f}" for asked in ASKED))
        yield f"detection.{key}", _kept(result)
    console.print(rows)


def _groups(path: Path, console: Console) -> Iterator[tuple[str, dict[str, object]]]:
    rows = Screen("servers as groups of 38", "incidents found", "false a week", "first 3 to blame")
    for detector in track(GROUP_DETECTORS, "groups", console=console):
        figure = groups.measure(path, detector)
        rows.add_row(
            detector,
            f"{figure.found} of {figure.incidents}",
            f"{figure.false_per_week:.2f}",
            f"{figure.right_share:.2f}",
        )
        yield (
            f"detection.groups.{detector}",
            _kept(
                {
                    "found": figure.found,
                    "incidents": figure.incidents,
                    "false_per_week": round(figure.false_per_week, 3),
                    "right_of_first_three": round(figure.right_share, 4),
                }
            ),
        )
    console.print(rows)
