"""The whole launch at a glance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual.containers import Vertical
from textual.widget import Widget

from screens.base import STYLES, LaunchScreen
from screens.widgets import gate_rail, world
from screens.widgets.chart import nth_chart
from screens.widgets.pane import Pane
from state.verdict import ConditionState


class DashboardScreen(LaunchScreen):
    """Gates, cluster, graphs, stop conditions, the operation, the tail of the log."""

    NAME = "dashboard"
    CSS_PATH: ClassVar = [STYLES / "base.tcss", STYLES / "dashboard.tcss"]
    KEYS = (
        ("1-9 0", "gate"),
        ("d", "deploy"),
        ("b", "bake"),
        ("l", "log"),
        ("p", "pods"),
        ("h", "hold"),
        ("f", "faster"),
        ("n", "note"),
    )

    def body(self) -> Iterable[Widget]:
        """Return both columns."""
        yield Vertical(
            Pane(gate_rail.gates, id="gates"),
            Pane(world.cluster, id="cluster"),
            id="left",
        )
        yield Vertical(
            Pane(nth_chart(0), id="graph0", classes="graph"),
            Pane(nth_chart(1), id="graph1", classes="graph"),
            Pane(nth_chart(2), id="graph2", classes="graph"),
            Pane(world.conditions, id="conditions"),
            Pane(world.operation, id="operation"),
            Pane(world.tail, id="tail"),
            id="right",
        )

    def context(self) -> Mapping[str, str]:
        """Return the stop condition that is tripped, where there is one."""
        tripped = [c.id for c in self.shown.view.conditions if c.state is ConditionState.TRIPPED]
        return {"condition": tripped[0]} if len(tripped) == 1 else {}
