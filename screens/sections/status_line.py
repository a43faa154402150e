"""The two lines at the top of every screen, the banner below them, and the line of keys at the bottom."""

from __future__ import annotations

from screens.kit import formats
from screens.kit.plain import Line, Role, Span, crop, cut, fill, fit, row
from screens.kit.screen_state import Mode, ScreenState
from state.base.times import SECOND_US
from state.view.enums import ConditionState, LaunchState, OperationState, Tier
from state.view.gates import failing_live
from state.view.launch import LaunchView
from state.view.rollbacks import counting, unanswered
from state.view.watch import ConditionView


def status(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return both lines: where and what is launched; when, who, and the head of the log."""
    return [_first(shown, width), _second(shown, width)]


def environment_words(view: LaunchView) -> str:
    """Return the title of the environment that a launch ends in, in words."""
    return view.production.title if view.production is not None else "no environment"


def _first(shown: ScreenState, width: int) -> Line:
    view = shown.view
    state = {
        LaunchState.RUNNING: Span("RUNNING", Role.GOOD),
        LaunchState.HELD: Span("! HOLD", Role.WARN),
        LaunchState.SCRUBBED: Span("✖ SCRUBBED", Role.BAD),
        LaunchState.CLOSED: Span("■ CLOSED", Role.STRONG),
    }[view.state]
    rate = f" ×{view.clock_rate:g}" if view.clock_rate != 1 else ""
    right = row(state, "  ", Span(formats.clock(shown.now_us), Role.STRONG), Span(rate, Role.WARN))
    left = row(
        Span(f" {cut(environment_words(view), 40)} ", Role.MARKED),
        " ",
        Span(view.candidate.version or "no candidate", Role.STRONG),
        "  ",
        cut(view.scope.title, 80),
    )
    return fill(left, right, width)


def _second(shown: ScreenState, width: int) -> Line:
    view = shown.view
    left = row(*_window(shown), "  ", *_driver(shown))
    running = view.running()
    if running is not None:
        left = (*left, Span("  "), Span(f"… {running.id}", Role.ACCENT))
    head = view.head if width >= 150 else _short(view.head)
    return fill(left, row(Span(head, Role.DIM)), width)


def _short(head: str) -> str:
    parts = head.split(":")
    return f"{parts[0]}:{parts[2]}:{parts[3][:8]}" if len(parts) == 4 else head


def _window(shown: ScreenState) -> tuple[Span, ...]:
    scope, now = shown.view.scope, shown.now_us
    if not scope.window_end_us:
        return (Span("no window", Role.WARN),)
    if now < scope.window_start_us:
        return (
            Span(f"window opens in {formats.span((scope.window_start_us - now) / SECOND_US)}", Role.WARN),
        )
    left = (scope.window_end_us - now) / SECOND_US
    if left < 0:
        return (Span(f"window is over since {formats.span(-left)}", Role.BAD),)
    return (Span(f"window {formats.span(left)} left", Role.WARN if left < 3600 else Role.PLAIN),)


def _driver(shown: ScreenState) -> tuple[Span, ...]:
    if shown.mode is not Mode.LIVE:
        return (Span("read-only", Role.WARN),)
    driver = next((c for c in shown.view.consoles if c.drives), None)
    if driver is None:
        return (Span("nobody drives", Role.WARN),)
    mine = driver.id == shown.me
    others = len(shown.view.consoles) - 1
    more = f" +{others}" if others > 0 else ""
    return (Span(f"{cut(driver.account, 20)}{' (you)' if mine else ''} drives{more}", Role.PLAIN),)


def banner(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return what must not be overlooked, the most urgent first; at most ``height`` lines."""
    lines = [row(Span(fit(f" {span.text}", width), span.role)) for span in _urgent(shown)]
    return lines[: max(0, height)]


def banner_height(shown: ScreenState) -> int:
    """Return how many lines the banner needs: none to two."""
    return min(2, len(_urgent(shown)))


def _urgent(shown: ScreenState) -> list[Span]:
    view = shown.view
    lines: list[Span] = []
    if shown.lost:
        lines.append(Span(f"✖ ENGINE LOST: {shown.lost}", Role.ALARM))
    if shown.trouble:
        lines.append(
            Span(f"✖ THE LOG CAN'T BE WRITTEN: {shown.trouble}. Nothing acts until it can", Role.ALARM)
        )
    tripped = [c for c in view.conditions if c.state is ConditionState.TRIPPED]
    if tripped:
        lines.append(
            Span(f"✖ TRIPPED {_countdown(shown)}{_ways(shown)}{'; '.join(map(_trip, tripped))}", Role.ALARM)
        )
    lines += _failing_live(shown)
    if doubt := shown.doubt or view.doubt:
        lines.append(Span(f"✖ THE LOG IS IN DOUBT: {doubt}", Role.ALARM))
    unknown = view.operations[-1] if view.operations else None
    if unknown is not None and unknown.state is OperationState.UNKNOWN:
        lines.append(
            Span(f"? {unknown.id} has no known end: {unknown.verdict}. d: see what may be done", Role.ALARM)
        )
    if view.hold is not None:
        since = formats.ago(view.hold.since_us, shown.now_us)
        lines.append(Span(f"! HOLD by {view.hold.by} {since}: {view.hold.reason}", Role.MARKED))
    if shown.note:
        lines.append(Span(f"! {shown.note}", Role.MARKED))
    return lines


def _failing_live(shown: ScreenState) -> list[Span]:
    """Return by which items the candidate fails where it was promoted to, and the key that takes it back."""
    failing = failing_live(shown.view.gates, shown.now_us)
    if not failing:
        return []
    items = ", ".join(dict.fromkeys(check.id.partition("/")[0] for check in failing))
    key = "B: roll back · " if shown.mode is Mode.LIVE else ""
    return [Span(f"✖ {items} FAILS IN PRODUCTION {key}{failing[0].summary}", Role.ALARM)]


def _trip(condition: ConditionView) -> str:
    """Return what tripped: its limit, since when, and what it is now."""
    limit, now = (formats.number(v, condition.unit) for v in (condition.threshold, condition.value))
    since = f" since {formats.clock(condition.tripped_us, seconds=False)}" if condition.tripped_us else ""
    return f"{condition.title} over {limit}{since}, now {now}"


def _ways(shown: ScreenState) -> str:
    """Return the keys that answer a trip; once production was rolled back after it, only that it was seen."""
    if shown.mode is not Mode.LIVE:
        return ""
    tripped = [c for c in shown.view.conditions if c.state is ConditionState.TRIPPED]
    todo = unanswered(shown.view, tripped)
    if any(c.env == Tier.PRODUCTION for c in todo):
        return "B: roll back · k: acknowledge · "
    return "k: acknowledge · " if todo else "rolled back · k: acknowledge · "


def _countdown(shown: ScreenState) -> str:
    """Return how long it is until a trip rolls production back by itself, and which key stops that."""
    until_us = min((c.rolls_back_us for c in counting(shown.view)), default=0)
    if not until_us:
        return ""
    left = max(0, until_us - shown.now_us) // SECOND_US
    return f"ROLLS BACK IN {left} s · h: hold · " if shown.mode is Mode.LIVE else f"rolls back in {left} s · "


def hints(keys: list[tuple[str, str]], width: int) -> Line:
    """Return the line of keys: as many as fit, the most useful first; the help's at the right, always."""
    pinned = [one for one in keys if one[0] == "?"]
    spans: list[Span] = []
    room = width - sum(len(key) + len(what) + 3 for key, what in pinned)
    for key, what in [one for one in keys if one[0] != "?"]:
        size = len(key) + len(what) + 3
        if size > room:
            break
        spans += [Span(f" {key}", Role.KEY), Span(f" {what} ", Role.DIM)]
        room -= size
    last = tuple(
        Span(told, role)
        for key, what in pinned
        for told, role in ((f" {key}", Role.KEY), (f" {what}", Role.DIM))
    )
    return fill(tuple(spans), last, width) if last else crop(tuple(spans), width)
