"""Section `sources[].tenant`: whose a sample is."""

from typing import Self

from pydantic import field_validator, model_validator

from schemas.config.section import Section
from schemas.regex import compile_regex


class TenantConfig(Section):
    """Whose a sample is: the value of a label, unless a header, the topic or one name says it.

    Attributes:
        label: the label whose value is the tenant, after `sources[].labels` and `sources[].relabel`.
        default: tenant of samples for which nothing else says one.
        header: the record header whose value is the tenant; labels do not count then.
        topic: RE2 that the whole topic matches; what its first group matches is the tenant; labels do not count then.
        fixed: the tenant of everything in this source; labels do not count then.

    """

    label: str = "tenant"
    default: str = "default"
    header: str = ""
    topic: str = ""
    fixed: str = ""

    @field_validator("topic")
    @classmethod
    def _pattern_has_a_group(cls, given: str) -> str:
        if given and not compile_regex(given).count:
            raise ValueError(
                f"{given!r} has no group that would be the tenant, as 'telemetry-(.+)'"
            )
        return given

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        given = [name for name in ("header", "topic", "fixed") if getattr(self, name)]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} cannot both say the tenant: keep one")
        return self

    @property
    def said_by_label(self) -> bool:
        """Whether a label says the tenant."""
        return not (self.header or self.topic or self.fixed)

    def of_topic(self, topic: str) -> str | None:
        """The tenant of everything in a topic; None where each record or label set says its own, or nothing fits."""
        if self.fixed:
            return self.fixed
        groups = compile_regex(self.topic).groups(topic) if self.topic else None
        return (groups or {}).get("1") or None
