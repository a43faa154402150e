"""Events of the bake and of what belongs to it: its clock, restarted pods, alerts."""

from __future__ import annotations

from state.base.frozen import replace
from state.base.maps import with_item, without_item
from state.events.bake import BakeExtended, BakeFinished, BakeProgress, BakeStarted
from state.events.event import Event
from state.events.world import AlertChanged, AlertGone, WebhookSent
from state.fold.launch import deviate
from state.fold.outdated import outdate, outdate_words
from state.fold.step import no_effect, step
from state.view.enums import After, AlertState, BakeState, Tier
from state.view.launch import BakeView, LaunchView, PodView
from state.view.rollbacks import newest_release

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
        alerts=_old_alerts(view, event.wall_us),
    )
    return replace(view, bake=bake)


def _old_alerts(view: LaunchView, now_us: int) -> tuple[str, ...]:
    """Return the alerts that fired before the release was intended: what began since may be its work."""
    release = newest_release(view)
    intended_us = now_us if release is None else release.intended_us
    firing = (pair for pair in view.alerts.items() if pair[1].state is AlertState.FIRING)
    # One that doesn't say since when it fires is news.
    return tuple(sorted(key for key, alert in firing if 0 < alert.since_us < intended_us))


def _no_longer_old(view: LaunchView, key: str) -> LaunchView:
    """Return the view in which an alert that resolved is news when it comes back."""
    bake = view.bake
    if bake is None or key not in bake.alerts:
        return view
    return replace(view, bake=replace(bake, alerts=tuple(one for one in bake.alerts if one != key)))


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
    ended = "the bake ended"
    view = outdate(replace(view, bake=bake), event, Tier.PRODUCTION, After.BAKE, ended)
    view = outdate_words(view, Tier.PRODUCTION, After.BAKE, ended)
    if bake.state is not BakeState.FINISHED:
        return view
    short = f"bake finished after {bake.good_s} of {bake.minimum_s} s seen good: {bake.why}"
    return deviate(view, event, short)


@step(AlertChanged)
def _alert(view: LaunchView, _event: Event, body: AlertChanged) -> LaunchView:
    key = f"{body.env}/{body.name}"
    old = view.alerts.get(key)
    if old is not None and body.since_us > old.since_us:
        view = _no_longer_old(view, key)  # it resolved and came back between two looks
    return replace(view, alerts=with_item(view.alerts, key, body))


@step(AlertGone)
def _alert_gone(view: LaunchView, _event: Event, body: AlertGone) -> LaunchView:
    key = f"{body.env}/{body.name}"
    return replace(_no_longer_old(view, key), alerts=without_item(view.alerts, key))
