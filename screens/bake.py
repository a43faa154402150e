"""The watch after the release: only seconds that were seen to be good count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

from screens.base import STYLES, LaunchScreen
from screens.kit import formats
from screens.kit.bar import bar
from screens.kit.messages import CommandRequested
from screens.kit.pane import Pane
from screens.kit.plain import Line, Role, Span, cut, row
from screens.kit.screen_state import Mode, ScreenState
from screens.kit.viewport import Viewport, oldest_us
from screens.sections.chart import bake_chart, bake_span
from screens.sections.conditions import conditions
from state.base.times import SECOND_US
from state.view.enums import BakeState, ConditionState

GRAPH_KEYS: tuple[tuple[str, str], ...] = (("+-", "zoom"), ("←→", "pan"), ("z", "now"))

_ROLES = {BakeState.RUNNING: Role.ACCENT, BakeState.DONE: Role.GOOD, BakeState.TRIPPED: Role.BAD}


class BakeScreen(LaunchScreen):
    """Large graphs, the time seen good, the stop conditions, and the way back."""

    NAME = "bake"
    CSS_PATH: ClassVar = [STYLES / "base.tcss", STYLES / "bake.tcss"]
    KEYS = (
        ("B", "roll back"),
        ("A", "acknowledge"),
        ("f", "faster"),
        ("h", "hold"),
        *GRAPH_KEYS,
        ("d", "operations"),
        ("l", "log"),
        ("esc", "back"),
    )
    GRAPHS: ClassVar[list[BindingType]] = [
        Binding("plus,equals_sign", "zoom(-1)", "graphs: less time, closer", id="bake.closer"),
        Binding("minus", "zoom(1)", "graphs: more time", id="bake.wider"),
        Binding("left", "pan(-1)", "graphs: earlier", id="bake.earlier"),
        Binding("right", "pan(1)", "graphs: later", id="bake.later"),
        Binding("z", "follow", "graphs: follow now again", id="bake.follow"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("A", "acknowledge", "acknowledge a trip", id="bake.acknowledge"),
        *GRAPHS,
    ]

    def __init__(self) -> None:
        super().__init__()
        self.look = Viewport()

    def keys(self) -> list[tuple[str, str]]:
        """Return the keys worth telling; in a replay those of the graphs come after its own first ones."""
        known = super().keys()
        return [*known[:4], *GRAPH_KEYS, *known[4:]] if self.shown.mode is Mode.REPLAY else known

    def body(self) -> Iterable[Widget]:
        """Return the bake's state, the graphs and the stop conditions."""
        yield Pane(bake, id="bake")
        yield Vertical(
            Pane(bake_chart(0, self._looks), classes="graph"),
            Pane(bake_chart(1, self._looks), classes="graph"),
            Pane(bake_chart(2, self._looks), classes="graph third"),
            id="graphs",
        )
        yield Pane(conditions, id="conditions")

    def context(self) -> Mapping[str, str]:
        """Return the stop condition that is tripped, where there is one."""
        tripped = [c.id for c in self.shown.view.conditions if c.state is ConditionState.TRIPPED]
        return {"condition": tripped[0]} if len(tripped) == 1 else {}

    def _looks(self) -> Viewport:
        return self.look

    def action_zoom(self, by: int) -> None:
        """Show less time (-1) or more (1) in the graphs."""
        self._look(self.look.zoomed(by, self._chosen_s(), self.shown.now_us))

    def action_pan(self, by: int) -> None:
        """Show earlier (-1) or later (1) time in the graphs."""
        now_us, oldest = self.shown.now_us, oldest_us(self.shown.view)
        self._look(self.look.panned(by, self._chosen_s(), now_us, oldest or now_us))

    def action_follow(self) -> None:
        """Let the graphs choose their span and follow now again."""
        self._look(Viewport())

    def _chosen_s(self) -> int:
        return bake_span(self.shown.view, self.shown.now_us)

    def _look(self, look: Viewport) -> None:
        self.look = look
        self.show(self.shown)

    def action_acknowledge(self) -> None:
        """Ask for the acknowledgement of a trip."""
        if any(c.state is ConditionState.TRIPPED for c in self.shown.view.conditions):
            self.post_message(CommandRequested("condition.acknowledge", dict(self.context())))
        else:
            self.flash("no stop condition is tripped")


def bake(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return time seen good of time wanted, and in words why the bake stands still."""
    view = shown.view
    if view.bake is None:
        return [
            row(Span("BAKE ", Role.HEAD), Span("has not begun: it follows the production release", Role.DIM)),
            row(Span("  only seconds that were seen to be good will count", Role.DIM)),
        ]
    one = view.bake
    since = (shown.now_us - one.started_us) / SECOND_US
    role = _ROLES.get(one.state, Role.WARN)
    message = f" {formats.stopwatch(one.good_s)} of {formats.stopwatch(one.minimum_s)} healthy"
    size = max(8, width - len(message) - 7)
    why = f"  {one.state.upper()}" + (f": {whys}" if (whys := trips(shown) or one.why) else "")
    left = max(0, one.minimum_s - one.good_s)
    todo = f"  {formats.span(left)} to go" if left and one.state is BakeState.RUNNING else ""
    begun = (
        [Span(f"  begun {formats.span(since)} ago{todo}", Role.DIM)]
        if one.state is not BakeState.TRIPPED
        else []
    )
    return [
        row(
            Span("BAKE ", Role.HEAD),
            *bar(one.good_s, one.minimum_s, size, role),
            Span(message, Role.STRONG),
        ),
        row(Span(cut(why, width - (0 if one.state is BakeState.TRIPPED else 30)), role), *begun),
    ]


def trips(shown: ScreenState) -> str:
    """Return what tripped, when, over which limit, and what it is now; nothing without a trip.

    In the words of the banner: a trip has one time, and what is "now" is now.
    """
    return "; ".join(
        f"{c.title} {'below' if c.below else 'over'} {formats.number(c.threshold, c.unit)} at "
        f"{formats.clock(c.tripped_us or c.since_us, seconds=False)}, now {formats.number(c.value, c.unit)}"
        + (f" ({c.reason})" if c.reason else "")
        for c in shown.view.conditions
        if c.state is ConditionState.TRIPPED
    )
