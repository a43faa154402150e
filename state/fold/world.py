"""Events of the observed world: pods, ingresses, samples, stop conditions."""

from __future__ import annotations

from collections.abc import Callable

from state.base.frozen import remake, replace
from state.base.maps import with_item, without_item
from state.events.bake import (
    ConditionAcknowledged,
    ConditionAnswered,
    ConditionChanged,
    ConditionCountdown,
    ConditionMuted,
    ConditionSamples,
)
from state.events.event import Event
from state.events.samples import by_series
from state.events.world import (
    ClusterIdentified,
    IngressChanged,
    IngressGone,
    MetricBatch,
    MetricGap,
    PodChanged,
    PodGone,
    SourceChanged,
)
from state.fold.bake import note_restart
from state.fold.launch import deviate
from state.fold.requests import used
from state.fold.step import step
from state.view.enums import ConditionState
from state.view.launch import (
    ConditionView,
    GraphView,
    IngressView,
    LaunchView,
    PodView,
    SeriesView,
    SourceView,
    TripView,
)

POINTS = 1000
TRIPS = 100


@step(SourceChanged)
def _source(view: LaunchView, event: Event, body: SourceChanged) -> LaunchView:
    source = SourceView(body.name, body.ok, body.reason, event.wall_us)
    return replace(view, sources=with_item(view.sources, source.name, source))


@step(PodChanged)
def _pod(view: LaunchView, event: Event, body: PodChanged) -> LaunchView:
    key, pod = f"{body.env}/{body.name}", remake(PodView, body, changed_us=event.wall_us)
    old = view.pods.get(key)
    return note_restart(replace(view, pods=with_item(view.pods, key, pod)), event, old, pod)


@step(PodGone)
def _pod_gone(view: LaunchView, _event: Event, body: PodGone) -> LaunchView:
    return replace(view, pods=without_item(view.pods, f"{body.env}/{body.name}"))


@step(IngressChanged)
def _ingress(view: LaunchView, event: Event, body: IngressChanged) -> LaunchView:
    ingress = remake(IngressView, body, changed_us=event.wall_us)
    return replace(view, ingresses=with_item(view.ingresses, f"{body.env}/{body.name}", ingress))


@step(IngressGone)
def _ingress_gone(view: LaunchView, _event: Event, body: IngressGone) -> LaunchView:
    return replace(view, ingresses=without_item(view.ingresses, f"{body.env}/{body.name}"))


@step(MetricBatch)
def _batch(view: LaunchView, event: Event, body: MetricBatch) -> LaunchView:
    at_us = body.at_us or event.wall_us
    news = by_series(body.values, {g.id: tuple(s.id for s in g.series) for g in view.graphs})

    def put(graph: GraphView, series: SeriesView) -> SeriesView:
        if (graph.id, series.id) not in news:
            return series
        point = (at_us, news[graph.id, series.id])
        return replace(series, points=(*series.points[-POINTS + 1 :], point))

    graphs = tuple(replace(g, series=tuple(put(g, s) for s in g.series)) for g in view.graphs)
    return remake(
        LaunchView, view, graphs=graphs
    )  # most of a log is samples: dataclasses.replace takes thrice as long


@step(MetricGap)
def _gap(view: LaunchView, event: Event, body: MetricGap) -> LaunchView:
    at_us = body.from_us or event.wall_us

    def cut(series: SeriesView) -> SeriesView:
        return replace(series, points=(*series.points[-POINTS + 1 :], (at_us, None)))

    return replace(
        view,
        graphs=tuple(replace(g, series=tuple(cut(s) for s in g.series)) for g in view.graphs),
    )


@step(ClusterIdentified)
def _cluster(view: LaunchView, _event: Event, body: ClusterIdentified) -> LaunchView:
    return replace(view, clusters=with_item(view.clusters, body.env, body))


@step(ConditionChanged)
def _condition(view: LaunchView, event: Event, body: ConditionChanged) -> LaunchView:
    old = view.condition(body.id)
    # Judged before a deploy was intended, and written after it: nothing of that is about the new release.
    if old is None or 0 < body.release < old.release:
        return view
    tripped = body.state is ConditionState.TRIPPED
    new = replace(
        old,
        state=body.state,
        value=body.value,
        elapsed_s=body.elapsed_s,
        reason=body.reason,
        since_us=body.since_us,
        evaluated_us=body.at_us or event.wall_us,
        judged_us=body.judged_us,
        active=body.active,
        tripped_us=(old.tripped_us or event.wall_us) if tripped else 0,
        acknowledged_by=old.acknowledged_by if tripped else "",
        rolls_back_us=old.rolls_back_us if tripped else 0,
        disarmed=old.disarmed if tripped else "",
        answered=old.answered and (old.state is body.state or (old.state.blind and body.state.blind)),
    )
    view = _change(view, body.id, lambda _: new)
    if new.shadow:
        return view
    if tripped and old.state is not ConditionState.TRIPPED:
        view = deviate(_trips(view, event, new), event, f"stop condition {body.id} tripped")
    elif new.state.blind and not old.state.blind and new.active:
        view = deviate(view, event, f"stop condition {body.id} blind: {new.reason or new.state}")
    return view


def _trips(view: LaunchView, event: Event, condition: ConditionView) -> LaunchView:
    trip = TripView(
        seq=event.seq,
        condition=condition.id,
        title=condition.title,
        env=condition.env,
        release=condition.release,
        at_us=condition.tripped_us,
    )
    return replace(view, trips=(*view.trips[-TRIPS + 1 :], trip))


def _change(view: LaunchView, name: str, change: Callable[[ConditionView], ConditionView]) -> LaunchView:
    return replace(view, conditions=tuple(change(c) if c.id == name else c for c in view.conditions))


@step(ConditionAcknowledged)
def _acknowledged(view: LaunchView, event: Event, body: ConditionAcknowledged) -> LaunchView:
    old = view.condition(body.id)
    if old is not None and 0 < body.release < old.release:
        return view  # it was given as the next release began: that is another one's

    def seen(trip: TripView) -> TripView:
        if trip.condition != body.id or trip.acknowledged_us:
            return trip
        return replace(trip, acknowledged_by=event.actor, acknowledged_us=event.wall_us)

    return _change(
        replace(view, trips=tuple(seen(trip) for trip in view.trips)),
        body.id,
        lambda c: replace(
            c,
            acknowledged_by=event.actor,
            state=ConditionState.OK,
            tripped_us=0,
            elapsed_s=0,
            since_us=event.wall_us,
            acknowledged_us=event.wall_us,
            rolls_back_us=0,
            disarmed="",
            answered=False,
        ),
    )


@step(ConditionAnswered)
def _answered(view: LaunchView, _event: Event, body: ConditionAnswered) -> LaunchView:
    return _change(view, body.id, lambda c: replace(c, answered=True) if c.release == body.release else c)


@step(ConditionSamples)
def _samples(view: LaunchView, _event: Event, body: ConditionSamples) -> LaunchView:
    return replace(view, judged_us=max(view.judged_us, body.at_us))


@step(ConditionMuted)
def _muted(view: LaunchView, event: Event, body: ConditionMuted) -> LaunchView:
    view = _change(
        view,
        body.id,
        lambda c: replace(c, muted_until_us=body.until_us, muted_by=event.actor, muted_why=body.reason),
    )
    view = used(view, body.request)
    minutes = round((body.until_us - event.wall_us) / 60_000_000)
    second = f", with {body.second}" if body.second else ""
    return deviate(view, event, f"stop condition {body.id} muted for {minutes} min{second}: {body.reason}")


@step(ConditionCountdown)
def _countdown(view: LaunchView, _event: Event, body: ConditionCountdown) -> LaunchView:
    disarmed = "" if body.until_us else body.reason
    return _change(view, body.id, lambda c: replace(c, rolls_back_us=body.until_us, disarmed=disarmed))
