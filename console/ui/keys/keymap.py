"""Keys that work on every screen, and what the help says of them. Every binding has an id for a keymap."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from textual.binding import Binding, BindingType

from screens.bake import BakeScreen
from screens.deploy import DeployScreen
from screens.gate import GateScreen
from screens.help import HelpEntry
from screens.kit.formats import GATE_KEYS, gate_keys
from screens.kit.screen_state import Mode, ScreenState
from screens.log import LogScreen
from screens.pipeline import PipelineScreen
from state.commands import COMMANDS
from state.view.first_launch import offered
from state.view.launch import LaunchView
from state.view.locked import why_locked, why_operation_locked

EVERYWHERE: tuple[tuple[str, str, str], ...] = (
    *((str(n % 10), f"gate({n})", f"gate {n}") for n in range(1, GATE_KEYS + 1)),
    ("g", "home", "dashboard"),
    ("d", "open('deploy')", "operations: deploy, migrate, roll back"),
    ("s", "open('pipeline')", "pipeline: its stages, and what each stands on"),
    ("b", "open('bake')", "bake: graphs and stop conditions"),
    ("l", "open('log')", "log of every event"),
    ("p", "open('pods')", "pods and ingresses"),
    ("question_mark,ctrl+p", "help", "search keys, commands, items, gates and operations"),
    ("slash", "filter", "filter the list"),
    ("n", "problem(1)", "next problem"),
    ("N", "problem(-1)", "problem before"),
    ("T", "theme", "dark, light or high contrast"),
    ("escape", "back", "back"),
    ("backspace", "back", "back"),
    ("q", "quit", "quit (the engine keeps running)"),
)
LIVE: tuple[tuple[str, str, str], ...] = (
    ("space,enter", "next", "do what comes next"),
    ("c", "ask('note.add')", "add a note"),
    ("full_stop", "item_number", "item of a gate by its number: 3.2"),
    ("h", "hold", "hold the launch, or release the hold"),
    ("x", "ask('operation.abort')", "abort the operation under way"),
    ("f", "ask('clock.rate')", "run the clock faster"),
    ("A", "ask('condition.acknowledge')", "acknowledge a tripped stop condition"),
    ("B", "rollback", "open the rollback dialog"),
    ("G", "requests", "requests of a second person: grant, refuse, carry out"),
    ("v", "ask('poll.answer')", "answer the go/no-go poll"),
    ("t", "ask('console.take_over')", "take over from the console that drives"),
    ("S", "start_engine", "start an engine where it was lost"),
)
PAST: tuple[tuple[str, str, str], ...] = (
    ("left_square_bracket", "transport('marker','-')", "look back: the moment before"),
    ("right_square_bracket", "transport('marker','+')", "looking back: the next moment"),
    ("left_curly_bracket", "transport('same','-')", "look back: the breach or trip before"),
    ("right_curly_bracket", "transport('same','+')", "looking back: the next breach or trip"),
    ("y", "pointer", "copy the pointer to this moment"),
)
"""Of a launch that goes on: what was before; escape is back to live."""
REPLAY: tuple[tuple[str, str, str], ...] = (
    ("space", "transport('play')", "play or pause"),
    ("comma", "transport('step','-')", "one event back"),
    ("full_stop", "transport('step','+')", "one event on"),
    ("left_square_bracket", "transport('marker','-')", "previous moment on the line"),
    ("right_square_bracket", "transport('marker','+')", "next moment on the line"),
    ("B", "transport('next','breach trip')", "next breach or trip"),
    ("x", "transport('next','operation')", "next start or end of an operation"),
    ("F", "transport('next','failure')", "next thing that went wrong"),
    ("h", "transport('next','hold')", "next hold or release"),
    ("t", "transport('next','take-over')", "next take-over"),
    ("c", "transport('next','note')", "next note"),
    ("left_curly_bracket", "transport('same','-')", "previous one of these"),
    ("right_curly_bracket", "transport('same','+')", "next one of these"),
    ("y", "pointer", "copy the pointer to this moment"),
    ("less_than_sign", "transport('speed','-')", "slower"),
    ("greater_than_sign", "transport('speed','+')", "faster"),
    ("g", "goto", "go to T+12m, 20:14, gate 6, 3.2, first breach, by ann, #123"),
    ("home", "transport('home')", "to the beginning"),
    ("end", "transport('end')", "to the end"),
)
SCREENS = (GateScreen, DeployScreen, PipelineScreen, BakeScreen, LogScreen)
"""Those with keys of their own."""
SHOWN = {
    "space,enter": "space",
    "question_mark,ctrl+p": "?", "escape": "esc", "comma": ",", "full_stop": ".", "left_square_bracket": "[",
    "right_square_bracket": "]", "left_curly_bracket": "{",
    "right_curly_bracket": "}", "less_than_sign": "<", "greater_than_sign": ">",
    "slash": "/",
    "plus,equals_sign": "+", "minus": "-", "left": "←", "right": "→",
}  # fmt: skip


def bindings(mode: Mode, changed: Mapping[str, str] | None = None) -> list[Binding]:
    """Return the keys of every screen for a mode; a mode's own keys come first.

    ``changed``: actions with the keys that somebody gave them.
    """
    own = REPLAY if mode is Mode.REPLAY else (*LIVE, *PAST) if mode is Mode.LIVE else PAST
    taken = {key for key, _, _ in own}
    keys = [*own, *(one for one in EVERYWHERE if one[0] not in taken)]
    given = changed or {}
    return [
        Binding(given.get(name_of(action), key), action, what, show=False, id=f"{mode.value}.{key}")
        for key, action, what in keys
    ]


def name_of(action: str) -> str:
    """Return what a file of keys calls an action: ``note.add`` for what asks, ``show.log`` for what opens."""
    verb, _, rest = action.partition("(")
    what = rest.rstrip(")").replace("'", "").replace(",", ".")
    if verb in {"ask", "open"}:
        return what if verb == "ask" else f"show.{what}"
    return f"{verb}.{what}".rstrip(".")


def usual_keys() -> dict[str, str]:
    """Return every action that a file of keys may name, with the key that it has without one."""
    every = {name_of(action): key for key, action, _ in (*EVERYWHERE, *LIVE, *PAST) if not key.isdigit()}
    del every["back"]
    for screen in SCREENS:
        every |= {one.id: one.key for one in screen.BINDINGS if isinstance(one, Binding) and one.id}
    return every


def labels(changed: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """Return what the line of keys writes: by screen (nothing: everywhere) and usual key, the key that was given."""
    usual = usual_keys()
    screens = {one.NAME for one in SCREENS}
    told = {}
    for action, key in changed.items():
        area = action.partition(".")[0]
        is_own = area in screens and not any(action == name_of(a) for _, a, _ in (*EVERYWHERE, *LIVE, *PAST))
        for old in usual[action].split(","):
            told[area if is_own else "", SHOWN.get(old, old)] = SHOWN.get(key, key)
    return told


def entries(mode: Mode, gates: int = 0, changed: Mapping[str, str] | None = None) -> list[HelpEntry]:
    """Return what the help lists: keys by name of their action, then the commands of the registry.

    ``gates`` is how many the runbook has (0: not known yet); a key is there for the first ten. ``changed``: actions
    with the keys that somebody gave them.
    """
    told = labels(changed or {})
    listed = [
        HelpEntry(f"action:{b.action}", SHOWN.get(b.key, b.key), b.description, "everywhere")
        for b in bindings(mode, changed)
        if b.key != "backspace" and not (b.key.isdigit() and b.key != "1")
    ]
    last = min(gates or GATE_KEYS, GATE_KEYS)
    titles = {"key": gate_keys(gates), "title": f"gate 1 to {last}" if last > 1 else "gate 1"}
    listed = [replace(e, **titles) if e.key == "1" else e for e in listed]
    if mode is not Mode.LIVE:
        return [*listed, *_of_screen(BakeScreen.NAME, BakeScreen.GRAPHS)]
    for screen in SCREENS:
        own = _of_screen(screen.NAME, screen.BINDINGS)
        listed += [replace(one, key=told.get((screen.NAME, one.key), one.key)) for one in own]
    listed += [HelpEntry(f"command:{c.name}", c.key, c.title, "command") for c in COMMANDS if c.listed]
    return listed


_ASKS = re.compile(r"ask\('([a-z_.]+)'\)")


def locked(name: str, shown: ScreenState) -> str:
    """Return why an entry would come to nothing now, or nothing."""
    kind, _, rest = name.partition(":")
    if shown.mode is not Mode.LIVE:
        return ""
    if kind == "operation":
        return why_operation_locked(shown.view, rest, shown.now_us)
    asked = _ASKS.search(rest)
    command = rest if kind == "command" else asked.group(1) if asked else ""
    return why_locked(shown.view, command, shown.now_us, shown.me, shown.account) if command else ""


def places(view: LaunchView) -> list[HelpEntry]:
    """Return what of a launch can be gone to: its operations, gates and items."""
    return [
        *(HelpEntry(f"operation:{o.id}", "", f"{o.id} {o.title}", "operation") for o in offered(view)),
        *(HelpEntry(f"gate:{g.number}", "", f"gate {g.number} {g.title}", "gate") for g in view.gates),
        *(HelpEntry(f"item:{i.id}", "", f"{i.id} {i.text}", "item") for g in view.gates for i in g.items),
    ]


def _of_screen(screen: str, keys: list[BindingType]) -> list[HelpEntry]:
    return [
        HelpEntry(f"screen:{screen}:{action}", SHOWN.get(key, key), what, f"on {screen}")
        for key, what, action in _own(keys)
    ]


def _own(all_of: list[BindingType]) -> Iterator[tuple[str, str, str]]:
    for one in all_of:
        if isinstance(one, Binding):
            yield one.key, one.description, one.action


def parameters_of(command: str) -> frozenset[str]:
    """Return the names of a command's parameters."""
    return frozenset(p.name for c in COMMANDS if c.name == command for p in c.parameters)
