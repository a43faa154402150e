"""Operations and the watch in words: commands, hashes, stop conditions with their course, bakes, blind seconds."""

from __future__ import annotations

from collections.abc import Iterable

from state.base.numbers import number, plural
from state.base.times import SECOND_US, span, stopwatch
from state.report.day_times import Times
from state.report.document import Entries, Entry, Fold, Paragraph, Row, Section, Table, code, text
from state.report.facts import LaunchReport
from state.report.run_facts import BakeFacts, ConditionFacts, OperationFacts, StepFacts
from state.view.enums import ConditionState, OperationState, Severity


def operations(facts: LaunchReport, times: Times) -> Section:
    """Return every run of an operation, with what it ran and the hashes of what it changed."""
    entries = tuple(_operation(run, times) for run in facts.operations)
    none = Paragraph(text("None was run."))
    return Section("operations", "Operations", (Entries(entries) if entries else none,))


def _operation(run: OperationFacts, times: Times) -> Entry:
    seconds = (run.finished_us - (run.started_us or run.intended_us)) / SECOND_US
    took = f"{stopwatch(seconds)} of at most {stopwatch(run.timeout_s)}" if run.finished_us else "no end"
    folds = (
        [Fold("commands", tuple(line for one in run.commands for line in folded(one)))]
        if run.commands
        else []
    )
    if run.steps:
        folds.append(Fold("steps", tuple(_step(step, times) for step in run.steps)))
    if run.output:
        folds.append(Fold("what it printed last", run.output))
    return Entry(
        seq=run.seq,
        lead=run.state.value,
        severity=Severity.PLAIN if run.state is OperationState.SUCCEEDED else Severity.BAD,
        text=text(
            code(run.id),
            f" ({run.title})" if run.title else "",
            f" by {run.actor}, {times.at(run.intended_us)} to {times.at(run.finished_us)}, {took}",
            f": {run.from_what} → {run.to_what}" if run.from_what or run.to_what else "",
        ),
        details=tuple(_details(run)),
        folds=tuple(folds),
    )


def _details(run: OperationFacts) -> Iterable[Entry]:
    if run.verdict:
        yield Entry(text=text(run.verdict))
    if run.abort_by:
        yield Entry(text=text(f"its end was asked for by {run.abort_by}"), severity=Severity.BAD)
    if (over := run.override) is not None:
        request = f" (request #{over.request})" if over.request else ""
        told = f"locks overridden with {over.second}{request}: {over.reason}"
        lines = tuple(Entry(text=text(f"over {line}")) for line in over.over)
        yield Entry(text=text(told), severity=Severity.BLIND, details=lines)
    if run.revision:
        yield Entry(text=text(f"revision {run.revision}"))
    if (good := run.good) is not None:
        yield Entry(
            text=text(
                f"the revision to come back to: {good.number} ({good.status}), manifest ",
                code(good.manifest_sha),
            ),
            details=tuple(Entry(text=text(code(name), ": ", code(image))) for name, image in good.images),
        )
    if run.diff_sha:
        yield Entry(text=text("what changes, as shown: ", code(run.diff_sha)))
    if run.inputs_sha:
        yield Entry(text=text("what it read: ", code(run.inputs_sha)))
    yield from (Entry(text=text(f"{what}: ", code(digest))) for what, digest in run.parts)


def _step(step: StepFacts, times: Times) -> str:
    said = f"{times.at(step.at_us)} {step.name} {step.state.value}"
    return f"{said}: {step.detail}" if step.detail else said


def folded(command: str) -> tuple[str, ...]:
    """Return a command line with an option a line, as a shell takes it; what is in quotes stays together."""
    lines, quote, start = [], "", 0
    for at, letter in enumerate(command):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter == " " and command[at + 1 : at + 2] == "-" and at > start:
            lines.append(command[start:at])
            start = at + 1
    lines.append(command[start:])
    last = len(lines) - 1
    return tuple(("  " if n else "") + line + (" \\" if n < last else "") for n, line in enumerate(lines))


def conditions(facts: LaunchReport, times: Times) -> Section:
    """Return the stop conditions with their worst, their near misses, and every state they were in."""
    if not facts.conditions:
        return Section("conditions", "Stop conditions", (Paragraph(text("The log declares none.")),))
    heads = (
        "condition",
        "state",
        "value",
        "limit",
        "worst",
        "longest breach",
        "blind",
        "tripped",
        "acknowledged by",
    )
    rows = tuple(_condition(one, times) for one in facts.conditions)
    backs = tuple(
        Entry(
            text=text(
                f"#{one.trip} ",
                code(one.condition),
                f" tripped at {times.at(one.tripped_us)}; ",
                f"rollback #{one.rollback} verified at {times.at(one.verified_us)}, {stopwatch(one.seconds)} later"
                if one.seconds is not None
                else f"rollback #{one.rollback} was not verified"
                if one.rollback
                else "no rollback followed",
            )
        )
        for one in facts.way_back
    )
    blocks = (Table(heads, rows, "Stop conditions"), *((Entries(backs),) if backs else ()))
    parts = tuple(_course(one, times) for one in facts.conditions if one.history or one.deeds)
    return Section("conditions", "Stop conditions", blocks, parts)


def _condition(one: ConditionFacts, times: Times) -> Row:
    power = " (shadow)" if one.shadow else ""
    value = number(one.value, one.unit) if one.evaluated_us else "never evaluated"
    worst = f"{number(one.worst, one.unit)} at {times.at(one.worst_us)}" if one.worst is not None else "-"
    longest = stopwatch(one.longest_breach_s) + (", a near miss" if one.near_miss else "")
    cells = (
        f"{one.title}{power}",
        one.state.value,
        value,
        limit(one),
        worst,
        longest if one.longest_breach_s else "-",
        span(one.blind_s) if one.blind_s else "-",
        times.at(one.tripped_us),
        one.acknowledged_by or "-",
    )
    return Row(tuple(text(cell) for cell in cells), severity=_shade(one.state))


def limit(one: ConditionFacts) -> str:
    """Return a condition's rule in words: ``1.00 % for 300 s``."""
    return f"{'below ' if one.below else ''}{number(one.threshold, one.unit)} for {one.for_s} s"


def _shade(state: ConditionState) -> Severity:
    if state is ConditionState.TRIPPED:
        return Severity.BAD
    return Severity.BLIND if state.blind or state is ConditionState.BREACHING else Severity.PLAIN


def _course(one: ConditionFacts, times: Times) -> Section:
    said = [
        *(
            Entry(
                seq=change.seq,
                lead=change.state.value,
                severity=_shade(change.state),
                text=text(
                    f"at {times.at(change.at_us)}",
                    f", {number(change.value, one.unit)}" if change.value is not None else "",
                    f", breaching for {change.elapsed_s} s" if change.elapsed_s else "",
                    f": {change.reason}" if change.reason else "",
                ),
            )
            for change in one.history
        ),
        *(
            Entry(seq=deed.seq, text=text(f"{deed.what}, by {deed.by} at {times.at(deed.at_us)}"))
            for deed in one.deeds
        ),
    ]
    rule = Paragraph(text(f"{one.on_trip or 'nothing'} follows a trip; asked is ", code(one.query)))
    ordered = tuple(sorted(said, key=lambda entry: entry.seq))
    return Section(f"condition-{one.id}", f"Course of {one.title or one.id}", (rule, Entries(ordered)))


def bakes(facts: LaunchReport, times: Times) -> Section:
    """Return every bake."""
    entries = tuple(_bake(one, times) for one in facts.bakes)
    return Section("bake", "Bake", (Entries(entries) if entries else Paragraph(text("None began.")),))


def _bake(one: BakeFacts, times: Times) -> Entry:
    return Entry(
        seq=one.seq,
        lead=one.state.value,
        text=text(
            f"bake: {one.good_s} s of {one.minimum_s} s seen good, from {times.at(one.started_us)}",
            f" to {times.at(one.ended_us)}" if one.ended_us else ", not ended",
            f": {one.why}" if one.why else "",
        ),
        details=tuple(
            Entry(
                seq=more.seq,
                text=text(
                    f"extended by {more.minutes} min by {more.by} at {times.at(more.at_us)}: {more.reason}"
                ),
            )
            for more in one.extensions
        ),
    )


def blindness(facts: LaunchReport, times: Times) -> Section:
    """Return what could not be seen, and for how long."""
    entries = tuple(
        Entry(
            seq=one.seq,
            lead=span(one.seconds),
            severity=Severity.BLIND,
            text=text(f"{one.what}, from {times.at(one.from_us)}: {one.reason}"),
        )
        for one in facts.blindness
    )
    said = f"{plural(facts.blind_s, 'second')} in which a stop condition with power could not be judged."
    none = () if not entries else (Entries(entries),)
    return Section("blind", "Blind", (Paragraph(text(said)), *none))


def running(facts: LaunchReport, times: Times) -> Section:
    """Return what ran at the end of the log: pods with the digests of their images, ingresses with their hosts."""
    heads = ("environment", "pod", "phase", "ready", "restarts", "image", "since")
    rows = tuple(
        Row(
            (
                *(
                    text(pod.env),
                    text(code(pod.name)),
                    text(pod.phase),
                    text(f"{pod.ready}/{pod.containers}"),
                ),
                *(
                    text(f"{pod.restarts}"),
                    text(code(pod.digest or pod.image)),
                    text(times.at(pod.created_us)),
                ),
            )
        )
        for pod in facts.pods
    )
    ways = tuple(
        Entry(
            lead="TLS" if one.tls else "no TLS",
            severity=Severity.PLAIN if one.tls else Severity.BAD,
            text=text(f"{one.env}: ", code(", ".join(one.hosts)), f" → {one.address or 'no address'}"),
        )
        for one in facts.ingresses
    )
    table = Table(heads, rows, "Pods at the end of the log") if rows else Paragraph(text("No pod was seen."))
    return Section("running", "What ran at the end", (table, *((Entries(ways),) if ways else ())))
