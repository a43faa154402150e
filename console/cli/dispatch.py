"""Which module answers a command: each is imported alone, so that a first frame comes early."""

from __future__ import annotations

import sys
from argparse import Namespace

from console.cli.arguments import parse


def main(argv: list[str] | None = None) -> int:
    """Run one command of the command line and return its exit code."""
    options = parse(sys.argv[1:] if argv is None else argv)
    try:
        return _run(options)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 141


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
        case "redact":
            from console.cli import redact

            return redact.run(options.log, options.seq, options.reason)
        case "judge":
            from console.cli import judge

            return judge.run(options.log, options.runbook, options.json)
        case "replay":
            from console.ui.run import run_replay

            return run_replay(options.log, speed=options.speed, at=options.at)
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
        from console.rehearsal import faults_command

        return faults_command.run(options.json)
    if options.command == "range":
        from console.rehearsal import range_command

        return range_command.run(options.fault, options.seed, options.folder, options.rate or 1.0)
    from console.rehearsal import rehearse_command

    if options.headless:
        return rehearse_command.run_headless(
            options.log, options.fault, options.seed, options.rate, as_json=options.json
        )
    return rehearse_command.run_console(options.log, options.fault, options.seed, options.rate or 1.0)


def _version() -> int:
    from importlib.metadata import version

    print(f"launch-console {version('launch-console')}")  # noqa: T201  the answer to --version
    return 0
