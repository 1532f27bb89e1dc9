"""Parts of section `correlate`: priorities, flapping and page storms of incidents."""

from typing import Annotated

from pydantic import Field, field_validator

from schemas.config.section import Section, Span
from schemas.labels import Matcher, parse_matcher
from schemas.reasons import Priority


class PriorityConfig(Section):
    """One row of the table of priorities: the first row whose matchers hold for an alert gives it its priority.

    An incident has the most urgent priority of its alerts. Matchers see the labels of the alert, and `severity` and
    `tenant`.

    Attributes:
        priority: `P0`, the most urgent, to `P3`.
        matchers: all must hold; without any, all alerts match.

    """

    priority: Priority
    matchers: tuple[str, ...] = ()

    @field_validator("matchers")
    @classmethod
    def _parse(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for text in given:
            parse_matcher(text)
        return given

    @property
    def parsed(self) -> tuple[Matcher, ...]:
        """The matchers."""
        return tuple(map(parse_matcher, self.matchers))


class FlappingConfig(Section):
    """When alerts that come and go are one state, told of once.

    Attributes:
        restarts: an incident whose alerts have fired again so often within the window is flapping; 0: never.
        window: over which restarts are counted; flapping ends when no more than half as many lie within it.

    """

    restarts: Annotated[int, Field(ge=0, le=1_000)] = 6
    window: Span = 3_600_000


class StormConfig(Section):
    """The page budget of a team: above it one summary is told, and the rest is held and listed.

    Attributes:
        pages: a team is told of no more incidents than this within the window; 0: no budget.
        per: the window. The storm ends when no more than half of the budget was asked for within it.
        team_label: label of the alerts that names the team; alerts without it share one budget.

    """

    pages: Annotated[int, Field(ge=0, le=10_000)] = 0
    per: Span = 600_000
    team_label: str = "team"


PRIORITIES = (
    PriorityConfig(priority=Priority.P1, matchers=('severity="critical"',)),
    PriorityConfig(priority=Priority.P2, matchers=('severity="warning"',)),
)
"""The table unless another is configured; what no row takes is P3."""
