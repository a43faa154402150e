"""The command line: what can be asked of the program, and which module answers."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

SUBCOMMANDS = (
    "open", "rehearse", "range", "faults", "check", "checks", "runbook", "verify", "archive", "report", "redact",
    "judge", "replay", "follow", "engine",
)  # fmt: skip

EPILOG = """exit codes: 0 done or GO, 1 internal error, 2 wrong use or a bad runbook,
3 a log that can't be used, 4 not reachable;
check: 0 all pass, 11 a fail, 13 something unknown;
headless: 0 every gate GO, 11 NO-GO, 12 tripped, 13 blind, 14 rolled back and verified,
15 rolled back and not verified, 16 stuck"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="launch-console",
        description="Drive a production launch gate by gate, from one terminal.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="store_true", help="print the version and leave")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    _launches(commands)
    _checks(commands)
    _rehearsals(commands)
    _records(commands)
    _engines(commands)
    return top


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  it has no other name


def _launches(commands: Commands) -> None:
    opened = commands.add_parser("open", help="open the console on a runbook (the default)")
    opened.add_argument("runbook", nargs="?", type=Path, default=Path("runbook.yaml"))
    opened.add_argument("--log", type=Path, help="the launch's log; a new one where it does not exist")
    opened.add_argument("--clock", type=Path, help=argparse.SUPPRESS)

    runbook = commands.add_parser("runbook", help="check a runbook, or print the schema of runbooks")
    acts = runbook.add_subparsers(dest="act", metavar="check|schema", required=True)
    checking = acts.add_parser("check", help="name every problem of a runbook, without opening it")
    checking.add_argument("runbook", nargs="?", type=Path, default=Path("runbook.yaml"))
    acts.add_parser("schema", help="print the JSON Schema of a runbook, for editors")


def _checks(commands: Commands) -> None:
    check = commands.add_parser("check", help="run checks without a screen, in a pipeline for example")
    check.add_argument(
        "wanted", nargs="*", metavar="GATE|ITEM", help="3 is a gate, 3.2 an item; all where none is named"
    )
    check.add_argument("--runbook", type=Path, default=Path("runbook.yaml"))
    check.add_argument("--log", type=Path, help="judge by what this launch has seen; it is only read")
    check.add_argument(
        "--probes", action="store_true", help="also run the checks that leave traces in production"
    )
    form = check.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON document")
    form.add_argument("--junit", type=Path, metavar="FILE", help="write a JUnit XML file too")
    check.add_argument("--clock", type=Path, help=argparse.SUPPRESS)

    checks = commands.add_parser("checks", help="list the kinds of checks, or show one with its settings")
    acts = checks.add_subparsers(dest="act", metavar="list|show", required=True)
    listing = acts.add_parser("list", help="every kind, and what it judges")
    listing.add_argument("--json", action="store_true")
    showing = acts.add_parser("show", help="a kind with every setting and an example")
    showing.add_argument("kind", metavar="KIND")


def _rehearsals(commands: Commands) -> None:
    rehearse = commands.add_parser("rehearse", help="drive a whole launch in a simulated world")
    _world(rehearse)
    rehearse.add_argument(
        "--headless", action="store_true", help="the launch drives itself, without a screen"
    )
    rehearse.add_argument(
        "--json", action="store_true", help="one JSON object for each event, last a summary"
    )
    rehearse.add_argument("--log", type=Path, help="the launch's log; an existing one goes on where it was")

    served = commands.add_parser(
        "range", help="serve the simulated world alone, for kubectl, curl and others"
    )
    _world(served)
    served.add_argument("--folder", type=Path, help="where the world is kept; a temporary one where left out")

    faults = commands.add_parser("faults", help="list what can be made to go wrong in a rehearsal")
    faults.add_argument("--json", action="store_true")


def _records(commands: Commands) -> None:
    verify = commands.add_parser("verify", help="check that a log is whole and unaltered")
    verify.add_argument("log", type=Path)
    verify.add_argument(
        "--anchor", action="append", default=[], help="a head that was noted elsewhere: lc1:…"
    )
    verify.add_argument(
        "--allowed-signers",
        type=Path,
        help="whose SSH keys count, as ssh-keygen reads it; else the log's own",
    )
    verify.add_argument(
        "--no-witness", action="store_true", help="leave out what this account saw of the log before"
    )
    verify.add_argument("--json", action="store_true")

    archive = commands.add_parser(
        "archive", help="copy a log into one clean file that verifies to the same head"
    )
    archive.add_argument("log", type=Path)
    archive.add_argument("target", nargs="?", type=Path)

    report = commands.add_parser("report", help="tell a launch as a page to keep, in Markdown")
    report.add_argument("log", type=Path)
    report.add_argument("target", nargs="?", type=Path, help="the file to write; else the standard output")

    redact = commands.add_parser(
        "redact", help="take the body of an event out of a log for good, after a leak"
    )
    redact.add_argument("log", type=Path)
    redact.add_argument("seq", type=int, help="the event's number")
    redact.add_argument("--reason", required=True, help="why, for the log; never the secret itself")

    judge = commands.add_parser("judge", help="judge a recorded launch again by other stop conditions")
    judge.add_argument("log", type=Path)
    judge.add_argument("--runbook", type=Path, required=True, help="whose stop conditions are tried")
    judge.add_argument("--json", action="store_true")

    replay = commands.add_parser("replay", help="replay a saved log on the same screens")
    replay.add_argument("log", type=Path)
    replay.add_argument("--speed", type=_times, default=1.0, help="how many times as fast as it was")
    replay.add_argument("--damaged", action="store_true", help="replay a log that doesn't verify, too")
    replay.add_argument(
        "--at", default="", help="where to begin: T+12m, 14:03, 'gate 6', deploy, or a number"
    )

    follow = commands.add_parser("follow", help="watch a log that an engine is writing, read-only")
    follow.add_argument("log", type=Path)


def _engines(commands: Commands) -> None:
    engine = commands.add_parser("engine", help="list or stop engines")
    acts = engine.add_subparsers(dest="act", metavar="list|stop", required=True)
    listing = acts.add_parser("list", help="the engines of this account")
    listing.add_argument("--json", action="store_true")
    stopping = acts.add_parser("stop", help="stop an engine")
    stopping.add_argument("target", help="its log or its pid")


def _world(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--fault", action="append", default=[], metavar="NAME", help="see `launch-console faults`"
    )
    sub.add_argument("--seed", type=int, default=1)
    sub.add_argument(
        "--rate",
        type=_times,
        default=0.0,
        help="how fast its clock runs: 60 is 60 times as fast as real time",
    )
    sub.add_argument(
        "--runbook", type=Path, metavar="FILE", help="launch this one's service in it; left out: the SOP's"
    )


def _times(text: str) -> float:
    """Return how many times as fast.

    Raises ArgumentTypeError for what a clock can't do.
    """
    with suppress(ValueError):
        if 0.01 <= (times := float(text)) <= 1000:
            return times
    raise argparse.ArgumentTypeError(f"a rate between 0.01 and 1000 is expected, not {text!r}")


def parse(argv: list[str]) -> argparse.Namespace:
    """Return the parsed command line; ``open`` is meant where no command is named.

    Raises SystemExit(2) with one message where it is wrong.
    """
    known = {*SUBCOMMANDS, "-h", "--help", "--version"}
    if not argv or argv[0] not in known:
        argv = ["open", *argv]
    return parser().parse_args(argv)
