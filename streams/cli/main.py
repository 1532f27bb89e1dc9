"""`tocsin`: the group of all verbs, and what an error becomes: one line on standard error and an exit code.

A fault of ours, which no user can mend, keeps its traceback.
"""

import errno
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NoReturn

import click
from click.exceptions import Exit, NoArgsIsHelpError

from schemas.errors import BrokerError, CheckpointError, ConfigError, TocsinError, WorkerError
from streams.observe.logs import LastWord, quiet

EXIT_NO = 1
EXIT_USAGE = 2
EXIT_BROKER = 3
EXIT_FAULT = 70
EXIT_STALLED = 75  # as the watchdog says it
EXIT_STOPPED = 130  # as shells say it: 128 and the number of SIGINT
EXIT_PIPE = 141  # 128 and the number of SIGPIPE

_VERBS = {
    "alert": "streams.cli.alert",
    "backtest": "streams.cli.backtest",
    "check": "streams.cli.check",
    "dead-letters": "streams.cli.dead_letters",
    "demo": "streams.cli.demo",
    "detect": "streams.cli.detect",
    "detector": "streams.cli.detector",
    "eval": "streams.cli.eval",
    "hold": "streams.cli.hold",
    "import": "streams.cli.importing",
    "incident": "streams.cli.incident",
    "inspect": "streams.cli.inspect",
    "learn": "streams.cli.learn",
    "produce": "streams.cli.produce",
    "release": "streams.cli.release",
    "report": "streams.cli.report",
    "rank": "streams.cli.rank",
    "rules": "streams.cli.rules",
    "run": "streams.cli.run",
    "silence": "streams.cli.silence",
    "state": "streams.cli.state",
    "topics": "streams.cli.topics",
}

_EPILOG = """\b
Exit codes:
  0    done
  1    the answer is no: a fault found or missed, no such incident, a topic does not fit
  2    the command, the configuration or an input file is wrong
  3    no broker is named, none answers, or it lacks our topics
  70   a worker ended on a fault of its own
  75   the watchdog ended a worker that stood still
  130  stopped by Ctrl-C; 141 nobody reads the output any more
"""


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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that is named first; the nearest one is told for a name that none has."""
        if args[0] not in _VERBS and args[0][:1] != "-":
            near = get_close_matches(args[0], _VERBS, n=1)
            hint = f" (Did you mean '{near[0]}'?)" if near else ""
            raise click.UsageError(f"No such command '{args[0]}'.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run a verb; where nobody reads its output any more, that is the end of it."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # here, for click itself would call it a failure
            _give_up_stdout()
            ctx.exit(EXIT_PIPE)

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run the command line and end the process with its exit code."""
        # click would print three lines for a mistyped option, and call Ctrl-C a failure
        kwargs |= {"standalone_mode": False, "prog_name": "tocsin"}
        with quiet() as last_word:
            sys.exit(_judge(lambda: super(_Verbs, self).main(*args, **kwargs), last_word))


def _judge(run: Callable[[], object], last_word: LastWord) -> int:
    """Run; the exit code, after a line that says why it is not 0."""
    try:
        ended = run()
    except NoArgsIsHelpError as error:
        error.show()
        return EXIT_USAGE
    except Exit as ending:
        return ending.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _say(["stopped"], EXIT_STOPPED)
    except Exception as error:  # noqa: BLE001  the outermost place: every fault gets its exit code
        lines, code = _explain(error, last_word)
        if code == EXIT_FAULT and not isinstance(error, TocsinError):
            traceback.print_exception(error)
        return _say(lines, code)
    return ended if isinstance(ended, int) else 0


def _explain(error: Exception, last_word: LastWord) -> tuple[list[str], int]:
    """What is said about an error, and its exit code."""
    match error:
        case click.ClickException():
            context = getattr(error, "ctx", None)
            verb = context.command_path if context is not None else "tocsin"
            what = " ".join(error.format_message().split()).rstrip(".")
            return [f"{what}; see `{verb} --help`"], EXIT_USAGE
        case ConfigError():
            return error.problems, EXIT_USAGE
        case BrokerError():
            # a client's error names no cause, but its log does: refused, unknown host, wrong password
            why = f": {last_word.text}" if last_word.text else ""
            return [f"{error}{why}"], EXIT_BROKER
        case CheckpointError() | WorkerError():
            return [str(error)], EXIT_FAULT
        case TocsinError():
            return [str(error)], EXIT_USAGE
        case OSError() if error.filename is not None:
            return [f"{error.filename}: {error.strerror}"], EXIT_USAGE
        case OSError() if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return [f"cannot write: {error.strerror}"], EXIT_USAGE
    return [f"a fault of Tocsin: {type(error).__name__}: {error}"], EXIT_FAULT


def _say(lines: list[str], code: int) -> int:
    with suppress(BrokenPipeError):
        for line in lines:
            click.echo(f"tocsin: {' '.join(line.split())}", err=True)
    return code


def _give_up_stdout() -> None:
    """Let Python's own flush at exit go nowhere."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fail(message: str, code: int) -> NoReturn:
    """Say why on standard error and end with this exit code."""
    sys.exit(_say([message], code))


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    try:
        found = version("tocsin")
    except PackageNotFoundError:
        found = "(not installed)"
    click.echo(f"tocsin {found}")
    ctx.exit()


@click.group(cls=_Verbs, epilog=_EPILOG)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version and exit.",
)
def main() -> None:
    """Telemetry on Kafka in, one explained incident out."""


if __name__ == "__main__":
    main()
