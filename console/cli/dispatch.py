"""Runs the command that was given, and ends every failure in one clear message and its exit code."""

from __future__ import annotations

import os
import signal
import sys
from argparse import Namespace
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path

from console.cli.arguments import parse
from console.cli.say import refuse, tell
from console.exit_codes import ExitCode, FailedError, of_log, signalled
from state.base.numbers import plural
from state.log.errors import LogError


def main(argv: list[str] | None = None) -> int:
    """Run one command of the command line and return its exit code: one clear message, never a traceback."""
    options = parse(sys.argv[1:] if argv is None else argv)
    try:
        _make_writable()
        code = _run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return signalled(signal.SIGINT)
    except BrokenPipeError:
        _let_go()
        return signalled(signal.SIGPIPE)
    except OSError as error:
        _let_go()
        where = f": {error.filename}" if error.filename else ""
        return refuse(f"{error.strerror or error}{where}", ExitCode.INTERNAL)
    except FailedError as error:
        return refuse(str(error), error.code)
    except LogError as error:
        return refuse(str(error), of_log(error))
    except Exception as error:
        return _unusual(error)
    return code


def _make_writable() -> None:
    """Let no character that a person typed and this terminal can't show end a command."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started us
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  it stays open to the end
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _let_go() -> None:
    """Let nothing more be written to a standard output that takes nothing, not at the end either."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unusual(error: Exception) -> ExitCode:
    from console.ui.crash import write
    from state.runbook.load import (
        RunbookError,
    )  # not above: it loads pydantic, which no help and no replay needs

    if isinstance(error, RunbookError):  # as a compiler tells it, so that an editor finds the places
        from console.cli.runbook.excerpt import with_lines

        count = plural(len(error.problems), "problem")
        tell("\n".join([*with_lines(error.problems), f"{count}: correct the runbook and try again"]))
        return ExitCode.BAD_CONFIG
    message = (
        f"a mistake in the program ({type(error).__name__}); the traceback is in {write(error) or 'no file'}"
    )
    return refuse(message, ExitCode.INTERNAL)


def _run(options: Namespace) -> int:
    values = vars(options)
    command, version = values.pop("command"), values.pop("version")
    if version:
        return _version()
    module, _, function = command.run.partition(":")
    code: int = getattr(import_module(module), function)(**values)
    return code


def _version() -> int:
    from importlib.metadata import version

    print(f"launch-console {version('launch-console')}")  # noqa: T201  the answer to --version
    return ExitCode.GO
