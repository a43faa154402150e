"""The entry point: each command imports what it needs and nothing more, so a first frame comes early."""

from __future__ import annotations

import sys
from argparse import Namespace

from console.arguments import parse


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
            from console.open_command import run_open

            return run_open(options.runbook, options.log, options.clock)
        case "rehearse" | "range" | "faults":
            return _rehearsal(options)
        case "check" | "schema":
            from console import check_command

            return (
                check_command.run_check(options.runbook)
                if options.command == "check"
                else check_command.run_schema()
            )
        case "verify":
            from console import verify_command

            return verify_command.run(
                *(options.log, options.anchor, options.json, options.allowed_signers),
                witness=not options.no_witness,
            )
        case "archive":
            from console import archive_command

            return archive_command.run(options.log, options.target)
        case "redact":
            from console import redact_command

            return redact_command.run(options.log, options.seq, options.reason)
        case "judge":
            from console import judge_command

            return judge_command.run(options.log, options.runbook, options.json)
        case "replay":
            from console.ui.run import run_replay

            return run_replay(options.log, speed=options.speed, at=options.at)
        case "follow":
            from console.ui.run import run_follow

            return run_follow(options.log)
        case "engine":
            from console import engine_command

            return (
                engine_command.run_list(options.json)
                if options.act == "list"
                else engine_command.run_stop(options.target)
            )
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


if __name__ == "__main__":
    sys.exit(main())
