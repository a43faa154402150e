"""The whole launch at a glance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual.containers import Vertical
from textual.widget import Widget

from screens.base import STYLES, LaunchScreen
from screens.kit import formats
from screens.kit.pane import Pane
from screens.kit.screen_state import Mode, ScreenState
from screens.sections import gate_rail
from screens.sections.chart import nth_chart
from screens.sections.cluster import cluster
from screens.sections.conditions import conditions
from screens.sections.log_tail import tail
from screens.sections.operation import operation
from state.view.enums import ConditionState

TALL = 34
"""Lines from which sections have a line of air between them, as in the app's breakpoints."""
LOW = 20
"""Lines below which there is room for one graph."""
SMALLEST_CLUSTER = 11
"""Lines that the gates leave to everything else on the left."""


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
        ("n", "note"),
    )

    def body(self) -> Iterable[Widget]:
        """Return both columns."""
        yield Vertical(
            Pane(gate_rail.gates, id="gates"),
            Pane(cluster, id="cluster"),
            id="left",
        )
        yield Vertical(
            Pane(nth_chart(0), id="graph0", classes="graph"),
            Pane(nth_chart(1), id="graph1", classes="graph"),
            Pane(nth_chart(2), id="graph2", classes="graph"),
            Pane(conditions, id="conditions"),
            Pane(operation, id="operation"),
            Pane(tail, id="tail"),
            id="right",
        )

    def keys(self) -> list[tuple[str, str]]:
        """Return the keys worth telling: those of the gates that the runbook has come first."""
        known = super().keys()
        gates = (formats.gate_keys(len(self.shown.view.gates)), "gate")
        return known if self.shown.mode is Mode.REPLAY else [gates, *known]

    def refresh_body(self, shown: ScreenState) -> None:
        """Give the gates the lines that they need, and the cluster below them the rest."""
        self.set_class(self.size.height < LOW, "-low")
        room = self.size.height - SMALLEST_CLUSTER
        needed = len(shown.view.gates) + (2 if self.size.height >= TALL else 1)
        pane = self.query_one("#gates", Pane)
        height = max(2, min(needed, room))
        if shown.view.gates and (pane.styles.height is None or pane.styles.height.value != height):
            pane.styles.height = height

    def context(self) -> Mapping[str, str]:
        """Return the stop condition that is tripped, where there is one."""
        tripped = [c.id for c in self.shown.view.conditions if c.state is ConditionState.TRIPPED]
        return {"condition": tripped[0]} if len(tripped) == 1 else {}
