"""Report: the tables of detection on the screen, and their figures by key.

All parts are measured first, by as many processes as there are processors; then the tables are printed. Sets that are
not in the folder are skipped, loudly; without any of them nothing is measured.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table as Screen

from benchmarks.accuracy import alarms, detection, groups
from benchmarks.accuracy.alarms import ASKED
from benchmarks.accuracy.kinds import KINDS, find, read
from benchmarks.accuracy.online import Said
from benchmarks.accuracy.parts import Part, done

COMMAND = "python -m benchmarks.accuracy --data DIR --only detection"
GROUP_DETECTORS = ("auto", "ewma", "pca")
SHOP = "shop"
# What one has without joining: members that alarm within ten minutes, each so many times a week by chance.
APART = {"any member": (1 / 38, 1), "three members": (1.0, groups.SEVERAL)}
Results = dict[str, dict[str, object]]
Answers = Mapping[str, Any]
Heard = Mapping[str, Said]


def measure(data: Path | None, console: Console, processes: int) -> Results:
    """Measure detection, print every table, and return the figures by key."""
    for kind in KINDS:
        if data is None or find(data, kind) is None:
            console.print(
                f"SKIPPED {kind.path}: not in {data or '--data DIR'}; it comes from {kind.origin}"
            )
    corpora = read(data) if data is not None else {}
    if data is None or not corpora:
        return {}
    work = parts(data, [*corpora])
    answers = dict(track(done(work, processes), "detection", total=len(work), console=console))
    said = {name: answers[f"{name}.auto"][1] for name in corpora}
    found: Results = {}
    for rows in (
        _table(answers, corpora, console),
        _left_out(corpora, said, console),
        _calibration(corpora, said, answers[SHOP], console),
        _groups(answers, console),
        _ablations(answers, corpora, console),
    ):
        found |= {f"detection.{key}": {**result, "command": COMMAND} for key, result in rows}
    return found


def parts(data: Path, names: Sequence[str]) -> list[Part]:
    """All that is to be measured; what takes longest comes first."""
    found = []
    servers = next(kind for kind in KINDS if kind.name == "servers")
    path = find(data, servers)
    if path is not None:
        for detector in GROUP_DETECTORS:
            for server in groups.SERVERS:
                words = (path, detector, server)
                found.append(Part(f"groups.{detector}.{server}", groups.measured, words))
        for title, (asked, least) in APART.items():
            found.append(Part(f"groups.{title}", groups.apart, (data, path, asked, least)))
    found.append(Part(SHOP, alarms.of_the_shop))
    for name in reversed(names):
        found += [
            Part(f"{name}.{_key(title)}", detection.measured, (data, name, title))
            for title in detection.TABLE
        ]
        for number, ablation in enumerate(detection.ABLATIONS):
            key = f"ablation.{name}.{_key(ablation.name)}"
            found.append(Part(key, detection.ablated, (data, name, number)))
    return found


def _key(title: str) -> str:
    return title.replace(" ", "_")


Row = tuple[str, Mapping[str, object]]


def _table(answers: Answers, corpora: detection.Corpora, console: Console) -> Iterator[Row]:
    rows = Screen(
        "set", "detector", "1 a week", "best", "at", "found", "false in 10,000", "target", ""
    )
    for title in detection.TABLE:
        for name in corpora:
            key = f"{name}.{_key(title)}"
            result, _ = answers[key]
            target = detection.TARGETS[name] if title == "auto" else None
            if target is not None:
                result["met"] = "met" if result["score"] >= target else "MISSED"
            rows.add_row(
                name,
                title,
                str(result["score"]),
                str(result["best"]),
                f"{result['best_per_week']:.3g} a week",
                f"{result['found']} of {result['events']}",
                str(result["false_per_10k"]),
                "" if target is None else str(target),
                str(result.get("met", "")),
            )
            yield key, result
    console.print(rows)


def _left_out(corpora: detection.Corpora, said: Heard, console: Console) -> Iterator[Row]:
    """The threshold chosen elsewhere."""
    rows = Screen("auto: threshold chosen on", "judged on", "score", "chosen")
    if len(corpora) > 1:
        for key, result in detection.left_out(corpora, said):
            name = key.partition(".")[0]
            rows.add_row(
                "the other kinds", name, str(result["score"]), f"{result['per_week']} a week"
            )
            yield key, result
    for key, result in detection.halves(corpora, said):
        name = key.partition(".")[0]
        rows.add_row(f"half of {name}", "that half", str(result["chosen_on"]), "")
        rows.add_row(f"half of {name}", "the other half", str(result["other"]), "")
        yield key, result
    console.print(rows)


def _calibration(
    corpora: detection.Corpora, said: Heard, of_the_shop: Mapping[str, float], console: Console
) -> Iterator[Row]:
    rows = Screen("alarms that came for one asked", *ASKED)
    told = {SHOP: of_the_shop}
    for name, corpus in corpora.items():
        told[name] = alarms.for_one(corpus, said[name].claims)
        if any(series.whole for series in corpus):
            told[f"{name}_machine"] = alarms.for_one(alarms.wider(corpus), said[name].claims)
    for name, result in told.items():
        rows.add_row(name, *(f"{result[asked]:.2f}" for asked in ASKED))
        yield f"{name}.came_for_one_asked", result
    console.print(rows)


def _groups(answers: Answers, console: Console) -> Iterator[Row]:
    rows = Screen("servers as groups of 38", "incidents found", "false a week", "first 3 to blame")
    for title in (*GROUP_DETECTORS, *APART):
        figures = [
            answers[key]
            for key in (f"groups.{title}", *(f"groups.{title}.{s}" for s in groups.SERVERS))
            if key in answers
        ]
        if not figures:
            continue
        figure = sum(figures[1:], figures[0])
        rows.add_row(
            title,
            f"{figure.found} of {figure.incidents}",
            f"{figure.false_per_week:.2f}",
            f"{figure.right} of {figure.named}",
        )
        yield (
            f"groups.{_key(title)}",
            {
                "found": figure.found,
                "incidents": figure.incidents,
                "false_per_week": round(figure.false_per_week, 3),
                "right_of_first_three": round(figure.right_share, 4),
            },
        )
    if rows.row_count:
        console.print(rows)


def _ablations(answers: Answers, corpora: detection.Corpora, console: Console) -> Iterator[Row]:
    rows = Screen("auto", "set", "1 a week", "best", "found", "false in 10,000")
    for ablation in detection.ABLATIONS:
        for name in corpora:
            key = f"ablation.{name}.{_key(ablation.name)}"
            result = answers[key]
            told = (str(result[what]) for what in ("score", "best", "found", "false_per_10k"))
            rows.add_row(ablation.name, name, *told)
            yield key, result
    console.print(rows)
