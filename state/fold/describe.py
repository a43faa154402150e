"""An event in one line of words, for the log's tail and the log screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from state.base.codec import Notes
from state.base.json import JsonObject, text
from state.base.numbers import number, pace, plural
from state.base.text import line
from state.events import bake, declared, gates, launch, log, operations, polls, requests, samples, world
from state.events.bodies import decode
from state.events.event import Body, Event, Unlisted, gate_number
from state.view.enums import Presence
from state.view.launch import LaunchView

B = TypeVar("B", bound=Body)
Say: TypeAlias = Callable[[B, Event], str]


def words(event: Event, view: LaunchView | None = None, read: tuple[Body, Notes] | None = None) -> str:
    """Return what happened, in one line that is safe to show.

    ``view`` knows the units of its numbers; ``read`` is the body, where it was decoded already. A word of another
    version is shown as it stands.
    """
    body, notes = read or decode(event)
    if isinstance(body, bake.ConditionChanged):
        said = _condition(body, view)
    elif isinstance(body, Unlisted):
        said = _unlisted(body.fields)
    else:
        said = WORDS[type(body)](body, event)
    if notes.words:
        said += f" ({', '.join(notes.words)}: of another version)"
    return line(said, 300)


def _unlisted(fields: JsonObject) -> str:
    said = [text(fields, key) for key in ("title", "id", "name", "reason", "outcome", "message")]
    return " ".join(one for one in said if one)


def _condition(body: bake.ConditionChanged, view: LaunchView | None) -> str:
    known = view.condition(body.id) if view is not None else None
    shown = "" if body.value is None else f" at {number(body.value, known.unit if known is not None else '')}"
    since = f", breaching for {body.elapsed_s} s" if body.elapsed_s else ""
    return f"{body.id} is {body.state}{shown}{since}{': ' + body.reason if body.reason else ''}"


def _started(body: launch.EngineStarted, _event: Event) -> str:
    lacks = (
        f"; missing here: {'; '.join(f'{one.what} ({one.fix})' for one in body.lacks)}" if body.lacks else ""
    )
    return f"engine started, pid {body.pid}{', resumed' if body.resumed else ''}{lacks}"


def _followed(body: launch.DeviationFollowedUp, _event: Event) -> str:
    link = f" ({body.link})" if body.link else ""
    return f"{body.owner} sees to deviation #{body.deviation}: {body.text}{link}"


def _signed(body: gates.AttestSigned, _event: Event) -> str:
    said = f"{body.item} attested {'GO' if body.go else 'NO-GO'}"
    if body.cautions:
        said += f", though {', '.join(body.cautions)}"
    return f"{said}: {body.comment}" if body.comment else said


def _pod(body: world.PodChanged, _event: Event) -> str:
    said = f"{body.env} pod {body.name} {body.phase}"
    return said if body.phase in {"Succeeded", "Completed"} else f"{said} {body.ready}/{body.containers}"


def _release(body: world.ReleaseSeen, _event: Event) -> str:
    if body.presence is Presence.PRESENT:
        return f"{body.env}: the release is there, revision {body.revision} ({body.status})"
    if body.presence is Presence.UNKNOWN:
        return f"{body.env}: whether there is a release can't be seen: {body.reason}"
    there = "" if body.namespace else "; its namespace isn't there either"
    if body.presence is Presence.UNFINISHED:
        return f"{body.env}: FIRST LAUNCH, revision {body.revision} ({body.status}) never ran completely"
    return f"{body.env}: FIRST LAUNCH, there is no release{there}"


def _cluster(body: world.ClusterIdentified, _event: Event) -> str:
    known = f", kube-system {body.uid[:8]}" if body.uid else f"; its uid can't be read: {body.reason}"
    return f"{body.env} is on the cluster at {body.server}{known}"


def _countdown(body: bake.ConditionCountdown, event: Event) -> str:
    if not body.until_us:
        return f"{body.id} doesn't roll back by itself: {body.reason}"
    left = max(0, body.until_us - event.wall_us) // 1_000_000
    return f"{body.id} rolls production back in {left} s, unless somebody holds"


def _answer(event: Event, how: str, why: str) -> str:
    return f"request #{event.ref} {how}" + (f": {why}" if why else "")


def _polled(body: polls.PollAnswered, event: Event) -> str:
    said = f"poll #{event.ref}: {body.seat} says {'GO' if body.go else 'NO-GO'}"
    return f"{said}: {body.comment}" if body.comment else said


def _poll_ended(body: polls.PollEnded, event: Event) -> str:
    said = ", ".join(f"{one.seat} {one.answer or 'no answer'}" for one in body.answers)
    return f"poll #{event.ref} is {body.outcome}: {said}" + (f" ({body.reason})" if body.reason else "")


def _alert(body: world.AlertChanged, _event: Event) -> str:
    return f"{body.env} alert {body.alert} ({body.severity or 'no severity'}) {body.state}: {body.summary}"


def _hook(body: world.WebhookSent, _event: Event) -> str:
    said = f"{body.occasion} told to {body.host}"
    return said if body.ok else f"{said}: FAILED, {body.reason}"


def _jump(body: log.ClockJumped, _event: Event) -> str:
    slept, jump = body.slept_us / 1_000_000, body.jump_us / 1_000_000
    if not slept:
        return f"the clock jumped by {jump:.1f} s"
    return f"the machine slept for {slept:.0f} s{f', and the clock jumped by {jump:.1f} s' if abs(jump) > 1 else ''}"


def _gate(event: Event) -> str:
    return f"gate {gate_number(event.gate)}"


def _on(kind: type[B], say: Say[B]) -> tuple[type[Body], Say[Any]]:
    """Return a row of the table below; the types of both agree."""
    return kind, say


WORDS: Mapping[type[Body], Say[Any]] = dict(
    (
        _on(log.LogOpened, lambda b, _: f"log {b.log_id} opened"),
        _on(log.LogClosed, lambda b, _: f"the launch is over: the log ends at {b.head}"),
        _on(log.LogAnchored, lambda b, _: f"{b.head} kept: {', '.join(b.sinks)}"),
        _on(log.LogDoubted, lambda b, _: f"THE LOG IS IN DOUBT: {b.reason}"),
        _on(log.LogRedacted, lambda b, _: f"event {b.seq} redacted: {b.reason}"),
        _on(log.LogWriteFailed, lambda b, _: f"the log could not be written: {b.reason}"),
        _on(log.LogRecovered, lambda b, _: f"the log is written again, after: {b.reason}"),
        _on(log.ClockRate, lambda b, _: f"the clock runs {pace(b.rate)}"),
        _on(log.ClockJumped, _jump),
        _on(log.NoteAdded, lambda b, _: b.text),
        _on(launch.LaunchOpened, lambda b, _: f"launch opened: {b.title}"),
        _on(launch.LaunchHeld, lambda b, _: b.reason),
        _on(launch.LaunchReleased, lambda b, _: b.reason),
        _on(launch.LaunchScrubbed, lambda b, _: b.reason),
        _on(launch.LaunchClosed, lambda _b, _e: ""),
        _on(launch.DeviationFollowedUp, _followed),
        _on(launch.RunbookChanged, lambda b, _: f"the runbook changed: {'; '.join(b.diff)}"),
        _on(
            launch.EngineStarted,
            _started,
        ),
        _on(launch.EngineStopped, lambda b, _: b.reason),
        _on(launch.ConsoleOpened, lambda b, _: f"console {b.id} attached{', drives' if b.drives else ''}"),
        _on(launch.ConsoleClosed, lambda b, _: f"console {b.id} left"),
        _on(launch.ConsoleTookOver, lambda b, _: f"{b.id} {b.reason}"),
        _on(launch.CommandRefused, lambda b, _: f"{b.command} refused: {b.reason}"),
        _on(declared.EnvironmentDeclared, lambda b, _: f"{b.tier}: {b.title}, {b.namespace}"),
        _on(declared.ConditionDeclared, lambda b, _: f"{b.title} {b.id}"),
        _on(declared.GraphDeclared, lambda b, _: f"{b.title} {b.id}"),
        _on(declared.OperationDeclared, lambda b, _: f"{b.title} {b.id}"),
        _on(declared.StageDeclared, lambda b, _: f"{b.title} {b.id}"),
        _on(declared.GateDeclared, lambda b, _: f"gate {b.number}: {b.title}"),
        _on(gates.GateChanged, lambda b, e: f"{_gate(e)} {b.from_} → {b.to}"),
        _on(gates.GateRecycled, lambda b, e: f"back to {_gate(e)}: {b.reason}"),
        _on(gates.CheckStarted, lambda b, _: f"{b.item} is being checked"),
        _on(gates.CheckFinished, lambda b, _: f"{b.item} {b.verdict}: {b.summary}"),
        _on(gates.AttestSigned, _signed),
        _on(gates.AttestWithdrawn, lambda b, _: f"{b.item} attestation withdrawn: {b.reason}"),
        _on(gates.ItemWaived, lambda b, _: f"{b.item} waived: {b.reason}"),
        _on(
            operations.CandidateSeen,
            lambda b, _: f"candidate seen for {b.env}: {plural(len(b.parts), 'part')}",
        ),
        _on(operations.OperationIntended, lambda b, _: f"{b.id} intended: {b.from_} → {b.to}"),
        _on(operations.OperationStarted, lambda b, _: f"{b.id} started, pid {b.pid}"),
        _on(operations.OperationStep, lambda b, _: f"{b.name} {b.state} {b.detail}"),
        _on(operations.OperationOutput, lambda b, _: " / ".join(b.lines)),
        _on(operations.OperationAborted, lambda b, _: f"{b.id} abort asked: {b.reason}"),
        _on(operations.OperationFinished, lambda b, _: f"{b.id} {b.state}: {b.verdict}"),
        _on(operations.OperationUnknown, lambda b, _: f"{b.id} has no known end: {b.verdict}"),
        _on(requests.RequestMade, lambda b, _: f"{b.title} requested: {b.reason}"),
        _on(requests.RequestGranted, lambda b, e: _answer(e, "granted", b.comment)),
        _on(requests.RequestRefused, lambda b, e: _answer(e, "refused", b.reason)),
        _on(requests.RequestWithdrawn, lambda b, e: _answer(e, "withdrawn", b.reason)),
        _on(polls.PollOpened, lambda b, _: f"go/no-go poll: {b.about}; {', '.join(b.seats)} are asked"),
        _on(polls.PollAnswered, _polled),
        _on(polls.PollEnded, _poll_ended),
        _on(world.SourceChanged, lambda b, _: f"{b.name} {'answers' if b.ok else 'is lost: ' + b.reason}"),
        _on(world.ReleaseSeen, _release),
        _on(world.ClusterIdentified, _cluster),
        _on(world.PodChanged, _pod),
        _on(world.PodGone, lambda b, _: f"{b.env} pod {b.name} is gone"),
        _on(world.IngressChanged, lambda b, _: f"{b.env} ingress {b.name} {', '.join(b.hosts)}"),
        _on(world.IngressGone, lambda b, _: b.name),
        _on(world.MetricBatch, lambda b, _: plural(samples.count(b.values), "sample")),
        _on(world.MetricGap, lambda b, _: f"no samples: {b.reason}"),
        _on(world.AlertChanged, _alert),
        _on(world.AlertGone, lambda b, _: f"{b.env} alert {b.name} is over"),
        _on(world.WebhookSent, _hook),
        _on(bake.ConditionChanged, lambda b, _: _condition(b, None)),
        _on(bake.ConditionAcknowledged, lambda b, _: f"{b.id} acknowledged: {b.comment}"),
        _on(bake.ConditionAnswered, lambda b, _: f"{b.id}: {b.how}"),
        _on(bake.ConditionSamples, lambda b, _: f"samples of conditions: {b.values}"),
        _on(bake.ConditionMuted, lambda b, _: f"{b.id} muted: {b.reason}"),
        _on(bake.ConditionCountdown, _countdown),
        _on(bake.BakeStarted, lambda b, _: f"bake started, {b.minimum_s // 60} min wanted"),
        _on(bake.BakeProgress, lambda b, _: f"bake {b.good_s} s seen good"),
        _on(bake.BakeExtended, lambda b, _: f"bake extended by {b.minutes} min: {b.reason}"),
        _on(bake.BakeFinished, lambda b, _: f"bake {b.outcome} after {b.good_s} s seen good"),
    )
)
