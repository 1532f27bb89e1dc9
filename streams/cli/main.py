"""`tocsin`: the group of all verbs, and what an error becomes.

Exit codes: 0 done; 1 the answer is no (`check` found faults, `demo` missed a fault, no such incident); 2 the
command, the configuration or an input file is wrong; 3 no broker, or it does not answer; 70 a worker ended on a
fault of its own.
"""

import sys
from importlib import import_module
from typing import NoReturn

import click

from schemas.errors import BrokerError, TocsinError

EXIT_NO = 1
EXIT_USAGE = 2
EXIT_BROKER = 3
EXIT_FAULT = 70

_VERBS = {
    "backtest": "streams.cli.backtest",
    "check": "streams.cli.check",
    "demo": "streams.cli.demo",
    "incident": "streams.cli.incident",
    "produce": "streams.cli.produce",
    "run": "streams.cli.run",
    "topics": "streams.cli.topics",
}


class _Verbs(click.Group):
    """Imports a verb only when it is used, so that `tocsin check` needs no Kafka client."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Names of all verbs."""
        return sorted(_VERBS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002  click's signature
        cmd_name: str,
    ) -> click.Command | None:
        """The verb of this name."""
        if cmd_name not in _VERBS:
            return None
        command = import_module(_VERBS[cmd_name]).command
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run a verb; an error that was raised on purpose is a line for people, no traceback."""
        try:
            return super().invoke(ctx)
        except BrokerError as error:
            fail(str(error), EXIT_BROKER)
        except TocsinError as error:
            fail(str(error), EXIT_USAGE)


def fail(message: str, code: int) -> NoReturn:
    """Say why on standard error and end with this exit code."""
    click.echo(f"tocsin: {message}", err=True)
    sys.exit(code)


@click.group(
    cls=_Verbs,
    epilog="Exit codes: 0 done, 1 the answer is no, 2 wrong usage, configuration or input, 3 no broker, "
    "70 a worker failed.",
)
@click.version_option(package_name="tocsin", message="tocsin %(version)s")
def main() -> None:
    """Telemetry on Kafka in, one explained incident out."""


if __name__ == "__main__":
    main()
