"""The parser of the command line, made from the table."""

from __future__ import annotations

import argparse
from typing import TypeAlias

from console.cli.command import Command
from console.cli.commands import COMMANDS
from console.exit_codes import ExitCode

Parsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  it has no other name


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; what it parses has the row of the table as ``command``."""
    codes = [f"  {code.value:>2}  {code.meaning}" for code in ExitCode]
    top = argparse.ArgumentParser(
        prog="launch-console",
        description="Drive a production launch gate by gate, from one terminal.",
        epilog="\n".join(["exit codes:", *codes, "  128 + n: ended by signal n"]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="store_true", help="print the version and leave")
    top.set_defaults(command=None)
    groups = {"": top.add_subparsers(metavar="COMMAND")}
    for command in COMMANDS:
        group, _, name = command.name.rpartition(" ")
        made = _add(groups[group], name, command)
        if not command.run:
            acts = [c.name.rpartition(" ")[2] for c in COMMANDS if c.name.startswith(f"{command.name} ")]
            groups[name] = made.add_subparsers(metavar="|".join(acts), required=True)
    return top


def _add(parsers: Parsers, name: str, command: Command) -> argparse.ArgumentParser:
    below = [c for c in COMMANDS if f"{c.name} ".startswith(f"{command.name} ")]
    examples = [f"  launch-console {example}" for c in below for example in c.examples]
    made = parsers.add_parser(
        name,
        help=command.help,
        description=f"{command.help[:1].upper()}{command.help[1:]}.",
        epilog="\n".join(["examples:", *examples]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for argument in command.arguments:
        made.add_argument(*argument.flags, **argument.options)  # type: ignore[arg-type]  # argparse checks them
    for choice in command.choices:
        group = made.add_mutually_exclusive_group()
        for argument in choice:
            group.add_argument(*argument.flags, **argument.options)  # type: ignore[arg-type]  # the same
    made.set_defaults(command=command)
    return made


def parse(argv: list[str]) -> argparse.Namespace:
    """Return the parsed command line; ``open`` is meant where no command is named.

    Raises SystemExit(2) with one message where it is wrong.
    """
    known = {"-h", "--help", "--version", *(command.name for command in COMMANDS)}
    if not argv or argv[0] not in known:
        argv = ["open", *argv]
    return parser().parse_args(argv)
