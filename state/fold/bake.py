"""Events of the bake and of what belongs to it: its clock, restarted pods, alerts."""

from __future__ import annotations

from state.base.frozen import replace
from state.base.maps import with_item, without_item
from state.events.bake import BakeExtended, BakeFinished, BakeProgress, BakeStarted
from state.events.event import Event
from state.events.world import AlertChanged, AlertGone, WebhookSent
from state.fold.launch import deviate
from state.fold.outdated import outdate
from state.fold.step import no_effect, step
from state.view.enums import After, AlertState, BakeState, Tier
from state.view.launch import BakeView, LaunchView, PodView

RESTARTS = 50

no_effect(WebhookSent)


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


@step(BakeStarted)
def _started(view: LaunchView, event: Event, body: BakeStarted) -> LaunchView:
    bake = BakeView(
        event.wall_us,
        body.minimum_s,
        updated_us=event.wall_us,
        maximum_s=body.maximum_s,
        alerts=tuple(sorted(key for key, alert in view.alerts.items() if alert.state is AlertState.FIRING)),
    )
    return replace(view, bake=bake)


@step(BakeProgress)
def _progress(view: LaunchView, event: Event, body: BakeProgress) -> LaunchView:
    if view.bake is None:
        return view
    bake = replace(view.bake, good_s=body.good_s, state=body.state, why=body.why, updated_us=event.wall_us)
    return replace(view, bake=bake)


@step(BakeExtended)
def _extended(view: LaunchView, event: Event, body: BakeExtended) -> LaunchView:
    if view.bake is None:
        return view
    bake = replace(view.bake, extended_s=view.bake.extended_s + 60 * body.minutes)
    return deviate(replace(view, bake=bake), event, f"bake extended by {body.minutes} min")


@step(BakeFinished)
def _finished(view: LaunchView, event: Event, body: BakeFinished) -> LaunchView:
    if view.bake is None:
        return view
    bake = replace(view.bake, good_s=body.good_s, state=body.outcome, why=body.why, updated_us=event.wall_us)
    view = outdate(replace(view, bake=bake), event, Tier.PRODUCTION, After.BAKE, "the bake ended")
    if bake.state is not BakeState.FINISHED:
        return view
    short = f"bake finished after {bake.good_s} of {bake.minimum_s} s seen good: {bake.why}"
    return deviate(view, event, short)


@step(AlertChanged)
def _alert(view: LaunchView, _event: Event, body: AlertChanged) -> LaunchView:
    return replace(view, alerts=with_item(view.alerts, f"{body.env}/{body.name}", body))


@step(AlertGone)
def _alert_gone(view: LaunchView, _event: Event, body: AlertGone) -> LaunchView:
    return replace(view, alerts=without_item(view.alerts, f"{body.env}/{body.name}"))
