"""The one table of the command line: every row can be called, is told with examples that parse, and is enough."""

from __future__ import annotations

import shlex
import sys
from argparse import Namespace
from importlib import import_module
from inspect import signature

import pytest

from console.__main__ import main
from console.cli import arguments
from console.cli.command import Argument, Command
from console.cli.commands import COMMANDS
from tests.test_imports import HEAVY, SCREEN, loaded

RUN = [command for command in COMMANDS if command.run]
EXAMPLES = [(command, example) for command in RUN for example in command.examples]


def parsed(typed: str) -> Namespace:
    """Parse what a person types after the program's name, without what only their shell sees."""
    return arguments.parse(shlex.split(typed.partition(" > ")[0]))


@pytest.mark.parametrize(("command", "example"), EXAMPLES, ids=[example for _, example in EXAMPLES])
def test_every_example_is_one_of_its_command(command: Command, example: str) -> None:
    assert parsed(example).command is command


@pytest.mark.parametrize("command", RUN, ids=lambda command: command.name)
def test_the_function_takes_what_the_row_asks_for(command: Command) -> None:
    module, _, function = command.run.partition(":")
    given = vars(parsed(command.examples[0])).keys() - {"command", "version"}
    assert set(signature(getattr(import_module(module), function)).parameters) == given


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_tells_what_a_command_does_with_examples(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 <= len(command.examples) <= 3 or not command.run
    with pytest.raises(SystemExit):
        main([*command.name.split(), "--help"])
    told = capsys.readouterr().out
    assert command.help[1:] in " ".join(told.split())
    assert "examples:\n  launch-console " in told
    assert all(f"  launch-console {example}\n" in told for example in command.examples)


def test_a_name_that_is_no_command_is_a_runbook() -> None:
    assert (parsed("launch.yaml").command.name, parsed("").command.name) == ("open", "open")


def test_a_row_is_all_that_a_command_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = Command(
        name="rehearse-not",
        help="be new",
        run="tests.console.cli.test_commands:_new",
        arguments=(Argument(("--word",), {"default": "x"}),),
        examples=("rehearse-not --word y",),
    )
    monkeypatch.setattr(arguments, "COMMANDS", (*COMMANDS, row))
    assert main(["rehearse-not", "--word", "y"]) == 11
    assert capsys.readouterr().out == "y\n"


def _new(word: str) -> int:
    sys.stdout.write(f"{word}\n")
    return 11


@pytest.mark.parametrize("argv", [["--help"], ["check", "--help"], ["rehearse", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(argv: list[str]) -> None:
    asked = f"from console.__main__ import main\ntry: main({argv})\nexcept SystemExit: pass"
    assert loaded(asked, [*HEAVY, *SCREEN, "yaml", "sqlite3"]) == []
