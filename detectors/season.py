"""Season: which rhythm a series has, a day, a week or none, found by what foretells it best.

Three detectors learn side by side: a level of one day's half-life, the profile of the day by quarter hours, and that
of the week by hours, on the clock of the zone. The one in charge is the simplest that none beats: a profile takes over
when its errors, on the same samples, are under 0.8 of those without one (the week's under 0.9 of both others'), and
goes when they are no longer less. It is asked again at each sample, so a series that changes its nature changes its
season. Nothing is said in the first day and a half. Cost: three times that of `seasonal`, 6.8 KB.

Refuses rhythms of other lengths: name their `season_ms`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from msgspec.structs import asdict
from numpy.typing import NDArray

from detectors.bank import Bank, Judgement, Settings
from detectors.base import FloatArray, IntArray, Round
from detectors.columns import Column, Columns
from detectors.ewma import Ewma, EwmaSettings
from detectors.seasonal import DAY_MS, Seasonal, SeasonalSettings

WEEK_MS = 7 * DAY_MS
DAY_SLOTS, WEEK_SLOTS = 96, 168
NONE, DAY, WEEK = 0, 1, 2
NAMES = ("no rhythm", "rhythm of a day", "rhythm of a week")
PREFIXES = ("none_", "day_", "week_")
# A profile takes over at this share of the errors of the simpler one, and stays up to another.
LESS_ERROR = {DAY: 0.8, WEEK: 0.9}
STILL_LESS = 0.95
# After its first season a profile is compared for this share of another before it may be chosen.
COMPARED_SEASONS = 0.5
# The columns of a bank that its parts share.
SHARED = ("samples", "frozen", "run")


class Part:
    """The columns of one part of a bank, under its prefix."""

    def __init__(self, whole: Columns, prefix: str) -> None:
        self._whole = whole
        self._prefix = prefix

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._whole[name if name in SHARED else self._prefix + name]

    @property
    def capacity(self) -> int:
        """All rows are below this."""
        return self._whole.capacity


class Season(Bank):
    """Profile of the season plus drift.

    The season is the one that was found; where there is none, a slow level stands for its profile.
    """

    parameters: ClassVar[type[Settings]] = SeasonalSettings
    settings: SeasonalSettings

    @staticmethod
    def chosen(settings: SeasonalSettings) -> type[Bank]:
        """Return the class for these settings: this one finds the season that is not given."""
        return Seasonal if settings.season_ms else Season

    def __init__(self, settings: SeasonalSettings, seed: int = 0) -> None:  # noqa: ARG002  # nothing random
        given = asdict(settings)
        common = {name: given[name] for name in Settings.__struct_fields__}
        day, week = (
            SeasonalSettings(**{**given, "season_ms": season_ms, "slots": settings.slots or slots})
            for season_ms, slots in ((DAY_MS, DAY_SLOTS), (WEEK_MS, WEEK_SLOTS))
        )
        self._parts: tuple[Bank, ...] = (
            Ewma(EwmaSettings(**common, half_life_seconds=DAY_MS / 1000)),
            Seasonal(day),
            Seasonal(week),
        )
        super().__init__(settings)
        for part, prefix in zip(self._parts, PREFIXES, strict=True):
            part.columns = Part(self.columns, prefix)  # type: ignore[assignment]  # reads like Columns
        self._judgements: list[Judgement] = []

    def _forms(self) -> Mapping[str, Column]:
        forms = {
            prefix + name: form
            for part, prefix in zip(self._parts, PREFIXES, strict=True)
            for name, form in part._forms().items()  # noqa: SLF001  # a bank of our own
        }
        errors = ("day_error", "day_none", "week_error", "week_none", "week_day")
        return {
            **forms,
            "season": Column(np.int8),
            "first_ms": Column(np.int64),
            "last_ms": Column(np.int64),
            **{f"found_{name}": Column() for name in errors},
            "found_day_count": Column(),
            "found_week_count": Column(),
        }

    @property
    def blind_ms(self) -> int:
        """A day, and the time in which it is compared."""
        return int((1 + COMPARED_SEASONS) * DAY_MS)

    def why(self, row: int) -> str:
        """Say which rhythm the row has, and what that is worth."""
        season = int(self.columns["season"][row])
        if season == NONE:
            return NAMES[NONE]
        name = "day" if season == DAY else "week"
        error, without = (self.columns[f"found_{name}_{of}"][row] for of in ("error", "none"))
        return f"{NAMES[season]}: errors {error / max(without, 1e-300):.0%} of those without it"

    def restore(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Replace the state; one of `seasonal` with the season of a day, as it was the default, goes on as that."""
        super().restore(self._of_a_day(columns) if "level" in columns else columns)

    def _of_a_day(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        forms = self.columns.forms
        known = {name: form.blank(len(columns["samples"])) for name, form in forms.items()}
        for name, column in columns.items():
            if PREFIXES[DAY] + name in forms:
                known[PREFIXES[DAY] + name] = column
            if name in forms:
                known[name] = column
        # The week begins with the passage that the day is in.
        for name in (
            "last_ms",
            "last_value",
            "visit_base",
            "visit_weight",
            "visit_sum",
            "visit_squares",
        ):
            known[PREFIXES[WEEK] + name] = columns[name]
        known["week_first_ms"] = columns["last_ms"]
        week = self._parts[WEEK]
        known["week_visit"] = week._visit(columns["last_ms"])  # type: ignore[attr-defined]  # noqa: SLF001  # a part of our own
        known["season"][:] = DAY
        # In charge until the first comparison tells otherwise.
        known["found_day_count"][:] = 1.0
        known["found_day_none"][:] = self.settings.absolute_floor
        return known

    def _judge(self, now: Round) -> Judgement:
        columns = self.columns
        self._judgements = [part._judge(now) for part in self._parts]  # noqa: SLF001  # banks of our own
        season = columns["season"][now.at].astype(np.int64)
        each = np.arange(now.rows.size)
        expected, scale, deviation, ready = (
            np.array([getattr(told, name) for told in self._judgements])[season, each]
            for name in ("expected", "scale", "deviation", "ready")
        )
        old = columns["samples"][now.at] > 0
        seen_ms = now.times - columns["first_ms"][now.at]
        asked = old & (seen_ms >= self.blind_ms)
        return Judgement(expected, scale, deviation, ready & asked, each.astype(np.float64))

    def _learn(self, now: Round, judgement: Judgement, weight: FloatArray | float) -> None:
        # The places of those that learn, in the round that was judged.
        assert judgement.note is not None
        kept = judgement.note.astype(np.int64)
        told = [
            each if kept.size == each.ready.size else each.take(kept) for each in self._judgements
        ]
        columns = self.columns
        young = columns["samples"][now.at] == 0
        columns["first_ms"][now.at] = np.where(young, now.times, columns["first_ms"][now.at])
        gone_ms = np.where(young, 0, np.maximum(now.times - columns["last_ms"][now.at], 0))
        none, day, week = told
        self._compare(now, {"none": none, "error": day}, "day", gone_ms / DAY_MS)
        self._compare(now, {"none": none, "day": day, "error": week}, "week", gone_ms / WEEK_MS)
        self._choose(now)
        for part, each in zip(self._parts, told, strict=True):
            part._learn(now, each, weight)  # noqa: SLF001  # banks of our own
        columns["last_ms"][now.at] = np.maximum(
            np.where(young, now.times, columns["last_ms"][now.at]), now.times
        )

    def _compare(
        self, now: Round, told: Mapping[str, Judgement], name: str, gone: FloatArray
    ) -> None:
        """Take this sample's errors into those of all, where all had an opinion; half of them lasts a season."""
        columns = self.columns
        ready = np.logical_and.reduce([each.ready for each in told.values()])
        count = columns[f"found_{name}_count"][now.at] + ready
        columns[f"found_{name}_count"][now.at] = count
        share = ready * np.maximum(1.0 / np.maximum(count, 1.0), -np.expm1(-np.log(2.0) * gone))
        for kind, each in told.items():
            error = columns[f"found_{name}_{kind}"][now.at]
            gap = np.where(ready, np.abs(now.values - each.expected), 0.0)
            columns[f"found_{name}_{kind}"][now.at] = error + share * (gap - error)

    def _choose(self, now: Round) -> None:
        columns = self.columns
        was = columns["season"][now.at]
        seen_ms = now.times - columns["first_ms"][now.at]
        season: IntArray = np.full(now.rows.size, NONE, np.int8)
        for each, name, length_ms, others in (
            (DAY, "day", DAY_MS, ("none",)),
            (WEEK, "week", WEEK_MS, ("none", "day")),
        ):
            share = np.where(was == each, STILL_LESS, LESS_ERROR[each])
            better = seen_ms >= (1 + COMPARED_SEASONS) * length_ms
            better &= columns[f"found_{name}_count"][now.at] > 0
            error = columns[f"found_{name}_error"][now.at]
            for other in others:
                better &= error < share * columns[f"found_{name}_{other}"][now.at]
            season = np.where(better, each, season).astype(np.int8)
        columns["season"][now.at] = season
