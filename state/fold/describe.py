"""An event in one line of words, for the log's tail and the log screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from state.base.json import JsonObject, decimal, flag, integer, items, text, texts
from state.base.numbers import number, pace, plural
from state.base.text import line
from state.events import samples
from state.events.event import Event, Kind, gate_number
from state.view.launch import LaunchView


def _condition(body: JsonObject, view: LaunchView | None) -> str:
    value = decimal(body, "value")
    known = view.condition(text(body, "id")) if view is not None else None
    shown = "" if value is None else f" at {number(value, known.unit if known is not None else '')}"
    elapsed = integer(body, "elapsed_s")
    since = f", breaching for {elapsed} s" if elapsed else ""
    reason = text(body, "reason")
    return f"{text(body, 'id')} is {text(body, 'state')}{shown}{since}{': ' + reason if reason else ''}"


def _source(body: JsonObject) -> str:
    return f"{text(body, 'name')} {'answers' if flag(body, 'ok') else 'is lost: ' + text(body, 'reason')}"


def _signed(body: JsonObject) -> str:
    comment = text(body, "comment")
    word = "GO" if flag(body, "go") else "NO-GO"
    return f"{text(body, 'item')} attested {word}{': ' + comment if comment else ''}"


def _pod(body: JsonObject) -> str:
    told = f"{text(body, 'env')} pod {text(body, 'name')} {text(body, 'phase')}"
    if text(body, "phase") in {"Succeeded", "Completed"}:
        return told
    return f"{told} {integer(body, 'ready')}/{integer(body, 'containers')}"


def words(event: Event, view: LaunchView | None = None) -> str:
    """Return what happened, in one line that is safe to show; ``view`` knows the units of its numbers."""
    if event.kind == Kind.CONDITION_CHANGED:
        return line(_condition(event.body, view), 300)
    say = _SAY.get(event.kind)
    return line(say(event.body, event) if say is not None else _told(event.body), 300)


def _told(body: JsonObject) -> str:
    told = [text(body, key) for key in ("title", "id", "name", "reason", "outcome", "message")]
    return " ".join(one for one in told if one)


def _gate(event: Event) -> str:
    return f"gate {gate_number(event.gate)}"


def _console(body: JsonObject) -> str:
    return f"console {text(body, 'id')} attached{', drives' if flag(body, 'drives') else ''}"


def _engine(body: JsonObject) -> str:
    return f"engine started, pid {integer(body, 'pid')}{', resumed' if flag(body, 'resumed') else ''}"


def _countdown(body: JsonObject, event: Event) -> str:
    until_us = integer(body, "until_us")
    if not until_us:
        return f"{text(body, 'id')} doesn't roll back by itself: {text(body, 'reason')}"
    left = max(0, until_us - event.wall_us) // 1_000_000
    return f"{text(body, 'id')} rolls production back in {left} s, unless somebody holds"


def _alert(body: JsonObject) -> str:
    what = f"{text(body, 'env')} alert {text(body, 'alert')} ({text(body, 'severity') or 'no severity'})"
    return f"{what} {text(body, 'state')}: {text(body, 'summary')}"


def _hook(body: JsonObject) -> str:
    told = f"{text(body, 'occasion')} told to {text(body, 'host')}"
    return told if flag(body, "ok") else f"{told}: FAILED, {text(body, 'reason')}"


def _bake_end(body: JsonObject) -> str:
    return f"bake {text(body, 'outcome')} after {integer(body, 'good_s')} s seen good"


def _jump(body: JsonObject) -> str:
    slept, jump = integer(body, "slept_us") / 1_000_000, integer(body, "jump_us") / 1_000_000
    if not slept:
        return f"the clock jumped by {jump:.1f} s"
    return f"the machine slept for {slept:.0f} s{f', and the clock jumped by {jump:.1f} s' if abs(jump) > 1 else ''}"


_SAY: Mapping[str, Callable[[JsonObject, Event], str]] = {
    Kind.LOG_OPENED: lambda b, _: f"log {text(b, 'log_id')} opened",
    Kind.LOG_CLOSED: lambda b, _: f"the launch is over: the log ends at {text(b, 'head')}",
    Kind.LOG_ANCHORED: lambda b, _: f"{text(b, 'head')} kept: {', '.join(texts(b.get('sinks')))}",
    Kind.LOG_DOUBTED: lambda b, _: f"THE LOG IS IN DOUBT: {text(b, 'reason')}",
    Kind.LOG_REDACTED: lambda b, _: f"event {integer(b, 'seq')} redacted: {text(b, 'reason')}",
    Kind.LOG_WRITE_FAILED: lambda b, _: f"the log could not be written: {text(b, 'reason')}",
    Kind.LOG_RECOVERED: lambda b, _: f"the log is written again, after: {text(b, 'reason')}",
    Kind.METRIC_GAP: lambda b, _: f"no samples: {text(b, 'reason')}",
    Kind.RUNBOOK_CHANGED: lambda b, _: f"the runbook changed: {'; '.join(texts(b.get('diff')))}",
    Kind.LAUNCH_OPENED: lambda b, _: f"launch opened: {text(b, 'title')}",
    Kind.ENVIRONMENT_DECLARED: lambda b, _: f"{text(b, 'tier')}: {text(b, 'title')}, {text(b, 'namespace')}",
    Kind.GATE_DECLARED: lambda b, _: f"gate {integer(b, 'number')}: {text(b, 'title')}",
    Kind.GATE_CHANGED: lambda b, e: f"{_gate(e)} {text(b, 'from')} → {text(b, 'to')}",
    Kind.GATE_RECYCLED: lambda b, e: f"back to {_gate(e)}: {text(b, 'reason')}",
    Kind.CHECK_STARTED: lambda b, _: f"{text(b, 'item')} is being checked",
    Kind.CHECK_FINISHED: lambda b, _: f"{text(b, 'item')} {text(b, 'verdict')}: {text(b, 'summary')}",
    Kind.ATTEST_SIGNED: lambda b, _: _signed(b),
    Kind.ATTEST_WITHDRAWN: lambda b, _: f"{text(b, 'item')} attestation withdrawn: {text(b, 'reason')}",
    Kind.ITEM_WAIVED: lambda b, _: f"{text(b, 'item')} waived: {text(b, 'reason')}",
    Kind.CANDIDATE_SEEN: lambda b, _: (
        f"candidate seen for {text(b, 'env')}: {plural(len(items(b.get('parts'))), 'part')}"
    ),
    Kind.OPERATION_INTENDED: lambda b, _: f"{text(b, 'id')} intended: {text(b, 'from')} → {text(b, 'to')}",
    Kind.OPERATION_STARTED: lambda b, _: f"{text(b, 'id')} started, pid {integer(b, 'pid')}",
    Kind.OPERATION_STEP: lambda b, _: f"{text(b, 'name')} {text(b, 'state')} {text(b, 'detail')}",
    Kind.OPERATION_OUTPUT: lambda b, _: " / ".join(texts(b.get("lines"))),
    Kind.OPERATION_ABORTED: lambda b, _: f"{text(b, 'id')} abort asked: {text(b, 'reason')}",
    Kind.OPERATION_FINISHED: lambda b, _: f"{text(b, 'id')} {text(b, 'state')}: {text(b, 'verdict')}",
    Kind.OPERATION_UNKNOWN: lambda b, _: f"{text(b, 'id')} has no known end: {text(b, 'verdict')}",
    Kind.SOURCE_CHANGED: lambda b, _: _source(b),
    Kind.POD_CHANGED: lambda b, _: _pod(b),
    Kind.POD_GONE: lambda b, _: f"{text(b, 'env')} pod {text(b, 'name')} is gone",
    Kind.INGRESS_CHANGED: lambda b, _: (
        f"{text(b, 'env')} ingress {text(b, 'name')} {', '.join(texts(b.get('hosts')))}"
    ),
    Kind.METRIC_BATCH: lambda b, _: f"{plural(samples.count(b), 'sample')}",
    Kind.CONDITION_ACKNOWLEDGED: lambda b, _: f"{text(b, 'id')} acknowledged: {text(b, 'comment')}",
    Kind.CONDITION_SAMPLES: lambda b, _: f"samples of conditions: {text(b, 'values')}",
    Kind.CONDITION_MUTED: lambda b, _: f"{text(b, 'id')} muted: {text(b, 'reason')}",
    Kind.CONDITION_COUNTDOWN: _countdown,
    Kind.ALERT_CHANGED: lambda b, _: _alert(b),
    Kind.ALERT_GONE: lambda b, _: f"{text(b, 'env')} alert {text(b, 'name')} is over",
    Kind.BAKE_EXTENDED: lambda b, _: f"bake extended by {integer(b, 'minutes')} min: {text(b, 'reason')}",
    Kind.WEBHOOK_SENT: lambda b, _: _hook(b),
    Kind.BAKE_STARTED: lambda b, _: f"bake started, {integer(b, 'minimum_s') // 60} min wanted",
    Kind.BAKE_PROGRESS: lambda b, _: f"bake {integer(b, 'good_s')} s seen good",
    Kind.BAKE_FINISHED: lambda b, _: _bake_end(b),
    Kind.COMMAND_REFUSED: lambda b, _: f"{text(b, 'command')} refused: {text(b, 'reason')}",
    Kind.CONSOLE_OPENED: lambda b, _: _console(b),
    Kind.CONSOLE_CLOSED: lambda b, _: f"console {text(b, 'id')} left",
    Kind.ENGINE_STARTED: lambda b, _: _engine(b),
    Kind.CLOCK_RATE: lambda b, _: f"the clock runs {pace(decimal(b, 'rate') or 0.0)}",
    Kind.CLOCK_JUMPED: lambda b, _: _jump(b),
    Kind.NOTE_ADDED: lambda b, _: text(b, "text"),
}
