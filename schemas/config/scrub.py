"""Section `scrub`: personal data in labels, annotations and dead letters."""

from typing import Annotated

from pydantic import AfterValidator

from schemas.config.section import Secret, SecretText, Section
from schemas.regex import Searcher
from schemas.scrub import IP_LABELS
from schemas.sensitive import Kind


def _patterns(given: dict[str, str]) -> dict[str, str]:
    for name, pattern in given.items():
        if name in list(Kind) or not name.isidentifier():
            raise ValueError(
                f"{name!r} is no name for a pattern: letters, digits and _, and none of "
                + ", ".join(Kind)
            )
        Searcher(pattern)
    return given


class ScrubConfig(Section):
    """What is personal is replaced by a hash of it, once for each new series and at alert time.

    Attributes:
        enabled: false leaves everything as it is.
        kinds: `email`, `ip` (addresses of single hosts), `card` (issuer, length and check digit fit), `token` (bearer,
            JWT, keys of known forms, passwords in URLs).
        secret: key of the hashes. Without one they follow from `kafka.prefix`, and whoever knows that can try guesses.
            Another secret makes other label values, so other series.
        allow: labels that are left alone.
        ip_labels: labels in which addresses stay, for they name machines.
        patterns: your own, RE2 by the name that the hash gets; of one with groups, the first group is replaced.

    """

    enabled: bool = True
    kinds: tuple[Kind, ...] = tuple(Kind)
    secret: SecretText = Secret("")
    allow: tuple[str, ...] = ()
    ip_labels: tuple[str, ...] = IP_LABELS
    patterns: Annotated[dict[str, str], AfterValidator(_patterns)] = {}
