"""An event in one line of words, for the log's tail and the log screen."""

from __future__ import annotations

from state.events import Event, Kind, gate_number
from state.fields import JsonObject, decimal, flag, integer, items, text, texts
from state.text import line


def _condition(body: JsonObject) -> str:
    value = decimal(body, "value")
    shown = "" if value is None else f" at {value:.4g}"
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
    ready = f"{integer(body, 'ready')}/{integer(body, 'containers')}"
    return f"{text(body, 'env')} pod {text(body, 'name')} {text(body, 'phase')} {ready}"


def _both(body: JsonObject, first: str, second: str) -> str:
    return f"{text(body, first)}: {text(body, second)}"


def words(event: Event) -> str:
    """Return what happened, in one line that is safe to show."""
    return line(_words(event), 300)


def _words(event: Event) -> str:
    body = event.body
    match event.kind:
        case Kind.LOG_OPENED:
            return f"log {text(body, 'log_id')} opened"
        case Kind.LAUNCH_OPENED:
            return f"launch opened: {text(body, 'title')}"
        case Kind.GATE_DECLARED:
            return f"gate {integer(body, 'number')}: {text(body, 'title')}"
        case Kind.GATE_CHANGED:
            return f"gate {gate_number(event.gate)} {text(body, 'from')} → {text(body, 'to')}"
        case Kind.GATE_RECYCLED:
            return f"back to gate {gate_number(event.gate)}: {text(body, 'reason')}"
        case Kind.CHECK_FINISHED:
            return f"{text(body, 'item')} {text(body, 'verdict')}: {text(body, 'summary')}"
        case Kind.CHECK_STARTED:
            return f"{text(body, 'item')} is being checked"
        case Kind.ATTEST_SIGNED:
            return _signed(body)
        case Kind.ATTEST_WITHDRAWN:
            return f"{text(body, 'item')} attestation withdrawn: {text(body, 'reason')}"
        case Kind.ITEM_WAIVED:
            return f"{text(body, 'item')} waived: {text(body, 'reason')}"
        case Kind.OPERATION_INTENDED:
            return f"{text(body, 'id')} intended: {text(body, 'from')} → {text(body, 'to')}"
        case Kind.OPERATION_STARTED:
            return f"{text(body, 'id')} started, pid {integer(body, 'pid')}"
        case Kind.OPERATION_STEP:
            return f"{text(body, 'name')} {text(body, 'state')} {text(body, 'detail')}"
        case Kind.OPERATION_OUTPUT:
            return " / ".join(texts(body.get("lines")))
        case Kind.OPERATION_ABORTED:
            return f"{text(body, 'id')} abort asked: {text(body, 'reason')}"
        case Kind.OPERATION_FINISHED:
            return f"{text(body, 'id')} {text(body, 'state')}: {text(body, 'verdict')}"
        case Kind.OPERATION_UNKNOWN:
            return f"{text(body, 'id')} has no known end: {text(body, 'verdict')}"
        case Kind.SOURCE_CHANGED:
            return _source(body)
        case Kind.POD_CHANGED:
            return _pod(body)
        case Kind.POD_GONE:
            return f"{text(body, 'env')} pod {text(body, 'name')} is gone"
        case Kind.INGRESS_CHANGED:
            return f"{text(body, 'env')} ingress {text(body, 'name')} {', '.join(texts(body.get('hosts')))}"
        case Kind.METRIC_BATCH:
            return f"{len(items(body.get('values')))} samples"
        case Kind.CONDITION_CHANGED:
            return _condition(body)
        case Kind.CONDITION_ACKNOWLEDGED:
            return f"{text(body, 'id')} acknowledged: {text(body, 'comment')}"
        case Kind.BAKE_STARTED:
            return f"bake started, {integer(body, 'minimum_s') // 60} min wanted"
        case Kind.BAKE_PROGRESS:
            return f"bake {integer(body, 'good_s')} s seen good"
        case Kind.BAKE_FINISHED:
            return f"bake {text(body, 'outcome')} after {integer(body, 'good_s')} s seen good"
        case Kind.COMMAND_REFUSED:
            return f"{text(body, 'command')} refused: {text(body, 'reason')}"
        case Kind.CONSOLE_OPENED:
            return f"console {text(body, 'id')} attached{', drives' if flag(body, 'drives') else ''}"
        case Kind.CONSOLE_CLOSED:
            return f"console {text(body, 'id')} left"
        case Kind.ENGINE_STARTED:
            return f"engine started, pid {integer(body, 'pid')}{', resumed' if flag(body, 'resumed') else ''}"
        case Kind.CLOCK_RATE:
            return f"the clock runs {text(body, 'rate')} times as fast"
        case Kind.CLOCK_JUMPED:
            return f"the clock jumped by {integer(body, 'delta_us') / 1_000_000:.1f} s"
        case Kind.NOTE_ADDED:
            return text(body, "text")
        case Kind.ENVIRONMENT_DECLARED:
            return f"{text(body, 'tier')}: {text(body, 'title')}, {text(body, 'namespace')}"
        case _:
            told = [text(body, key) for key in ("title", "id", "name", "reason", "outcome", "message")]
            return " ".join(one for one in told if one)
