"""Section `sources[].relabel`: one of Prometheus's relabel rules.

Refuses what Prometheus refuses (relabel.go, Validate), and a rule that would write the tenant.
"""

from typing import Self

from pydantic import field_validator, model_validator

from schemas.config.section import Section
from schemas.labels import TENANT
from schemas.regex import Regex, compile_regex
from schemas.relabel import (
    DEFAULT_REGEX,
    DEFAULT_REPLACEMENT,
    DEFAULT_SEPARATOR,
    RelabelAction,
    RelabelRule,
)

_WRITES = {
    RelabelAction.REPLACE,
    RelabelAction.HASHMOD,
    RelabelAction.LOWERCASE,
    RelabelAction.UPPERCASE,
    RelabelAction.KEEPEQUAL,
    RelabelAction.DROPEQUAL,
}
_NO_REPLACEMENT = _WRITES - {RelabelAction.REPLACE, RelabelAction.HASHMOD}
_ONLY = {
    RelabelAction.KEEPEQUAL: {"source_labels", "target_label"},
    RelabelAction.DROPEQUAL: {"source_labels", "target_label"},
    RelabelAction.LABELDROP: {"regex"},
    RelabelAction.LABELKEEP: {"regex"},
}


class RelabelConfig(Section):
    """One rule, with the keys, the defaults and the meaning of Prometheus's `relabel_config`.

    Attributes:
        source_labels: labels whose values are joined and looked at; `__name__` is the metric's name.
        separator: put between them.
        regex: RE2 that the whole of the joined value must match; for `labelmap`, `labeldrop` and `labelkeep`, a name.
        modulus: of `hashmod`.
        target_label: label that is written or compared; for `replace` it may hold groups such as `${1}`.
        replacement: what is written, with the regex's groups; an empty result removes the label.
        action: what the rule does, in any case of letters.

    """

    source_labels: tuple[str, ...] = ()
    separator: str = DEFAULT_SEPARATOR
    regex: str = DEFAULT_REGEX
    modulus: int = 0
    target_label: str = ""
    replacement: str = DEFAULT_REPLACEMENT
    action: RelabelAction = RelabelAction.REPLACE

    @field_validator("action", mode="before")
    @classmethod
    def _any_case(cls, given: object) -> object:
        return given.lower() if isinstance(given, str) else given

    @field_validator("regex")
    @classmethod
    def _regex_compiles(cls, given: str) -> str:
        compile_regex(given)
        return given

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        action = self.action
        if action is RelabelAction.HASHMOD and self.modulus < 1:
            raise ValueError("hashmod needs a modulus above 0")
        if action in _WRITES and not self.target_label:
            raise ValueError(f"{action.value} needs a target_label")
        if action in _NO_REPLACEMENT and self.replacement != DEFAULT_REPLACEMENT:
            raise ValueError(f"{action.value} takes no replacement")
        if action in _ONLY and (more := self._given() - _ONLY[action]):
            wanted = " and ".join(sorted(_ONLY[action]))
            raise ValueError(f"{action.value} takes only {wanted}, not {', '.join(sorted(more))}")
        if action is RelabelAction.LABELMAP and not self.replacement:
            raise ValueError("labelmap needs a replacement")
        if self.target_label == TENANT:
            raise ValueError(
                f"{TENANT} is reserved: write the label that the source's tenant names"
            )
        return self

    def _given(self) -> set[str]:
        """Keys that are not at their defaults."""
        fields = type(self).model_fields
        return {
            name
            for name, field in fields.items()
            if name != "action" and getattr(self, name) != field.default
        }

    @property
    def rule(self) -> RelabelRule:
        """The rule, ready to be applied."""
        regex: Regex = compile_regex(self.regex)
        return RelabelRule(
            self.action,
            regex,
            self.source_labels,
            self.separator,
            self.modulus,
            self.target_label,
            self.replacement,
        )
