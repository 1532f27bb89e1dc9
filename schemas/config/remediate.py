"""Section `playbooks`: what may be done about an incident without asking."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from schemas.config.section import SecretText, Section, Span
from schemas.labels import parse_matcher


class HttpAction(Section):
    """One HTTP call; `url` and `body` are templates over the incident (`{{ incident.id }}`, `{{ labels.service }}`)."""

    type: Literal["http"]
    url: SecretText
    method: Literal["POST", "PUT", "DELETE", "PATCH", "GET"] = "POST"
    body: str = ""
    headers: dict[str, SecretText] = Field(default_factory=dict)
    timeout: Span = 10_000


class KafkaAction(Section):
    """One record on a topic; `key` and `value` are templates."""

    type: Literal["kafka"]
    topic: str
    key: str = ""
    value: str = ""


Action = Annotated[HttpAction | KafkaAction, Field(discriminator="type")]


class RateLimit(Section):
    """At most `count` actions of this playbook in `per`, in event time."""

    count: Annotated[int, Field(ge=0)] = 3
    per: Span = 3_600_000


class PlaybookConfig(Section):
    """Acts once on each announced incident that its matchers take; a dry run unless `dry_run: false`.

    Matchers see the labels of any firing alert of the incident, its severity and tenant; `cause` must equal the
    likeliest cause when given as a matcher on the label `cause`.
    """

    name: str
    matchers: tuple[str, ...]
    action: Action
    dry_run: bool = True
    limit: RateLimit = RateLimit()

    @field_validator("matchers")
    @classmethod
    def _parse(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for text in given:
            parse_matcher(text)
        return given
