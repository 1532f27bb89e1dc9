"""Compile ahead: `python -m streams.compile_ahead` makes all compiled functions now, once for an installation.

It takes twenty seconds of processor time. Without it the first worker with a backlog does so beside its work, as does
each worker that starts before one has ended.
"""

# a detector is imported when a rule asks for it
import detectors.auto
import detectors.gaussian  # noqa: F401 - for what it compiles
import streams.app  # noqa: F401 - it imports whatever else compiles
from schemas.compiled import Lazily


def main() -> None:
    """Compile, and keep it beside the modules or in the user's cache."""
    for each in Lazily.every:
        each.load()


if __name__ == "__main__":
    main()
