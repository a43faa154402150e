"""Stop conditions, and whether the monitors behind them can be trusted."""

from __future__ import annotations

from screens.kit import formats
from screens.kit.bar import bar
from screens.kit.plain import Line, Role, Span, cut, fill, heading, row
from screens.kit.screen_state import ScreenState
from screens.sections.alerts import alerts
from state.base.times import SECOND_US
from state.view.enums import AlertState, ConditionState
from state.view.launch import ConditionView
from state.view.rollbacks import is_rolled_back
from state.view.watch import UNTRUSTED


def conditions(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return the stop conditions with value, limit and ``elapsed / for``, below what makes them doubtful."""
    tripped = [c for c in shown.view.conditions if c.state is ConditionState.TRIPPED]
    right = [Span(f"{len(tripped)} TRIPPED", Role.BAD)] if tripped else []
    if width >= 60 or not tripped:
        right += [Span("  "), watched(shown)] if right else [watched(shown)]
    lines = [heading("STOP CONDITIONS", width, *right), *doubts(shown, width)]
    beside = [*alerts(shown, width), *dead_rules(shown, width)]
    whys = {c.id: _why(c, width) for c in shown.view.conditions}
    needed = len(lines) + len(beside) + sum(1 + len(why) for why in whys.values())
    for condition in shown.view.conditions:
        back = is_rolled_back(shown.view, condition.env, condition.tripped_us)
        lines.append(condition_line(condition, width, shown.now_us, rolled_back=back))
        lines += whys[condition.id] if needed <= height else []
    room = max(0, height - len(lines))
    firing = sum(alert.state is AlertState.FIRING for alert in shown.view.alerts.values())
    if firing and len(beside) > room:
        some = Span(f"{firing} ALERT{'S' * (firing > 1)}", Role.BAD)
        lines[0] = heading("STOP CONDITIONS", width, some, *([Span("  "), *right] if right else []))
    return lines + beside[:room]


def _why(condition: ConditionView, width: int) -> list[Line]:
    """Return what is told below a condition where there is room: its reason, and why it won't roll back by itself."""
    lines = []
    if condition.reason and not condition.reason.startswith(UNTRUSTED):  # that stands above them all
        lines.append(row(Span(cut(f"    {condition.reason}", width), Role.DIM)))
    if condition.state is ConditionState.OK and condition.warns:
        level = f"{'below' if condition.below else 'over'} its warn level of"
        lines.append(row(Span(f"    {level} {formats.number(condition.warn, condition.unit)}", Role.WARN)))
    if condition.disarmed:
        lines.append(row(Span(cut(f"    no rollback by itself: {condition.disarmed}", width), Role.WARN)))
    return lines


_ROOMY, _WIDEST = 78, 110
"""Cells from which a condition's line has room for a bar, and more than which leave its value too far away."""
_BAR = 12


def _gauge(condition: ConditionView) -> Line:
    """Return how near a condition is to its end: a breach to its trip, otherwise its value to its limit."""
    if condition.state is ConditionState.BREACHING:
        return (*bar(condition.elapsed_s, condition.for_s, _BAR, Role.WARN), Span("  "))
    if condition.value is None or condition.state.blind or not condition.threshold or condition.below:
        return (Span(" " * (_BAR + 2)),)
    role = Role.BAD if condition.state is ConditionState.TRIPPED else Role.DIM
    return (*bar(condition.value, condition.threshold, _BAR, role), Span("  "))


def watched(shown: ScreenState) -> Span:
    """Return whether the monitors themselves can be trusted; a question mark where nothing was heard of them."""
    source = shown.view.sources.get("monitors/production")
    if source is None:
        return Span("monitors ?", Role.BLIND)
    return Span("monitors ✔", Role.GOOD) if source.ok else Span("monitors BLIND", Role.BLIND)


def doubts(shown: ScreenState, width: int) -> list[Line]:
    """Return why the monitors can't be trusted, where they can't."""
    source = shown.view.sources.get("monitors/production")
    if source is None or source.ok:
        return []
    since = formats.clock(source.since_us)
    return [row(Span("? MONITORS  ", Role.BLIND), cut(f"since {since}: {source.reason}", max(0, width - 12)))]


def dead_rules(shown: ScreenState, width: int) -> list[Line]:
    """Return which alert rules can never fire, where there are some."""
    source = shown.view.sources.get("alert rules/production")
    if source is None or source.ok:
        return []
    return [row(Span("! DEAD RULE ", Role.WARN), cut(source.reason, max(0, width - 12)))]


def condition_line(condition: ConditionView, width: int, now_us: int, *, rolled_back: bool = False) -> Line:
    """Return a stop condition in a line: ``! BREACHING  HTTP 5xx share  3.10 % / 1.00 %  150/300 s``.

    One that is blind says for how long it has been. ``rolled_back``: what it tripped on runs no more.
    """
    glyph, word, role = formats.CONDITION[condition.state]
    if not condition.active and condition.state is ConditionState.WARMUP:
        word = "WAITS"
    if condition.state is ConditionState.OK and condition.warns:
        glyph, word, role = "!", "WARN", Role.WARN
    elapsed = f"{condition.elapsed_s}/{condition.for_s} s"
    if condition.state.blind and condition.since_us:
        elapsed = f"for {formats.span((now_us - condition.since_us) / SECOND_US)}"
    if condition.state is ConditionState.TRIPPED and condition.tripped_us:
        elapsed = f"tripped {formats.clock(condition.tripped_us, seconds=False)}"
        elapsed += ", rolled back" if rolled_back and width >= 60 else ""
    value = formats.number(condition.value, condition.unit) if condition.evaluated_us else "-"
    limit = f" / {formats.number(condition.threshold, condition.unit)}" if width >= 60 else ""
    left = row(Span(f"{glyph} {word}".ljust(11), role), " ", condition.title)
    width = min(width, _WIDEST)
    gauge = _gauge(condition) if width >= _ROOMY else ()
    right = row(
        *gauge,
        Span(value, role if condition.state is not ConditionState.OK else Role.PLAIN),
        Span(f"{limit}  ", Role.DIM),
        Span(elapsed, role if condition.elapsed_s else Role.DIM),
    )
    return fill(left, right, width)
