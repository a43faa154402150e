"""The two lines at the top of every screen, and the line of keys at the bottom."""

from __future__ import annotations

from screens.kit import formats
from screens.kit.plain import Line, Role, Span, crop, cut, fill, row
from screens.kit.screen_state import Mode, ScreenState
from state.base.times import SECOND_US
from state.view.enums import LaunchState
from state.view.first_launch import is_first
from state.view.launch import LaunchView
from state.view.trips import Standing, standing

STANDING = {
    Standing.RUNNING: Span("RUNNING", Role.GOOD),
    Standing.BREACHING: Span("! BREACHING", Role.WARN),
    Standing.HELD: Span("! HOLD", Role.WARN),
    Standing.ROLLED_BACK: Span("! ROLLED BACK", Role.WARN),
    Standing.NOT_VERIFIED: Span("✖ NOT VERIFIED", Role.BAD),
    Standing.TRIPPED: Span("✖ TRIPPED", Role.BAD),
    Standing.SCRUBBED: Span("✖ SCRUBBED", Role.BAD),
    Standing.CLOSED: Span("■ CLOSED", Role.STRONG),
}


def status(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return both lines: where and what is launched; when, who, and the head of the log."""
    return [_first(shown, width), _second(shown, width)]


def environment_words(view: LaunchView) -> str:
    """Return the title of the environment that a launch ends in, in words."""
    return view.production.title if view.production is not None else "no environment"


def _first(shown: ScreenState, width: int) -> Line:
    view = shown.view
    stands = standing(view)
    state = [STANDING[stands]]
    if view.state is LaunchState.HELD and stands is not Standing.HELD:
        state += [Span(" "), STANDING[Standing.HELD]]
    rate = f" ×{view.clock_rate:g}" if view.clock_rate != 1 else ""
    right = row(*state, "  ", Span(formats.clock(shown.now_us), Role.STRONG), Span(rate, Role.WARN))
    left = row(
        Span(f" {cut(environment_words(view), 40)} ", Role.MARKED),
        " ",
        Span(view.candidate.version or "no candidate", Role.STRONG),
        *((" ", Span("FIRST LAUNCH", Role.WARN)) if is_first(view) else ()),
        "  ",
        cut(view.scope.title, 80),
    )
    return fill(left, right, width)


def _second(shown: ScreenState, width: int) -> Line:
    view = shown.view
    left = row(*_window(shown), "  ", *_driver(shown))
    if view.scope.single_operator:
        left = (*left, Span("  "), Span("SINGLE OPERATOR", Role.WARN))
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
    if shown.mode is Mode.FOLLOW:
        age_s = max(0, shown.now_us - shown.view.wall_us) / SECOND_US
        return (Span("read-only", Role.WARN), Span(f", newest event {formats.span(age_s)} ago", Role.DIM))
    if shown.mode is not Mode.LIVE:
        return (Span("read-only", Role.WARN),)
    driver = next((c for c in shown.view.consoles if c.drives), None)
    if driver is None:
        return (Span("no driver (t: take over)", Role.WARN),)
    mine = driver.id == shown.me
    others = len(shown.view.consoles) - 1
    more = f" +{others}" if others > 0 else ""
    return (
        Span(
            f"{'you are driving' if mine else f'watching; {cut(driver.account, 20)} is driving'}{more}",
            Role.PLAIN,
        ),
    )


_NAMES = {
    "?": "question_mark",
    "/": "slash",
    "esc": "escape",
    "enter": "enter",
    "tab": "tab",
    "space": "space",
}


def key_at(line: Line, x: int) -> str:
    """Return the key whose hint stands at a column of a line, as Textual calls it; nothing where none does."""
    key, at = "", 0
    for span in line:
        words = span.text.strip()
        if span.role is Role.KEY:
            key = words
        elif ": " in words and span.role in {Role.ALARM, Role.MARKED} and at <= x < at + len(span.text):
            key = _answer_at(span.text, x - at)
        elif span.role is not Role.DIM:
            key = ""
        at += len(span.text)
        if x < at:
            break
    else:
        return ""
    return _NAMES.get(key, key if len(key) == 1 and key.isalpha() else "")


def _answer_at(words: str, x: int) -> str:
    """Return the key of ``B: roll back · A: acknowledge`` that stands at a column."""
    at = 0
    for part in words.split("·"):
        if x <= at + len(part):
            return part.partition(":")[0].strip()
        at += len(part) + 1
    return ""


def hints(keys: list[tuple[str, str]], width: int) -> Line:
    """Return the line of keys: as many as fit, the most useful first; help and quit at the right, always."""
    pinned = [one for one in keys if one[0] in {"?", "q"}]
    spans: list[Span] = []
    room = width - sum(len(key) + len(what) + 3 for key, what in pinned)
    for key, what in [one for one in keys if one not in pinned]:
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
