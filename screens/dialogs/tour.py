"""A tour of the screens: a few words over each place, what it is and its keys. It changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Button, Static

from screens.dialogs.dialogs import Dialog, no_button
from screens.kit.plain import Role, Span, content, row


@dataclass(frozen=True, slots=True)
class Stop:
    """A place of the tour: its screen, what it is, and the keys that are worth knowing there."""

    screen: str
    title: str
    words: str
    keys: tuple[tuple[str, str], ...]


STOPS = (
    Stop(
        "dashboard",
        "The dashboard: the whole launch",
        "Gates and pods on the left, graphs and stop conditions on the right. The line below the header says what "
        "comes next, from the first moment to the end. Nothing runs before you say so.",
        (("space", "do what comes next"), ("?", "find anything"), ("esc", "back here")),
    ),
    Stop(
        "gate",
        "A gate: its items",
        "Checks and people's words make an item's verdict; nobody sets it. What couldn't be judged is never a pass.",
        (
            ("R", "run the gate's checks"),
            ("a", "attest the item"),
            ("e", "evidence as JSON"),
        ),
    ),
    Stop(
        "deploy",
        "Operations: deploy, migrate, roll back",
        "Each shows what it would change and why it is locked. Production wants the name typed of what is at stake.",
        (("x", "abort what runs"), ("B", "roll back"), ("h", "hold the launch")),
    ),
    Stop(
        "bake",
        "The bake, after a release",
        "It counts the time that was seen to be healthy. A tripped stop condition is a banner on every screen.",
        (("B", "roll back"), ("A", "acknowledge a trip")),
    ),
    Stop(
        "pods",
        "Pods and ingresses",
        "As the cluster tells them now. Enter on a pod shows why it isn't ready, its events and its last log lines.",
        (("/", "filter the list"), ("n", "next problem")),
    ),
    Stop(
        "log",
        "The log: the launch itself",
        "Every screen is made of these events. Nothing is taken out or changed later; the report is written from it.",
        (("m", "milestones, or every event"), ("c", "add a note")),
    ),
    Stop(
        "dashboard",
        "Now drive it",
        "Do what comes next until production bakes. In a rehearsal nothing breaks. The engine runs on when you quit.",
        (("space", "do what comes next"), ("f", "a faster clock"), ("q", "quit")),
    ),
)
"""The places, in the order in which a launch comes to them."""


class TourDialog(Dialog[bool]):
    """A place of the tour, below the screen that it is about. It ends with True where the next one is wanted."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter", "attempt('yes')", "next", show=False),
        Binding("q", "no", "leave", show=False),
    ]

    AUTO_FOCUS = "#yes"

    def __init__(self, number: int, labels: Mapping[tuple[str, str], str]) -> None:
        """``labels``: keys that somebody gave to actions, by screen (nothing: everywhere) and usual key."""
        self._stop = STOPS[number]
        self._last = number == len(STOPS) - 1
        self._labels = labels
        super().__init__(f"{self._stop.title}  ({number + 1} of {len(STOPS)})")

    def parts(self) -> Iterable[Widget]:
        """Return what the place is, and its keys."""
        yield Static(content(self._stop.words), classes="note")
        told = [
            part
            for key, what in self._stop.keys
            for part in (Span(f"{self._label(key)} ", Role.KEY), Span(f"{what}   ", Role.DIM))
        ]
        yield Static(content(row(*told)), classes="note")

    def buttons(self) -> Iterable[Button]:
        """Return the way out, and the way on."""
        yield no_button("Leave (esc)")
        yield Button(
            content("Begin" if self._last else "Next (space)"), id="yes", variant="primary", compact=True
        )

    def pressed(self, name: str) -> None:
        """Go on."""
        self.finish(True)

    def _label(self, key: str) -> str:
        return self._labels.get((self._stop.screen, key)) or self._labels.get(("", key)) or key
