"""What must not be overlooked, on every screen: what is true now, and the keys that answer it at the right edge."""

from __future__ import annotations

from dataclasses import dataclass

from screens.kit import formats
from screens.kit.plain import Line, Role, Span, fit, line_width, row
from screens.kit.screen_state import Mode, ScreenState
from state.base.times import SECOND_US
from state.view.ending import is_over
from state.view.enums import ConditionState, OperationKind, OperationState, RequestState, Tier
from state.view.first_launch import way_out
from state.view.gates import failing_live
from state.view.launch import LaunchView, OperationView, RequestView
from state.view.people import grant_problem
from state.view.requests import open_requests
from state.view.rollbacks import brought_back, counting, newest_release, unanswered
from state.view.seats import open_poll, poll_words, seat_problem
from state.view.trips import breaching, images_of, rolled_back_words, unverified
from state.view.watch import ConditionView

MOST = 3
"""Lines that it takes at most: what comes after them is less urgent, and stands on its own screen."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A line of the banner: what is so, and the keys that answer it, which are never cut."""

    text: str
    role: Role
    keys: str = ""


def banner(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return what must not be overlooked, the most urgent first; at most ``height`` lines."""
    return [_line(one, width, shown) for one in notices(shown)[: max(0, height)]]


def _labelled(keys: str, shown: ScreenState) -> str:
    """Return ``B: roll back · A: acknowledge`` with the keys that somebody gave to these."""
    parts = (part.partition(": ") for part in keys.split(" · "))
    return " · ".join(f"{shown.labels.get(('', key), key)}{colon}{what}" for key, colon, what in parts)


def _line(one: Notice, width: int, shown: ScreenState) -> Line:
    keys = Span(f" {_labelled(one.keys, shown)} ", one.role)
    if not one.keys:
        return row(Span(fit(f" {one.text}", width), one.role))
    return row(Span(fit(f" {one.text}", max(1, width - line_width((keys,)))), one.role), keys)


def banner_height(shown: ScreenState) -> int:
    """Return how many lines the banner needs: none to three."""
    return min(MOST, len(notices(shown)))


def notices(shown: ScreenState) -> list[Notice]:
    """Return everything that must not be overlooked, the most urgent first."""
    view, live = shown.view, shown.mode is Mode.LIVE
    told: list[Notice] = []
    # The engine ends with the launch: nothing is lost then.
    if shown.lost and not is_over(view):
        told.append(Notice(f"✖ ENGINE LOST: {shown.lost}", Role.ALARM))
    if shown.trouble:
        words = f"✖ THE LOG CAN'T BE WRITTEN: {shown.trouble}. Nothing acts until it can"
        told.append(Notice(words, Role.ALARM))
    told += _trips(shown)
    told += _failing_live(shown)
    if shown.broken:
        told.append(
            Notice(f"✖ A PART OF THIS CONSOLE FAILED: {shown.broken}", Role.ALARM, "q: leave, start anew")
        )
    if doubt := shown.doubt or view.doubt:
        told.append(Notice(f"✖ THE LOG IS IN DOUBT: {doubt}", Role.ALARM))
    told += _ends(view, live=live)
    told += _requests(shown)
    told += _poll(shown)
    if view.hold is not None:
        since = formats.ago(view.hold.since_us, shown.now_us)
        told.append(Notice(f"! HOLD by {view.hold.by} {since}: {view.hold.reason}", Role.MARKED))
    told += _breaches(shown)
    told += _live_again(view)
    if live and view.lacks:
        what = "; ".join(one.what for one in view.lacks)
        told.append(Notice(f"! {len(view.lacks)} MISSING HERE: {what}", Role.MARKED))
    if shown.note:
        told.append(Notice(f"! {shown.note}", Role.MARKED))
    return told


# trips


def _trips(shown: ScreenState) -> list[Notice]:
    """Return what is tripped and unanswered, and what was answered by a rollback that nobody has acknowledged."""
    view = shown.view
    tripped = [c for c in view.conditions if c.state is ConditionState.TRIPPED]
    todo = unanswered(view, tripped)
    told = []
    if todo:
        verb = "uninstall" if way_out(view) is not None else "roll back"
        way = f"B: {verb} · " if any(c.env == Tier.PRODUCTION for c in todo) else ""
        keys = f"{way}A: acknowledge" if shown.mode is Mode.LIVE else ""
        words = "; ".join(map(_trip, todo))
        told.append(Notice(f"✖ TRIPPED {_countdown(shown)}{words}{_on(view, todo[0])}", Role.ALARM, keys))
    back = [c for c in tripped if c not in todo]
    envs = dict.fromkeys(c.env for c in back)
    return [*told, *(_rolled_back(shown, env, [c for c in back if c.env == env]) for env in envs)]


def _trip(condition: ConditionView) -> str:
    """Return what tripped: its limit, when, and what it is now."""
    limit, now = (formats.number(v, condition.unit) for v in (condition.threshold, condition.value))
    since = f" at {formats.clock(condition.tripped_us, seconds=False)}" if condition.tripped_us else ""
    return f"{condition.title} {'below' if condition.below else 'over'} {limit}{since}, now {now}"


def _on(view: LaunchView, condition: ConditionView) -> str:
    """Return which release it tripped on, in words."""
    release = view.operation(condition.release)
    if release is None:
        return ""
    return f" (on {release.to_what or release.id} of {formats.clock(release.intended_us, seconds=False)})"


def _rolled_back(shown: ScreenState, env: str, tripped: list[ConditionView]) -> Notice:
    view = shown.view
    back = brought_back(view, env, min(c.tripped_us for c in tripped))
    when = (
        ""
        if back is None
        else f" to {back.to_what}, verified {formats.clock(back.finished_us, seconds=False)}"
    )
    where = "" if env == Tier.PRODUCTION else f"{env} "
    titles = ", ".join(f"{c.title} at {formats.clock(c.tripped_us, seconds=False)}" for c in tripped)
    words = f"! {where}ROLLED BACK{when}: tripped {titles}{_on(view, tripped[0])}"
    return Notice(words, Role.MARKED, "A: acknowledge" if shown.mode is Mode.LIVE else "")


def _countdown(shown: ScreenState) -> str:
    """Return how long it is until a trip rolls production back by itself, and which key stops that."""
    until_us = min((c.rolls_back_us for c in counting(shown.view)), default=0)
    if not until_us:
        return ""
    left = max(0, until_us - shown.now_us) // SECOND_US
    return f"ROLLS BACK IN {left} s · h: hold · " if shown.mode is Mode.LIVE else f"rolls back in {left} s · "


def _failing_live(shown: ScreenState) -> list[Notice]:
    """Return by which items the candidate fails where it was promoted to, and the key that takes it back."""
    failing = failing_live(shown.view.gates, shown.now_us)
    if not failing:
        return []
    items = ", ".join(dict.fromkeys(check.id.partition("/")[0] for check in failing))
    key = "B: roll back" if shown.mode is Mode.LIVE else ""
    return [Notice(f"✖ {items} FAILS IN PRODUCTION: {failing[0].summary}", Role.ALARM, key)]


def _breaches(shown: ScreenState) -> list[Notice]:
    """Return what trips soon, and when: the one that trips first."""
    soon = sorted((_left_s(c, shown.now_us), c.id, c) for c in breaching(shown.view))
    if not soon:
        return []
    left_s, _, first = soon[0]
    limit, now = (formats.number(v, first.unit) for v in (first.threshold, first.value))
    when = f"trips in {formats.stopwatch(left_s)}" if left_s > 0 else "about to trip"
    more = f" · and {len(soon) - 1} more" if len(soon) > 1 else ""
    return [
        Notice(
            f"! BREACHING {first.title} {now} {'<' if first.below else '>'} {limit} · {when}{more}",
            Role.MARKED,
        )
    ]


def _left_s(condition: ConditionView, now_us: int) -> int:
    return max(0, condition.for_s - round((now_us - condition.since_us) / SECOND_US))


# how operations ended


def _ends(view: LaunchView, *, live: bool) -> list[Notice]:
    """Return a rollback that wasn't verified, and an operation whose end nobody saw."""
    told = []
    back = unverified(view, Tier.PRODUCTION)
    newest = view.operations[-1] if view.operations else None
    if newest is not None and newest.state is OperationState.UNKNOWN:
        told.append(Notice(f"? {newest.id} has no known end: {newest.verdict}", Role.ALARM, _what_next(live)))
    elif back is not None:
        told.append(
            Notice(f"✖ NOT VERIFIED: {back.id} {back.state}: {back.verdict}", Role.ALARM, _what_next(live))
        )
    return told


def _what_next(live: bool) -> str:
    return "d: see what may be done" if live else ""


def _live_again(view: LaunchView) -> list[Notice]:
    """Return that what runs in production was rolled back in this launch before."""
    newest = newest_release(view)
    if newest is None or not _of_the_candidate(view, newest):
        return []
    told = rolled_back_words(view, Tier.PRODUCTION)
    if not told:
        return []
    since = formats.clock(newest.finished_us or newest.intended_us, seconds=False)
    return [Notice(f"! LIVE AGAIN since {since}: {told}", Role.MARKED)]


def _of_the_candidate(view: LaunchView, operation: OperationView) -> bool:
    ran = operation.state is OperationState.SUCCEEDED
    return ran and operation.kind == OperationKind.DEPLOY and operation.images == images_of(view)


# requests


def _requests(shown: ScreenState) -> list[Notice]:
    return [_request(one, shown) for one in reversed(open_requests(shown.view.requests, shown.now_us))]


def request_words(one: RequestView, now_us: int) -> str:
    """Return a request in a line: who wants what, and how it stands."""
    left = formats.span(max(0, one.until_us - now_us) / SECOND_US)
    if one.at(now_us) is RequestState.GRANTED:
        return f"{one.by} may do it once, granted by {one.answered_by}: {one.title} ({left} left)"
    return f"{one.by} wants a second person: {one.title}: {one.reason} ({left} left)"


def _poll(shown: ScreenState) -> list[Notice]:
    """Return the go/no-go poll that is open: who said what, who answers next, and how long it waits."""
    view, poll = shown.view, open_poll(shown.view)
    if poll is None or shown.now_us >= poll.until_us:
        return []
    left = formats.span((poll.until_us - shown.now_us) / SECOND_US)
    turn = f"{poll.turn.person} answers next, " if poll.turn is not None else ""
    mine = shown.mode is Mode.LIVE and not seat_problem(view, poll, shown.account, go=False)
    words = f"! POLL #{poll.seq} {poll_words(poll)} ({turn}{left} left)"
    return [Notice(words, Role.MARKED, "v: answer" if mine else "")]


def _request(one: RequestView, shown: ScreenState) -> Notice:
    granted, live = one.state is RequestState.GRANTED, shown.mode is Mode.LIVE
    sign = "! GRANTED" if granted else "! REQUEST"
    mine = one.by == shown.account
    keys = ""
    if live and mine:
        keys = "G: carry it out" if granted else "G: withdraw"
    elif live and not grant_problem(shown.view, one.by, shown.account):
        keys = "G: refuse" if granted else "G: grant or refuse"
    return Notice(f"{sign} #{one.seq} {request_words(one, shown.now_us)}", Role.MARKED, keys)
