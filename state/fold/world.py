"""Events of the observed world: pods, ingresses, samples, stop conditions."""

from __future__ import annotations

from dataclasses import replace

from state.base.json import decimal, flag, integer, text, texts
from state.base.maps import with_item, without_item
from state.events.event import Event, Kind
from state.events.samples import by_series
from state.fold.bake import note_restart
from state.fold.launch import deviate
from state.fold.step import Steps
from state.view.enums import ConditionState
from state.view.launch import GraphView, IngressView, LaunchView, PodView, SeriesView, SourceView

POINTS = 1000


def _source(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    source = SourceView(text(body, "name"), flag(body, "ok"), text(body, "reason"), event.wall_us)
    return replace(view, sources=with_item(view.sources, source.name, source))


def _key(event: Event) -> str:
    return f"{text(event.body, 'env')}/{text(event.body, 'name')}"


def _pod(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    pod = PodView(
        env=text(body, "env"),
        name=text(body, "name"),
        app=text(body, "app"),
        phase=text(body, "phase"),
        ready=integer(body, "ready"),
        containers=integer(body, "containers"),
        restarts=integer(body, "restarts"),
        image=text(body, "image"),
        digest=text(body, "digest"),
        node=text(body, "node"),
        created_us=integer(body, "created_us"),
        reason=text(body, "reason"),
        changed_us=event.wall_us,
        unready=text(body, "unready"),
        of_job=flag(body, "of_job"),
        ended=flag(body, "ended"),
        loops_until_us=integer(body, "loops_until_us"),
    )
    old = view.pods.get(_key(event))
    view = replace(view, pods=with_item(view.pods, _key(event), pod))
    return note_restart(view, event, old, pod)


def _pod_gone(view: LaunchView, event: Event) -> LaunchView:
    return replace(view, pods=without_item(view.pods, _key(event)))


def _ingress(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    ingress = IngressView(
        text(body, "env"),
        text(body, "name"),
        texts(body.get("hosts")),
        text(body, "address"),
        flag(body, "tls"),
        event.wall_us,
    )
    return replace(view, ingresses=with_item(view.ingresses, _key(event), ingress))


def _ingress_gone(view: LaunchView, event: Event) -> LaunchView:
    return replace(view, ingresses=without_item(view.ingresses, _key(event)))


def _batch(view: LaunchView, event: Event) -> LaunchView:
    at_us = integer(event.body, "at_us", event.wall_us)
    news = by_series(event.body, {g.id: tuple(s.id for s in g.series) for g in view.graphs})

    def put(graph: GraphView, series: SeriesView) -> SeriesView:
        if (graph.id, series.id) not in news:
            return series
        point = (at_us, news[graph.id, series.id])
        return replace(series, points=(*series.points[-POINTS + 1 :], point))

    graphs = tuple(replace(g, series=tuple(put(g, s) for s in g.series)) for g in view.graphs)
    return replace(view, graphs=graphs)


def _gap(view: LaunchView, event: Event) -> LaunchView:
    at_us = integer(event.body, "from_us", event.wall_us)

    def cut(series: SeriesView) -> SeriesView:
        return replace(series, points=(*series.points[-POINTS + 1 :], (at_us, None)))

    return replace(
        view,
        graphs=tuple(replace(g, series=tuple(cut(s) for s in g.series)) for g in view.graphs),
    )


def _condition(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    state = ConditionState(text(body, "state", "ERROR"))
    name = text(body, "id")
    old = view.condition(name)
    if old is None:
        return view
    tripped = state is ConditionState.TRIPPED
    new = replace(
        old,
        state=state,
        value=decimal(body, "value"),
        elapsed_s=integer(body, "elapsed_s"),
        reason=text(body, "reason"),
        since_us=integer(body, "since_us"),
        evaluated_us=integer(body, "at_us", event.wall_us),
        active=flag(body, "active"),
        tripped_us=(old.tripped_us or event.wall_us) if tripped else 0,
        acknowledged_by=old.acknowledged_by if tripped else "",
        rolls_back_us=old.rolls_back_us if tripped else 0,
        disarmed=old.disarmed if tripped else "",
    )
    view = replace(view, conditions=tuple(new if c.id == name else c for c in view.conditions))
    if new.shadow:
        return view
    if tripped and old.state is not ConditionState.TRIPPED:
        view = deviate(view, event, f"stop condition {name} tripped")
    elif state.blind and not old.state.blind and new.active:
        view = deviate(view, event, f"stop condition {name} blind: {new.reason or state}")
    return view


def _acknowledged(view: LaunchView, event: Event) -> LaunchView:
    name = text(event.body, "id")
    conditions = tuple(
        replace(
            c,
            acknowledged_by=event.actor,
            state=ConditionState.OK,
            tripped_us=0,
            elapsed_s=0,
            since_us=event.wall_us,
            acknowledged_us=event.wall_us,
            rolls_back_us=0,
            disarmed="",
        )
        if c.id == name
        else c
        for c in view.conditions
    )
    return replace(view, conditions=conditions)


def _samples(view: LaunchView, event: Event) -> LaunchView:
    return replace(view, judged_us=max(view.judged_us, integer(event.body, "at_us")))


def _muted(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    name, until_us, why = text(body, "id"), integer(body, "until_us"), text(body, "reason")
    conditions = tuple(
        replace(c, muted_until_us=until_us, muted_by=event.actor, muted_why=why) if c.id == name else c
        for c in view.conditions
    )
    minutes = round((until_us - event.wall_us) / 60_000_000)
    view = replace(view, conditions=conditions)
    return deviate(view, event, f"stop condition {name} muted for {minutes} min: {why}")


def _countdown(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    until_us, why = integer(body, "until_us"), text(body, "reason")
    conditions = tuple(
        replace(c, rolls_back_us=until_us, disarmed="" if until_us else why)
        if c.id == text(body, "id")
        else c
        for c in view.conditions
    )
    return replace(view, conditions=conditions)


STEPS: Steps = {
    Kind.SOURCE_CHANGED: _source,
    Kind.POD_CHANGED: _pod,
    Kind.POD_GONE: _pod_gone,
    Kind.INGRESS_CHANGED: _ingress,
    Kind.INGRESS_GONE: _ingress_gone,
    Kind.METRIC_BATCH: _batch,
    Kind.METRIC_GAP: _gap,
    Kind.CONDITION_CHANGED: _condition,
    Kind.CONDITION_ACKNOWLEDGED: _acknowledged,
    Kind.CONDITION_SAMPLES: _samples,
    Kind.CONDITION_MUTED: _muted,
    Kind.CONDITION_COUNTDOWN: _countdown,
}
