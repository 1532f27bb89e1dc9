"""Row: one measured figure, what it is held against, and the goal.

Invariant: a row with a goal says whether it is met. Refuses a ratio where nothing stands against the figure.
"""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound on the ratio or on the value itself."""

    measure: Literal["ratio", "value"]
    bound: Literal[">=", "<="]
    limit: float

    def met_by(self, number: float) -> bool:
        """Whether this number is on the right side."""
        return number >= self.limit if self.bound == ">=" else number <= self.limit

    def __str__(self) -> str:
        return f"{self.measure} {self.bound} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        name: benchmark and figure, with a dot between.
        value: in `unit`.
        against: what it is compared with, None for a figure that stands alone.
        against_value: its figure, in the same unit.
        command: what measures it again.

    """

    name: str
    value: float
    unit: str
    command: str
    against: str | None = None
    against_value: float | None = None
    goal: Goal | None = None

    @property
    def ratio(self) -> float | None:
        """How many times the other's figure ours is."""
        return self.value / self.against_value if self.against_value else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if self.goal is None:
            return None
        number = self.value if self.goal.measure == "value" else self.ratio
        return number is not None and self.goal.met_by(number)

    def record(self) -> dict[str, Any]:
        """The row as JSON has it; figures with four significant digits, more would be noise."""
        return {
            "name": self.name,
            "value": _rounded(self.value),
            "unit": self.unit,
            "against": self.against,
            "against_value": _rounded(self.against_value),
            "ratio": _rounded(self.ratio),
            "goal": None if self.goal is None else str(self.goal),
            "met": self.met,
            "command": self.command,
        }


def _rounded(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.4g}")
