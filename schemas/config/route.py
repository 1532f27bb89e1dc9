"""Sections `route`, `inhibit_rules` and `silences`: Alertmanager's meaning of who is told what, and when not."""

from typing import Annotated, Self, TypeAlias

from pydantic import BeforeValidator, Field, field_validator, model_validator

from schemas.config.section import Duration, Section, Span
from schemas.labels import LABEL_NAME, Matcher
from schemas.matchers import parse_all

ALL_LABELS = "..."
"""In `group_by`, alone: by all labels, so that no two alerts are grouped."""


def _one_or_more(given: object) -> object:
    return (given,) if isinstance(given, str) else given


Names: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_one_or_more)]
"""One name, or a list of names."""


class RouteNode(Section):
    """A node of the route tree; what is not given is inherited from the node above.

    An alert goes down from the root to the first child whose matchers it fulfils, and on to the next ones too with
    `continue`; where no child takes it, the node itself does.

    Attributes:
        receiver: who is told: a receiver's name or several; an empty list tells nobody.
        group_by: labels whose values make a group; `...` alone for all of them.
        group_wait: a new group is first told after this; 30s where no node says otherwise.
        group_interval: then its changes are told in steps of this; 5m where no node says otherwise.
        repeat_interval: what has not changed is told again after more than this; 4h where no node says otherwise.
        continue_: the siblings after this one are tried too.
        matchers: conditions such as `severity="critical"` or `service=~"api-.*"`; all must hold.
        mute_time_intervals: names of time intervals in which nothing is told.
        active_time_intervals: names of time intervals outside of which nothing is told.
        routes: the children, in order.

    """

    receiver: Names | None = None
    group_by: tuple[str, ...] | None = None
    group_wait: Duration | None = None
    group_interval: Span | None = None
    repeat_interval: Span | None = None
    continue_: bool = Field(default=False, alias="continue")
    matchers: tuple[str, ...] = ()
    mute_time_intervals: tuple[str, ...] = ()
    active_time_intervals: tuple[str, ...] = ()
    routes: tuple["RouteNode", ...] = ()

    @field_validator("matchers")
    @classmethod
    def _parse(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        parse_all(given)
        return given

    @field_validator("group_by")
    @classmethod
    def _labels(cls, given: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for name in given or ():
            if name != ALL_LABELS and not LABEL_NAME.fullmatch(name):
                raise ValueError(f"not a label's name: {name!r}")
        if given and ALL_LABELS in given and len(given) > 1:
            raise ValueError(f"{ALL_LABELS!r} stands alone or not at all")
        if given and len(set(given)) < len(given):
            raise ValueError("a label is named twice")
        return given

    @property
    def parsed(self) -> tuple[Matcher, ...]:
        """The matchers."""
        return parse_all(self.matchers)


class RootRoute(RouteNode):
    """The route that every alert enters."""

    @model_validator(mode="after")
    def _is_root(self) -> Self:
        if self.receiver is None:
            raise ValueError("the root must name a receiver")
        if self.matchers or self.mute_time_intervals or self.active_time_intervals:
            raise ValueError(
                "the root takes every alert at every time: no matchers, no time intervals"
            )
        if self.continue_:
            raise ValueError("the root has no siblings to continue with")
        return self


class InhibitRuleConfig(Section):
    """While an alert fulfils the source matchers and fires, others that fulfil the target matchers are not told.

    An alert that fulfils both is not inhibited by another such one, nor by itself. Tenants never inhibit each other.

    Attributes:
        name: shown as the reason; the rule's number where it is empty.
        equal: labels that must have the same value in both; missing in both is the same.

    """

    name: str = ""
    source_matchers: tuple[str, ...] = ()
    target_matchers: tuple[str, ...] = ()
    equal: tuple[str, ...] = ()

    @field_validator("source_matchers", "target_matchers")
    @classmethod
    def _parse(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        parse_all(given)
        return given


class SilencesConfig(Section):
    """What holds for all silences.

    Attributes:
        longest: a silence for longer than this is refused.
        tell_resolved: what was told before it was silenced is told as resolved in spite of the silence.

    """

    longest: Span = 31_536_000_000
    tell_resolved: bool = True
