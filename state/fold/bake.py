"""Events of the bake and of what belongs to it: its clock, restarted pods, alerts."""

from __future__ import annotations

from dataclasses import replace

from state.base.json import integer, text
from state.base.maps import with_item, without_item
from state.events.event import Event, Kind
from state.fold.launch import deviate
from state.fold.step import Steps
from state.view.enums import Tier
from state.view.launch import AlertView, BakeView, LaunchView, PodView

RESTARTS = 50


def note_restart(view: LaunchView, event: Event, old: PodView | None, new: PodView) -> LaunchView:
    """Return the view in which the bake knows that a pod of production restarted."""
    bake = view.bake
    if bake is None or new.env != Tier.PRODUCTION or old is None or new.restarts <= old.restarts:
        return view
    why = next((one for one in (new.phase, old.phase) if one not in {"", "Running", "Pending"}), new.reason)
    words = f"pod {new.name} restarted" + (f" ({why})" if why else "")
    view = replace(
        view, bake=replace(bake, restarts=(*bake.restarts[-RESTARTS + 1 :], (event.wall_us, words)))
    )
    return deviate(view, event, f"{words} during the bake")


def _started(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    bake = BakeView(
        event.wall_us,
        integer(body, "minimum_s"),
        updated_us=event.wall_us,
        maximum_s=integer(body, "maximum_s"),
        alerts=tuple(sorted(key for key, alert in view.alerts.items() if alert.state == "firing")),
    )
    return replace(view, bake=bake)


def _progress(view: LaunchView, event: Event) -> LaunchView:
    if view.bake is None:
        return view
    body = event.body
    bake = replace(
        view.bake,
        good_s=integer(body, "good_s"),
        state=text(body, "state", "running"),
        why=text(body, "why"),
        updated_us=event.wall_us,
    )
    return replace(view, bake=bake)


def _extended(view: LaunchView, event: Event) -> LaunchView:
    if view.bake is None:
        return view
    minutes = integer(event.body, "minutes")
    bake = replace(view.bake, extended_s=view.bake.extended_s + 60 * minutes)
    return deviate(replace(view, bake=bake), event, f"bake extended by {minutes} min")


def _finished(view: LaunchView, event: Event) -> LaunchView:
    if view.bake is None:
        return view
    body = event.body
    bake = replace(
        view.bake,
        good_s=integer(body, "good_s"),
        state=text(body, "outcome", "ended"),
        why=text(body, "why"),
        updated_us=event.wall_us,
    )
    view = replace(view, bake=bake)
    if bake.state != "finished":
        return view
    short = f"bake finished after {bake.good_s} of {bake.minimum_s} s seen good: {bake.why}"
    return deviate(view, event, short)


def _key(event: Event) -> str:
    return f"{text(event.body, 'env')}/{text(event.body, 'name')}"


def _alert(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    alert = AlertView(
        text(body, "env"),
        text(body, "name"),
        text(body, "alert"),
        text(body, "severity"),
        text(body, "state"),
        text(body, "summary"),
        integer(body, "since_us"),
    )
    return replace(view, alerts=with_item(view.alerts, _key(event), alert))


def _alert_gone(view: LaunchView, event: Event) -> LaunchView:
    return replace(view, alerts=without_item(view.alerts, _key(event)))


def _same(view: LaunchView, event: Event) -> LaunchView:
    return view


STEPS: Steps = {
    Kind.BAKE_STARTED: _started,
    Kind.BAKE_PROGRESS: _progress,
    Kind.BAKE_EXTENDED: _extended,
    Kind.BAKE_FINISHED: _finished,
    Kind.ALERT_CHANGED: _alert,
    Kind.ALERT_GONE: _alert_gone,
    Kind.WEBHOOK_SENT: _same,
}
