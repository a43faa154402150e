"""Which module answers a command: each is imported alone, so that a first frame comes early."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

from console.cli.arguments import parse


def main(argv: list[str] | None = None) -> int:
    """Run one command of the command line and return its exit code: one clear message, never a traceback."""
    options = parse(sys.argv[1:] if argv is None else argv)
    try:
        _make_writable()
        code = _run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _let_go()
        return 141
    except OSError as error:
        _let_go()
        return _sorry(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
    except Exception as error:
        from console.ui.crash import write

        kept = write(error)
        return _sorry(
            f"a mistake in the program ({type(error).__name__}); the traceback is in {kept or 'no file'}"
        )
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


def _sorry(message: str) -> int:
    with suppress(OSError):
        sys.stderr.write(f"launch-console: {message}\n")
    return 1


def _run(options: Namespace) -> int:
    if options.version:
        return _version()
    match options.command:
        case "open":
            from console.cli.open import run_open

            return run_open(options.runbook, options.log, options.clock)
        case "rehearse" | "range" | "faults":
            return _rehearsal(options)
        case "runbook":
            from console.cli import runbook

            return runbook.run_check(options.runbook) if options.act == "check" else runbook.run_schema()
        case "check":
            from console.cli import check

            return check.run(
                check.Wanted(
                    *(tuple(options.wanted), options.runbook, options.log, options.clock, options.junit),
                    probes=options.probes,
                    as_json=options.json,
                )
            )
        case "checks":
            from console.cli import checks

            return checks.run_list(options.json) if options.act == "list" else checks.run_show(options.kind)
        case "verify":
            from console.cli import verify

            return verify.run(
                *(options.log, options.anchor, options.json, options.allowed_signers),
                witness=not options.no_witness,
            )
        case "archive":
            from console.cli import archive

            return archive.run(options.log, options.target)
        case "report":
            from console.cli import report

            return report.run(options.log, options.target)
        case "redact":
            from console.cli import redact

            return redact.run(options.log, options.seq, options.reason)
        case "judge":
            from console.cli import judge

            return judge.run(options.log, options.runbook, options.json)
        case "replay":
            from console.cli import replay

            return replay.run(options.log, options.speed, options.at, damaged=options.damaged)
        case "follow":
            from console.ui.run import run_follow

            return run_follow(options.log)
        case "engine":
            from console.cli import engine

            return engine.run_list(options.json) if options.act == "list" else engine.run_stop(options.target)
        case _:
            return 2


def _rehearsal(options: Namespace) -> int:
    if options.command == "faults":
        from console.rehearsal.cli import faults

        return faults.run(options.json)
    if options.command == "range":
        from console.rehearsal.cli import range as range_command

        return range_command.run(
            options.fault, options.seed, options.folder, options.rate or 1.0, options.runbook
        )
    from console.rehearsal.cli import rehearse

    asked = rehearse.RehearsalRequest(options.log, options.fault, options.seed, options.rate, options.runbook)
    if options.headless:
        return rehearse.run_headless(asked, as_json=options.json)
    return rehearse.run_console(asked)


def _version() -> int:
    from importlib.metadata import version

    print(f"launch-console {version('launch-console')}")  # noqa: T201  the answer to --version
    return 0
