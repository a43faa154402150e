"""Alerts that fire, and silences that hide some."""

from __future__ import annotations

from screens.kit.plain import Line, Role, Span, cut, row
from screens.kit.screen_state import ScreenState
from state.view.enums import AlertState
from state.view.launch import AlertView


def alerts(shown: ScreenState, width: int) -> list[Line]:
    """Return Alertmanager's alerts, the firing ones first; those that began with the release are marked."""
    bake = shown.view.bake
    before = bake.alerts if bake is not None else ()
    lines = []
    for key, alert in sorted(
        shown.view.alerts.items(), key=lambda pair: (not _fires(pair[1]), pair[1].since_us)
    ):
        fires = _fires(alert)
        new = fires and bake is not None and key not in before
        role = Role.BAD if new else Role.WARN if fires else Role.DIM
        glyph = "✖ NEW ALERT" if new else "! ALERT" if fires else f"- {alert.state.upper()}"
        lines.append(
            row(Span(f"{glyph.ljust(11)} ", role), cut(f"{alert.alert}: {alert.summary}", max(0, width - 13)))
        )
    return lines


def _fires(alert: AlertView) -> bool:
    return alert.state is AlertState.FIRING
