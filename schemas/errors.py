"""Every error that Tocsin raises on purpose.

TocsinError
├── ConfigError          the configuration is wrong; carries every fault with its file and line
├── BrokerError          no broker, or the broker refuses
├── DecodeError          bytes from a topic cannot be read; carries a Reason
├── CheckpointError      a stored state is corrupt or of an unknown version
├── RuleError            a rule cannot be parsed, planned or evaluated
├── WorkerError          a worker ended on a fault of its own
├── MissingExtraError    an optional dependency is not installed
└── DeliveryError        a receiver or an action did not take it; carries retryable and a Reason
"""

from schemas.reasons import DeadLetterReason, DeliveryReason


class TocsinError(Exception):
    """Root of the tree, so that a caller can catch what Tocsin means to say."""


class ConfigError(TocsinError):
    """The configuration is wrong; `problems` holds one line for each fault."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class BrokerError(TocsinError):
    """No broker, or the broker refuses."""


class DecodeError(TocsinError):
    """Bytes from a topic cannot be read; `tenant` is whose they are, where that is known."""

    def __init__(self, reason: DeadLetterReason, detail: str, tenant: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
        self.tenant = tenant

    def __str__(self) -> str:
        return f"{self.reason.value}: {self.detail}"


class CheckpointError(TocsinError):
    """A stored state is corrupt or of an unknown version."""


class RuleError(TocsinError):
    """A rule cannot be parsed, planned or evaluated."""


class WorkerError(TocsinError):
    """A worker ended on a fault of its own."""


class MissingExtraError(TocsinError):
    """An optional dependency is not installed."""

    def __init__(self, extra: str, needed_for: str) -> None:
        super().__init__(f"{needed_for} needs the extra '{extra}': pip install 'tocsin[{extra}]'")
        self.extra = extra


class DeliveryError(TocsinError):
    """A receiver or an action did not take it."""

    def __init__(
        self,
        reason: DeliveryReason,
        detail: str,
        *,
        retryable: bool,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds
