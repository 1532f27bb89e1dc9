"""`make chaos`: hundreds of faults on a real Kafka of three brokers, and nothing may be lost or said twice.

Exit codes: 0 nothing differs and nothing stood still; 1 something did; 3 no Kafka can be run here.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from deploy.kafka.jars import UnavailableError
from tests.chaos.faults import draw
from tests.chaos.installation import Plan
from tests.chaos.report import as_json, as_text, sound
from tests.chaos.run import Result, run, seeds
from tests.chaos.scene import scene
from tests.chaos.sending import RunError

LIBS = Path(".kafka") / "libs"
NO_KAFKA = 3


def main(arguments: list[str] | None = None) -> int:
    """Run; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--per-run", type=int, default=67, help="faults on one input")
    parser.add_argument("--json", type=Path, help="where the report goes for programs")
    parser.add_argument("--idle", type=int, default=20, metavar="SECONDS", help="time.idle_after")
    parser.add_argument("--stall", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--patience", type=float, default=900.0, metavar="SECONDS")
    parser.add_argument("--keep", action="store_true", help="keep the workers' logs")
    given = parser.parse_args(arguments)
    try:
        return asyncio.run(_main(given))
    except UnavailableError as error:
        sys.stderr.write(f"chaos: {error}\n")
        return NO_KAFKA


async def _main(given: argparse.Namespace) -> int:
    folder = Path(tempfile.mkdtemp(prefix="tocsin-chaos-"))
    plan = Plan(folder, given.idle, given.patience, given.stall)
    results: list[Result] = []
    broken = ""
    say = sys.stdout.write
    async with scene(LIBS, folder) as (cluster, without, skipped):
        for line in skipped:
            sys.stderr.write(f"!!! left out: {line} !!!\n")
        with Progress(transient=True, console=Console(stderr=True)) as progress:
            bar = progress.add_task("faults", total=given.faults)

            def told(what: str) -> None:
                steps = what not in {"undisturbed", "coming to rest"}
                progress.update(bar, advance=int(steps), description=what)

            for seed, count in seeds(given.seed, given.faults, given.per_run):
                try:
                    done = await run(cluster, seed, draw(seed, count, without), plan, told)
                except RunError as error:
                    broken = f"run {seed} did not come to its end: {error}"
                    break
                results.append(done)
                say(
                    f"run {seed}: {done.faults.total()} faults, {done.calm.incidents} incidents, "
                    f"{len(done.differences)} differences, {done.stalls} stalls, {done.seconds:.0f} s\n"
                )
                sys.stdout.flush()
    say(f"\n{as_text(results, skipped)}\n")
    if given.json is not None:
        given.json.write_text(as_json(results, skipped))
    good = not broken and sound(results)
    if broken:
        say(f"{broken}\n")
    if good and not given.keep:
        _remove(folder)
    else:
        say(f"logs: {folder}\n")
    return int(not good)


def _remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


if __name__ == "__main__":
    sys.exit(main())
