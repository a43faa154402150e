"""The whole launch at a glance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual.containers import Container, Vertical
from textual.message import Message
from textual.widget import Widget

from screens.base import STYLES, LaunchScreen
from screens.kit import formats
from screens.kit.messages import ScreenRequested
from screens.kit.pane import Pane
from screens.kit.plain import Line
from screens.kit.screen_state import Mode, ScreenState
from screens.sections import gate_rail
from screens.sections.chart import nth_chart
from screens.sections.cluster import cluster
from screens.sections.conditions import conditions
from screens.sections.log_tail import tail
from screens.sections.operation import operation
from screens.sections.urgent import urgent_keys
from screens.sections.your_part import has_part, missing, your_part
from state.view.enums import ConditionState
from state.view.gates import next_problem

TALL = 34
"""Lines from which sections have a line of air between them, as in the app's breakpoints."""
LOW = 20
"""Lines below which there is room for one graph."""
SMALLEST_CLUSTER = 11
"""Lines that the gates leave to everything else on the left."""


_LEADS = {"cluster": "pods", "conditions": "bake", "operation": "deploy", "tail": "log", "tail-beside": "log"}
"""Sections with the screen that has more of them."""


def _operation(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return the operation; before there is one, what somebody is in this launch, and what is missing."""
    return (your_part if has_part(shown) else operation)(shown, width, height)


class DashboardScreen(LaunchScreen):
    """Gates, cluster, graphs, stop conditions, the operation, the tail of the log."""

    NAME = "dashboard"
    NEXT_KEY = "enter"
    CSS_PATH: ClassVar = [STYLES / "base.tcss", STYLES / "dashboard.tcss"]
    KEYS = (
        ("d", "deploy"),
        ("b", "bake"),
        ("l", "log"),
        ("p", "pods"),
        ("h", "hold"),
        ("f", "faster"),
        ("c", "note"),
    )

    def body(self) -> Iterable[Widget]:
        """Return both columns."""
        yield Container(
            Pane(gate_rail.gates_with_items, id="gates"),
            Vertical(Pane(cluster, id="cluster"), Pane(tail, id="tail-beside"), id="world"),
            id="left",
        )
        yield Vertical(
            Pane(nth_chart(0), id="graph0", classes="graph"),
            Pane(nth_chart(1), id="graph1", classes="graph"),
            Pane(nth_chart(2), id="graph2", classes="graph"),
            Pane(conditions, id="conditions"),
            Pane(_operation, id="operation"),
            Pane(tail, id="tail"),
            id="right",
        )

    def keys(self) -> list[tuple[str, str]]:
        """Return the keys worth telling: those of the gates that the runbook has come first."""
        known = super().keys()
        gates = (formats.gate_keys(len(self.shown.view.gates)), "gate")
        if self.shown.mode is Mode.REPLAY:
            return known
        urgent = len(urgent_keys(self.shown))
        return [*known[:urgent], gates, *known[urgent:]]

    def refresh_body(self, shown: ScreenState) -> None:
        """Give the gates the lines that they need, and the cluster below them the rest."""
        self.set_class(self.size.height < LOW, "-low")
        self.set_class(has_part(shown) and bool(missing(shown)), "-missing")
        pane = self.query_one("#gates", Pane)
        if self.has_class("-vast"):
            pane.styles.height = "1fr"
            self._fit_world(shown)
            return
        self.query_one("#cluster", Pane).styles.clear_rule("height")
        room = self.size.height - SMALLEST_CLUSTER
        needed = len(shown.view.gates) + (2 if self.size.height >= TALL else 1)
        height = max(2, min(needed, room))
        if self.size.height >= TALL:  # half of it for the gates and as many of their items as go in
            items = sum(len(gate.items) for gate in shown.view.gates)
            height = max(height, min(height + items, self.size.height // 2 - 2))
        if shown.view.gates and (pane.styles.height is None or pane.styles.height.value != height):
            pane.styles.height = height

    def _fit_world(self, shown: ScreenState) -> None:
        """Give the cluster the lines that it has, and the log below it the rest."""
        pane = self.query_one("#cluster", Pane)
        most = max(6, self.size.height * 2 // 3)
        wanted = len(cluster(shown, max(20, pane.size.width), most)) + 1
        if pane.styles.height is None or pane.styles.height.value != min(wanted, most):
            pane.styles.height = min(wanted, most)

    def problem(self, by: int) -> bool:
        """Go to the first item that is a problem, or to the last one."""
        found = next_problem(self.shown.view.gates, "", self.shown.now_us, by)
        if found is not None:
            self.post_message(ScreenRequested("item", found))
        return found is not None

    def leads_to(self, pane: Pane, y: int) -> Message | None:
        """Return what a click on a section asks for: its own screen, and for a gate or an item that one."""
        if pane.id == "gates":
            return gate_rail.at(pane.lines, y, self.shown)
        return ScreenRequested(_LEADS[pane.id]) if pane.id in _LEADS else super().leads_to(pane, y)

    def context(self) -> Mapping[str, str]:
        """Return the stop condition that is tripped, where there is one."""
        tripped = [c.id for c in self.shown.view.conditions if c.state is ConditionState.TRIPPED]
        return {"condition": tripped[0]} if len(tripped) == 1 else {}
