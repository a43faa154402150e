"""Helm's command line, as far as this stand-in goes."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from typing import NoReturn

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_OPTIONAL_VALUE = {"--dry-run": "client", "--wait": "true", "--wait-for-jobs": "true", "--atomic": "true"}


class UsageError(Exception):
    """The command line is not one that helm would take."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def go_duration(given: str) -> float:
    """Return the seconds of a Go duration such as ``5m0s``.

    Raises UsageError for anything else.
    """
    if not re.fullmatch(r"(?:\d+(?:\.\d+)?(?:h|ms|m|s))+", given):
        raise UsageError(f'invalid argument "{given}" for "--timeout" flag: time: invalid duration "{given}"')
    return sum(float(n) * _UNITS[unit] for n, unit in re.findall(r"(\d+(?:\.\d+)?)(h|ms|m|s)", given))


def _flag(given: str) -> bool:
    return given in {"true", "1", "t"}


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the parsed command line; ``verb`` names the command.

    Raises UsageError in helm's words where it can.
    """
    filled = [f"{a}={_OPTIONAL_VALUE[a]}" if a in _OPTIONAL_VALUE else a for a in arguments]
    parser = _root()
    given, extra = parser.parse_known_args(filled)
    if given.verb is None:
        raise UsageError(
            "a command is needed: version, list, status, history, get, upgrade, install, rollback, ..."
        )
    if extra:
        unknown = extra[0].split("=")[0]
        raise UsageError(
            f"unknown flag: {unknown}" if unknown.startswith("-") else f'unknown argument "{unknown}"'
        )
    given.assignments = [("typed", a) for a in given.set] + [("text", a) for a in given.set_string]
    return given


def _shared(*, nested: bool) -> _Parser:
    """Return the flags that stand before or after the verb; nested ones leave no default behind."""
    parser = _Parser(add_help=False, argument_default=argparse.SUPPRESS if nested else None)
    parser.add_argument("--kubeconfig")
    parser.add_argument("--kube-context")
    parser.add_argument("-n", "--namespace")
    parser.add_argument("--debug", action="store_true")
    return parser


def _root() -> argparse.ArgumentParser:
    parser = _Parser(prog="helm", parents=[_shared(nested=False)], allow_abbrev=False)
    parser.set_defaults(**_DEFAULTS, set=[], set_string=[], values=[])
    verbs = parser.add_subparsers(dest="verb", parser_class=_Parser)
    for verb, (aliases, add) in _VERBS.items():
        sub = verbs.add_parser(
            verb,
            aliases=aliases,
            parents=[_shared(nested=True)],
            argument_default=argparse.SUPPRESS,
            allow_abbrev=False,
        )
        add(sub)
        sub.set_defaults(verb=verb)
    return parser


_DEFAULTS: dict[str, object] = {
    "output": "table",
    "wait": False,
    "wait_for_jobs": False,
    "timeout": 300.0,
    "dry_run": "",
    "history_max": 10,
    "revision": 0,
    "all": False,
}


def _output(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("-o", "--output", choices=["table", "json", "yaml"])


def _named(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("name")
    sub.add_argument("--revision", type=int)
    _output(sub)


def _version(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--short", action="store_true", default=False)
    sub.add_argument("--template", default="")


def _list(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("-a", "--all", action="store_true", default=False)
    sub.add_argument("--pending", action="store_true", default=False)
    sub.add_argument("-f", "--filter", default="")
    _output(sub)


def _history(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("name")
    sub.add_argument("--max", type=int, default=256)
    _output(sub)


def _get(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("part", choices=["values", "manifest", "metadata"])
    sub.add_argument("-a", "--all", action="store_true", default=False)
    _named(sub)


def _change(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--wait", type=_flag)
    sub.add_argument("--wait-for-jobs", type=_flag)
    sub.add_argument("--timeout", type=go_duration)
    sub.add_argument("--dry-run")
    sub.add_argument("--history-max", type=int)
    sub.add_argument("--no-hooks", action="store_true")


def _chart(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("name")
    sub.add_argument("chart")
    sub.add_argument("-f", "--values", action="append")
    sub.add_argument("--set", action="append")
    sub.add_argument("--set-string", action="append")
    sub.add_argument("--version", dest="chart_version")
    sub.add_argument("--description")
    sub.add_argument("--hide-secret", action="store_true")
    sub.add_argument("--hide-notes", action="store_true")


def _upgrade(sub: argparse.ArgumentParser) -> None:
    _chart(sub)
    _change(sub)
    _output(sub)
    sub.add_argument("-i", "--install", action="store_true")
    sub.add_argument("--create-namespace", action="store_true")
    sub.add_argument("--reuse-values", action="store_true")
    sub.add_argument("--reset-values", action="store_true")


def _rollback(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("name")
    sub.add_argument("revision", type=int, nargs="?", default=0)
    _change(sub)


def _uninstall(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("name")
    sub.add_argument("--wait", type=_flag)
    sub.add_argument("--timeout", type=go_duration)


_VERBS: dict[str, tuple[list[str], Callable[[argparse.ArgumentParser], None]]] = {
    "version": ([], _version),
    "list": (["ls"], _list),
    "status": ([], _named),
    "history": (["hist"], _history),
    "get": ([], _get),
    "upgrade": ([], _upgrade),
    "install": ([], _upgrade),
    "rollback": ([], _rollback),
    "uninstall": (["delete", "un"], _uninstall),
    "template": ([], _chart),
}
