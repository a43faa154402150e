"""Alerts that fire, and silences that hide some."""

from __future__ import annotations

from screens.kit.plain import Line, Role, Span, cut, row
from screens.kit.screen_state import ScreenState


def alerts(shown: ScreenState, width: int) -> list[Line]:
    """Return Alertmanager's alerts, the firing ones first; those that are new since the bake began are marked."""
    bake = shown.view.bake
    before = bake.alerts if bake is not None else ()
    found = sorted(shown.view.alerts.items(), key=lambda pair: (pair[1].state != "firing", pair[1].since_us))
    lines = []
    for key, alert in found:
        new = alert.state == "firing" and bake is not None and key not in before
        role = Role.BAD if new else Role.WARN if alert.state == "firing" else Role.DIM
        glyph = "✖ NEW ALERT" if new else "! ALERT" if alert.state == "firing" else f"- {alert.state.upper()}"
        lines.append(
            row(Span(f"{glyph.ljust(11)} ", role), cut(f"{alert.alert}: {alert.summary}", max(0, width - 13)))
        )
    return lines
