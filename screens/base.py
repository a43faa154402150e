"""What every screen has: two lines of state at the top, banners, a body, and a line of keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from screens.kit.field import Field
from screens.kit.guarded import Guarded
from screens.kit.messages import ScreenRequested
from screens.kit.pane import Pane
from screens.kit.plain import Line, Role, Span, cut, fill, row
from screens.kit.screen_state import Mode, ScreenState
from screens.kit.table import Table
from screens.sections import banner, status_line, timeline
from screens.sections.next_line import next_line, takes_room
from screens.sections.urgent import urgent_keys

SMALLEST = (60, 15)
"""Columns and lines below which a screen only says that it is too small."""
NARROW = "narrow"
"""The id of the field in which a list's filter is typed."""
BESIDE, VAST = 120, 180
"""Columns from which a list and its evidence stand side by side, and from which there are three columns."""
FLASH_S = 8.0
STYLES = Path(__file__).parent

_ACTS: frozenset[str | tuple[str, str]] = frozenset({*"hfcBAxourRaw", ("enter", "preview and run")})
"""Keys that somebody who only watches has no use for."""


class LaunchScreen(Guarded, Screen[None]):
    """A screen of the launch. It keeps nothing of the launch: ``show`` gives it all that it draws."""

    CSS_PATH: ClassVar = [STYLES / "base.tcss"]
    NAME: ClassVar[str] = ""
    KEYS: ClassVar[tuple[tuple[str, str], ...]] = ()
    LIST: ClassVar[str] = ""
    """The id of the table that ``/`` filters and ``n`` finds problems in; nothing where there is none."""
    NEXT_KEY: ClassVar[str] = "space"
    """The key that does what comes next: enter, where no list takes it."""
    PAST_KEYS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("esc", "back to live"), ("[]", "moment"), ("{}", "breach"), ("y", "pointer"), ("h", "hold"), ("?", "help"),
    )  # fmt: skip
    REPLAY_KEYS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("space", "play"), (",.", "step"), ("[]", "moment"), ("B", "breach"), ("x", "operation"), ("g", "go to"),
        ("<>", "speed"), ("?", "help"),
        ("q", "quit"),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__(id=f"screen-{self.NAME}")
        self.shown = ScreenState()
        self._flash: Span | None = None
        self._flash_timer: Timer | None = None
        self._panes: tuple[Pane, ...] = ()

    def body(self) -> Iterable[Widget]:
        """Return the widgets between the banner and the line of keys."""
        return ()

    def entered(self) -> None:
        """Begin anew: somebody opens this screen; not called where a dialog over it closes."""

    def context(self) -> Mapping[str, str]:
        """Return what a command asked for here is about: ``item``, ``gate``, ``operation``, ``condition``."""
        return {}

    def keys(self) -> list[tuple[str, str]]:
        """Return the keys worth telling, the most useful first."""
        if self.shown.mode is Mode.REPLAY:
            past = self.shown.transport is not None and self.shown.transport.now is not None
            return list(self.PAST_KEYS if past else self.REPLAY_KEYS)
        urgent = urgent_keys(self.shown)
        told = {key for key, _ in urgent}
        usual = [key for key in self.KEYS if key[0] != "f" or self.shown.adjustable]
        if self.shown.mode is Mode.FOLLOW:
            usual = [*(key for key in usual if not (key[0] in _ACTS or key in _ACTS)), ("[", "look back")]
        more = [("/", "filter"), ("n", "problem")] if self.LIST else []
        kept = [key for key in [*usual, *more] if key[0] not in told]
        return [*((self._label(key), what) for key, what in (*urgent, *kept)), ("?", "help"), ("q", "quit")]

    def _label(self, key: str) -> str:
        """Return how a key is called that somebody may have given to its action."""
        labels = self.shown.labels
        return labels.get((self.NAME, key)) or labels.get(("", key)) or key

    def compose(self) -> ComposeResult:
        """Lay out the frame around the body."""
        yield Pane(_tiny, id="tiny")
        yield Pane(status_line.status, id="status")
        yield Pane(self._next, id="next")
        yield Pane(timeline.transport, id="transport")
        yield Pane(banner.banner, id="banner")
        with Container(id="body"):
            yield from self.body()
        if self.LIST:
            yield Field(placeholder="filter: words that a row must have", id=NARROW)
        yield Pane(self._bottom, id="hints")

    def on_mount(self) -> None:
        """Remember the sections, and draw them for the first time."""
        self._panes = tuple(self.query(Pane))
        self.show(self.shown)

    def on_resize(self, event: events.Resize) -> None:
        """Say that the terminal is too small, or draw for its new size."""
        columns, lines = event.size
        self.set_class(columns < SMALLEST[0] or lines < SMALLEST[1], "-tiny")
        was = (self.has_class("-beside"), self.has_class("-vast"))
        self.set_class(columns >= BESIDE, "-beside")
        self.set_class(columns >= VAST, "-vast")
        if was != (columns >= BESIDE, columns >= VAST):
            self.call_after_refresh(self._fit)

    def show(self, shown: ScreenState) -> None:
        """Show a moment of the launch."""
        self.shown = shown
        if not self._panes:
            return
        with self.app.batch_update():
            self._frame(shown)
            for pane in self._panes:
                pane.show(shown)
            self.refresh_body(shown)

    # -- filter, problems, mouse ---------------------------------------------------------------------

    def open_filter(self) -> None:
        """Let somebody type which rows of the list they want to see."""
        if self.LIST:
            self.set_class(True, "-narrowing")
            self.query_one(f"#{NARROW}", Field).focus()

    def clear_filter(self) -> bool:
        """List every row again; return whether something was filtered."""
        if not self.LIST or not self.has_class("-narrowing"):
            return False
        self.set_class(False, "-narrowing")
        self.query_one(f"#{NARROW}", Field).value = ""
        self.query_one(f"#{self.LIST}", Table).focus()
        return True

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as the words are typed."""
        if event.input.id == NARROW:
            event.stop()
            self.query_one(f"#{self.LIST}", Table).narrow(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter, and give the keys to the list."""
        if event.input.id == NARROW:
            event.stop()
            if not event.value.strip():
                self.clear_filter()
            self.query_one(f"#{self.LIST}", Table).focus()

    def problem(self, by: int) -> bool:
        """Go to the next problem, or to the one before; return whether there is one."""
        return bool(self.LIST) and self.query_one(f"#{self.LIST}", Table).problem(by)

    def on_pane_clicked(self, event: Pane.Clicked) -> None:
        """Do what the mouse points at: a key of the bottom line, what comes next, a section's own screen."""
        event.stop()
        name = event.pane.id or ""
        lines = event.pane.lines
        if name in {"hints", "next", "banner"} and event.y < len(lines):
            key = status_line.key_at(lines[event.y], event.x)
            if key or name == "next":
                self.app.simulate_key(key or self.NEXT_KEY)
        elif (target := self.leads_to(event.pane, event.y)) is not None:
            self.post_message(target)

    def leads_to(self, pane: Pane, y: int) -> Message | None:
        """Return what a click on a line of a section asks for."""
        return ScreenRequested("bake") if pane.has_class("graph") and self.NAME != "bake" else None

    def _fit(self) -> None:
        """Give the sections the sizes that go with another layout."""
        self.show(self.shown)

    @property
    def laid_out(self) -> bool:
        """Whether its widgets are there."""
        return bool(self._panes)

    def done(self, command: str, args: Mapping[str, str]) -> None:
        """Hear that a command asked for here was carried out."""

    def _next(self, shown: ScreenState, width: int, height: int) -> list[Line]:
        return next_line(shown, width, self.NEXT_KEY)

    def refresh_body(self, shown: ScreenState) -> None:
        """Bring widgets of the body up to date that are no panes."""

    def _frame(self, shown: ScreenState) -> None:
        _tall(self.query_one("#banner", Pane), banner.banner_height(shown))
        declared = bool(shown.view.gates)
        for number, graph in enumerate(pane for pane in self._panes if pane.has_class("graph")):
            graph.set_class(declared and number >= len(shown.view.graphs), "-absent")
        self.query_one("#next", Pane).display = takes_room(shown)
        transport = self.query_one("#transport", Pane)
        lines = timeline.transport_height(shown, self.size.height)
        if (
            transport.display != (lines > 0)
            or transport.styles.height is None
            or transport.styles.height.value != lines
        ):
            transport.display = lines > 0
            transport.styles.height = lines

    def flash(self, message: str, *, bad: bool = False) -> None:
        """Tell something in the bottom line for a while."""
        self._flash = Span(f" {message} ", Role.ALARM if bad else Role.MARKED)
        if self._flash_timer is not None:
            self._flash_timer.stop()
        self._flash_timer = self.set_timer(FLASH_S, self.hush)
        self._tell()

    def hush(self) -> None:
        """Take back what was told in the bottom line."""
        self._flash = None
        self._tell()

    def _tell(self) -> None:
        if self._panes:  # else it is not laid out yet, and will show it then
            self.query_one("#hints", Pane).show(self.shown)

    def _bottom(self, shown: ScreenState, width: int, height: int) -> list[Line]:
        if self._flash is not None:
            helped = status_line.hints([("?", "help")], 7)
            return [fill(row(Span(cut(self._flash.text, width - 8), self._flash.role)), helped, width)]
        return [status_line.hints(self.keys(), width)]


def _tiny(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return the one line that a terminal that is too small gets."""
    running = shown.view.running()
    doing = f"{running.id} runs" if running is not None else shown.view.state.value
    return [
        row(Span(cut(f" {status_line.environment_words(shown.view)} ", width), Role.MARKED)),
        row(Span(cut(doing, width), Role.STRONG)),
        row(cut(f"too small: {SMALLEST[0]}x{SMALLEST[1]} at least", width)),
    ]


def _tall(pane: Pane, lines: int) -> None:
    """Give a section so many lines, where it hasn't; none hides it."""
    height = pane.styles.height
    if height is None or height.value != lines:
        pane.styles.height = lines
        pane.display = lines > 0
