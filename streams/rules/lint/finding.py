"""Finding: one mistake in a rule, where it stands, why it is one, and what to do. The codes never change their meaning.

Levels: an error makes a rule useless, a warning makes it answer wrongly at times, info makes it harder to live with.
"""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is, the worst first."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Level).index(self)


@dataclass(frozen=True)
class Code:
    """A kind of mistake."""

    level: Level
    why: str
    fix: str


CODES: dict[str, Code] = {
    "never-true": Code(
        Level.ERROR,
        "no value of this expression satisfies the comparison, so the rule never has a result",
        "compare with a value that can occur",
    ),
    "count-of-nothing": Code(
        Level.ERROR,
        "where nothing matches, the result is empty and not 0",
        "use absent(), or `or vector(0)` before the comparison",
    ),
    "sum-before-rate": Code(
        Level.ERROR,
        "a reset of one counter looks like a reset of the whole sum, and the rate jumps",
        "take the rate of each series first, then the sum",
    ),
    "quantile-without-le": Code(
        Level.ERROR,
        "the aggregation takes away the label le, without which there are no buckets",
        "add le to `by`, or take it out of `without`",
    ),
    "always-fires": Code(
        Level.WARNING,
        "each series makes an alert whatever its value is",
        "compare without bool, or add a comparison",
    ),
    "rate-of-gauge": Code(
        Level.WARNING,
        "every fall of a gauge is taken for the reset of a counter",
        "use delta() or deriv(), or the counter that belongs to it",
    ),
    "delta-of-counter": Code(
        Level.WARNING,
        "the function knows nothing of counter resets, and a restart looks like a fall",
        "use increase() or rate()",
    ),
    "short-window": Code(
        Level.WARNING,
        "a window under two intervals often holds one sample, and then there is no result",
        "make the window at least four intervals long",
    ),
    "absent-regex": Code(
        Level.WARNING,
        "it is true only when every series that could match is gone, and its alert has no such label",
        "one absent() for each value, or compare with the expected number of series",
    ),
    "lost-label": Code(
        Level.WARNING,
        "the aggregation has taken the label away, so the text has nothing in its place",
        "add the label to `by`",
    ),
    "missing-for": Code(
        Level.WARNING,
        "a single sample out of line fires it",
        "add `for`, or look at a window, such as with avg_over_time()",
    ),
    "missing-severity": Code(
        Level.WARNING,
        "routes cannot tell what must wake somebody",
        "add the label severity: critical, warning or info",
    ),
    "missing-summary": Code(
        Level.WARNING,
        "whoever is woken reads only the alert's name",
        "add the annotation summary or description",
    ),
    "missing-runbook": Code(
        Level.INFO,
        "whoever is woken has to find out what to do",
        "add the annotation runbook_url",
    ),
    "record-name": Code(
        Level.INFO,
        "the name does not tell at which level and how the series was made",
        "name it level:metric:operations, such as instance:requests:rate5m",
    ),
    "read-before-record": Code(
        Level.INFO,
        "the rule that records the series comes later in the group, so this reads the last interval's",
        "put the recording rule first",
    ),
}


@dataclass(frozen=True)
class Finding:
    """One mistake.

    Attributes:
        what: the mistake, with the words of the rule.
        rule: `group/name`.

    """

    file: str
    line: int
    column: int
    code: str
    rule: str
    what: str

    @property
    def level(self) -> Level:
        """How bad it is."""
        return CODES[self.code].level

    @property
    def why(self) -> str:
        """Why it is a mistake."""
        return CODES[self.code].why

    @property
    def fix(self) -> str:
        """What to do."""
        return CODES[self.code].fix

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.level}: {self.what} [{self.code}]"
