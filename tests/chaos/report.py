"""The report of several runs, for people and for programs."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence

from tests.chaos.run import Result

SHOWN_DIFFERENCES = 3


def sound(results: Iterable[Result]) -> bool:
    """Whether nothing differs and nothing stood still for too long."""
    return not any(result.differences or result.stalls for result in results)


def as_text(results: Sequence[Result], skipped: Sequence[str]) -> str:
    """What is printed at the end."""
    faults = sum((r.faults for r in results), Counter())
    wrongs = sum((r.wrongs for r in results), Counter())
    codes = sum((r.codes for r in results), Counter())
    differences = [each for result in results for each in result.differences]
    lines = [f"{count:6,} {kind}" for kind, count in faults.most_common()]
    lines.append(f"{faults.total():6,} faults injected in {len(results)} runs")
    lines += [f"!!! left out: {each} !!!" for each in skipped]
    sent = sum(r.telemetry for r in results)
    told = ", ".join(f"{count} {what}" for what, count in wrongs.most_common())
    lines.append(f"telemetry: {sent:,} records, of them {told}")
    ended = ", ".join(f"{code}: {count}" for code, count in sorted(codes.items()))
    lines.append(f"workers started {sum(r.starts for r in results)} times; exit codes {ended}")
    records = sum(len(r.calm.records) for r in results)
    lines.append(
        f"incidents compared {sum(r.calm.incidents for r in results)}, records {records}, "
        f"pages {sum(len(r.calm.pages) for r in results)}; while the storms raged came "
        f"{sum(r.meanwhile for r in results)} of the records"
    )
    gap = max((r.longest_gap_seconds for r in results), default=0)
    lines.append(f"the longest time between two records of one partition {gap:.0f} s")
    if silences := sum(r.silences for r in results):
        judged = sum(bool(r.silences) for r in results)
        lines.append(
            f"{silences} times a partition that is written to was found idle; "
            f"the replay alone judges {judged} of the runs"
        )
    lines.append(
        f"repeated, which identities absorb: {sum(r.storm.repeated for r in results)} records, "
        f"{sum(r.repeated_pages for r in results)} pages"
    )
    lines.append(f"differences {len(differences)}")
    longest = max(
        ((seconds, stage) for r in results for stage, seconds in r.standstills.items()),
        default=(0.0, "none"),
    )
    lines.append(
        f"stalls over the limit {sum(r.stalls for r in results)}; the longest standstill "
        f"{longest[0]:.0f} s ({longest[1]})"
    )
    seconds = sum(r.seconds for r in results)
    lines.append(f"{seconds:.0f} s, {seconds / max(faults.total(), 1):.1f} s a fault")
    lines += [f"\n{each}" for each in differences[:SHOWN_DIFFERENCES]]
    return "\n".join(lines)


def as_json(results: Sequence[Result], skipped: Sequence[str]) -> str:
    """The same for programs, run by run."""
    runs = [r.figures() for r in results]
    return json.dumps({"sound": sound(results), "skipped": list(skipped), "runs": runs}, indent=1)
