"""The watch after the release: only seconds that were seen to be good count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

from screens import words
from screens.base import STYLES, LaunchScreen
from screens.messages import CommandWanted
from screens.shown import Shown
from screens.widgets import world
from screens.widgets.chart import nth_chart
from screens.widgets.pane import Pane
from screens.widgets.plain import Line, Role, Span, cut, row
from state.clock import SECOND_US
from state.verdict import ConditionState

SPAN_S = 3600


class BakeScreen(LaunchScreen):
    """Large graphs, the time seen good, the stop conditions, and the way back."""

    NAME = "bake"
    CSS_PATH: ClassVar = [STYLES / "base.tcss", STYLES / "bake.tcss"]
    KEYS = (
        ("B", "roll back"),
        ("k", "acknowledge"),
        ("f", "faster"),
        ("h", "hold"),
        ("d", "operations"),
        ("l", "log"),
        ("esc", "back"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "acknowledge", "acknowledge a trip", id="bake.acknowledge"),
    ]

    def body(self) -> Iterable[Widget]:
        """Return the bake's state, the graphs and the stop conditions."""
        yield Pane(bake, id="bake")
        yield Vertical(
            Pane(nth_chart(0, span_s=SPAN_S, bake=True), classes="graph"),
            Pane(nth_chart(1, span_s=SPAN_S, bake=True), classes="graph"),
            Pane(nth_chart(2, span_s=SPAN_S, bake=True), classes="graph third"),
            id="graphs",
        )
        yield Pane(world.conditions, id="conditions")

    def context(self) -> Mapping[str, str]:
        """Return the stop condition that is tripped, where there is one."""
        tripped = [c.id for c in self.shown.view.conditions if c.state is ConditionState.TRIPPED]
        return {"condition": tripped[0]} if len(tripped) == 1 else {}

    def action_acknowledge(self) -> None:
        """Ask for the acknowledgement of a trip."""
        if any(c.state is ConditionState.TRIPPED for c in self.shown.view.conditions):
            self.post_message(CommandWanted("condition.acknowledge", dict(self.context())))
        else:
            self.flash("no stop condition is tripped")


def bake(shown: Shown, width: int, height: int) -> list[Line]:
    """Return time seen good of time wanted, and in words why the bake stands still."""
    view = shown.view
    if view.bake is None:
        return [
            row(Span("BAKE ", Role.HEAD), Span("has not begun: it follows the production release", Role.DIM)),
            row(Span("  only seconds that were seen to be good will count", Role.DIM)),
        ]
    one = view.bake
    since = (shown.now_us - one.started_us) / SECOND_US
    role = {"running": Role.ACCENT, "done": Role.GOOD, "tripped": Role.BAD}.get(one.state, Role.WARN)
    told = f" {words.stopwatch(one.good_s)} of {words.stopwatch(one.minimum_s)} seen good"
    size = max(8, width - len(told) - 7)
    why = f"  {one.state.upper()}" + (f": {one.why}" if one.why else "")
    left = max(0, one.minimum_s - one.good_s)
    todo = f"  {words.span(left)} to go" if left and one.state == "running" else ""
    return [
        row(
            Span("BAKE ", Role.HEAD),
            *world.bar(one.good_s, one.minimum_s, size, role),
            Span(told, Role.STRONG),
        ),
        row(Span(cut(why, width - 30), role), Span(f"  begun {words.span(since)} ago{todo}", Role.DIM)),
    ]
