"""Holt-Winters: the error of an additive forecast from level, damped trend and, where one is given, a season.

The season is cut into slots of the zone's clock, as in `seasonal`; the first one is warm-up, from which level and
profile begin. The forecast is for the next sample: series whose steps are uneven have an uneven trend. Errors are
learnt cut at three scales. Cost: 56 bytes, and 16 bytes a slot.

Refuses to find the season, multiplicative ones (give it the logarithm of a series that swings in proportion), and
shares with which an error comes back larger from season to season, until it is no number any more.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from detectors.bank import Bank, Judgement, Settings
from detectors.base import FloatArray, IntArray, Round
from detectors.columns import Column
from detectors.ewma import CUT_SCALES
from detectors.zone import known as known_zone
from detectors.zone import local
from schemas.errors import ConfigError

SLOWEST_AND_FASTEST, FREQUENCIES = (1e-5, np.pi), 2000
# At a season an hour this makes an error of a year ago twice as large.
MOST_GROWTH = 1.0 + 1e-4


class HoltWintersSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of `holt_winters`."""

    season_ms: Annotated[int, Meta(ge=0, description="length of the season, in ms; 0: none")] = 0
    slots: Annotated[int, Meta(ge=1, le=2016, description="cuts of the season")] = 96
    zone: Annotated[
        str, Meta(description="time zone whose clock cuts the season, for example Europe/Berlin")
    ] = "UTC"
    level_share: Annotated[
        float, Meta(gt=0, le=1, description="share of an error that goes into the level")
    ] = 0.1
    trend_share: Annotated[
        float, Meta(ge=0, le=1, description="share of an error that goes into the trend")
    ] = 0.01
    season_share: Annotated[
        float, Meta(ge=0, le=1, description="share of an error that goes into its slot")
    ] = 0.1
    damping: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="share of the trend left a sample later; 0: 0.98, or 0.9 with a season",
        ),
    ] = 0.0
    half_life_samples: Annotated[
        float, Meta(gt=0, description="samples after which an error counts half in the scale")
    ] = 240.0

    @property
    def kept_trend(self) -> float:
        """The damping: with a season, a trend that lasts longer would answer the season's errors and enlarge them."""
        return self.damping or (0.9 if self.season_ms else 0.98)


class HoltWinters(Bank):
    """Error of a forecast from level, damped trend and season.

    expected = l + f b + s[slot]; with e = x - expected: l = l + f b + a e, b = f b + c e, s[slot] += g e: ETS(A, Ad, A)
    in error-correction form (Hyndman et al. 2008, "Forecasting with exponential smoothing", table 2.2; Winters 1960,
    doi 10.1287/mnsc.6.3.324). z = e / sqrt(v), v the exponentially weighted mean of e^2.
    """

    parameters: ClassVar[type[Settings]] = HoltWintersSettings
    settings: HoltWintersSettings

    def __init__(self, settings: HoltWintersSettings, seed: int = 0) -> None:  # noqa: ARG002  # nothing random
        super().__init__(settings)
        grows = growth(settings) if settings.season_ms else 0.0
        if grows > MOST_GROWTH:
            what = f"errors would grow by {grows - 1:.2%} from season to season"
            raise ConfigError([f"holt_winters: {what}: take a smaller trend_share, or damping"])
        self._zone = known_zone(settings.zone)
        self._share = -np.expm1(-np.log(2.0) / settings.half_life_samples)

    def _forms(self) -> Mapping[str, Column]:
        slots = self.settings.slots if self.settings.season_ms else 0
        profile = {"profile": Column(width=slots), "visits": Column(width=slots)} if slots else {}
        return {
            "level": Column(),
            "trend": Column(),
            "variance": Column(),
            "errors": Column(),
            "first_ms": Column(np.int64),
            "begun": Column(np.bool_, fill=False),
            **profile,
        }

    @property
    def blind_ms(self) -> int:
        """The first season, where there is one."""
        return self.settings.season_ms

    def _slot(self, now: Round) -> IntArray:
        season = self.settings.season_ms
        shown = local(now.times, self._zone)
        slot: IntArray = shown % season * self.settings.slots // season
        return slot

    def _judge(self, now: Round) -> Judgement:
        columns, settings = self.columns, self.settings
        if settings.season_ms:
            self._begin(now)
        expected = columns["level"][now.at] + settings.kept_trend * columns["trend"][now.at]
        known = columns["begun"][now.at] | (settings.season_ms == 0)
        if settings.season_ms:
            slot = self._slot(now)
            expected = expected + columns["profile"][now.rows, slot]
            known = known & (columns["visits"][now.rows, slot] > 0)
        known &= columns["samples"][now.at] > 0
        level = np.where(known, expected, now.values)
        scale = self.floored(np.sqrt(columns["variance"][now.at]), level)
        error = now.values - level
        ready = known & (columns["errors"][now.at] >= settings.settled_samples)
        return Judgement(np.where(known, expected, np.nan), scale, error / scale, ready, error)

    def _begin(self, now: Round) -> None:
        """Make the first season's means the level and the profile, when that season is over.

        This moves nothing that has been judged by, so a frozen row may begin as well.
        """
        columns = self.columns
        over = now.times - columns["first_ms"][now.at] >= self.settings.season_ms
        due = now.rows[over & ~columns["begun"][now.at] & ~columns["frozen"][now.at]]
        due = due[columns["samples"][due] > 0]
        if due.size:
            seen = columns["visits"][due] > 0
            level = columns["profile"][due].sum(axis=1) / seen.sum(axis=1)
            columns["level"][due] = level
            columns["profile"][due] = np.where(seen, columns["profile"][due] - level[:, None], 0.0)
            columns["begun"][due] = True

    def _learn(self, now: Round, judgement: Judgement, weight: FloatArray | float) -> None:
        assert judgement.note is not None
        columns, settings = self.columns, self.settings
        young = columns["samples"][now.at] == 0
        columns["first_ms"][now.at] = np.where(young, now.times, columns["first_ms"][now.at])
        known = ~np.isnan(judgement.expected)
        reach = np.where(judgement.ready, CUT_SCALES * judgement.scale, np.inf)
        error = weight * np.minimum(np.maximum(judgement.note, -reach), reach)
        trend = settings.kept_trend * columns["trend"][now.at]
        level = columns["level"][now.at] + trend + settings.level_share * error
        if settings.season_ms:
            self._learn_season(now, error, known)
            moves = columns["begun"][now.at]
        else:
            level = np.where(young, now.values, level)
            moves = np.ones(young.size, np.bool_)
        columns["level"][now.at] = np.where(moves, level, columns["level"][now.at])
        columns["trend"][now.at] = np.where(
            moves & known, trend + settings.trend_share * error, 0.0
        )
        errors = columns["errors"][now.at] + known
        share = np.maximum(1.0 / np.maximum(errors, 1), self._share) * weight
        square = np.minimum(np.abs(judgement.note), reach) ** 2
        variance = columns["variance"][now.at]
        columns["variance"][now.at] = np.where(
            known, variance + share * (square - variance), variance
        )
        columns["errors"][now.at] = errors

    def _learn_season(self, now: Round, error: FloatArray, known: FloatArray) -> None:
        """Learn the slot: its plain mean in the first season, a share of the error afterwards."""
        columns, slot = self.columns, self._slot(now)
        profile, begun = columns["profile"][now.rows, slot], columns["begun"][now.at]
        visits = columns["visits"][now.rows, slot] + 1
        # A slot that is first seen later is taken relative to the level, and whole.
        base = np.where(begun, columns["level"][now.at], 0.0)
        first = profile + (now.values - base - profile) / visits
        later = profile + self.settings.season_share * error
        columns["profile"][now.rows, slot] = np.where(begun & known, later, first)
        columns["visits"][now.rows, slot] = visits


def growth(settings: HoltWintersSettings) -> float:
    """Return by what a rhythm in the errors is multiplied at most from season to season, a sample for each slot.

    Level and trend answer an error of frequency w by F = z (l + f b), b = c / (1 - f z), l = (f z b + a) / (1 - z),
    z = e^-iw, which leaves S = 1 / (1 + F) of it; the season takes g of that, so 1 - g S comes back. That shares below
    1 do not see to it is known (Archibald 1990, "Parameter space of the Holt-Winters' model").
    """
    z = np.exp(-1j * np.geomspace(*SLOWEST_AND_FASTEST, FREQUENCIES))
    damping = settings.kept_trend
    trend = settings.trend_share / (1.0 - damping * z)
    level = (damping * z * trend + settings.level_share) / (1.0 - z)
    left = 1.0 / (1.0 + z * (level + damping * trend))
    return float(np.abs(1.0 - settings.season_share * left).max())
