"""Section `notify`: receivers and the routes to them."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from schemas.config.section import Count, Duration, SecretText, Section, Span
from schemas.labels import Matcher, parse_matcher


class StdoutReceiver(Section):
    """Prints one readable block for each announcement.

    Attributes:
        person: who is told by it, for `tocsin report`; a receiver without a person stands for itself.

    """

    type: Literal["stdout"]
    name: str
    person: str = ""
    send_resolved: bool = True


class WebhookReceiver(Section):
    """POSTs the Alertmanager webhook body, version 4, with retry and an idempotency key.

    Attributes:
        person: who is told by it, for `tocsin report`; a receiver without a person stands for itself.

    """

    type: Literal["webhook"]
    name: str
    person: str = ""
    url: SecretText
    send_resolved: bool = True
    timeout: Span = 10_000
    max_attempts: Count = 10
    backoff: Duration = 1_000
    max_backoff: Duration = 300_000
    headers: dict[str, SecretText] = Field(default_factory=dict)


Receiver = Annotated[StdoutReceiver | WebhookReceiver, Field(discriminator="type")]


class RouteConfig(Section):
    """One route: the first whose matchers all hold takes the incident, and the next ones too with `continue`.

    Matchers see the incident's group labels and common alert labels, and `severity` and `tenant`.
    """

    receiver: str
    matchers: tuple[str, ...] = ()
    continue_: bool = Field(default=False, alias="continue")

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


class NotifyConfig(Section):
    """Receivers by name, and the routes in order; an incident that no route takes goes to the first receiver."""

    receivers: tuple[Receiver, ...] = (StdoutReceiver(type="stdout", name="stdout"),)
    routes: tuple[RouteConfig, ...] = ()
    external_url: str = ""
