"""The names of the kinds of events, for those who only compare them."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """Kinds that are compared by their name alone; ``state.events.bodies`` has all. A reader keeps unknown ones."""

    LOG_OPENED = "log.opened"
    LOG_CLOSED = "log.closed"
    LOG_ANCHORED = "log.anchored"
    LOG_DOUBTED = "log.doubted"
    LOG_REDACTED = "log.redacted"
    LOG_WRITE_FAILED = "log.write_failed"
    LOG_RECOVERED = "log.recovered"

    LAUNCH_OPENED = "launch.opened"
    LAUNCH_HELD = "launch.held"
    LAUNCH_RELEASED = "launch.released"
    LAUNCH_SCRUBBED = "launch.scrubbed"
    LAUNCH_CLOSED = "launch.closed"
    RUNBOOK_CHANGED = "runbook.changed"
    ENVIRONMENT_DECLARED = "environment.declared"
    CONDITION_DECLARED = "condition.declared"
    GRAPH_DECLARED = "graph.declared"
    OPERATION_DECLARED = "operation.declared"
    STAGE_DECLARED = "stage.declared"

    ENGINE_STARTED = "engine.started"
    ENGINE_STOPPED = "engine.stopped"
    CONSOLE_OPENED = "console.opened"
    CONSOLE_CLOSED = "console.closed"
    CONSOLE_TOOK_OVER = "console.took_over"
    COMMAND_REFUSED = "command.refused"

    GATE_DECLARED = "gate.declared"
    GATE_CHANGED = "gate.changed"
    GATE_RECYCLED = "gate.recycled"
    ITEM_WAIVED = "item.waived"
    CHECK_STARTED = "check.started"
    CHECK_FINISHED = "check.finished"
    ATTEST_SIGNED = "attest.signed"
    ATTEST_WITHDRAWN = "attest.withdrawn"

    CANDIDATE_SEEN = "candidate.seen"
    OPERATION_INTENDED = "operation.intended"
    OPERATION_STARTED = "operation.started"
    OPERATION_STEP = "operation.step"
    OPERATION_OUTPUT = "operation.output"
    OPERATION_ABORTED = "operation.aborted"
    OPERATION_FINISHED = "operation.finished"
    OPERATION_UNKNOWN = "operation.unknown"

    SOURCE_CHANGED = "source.changed"
    POD_CHANGED = "pod.changed"
    POD_GONE = "pod.gone"
    INGRESS_CHANGED = "ingress.changed"
    INGRESS_GONE = "ingress.gone"
    METRIC_BATCH = "metric.batch"
    METRIC_GAP = "metric.gap"

    CONDITION_CHANGED = "condition.changed"
    CONDITION_ACKNOWLEDGED = "condition.acknowledged"
    CONDITION_SAMPLES = "condition.samples"
    CONDITION_MUTED = "condition.muted"
    CONDITION_COUNTDOWN = "condition.countdown"
    ALERT_CHANGED = "alert.changed"
    ALERT_GONE = "alert.gone"
    BAKE_STARTED = "bake.started"
    BAKE_PROGRESS = "bake.progress"
    BAKE_EXTENDED = "bake.extended"
    BAKE_FINISHED = "bake.finished"
    WEBHOOK_SENT = "webhook.sent"

    CLOCK_JUMPED = "clock.jumped"
    CLOCK_RATE = "clock.rate"
    NOTE_ADDED = "note.added"
