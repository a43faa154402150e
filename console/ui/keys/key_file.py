"""Keys of one's own: a file that gives an action another key, checked as a whole before any of it counts.

    [keys]
    "note.add" = "ctrl+n"
    "gate.run_all" = "f5"

The file is ``keys.toml`` in ``$XDG_CONFIG_HOME/launch-console`` (``~/.config/launch-console``). A file with a mistake
changes nothing: the console starts with the keys that the documentation names, and says what is wrong.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

FIXED = frozenset(
    {
        "escape",
        "enter",
        "tab",
        "shift+tab",
        "up",
        "down",
        "left",
        "right",
        "pageup",
        "pagedown",
        "home",
        "end",
    }
    | {"ctrl+c", "ctrl+q", "ctrl+g", "ctrl+z", "j", "k", "slash", "question_mark", "q"}
    | {str(n) for n in range(10)}
)
"""Keys that mean the same everywhere, in lists and dialogs too: nothing else may have them."""
_KEY = re.compile(r"(ctrl\+|shift\+|alt\+)*([A-Za-z]|f([1-9]|1[0-9]|2[0-4])|[a-z]+(_[a-z]+)*)")
_NAMED = frozenset(
    {"space", "insert", "delete", "comma", "full_stop", "plus", "minus", "colon", "semicolon", "equals_sign"}
    | {"exclamation_mark", "number_sign", "asterisk", "at", "ampersand", "underscore", "tilde"}
)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What a file of keys says: actions with their keys, or what is wrong with it."""

    keys: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def path_of(environ: Mapping[str, str]) -> Path:
    """Return where the file of keys would be."""
    base = environ.get("XDG_CONFIG_HOME", "")
    folder = Path(base) if base else Path(environ.get("HOME", "/")) / ".config"
    return folder / "launch-console" / "keys.toml"


def read(path: Path, usual: Mapping[str, str]) -> KeyFile:
    """Return what a file says; nothing where there is none. ``usual`` holds every action with the key it has."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return KeyFile()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return KeyFile(problems=(f"can't be read: {error}",))
    table = found.get("keys")
    if not isinstance(table, dict) or set(found) != {"keys"}:
        return KeyFile(problems=("one table [keys] is expected, and nothing else",))
    problems = [told for action, key in table.items() if (told := _problem(action, key, usual))]
    problems = problems or _clashes({**usual, **table}, table)
    return KeyFile(problems=tuple(problems)) if problems else KeyFile(dict(table))


def _problem(action: str, key: object, usual: Mapping[str, str]) -> str:
    if action not in usual:
        near = difflib.get_close_matches(action, usual, 1)
        return f"there is no action {action!r}" + (f": did you mean {near[0]!r}?" if near else "")
    if not isinstance(key, str):
        return f"{action}: the key is written in quotes"
    last = key.rpartition("+")[2]
    known = len(last) == 1 or last in _NAMED or re.fullmatch(r"f\d+", last)
    if not _KEY.fullmatch(key) or not known:
        return f"{action}: there is no key {key!r}; f5, ctrl+n and N are some"
    return f"{action}: {key} means the same everywhere, and stays as it is" if key in FIXED else ""


def _clashes(every: Mapping[str, str], changed: Mapping[str, str]) -> list[str]:
    """Return which actions would share a key: of one screen, or of one and of all."""
    told = []
    for action, key in changed.items():
        area = action.partition(".")[0] if action.count(".") and action.partition(".")[0] in _AREAS else ""
        for other, taken in every.items():
            beside = other.partition(".")[0] if other.partition(".")[0] in _AREAS else ""
            if other != action and key in taken.split(",") and (not area or not beside or area == beside):
                told.append(f"{action}: {other} has {key}")
    return told


_AREAS = frozenset({"gate", "pipeline", "log", "bake", "deploy", "pods"})
"""Screens with keys of their own, as the names of their actions begin; all others work everywhere."""
