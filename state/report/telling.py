"""A report's facts as a document: which parts it has, in which order, and what the short ones say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from enum import StrEnum
from typing import TypeVar, cast

from state.base.frozen import replace
from state.base.numbers import plural
from state.base.text import plain
from state.base.times import span
from state.report.day_times import Times
from state.report.document import (
    LONGEST,
    Document,
    Entries,
    Entry,
    Figure,
    Paragraph,
    Row,
    Section,
    Table,
    Text,
    between,
    code,
    link,
    strong,
    text,
)
from state.report.facts import LaunchReport
from state.report.run_facts import Line
from state.report.telling_items import gates, pipeline, waivers
from state.report.telling_runs import bakes, blindness, conditions, operations, running
from state.report.telling_words import polls, requests, signed
from state.view.enums import LaunchState, Severity
from state.view.launch import DeviationView
from state.view.people import SINGLE_OPERATOR

T = TypeVar("T")


def document(facts: LaunchReport) -> Document:
    """Return a report as a document; times are UTC, and without the date on the day of the opening."""
    facts = cleaned(facts)
    times = Times(facts.scope.opened_us)
    sections = (
        _timeline(facts, times),
        *gates(facts, times),
        *pipeline(facts, times),
        waivers(facts, times),
        _holds(facts, times),
        _take_overs(facts, times),
        _notes(facts, times),
        requests(facts, times),
        *polls(facts, times),
        operations(facts, times),
        conditions(facts, times),
        bakes(facts, times),
        *_curves(facts, times),
        blindness(facts, times),
        running(facts, times),
        _deviations(facts, times),
        *_runbook(facts, times),
        _people(facts, times),
        _proof(facts, times),
    )
    return Document(
        title=facts.scope.title or "Launch",
        summary=tuple((one.about, text(one.told)) for one in facts.summary),
        facts=Entries(tuple(_facts(facts, times))),
        sections=sections,
    )


def cleaned(value: T) -> T:
    """Return facts whose every text is cleaned by itself.

    What one text leaves open, as an escape sequence without its end, would else take away what is told after it.
    """
    if isinstance(value, str):
        return cast("T", value if isinstance(value, StrEnum) else plain(value, LONGEST))
    if isinstance(value, tuple):
        return cast("T", tuple(cleaned(one) for one in value))
    if isinstance(value, Line):
        return cast("T", replace(value, label=plain(value.label)))
    if is_dataclass(value) and not isinstance(value, type):
        changes = {one.name: cleaned(getattr(value, one.name)) for one in fields(value)}
        return cast("T", type(value)(**changes))
    return value


def _facts(facts: LaunchReport, times: Times) -> Iterable[Entry]:
    scope, candidate, proof = facts.scope, facts.scope.candidate, facts.proof
    yield Entry(text=text("state: ", strong(facts.state.value), f" at {times.full(facts.at_us)}"))
    window = f"{times.full(scope.window_start_us)} to {times.full(scope.window_end_us)}"
    yield Entry(text=text(f"opened: {times.full(scope.opened_us)}; window {window}; times are UTC"))
    commit = (", commit ", code(candidate.commit)) if candidate.commit else ()
    chart = (", chart ", code(candidate.chart)) if candidate.chart else ()
    head = (", migrations up to ", code(candidate.migration_head)) if candidate.migration_head else ()
    images = (Entry(text=text(code(name), ": ", code(image))) for name, image in candidate.images)
    named = candidate.version or "not named"
    yield Entry(text=text("candidate: ", named, *commit, *chart, *head), details=tuple(images))
    places = "; ".join(f"{tier}: {title}" for tier, title in scope.environments)
    if places:
        yield Entry(text=text("environments: ", places))
    if scope.modules or scope.regions:
        yield Entry(text=text("scope: ", ", ".join((*scope.modules, *scope.regions))))
    if scope.runbook_digest:
        yield Entry(text=text("runbook: ", code(scope.runbook_digest)))
    told = plural(facts.proof.events, "event")
    yield Entry(text=text("head: ", code(proof.head), f", {told} of log ", code(facts.log_id)))
    newest = f"{plural(proof.unanchored, 'newest event')} not anchored yet"
    yield Entry(
        text=text(f"the log verifies; {newest if proof.unanchored else 'an anchor covers all of it'}")
    )
    if scope.single_operator:
        yield Entry(text=text(strong(SINGLE_OPERATOR)))
    if not proof.closed:
        yield Entry(text=text("no end of the launch is written: what follows tells how it stood"))
    if proof.doubt:
        yield Entry(text=text(strong(f"the log is in doubt: {proof.doubt}")), severity=Severity.BAD)
    if proof.unknown_kinds:
        told = plural(proof.unknown_kinds, "event")
        yield Entry(text=text(f"{told} of kinds that this version doesn't know"))
    if proof.unknown_words:
        yield Entry(text=text("words that this version doesn't know: ", _counted(proof.unknown_words)))
    if proof.strange_fields:
        met = _counted(proof.strange_fields)
        yield Entry(text=text("fields that are missing or of another type: ", met))


def _counted(met: Iterable[tuple[str, int]]) -> str:
    return ", ".join(one if count == 1 else f"{one} ({count} times)" for one, count in met)


def _timeline(facts: LaunchReport, times: Times) -> Section:
    rows = (
        Row(
            (text(times.at(one.at_us)), text(one.actor), text(code(one.kind)), text(one.words)),
            one.seq,
            one.severity,
        )
        for one in facts.timeline
    )
    table = Table(
        ("event", "when", "who", "kind", "what"), tuple(rows), "What happened, by time", numbered=True
    )
    return Section("timeline", "Timeline", (table,), echo=True)


def _holds(facts: LaunchReport, times: Times) -> Section:
    entries = (
        Entry(
            seq=one.seq,
            lead=span(one.length_s),
            severity=Severity.BLIND,
            text=text(
                f"from {times.at(one.at_us)} to {times.at(one.ended_us) if one.ended_us else 'the end'}",
                f", by {one.by}: {one.reason or 'no reason'}",
                f"; {one.ended}",
            ),
        )
        for one in facts.holds
    )
    total = (Paragraph(text(f"Held {span(facts.held_s)} in all.")),) if facts.holds else ()
    return Section("holds", "Holds", (*listed(entries, "The launch was never held."), *total))


def _take_overs(facts: LaunchReport, times: Times) -> Section:
    entries = (
        Entry(
            seq=one.seq,
            text=text(
                f"{one.by} took over at {times.at(one.at_us)} on console ",
                code(one.console),
                f" from {one.before}" if one.before else " from nobody",
                f": {one.reason}" if one.reason else "",
            ),
        )
        for one in facts.take_overs
    )
    return Section("take-overs", "Take-overs", listed(entries, "Nobody took over."))


def _notes(facts: LaunchReport, times: Times) -> Section:
    entries = (
        Entry(seq=one.seq, text=text(f"{one.by} at {times.at(one.at_us)}: {one.text or '(no text)'}"))
        for one in facts.notes
    )
    return Section("notes", "Notes", listed(entries, "None."))


def listed(entries: Iterable[Entry], nothing: str) -> tuple[Entries | Paragraph, ...]:
    """Return a list, or what to say where it is empty."""
    found = tuple(entries)
    return (Entries(found),) if found else (Paragraph(text(nothing)),)


def _curves(facts: LaunchReport, times: Times) -> Iterable[Section]:
    if facts.curves:
        figures = tuple(Figure(curve, facts.marks, times) for curve in facts.curves)
        yield Section("curves", "Curves", figures)


def _deviations(facts: LaunchReport, times: Times) -> Section:
    if not facts.deviations:
        told = Paragraph(text("None: nothing was waived, overridden, muted or cut short."))
        return Section("deviations", "Deviations", (told,))
    heads = ("event", "when", "who", "what", "owner", "follow-up")
    rows = tuple(_deviation(one, times) for one in facts.deviations)
    table = Table(heads, rows, "Deviations, with who sees to them", numbered=True)
    return Section("deviations", "Deviations", (table,))


def _deviation(one: DeviationView, times: Times) -> Row:
    follow = text(one.follow_up or "none", " " if one.link else "", link(one.link))
    cells = (text(times.at(one.at_us)), text(one.who), text(one.what), text(one.owner or "nobody"), follow)
    return Row(cells, one.seq, Severity.PLAIN if one.followed else Severity.BLIND)


def _runbook(facts: LaunchReport, times: Times) -> Iterable[Section]:
    if facts.runbook_changes:
        entries = tuple(
            Entry(
                seq=one.seq,
                text=text(f"by {one.by} at {times.at(one.at_us)}, now ", code(one.digest)),
                details=tuple(Entry(text=text(code(line))) for line in one.diff),
            )
            for one in facts.runbook_changes
        )
        yield Section("runbook", "Changes of the runbook", (Entries(entries),))


def _people(facts: LaunchReport, times: Times) -> Section:
    named = (
        Entry(text=text(f"{one.name} ({', '.join(one.roles)}), account ", *between(_codes(one.accounts))))
        for one in facts.scope.people
    )
    acted = tuple(
        Row(
            (
                text(one.account),
                text(", ".join(one.people) or "nobody in the runbook"),
                text(", ".join(one.roles) or "-"),
                text("; ".join(one.how_known) or "-"),
                text(f"{one.events}"),
                text(f"{times.at(one.first_us)} to {times.at(one.last_us)}"),
            )
        )
        for one in facts.accounts
    )
    heads = ("account", "person", "roles", "known by", "events", "from, to")
    return Section(
        "participants",
        "Participants",
        (
            *listed(named, "The runbook names nobody."),
            *((Table(heads, acted, "Who acted"),) if acted else ()),
        ),
        (_consoles(facts, times), _engines(facts, times)),
    )


def _codes(texts: Iterable[str]) -> Text:
    return tuple(code(one) for one in texts)


def _consoles(facts: LaunchReport, times: Times) -> Section:
    entries = (
        Entry(
            seq=one.seq,
            lead="drove" if one.drove else "watched",
            text=text(
                code(one.id),
                f" of {one.account}, {signed('', one.how_known)}",
                ", " if one.tty else "",
                code(one.tty),
                f", from {times.at(one.opened_us)} to {times.at(one.closed_us) if one.closed_us else 'the end'}",
                f": {one.left}" if one.left else "",
            ),
        )
        for one in facts.consoles
    )
    return Section("consoles", "Consoles", listed(entries, "None was attached."))


def _engines(facts: LaunchReport, times: Times) -> Section:
    entries = (
        Entry(
            seq=one.seq,
            text=text(
                f"version {one.version or 'not told'}, account {one.account or 'not told'}, pid {one.pid}",
                ", resumed" if one.resumed else "",
                f", from {times.at(one.started_us)}",
                f" to {times.at(one.stopped_us)}: {one.left}"
                if one.stopped_us
                else ", its end is not written",
            ),
        )
        for one in facts.engines
    )
    return Section("engines", "Engines", listed(entries, "None is written."))


def _proof(facts: LaunchReport, times: Times) -> Section:
    proof = facts.proof
    anchored = (
        Entry(
            seq=one.seq,
            text=text(
                code(one.head),
                f" at {times.at(one.at_us)}: {', '.join(one.sinks) or 'kept nowhere'}",
                f"; failed: {', '.join(one.failed)}" if one.failed else "",
            ),
        )
        for one in facts.anchored
    )
    ended = facts.state in {LaunchState.CLOSED, LaunchState.SCRUBBED}
    return Section(
        "head",
        "What the head proves, and what not",
        (
            Paragraph(text(code(proof.head))),
            Entries(tuple(Entry(lead="proves", text=text(one)) for one in proof.proves)),
            Entries(tuple(Entry(lead="does not prove", text=text(one)) for one in proof.proves_not)),
            Entries(
                (
                    Entry(text=text(f"{proof.signed} signed, {proof.self_declared} unsigned words")),
                    *(Entry(text=text(code(who), f" signs {count}")) for who, count in proof.keys),
                    *(() if ended else (Entry(text=text("more may follow: the launch isn't over")),)),
                )
            ),
        ),
        (Section("anchors", "Where the head was kept", listed(anchored, "Nowhere.")),),
    )
