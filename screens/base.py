"""What every screen has: two lines of state at the top, banners, a body, and a line of keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from screens.kit.pane import Pane
from screens.kit.plain import Line, Role, Span, cut, fill, row
from screens.kit.screen_state import Mode, ScreenState
from screens.sections import banner, status_line, timeline
from screens.sections.next_line import next_line, takes_room

SMALLEST = (60, 15)
"""Columns and lines below which a screen only says that it is too small."""
FLASH_S = 8.0
STYLES = Path(__file__).parent


class LaunchScreen(Screen[None]):
    """A screen of the launch. It keeps nothing of the launch: ``show`` gives it all that it draws."""

    CSS_PATH: ClassVar = [STYLES / "base.tcss"]
    NAME: ClassVar[str] = ""
    KEYS: ClassVar[tuple[tuple[str, str], ...]] = ()
    NEXT_KEY: ClassVar[str] = "space"
    """The key that does what comes next: enter, where no list takes it."""
    REPLAY_KEYS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("space", "play"), (",.", "step"), ("[]", "marker"), ("<>", "speed"), ("g", "go to"), ("?", "help"),
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
            return list(self.REPLAY_KEYS)
        kept = [key for key in self.KEYS if key[0] != "f" or self.shown.adjustable]
        return [*kept, ("?", "help"), ("q", "quit")]

    def compose(self) -> ComposeResult:
        """Lay out the frame around the body."""
        yield Pane(_tiny, id="tiny")
        yield Pane(status_line.status, id="status")
        yield Pane(self._next, id="next")
        yield Pane(timeline.transport, id="transport")
        yield Pane(banner.banner, id="banner")
        with Container(id="body"):
            yield from self.body()
        yield Pane(self._bottom, id="hints")

    def on_mount(self) -> None:
        """Remember the sections, and draw them for the first time."""
        self._panes = tuple(self.query(Pane))
        self.show(self.shown)

    def on_resize(self, event: events.Resize) -> None:
        """Say that the terminal is too small, or draw for its new size."""
        columns, lines = event.size
        self.set_class(columns < SMALLEST[0] or lines < SMALLEST[1], "-tiny")

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
        height = banner.banner_height(shown)
        pane = self.query_one("#banner", Pane)
        if pane.styles.height is None or pane.styles.height.value != height:
            pane.styles.height = height
            pane.display = height > 0
        declared = bool(shown.view.gates)
        for number, graph in enumerate(pane for pane in self._panes if pane.has_class("graph")):
            graph.set_class(declared and number >= len(shown.view.graphs), "-absent")
        self.query_one("#next", Pane).display = takes_room(shown)
        transport = self.query_one("#transport", Pane)
        if transport.display != (shown.transport is not None):
            transport.display = shown.transport is not None

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
