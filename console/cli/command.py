"""A row of the command line's table: a command, its arguments, and the function that answers."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument, as ``argparse`` takes it; its name is the parameter of the function that answers."""

    flags: tuple[str, ...]
    options: Mapping[str, object]


def arg(*flags: str, **options: object) -> Argument:
    """Return an argument, as ``add_argument`` of argparse takes it."""
    return Argument(flags, options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command: ``engine list`` stands below ``engine``, which answers nothing itself and has no ``run``."""

    name: str
    help: str
    run: str = ""
    """``module:function``, called with the arguments by name; it returns the exit code."""
    arguments: tuple[Argument, ...] = ()
    choices: tuple[tuple[Argument, ...], ...] = ()
    """Arguments of which at most one is given."""
    examples: tuple[str, ...] = ()
    """What a person types after ``launch-console``."""


def times(text: str) -> float:
    """Return how many times as fast.

    Raises ArgumentTypeError for what a clock can't do.
    """
    with suppress(ValueError):
        if 0.01 <= (rate := float(text)) <= 1000:
            return rate
    raise ArgumentTypeError(f"a rate between 0.01 and 1000 is expected, not {text!r}")
