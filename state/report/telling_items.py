"""Gates, items and stages in words: what each check said, and who signed."""

from __future__ import annotations

from collections.abc import Iterable

from state.base.canonical import encode
from state.base.times import SECOND_US
from state.report.day_times import Times
from state.report.document import Entries, Entry, Fold, Paragraph, Row, Section, Table, code, link, text
from state.report.facts import LaunchReport
from state.report.item_facts import GateChange, GateFacts, ItemFacts, Result, SignOff, Withdrawal
from state.report.telling_words import signed
from state.view.enums import GateStatus, Severity, Verdict

_BAD = frozenset({Verdict.FAIL, GateStatus.NO_GO})
_BLIND = frozenset({Verdict.UNKNOWN, Verdict.STALE, Verdict.WAIVED, GateStatus.BLIND, GateStatus.UNKNOWN})


def shade(word: Verdict | GateStatus) -> Severity:
    """Return how bad a verdict or a status is."""
    return Severity.BAD if word in _BAD else Severity.BLIND if word in _BLIND else Severity.PLAIN


def gates(facts: LaunchReport, times: Times) -> Iterable[Section]:
    """Return the gates with their items, and what was said of items that no gate has."""
    heads = ("gate", "recorded", "since", "at the end of the log", "title")
    rows = tuple(_row(gate, times) for gate in facts.gates)
    parts = [_gate(gate, times) for gate in facts.gates]
    if stray := tuple(_said(facts.elsewhere, times)):
        title = "Stages, and items that no gate has at the end"
        parts.append(Section("elsewhere", title, (Entries(stray),)))
    changes = (
        *(_change(one, times) for one in facts.gate_changes),
        *(
            Entry(
                seq=one.seq,
                lead=f"back to gate {one.gate}",
                severity=Severity.BLIND,
                text=text(f"by {one.by} at {times.at(one.at_us)}: {one.reason or 'no reason'}"),
            )
            for one in facts.recyclings
        ),
    )
    if changes:
        ordered = sorted(changes, key=lambda one: one.seq)
        parts.append(Section("gate-changes", "How the gates changed", (Entries(tuple(ordered)),)))
    table = (Table(heads, rows, "Gates"),) if rows else (Paragraph(text("The log declares none.")),)
    yield Section("gates", "Gates", table, tuple(parts))


def _row(gate: GateFacts, times: Times) -> Row:
    recorded = gate.recorded.value if gate.recorded is not None else "-"
    used = f" at {times.at(gate.used_us)}" if gate.used_us else ""
    cells = (
        f"{gate.number}",
        recorded,
        times.at(gate.recorded_us),
        f"{gate.at_end.value}{used}",
        gate.title,
    )
    return Row(tuple(text(cell) for cell in cells), severity=shade(gate.at_end))


def _change(one: GateChange, times: Times) -> Entry:
    return Entry(
        seq=one.seq,
        severity=shade(one.after),
        text=text(f"gate {one.gate} {one.before.value} → {one.after.value} at {times.at(one.at_us)}"),
    )


def _gate(gate: GateFacts, times: Times) -> Section:
    items = tuple(_item(item, times) for item in gate.items)
    return Section(f"gate-{gate.number}", f"Gate {gate.number}: {gate.title}", (Entries(items),))


def _item(item: ItemFacts, times: Times) -> Entry:
    verdict = "not applicable" if item.not_applicable else item.verdict.value
    return Entry(
        lead=f"{item.id} {verdict}",
        severity=Severity.PLAIN if item.not_applicable else shade(item.verdict),
        text=text(item.text),
        details=(*_about(item, times), *_said(item, times)),
    )


def _about(item: ItemFacts, times: Times) -> Iterable[Entry]:
    if item.not_applicable:
        yield Entry(text=text(f"doesn't apply to this launch: {item.not_applicable}"))
    if item.owner:
        yield Entry(text=text(f"owner: {item.owner}"))
    yield from (Entry(text=text(link(one))) for one in item.links)
    if item.question and not item.words and not item.not_applicable:
        yield Entry(text=text(f"nobody answered: {item.question}"))
    if item.waived_until_us:
        yield Entry(text=text(f"waived until {times.at(item.waived_until_us)}: see Waivers"))


def _said(item: ItemFacts, times: Times) -> Iterable[Entry]:
    """Return everything that was said of an item, in the order in which it was."""
    said = [
        *(_result(one, times, named=not item.id) for one in item.results),
        *(_word(one, times, named=not item.id) for one in item.words),
        *(_withdrawal(one, times) for one in item.withdrawals),
    ]
    return sorted(said, key=lambda one: one.seq)


def _result(one: Result, times: Times, *, named: bool) -> Entry:
    where = f" ({one.env})" if one.env else ""
    later = "" if one.newest else ", judged again later"
    evidence = (Fold("evidence", (encode(one.evidence),)),) if one.evidence else ()
    return Entry(
        seq=one.seq,
        severity=shade(one.verdict) if one.newest else Severity.PLAIN,
        text=text(
            f"{one.item} " if named else "",
            code(one.kind or one.check),
            f"{where} {one.verdict.value} at {times.at(one.at_us)}, {_took(one)}{later}",
            f": {one.summary}" if one.summary else "",
        ),
        details=tuple(Entry(text=text(f"to mend it: {way}")) for way in one.ways),
        folds=evidence,
    )


def _took(one: Result) -> str:
    seconds = (one.at_us - one.began_us) / SECOND_US if one.began_us else one.ms / 1000
    return f"took {seconds:.1f} s"


def _word(one: SignOff, times: Times, *, named: bool) -> Entry:
    stands = "" if one.standing == "stands" else f"; {one.standing}"
    evidence = f"saw {', '.join(f'#{seq}' for seq in one.evidence)}" if one.evidence else ""
    return Entry(
        seq=one.seq,
        severity=Severity.PLAIN if one.go else Severity.BAD,
        text=text(
            f"{one.item} " if named else "",
            f"{'GO' if one.go else 'NO-GO'} by {one.actor} ({signed(one.key, one.how_known)})",
            f" at {times.at(one.at_us)}",
            f": {one.comment}" if one.comment else "",
            " " if one.link else "",
            link(one.link),
            stands,
        ),
        details=(
            *(Entry(text=text(f"though {line}")) for line in one.cautions),
            *((Entry(text=text(evidence)),) if evidence else ()),
        ),
    )


def _withdrawal(one: Withdrawal, times: Times) -> Entry:
    how = f" ({signed(one.key, one.how_known)})" if one.key or one.how_known else ""
    said = f"word on {one.item} withdrawn by {one.actor}{how} at {times.at(one.at_us)}"
    return Entry(
        seq=one.seq, severity=Severity.BLIND, text=text(said, f": {one.reason}" if one.reason else "")
    )


def pipeline(facts: LaunchReport, times: Times) -> Iterable[Section]:
    """Return the stages of the pipeline, where there are any."""
    if not facts.stages:
        return
    entries = (
        Entry(
            lead=f"{stage.title} {stage.verdict.value}",
            severity=shade(stage.verdict),
            text=(),
            details=tuple(
                Entry(
                    text=text(
                        f"{part.name} ({part.title}) {part.verdict.value}",
                        f" at {times.at(part.at_us)}" if part.at_us else "",
                        f": {part.words}" if part.words else "",
                    ),
                    severity=shade(part.verdict),
                )
                for part in stage.parts
            ),
        )
        for stage in facts.stages
    )
    yield Section("pipeline", "Pipeline", (Entries(tuple(entries)),))


def waivers(facts: LaunchReport, times: Times) -> Section:
    """Return every waiver, and when its time is over."""
    entries = tuple(
        Entry(
            seq=one.seq,
            lead=f"{one.item} {'expired' if one.expired else 'waived'}",
            severity=Severity.BLIND,
            text=text(
                f"until {times.at(one.until_us)}, by {one.actor}",
                f" and {one.second}" if one.second else "",
                f" at {times.at(one.at_us)}",
                f" by request #{one.request}" if one.request else "",
                f": {one.reason or 'no reason'}",
            ),
        )
        for one in facts.waivers
    )
    nothing = Paragraph(text("Nothing was waived."))
    return Section("waivers", "Waivers", (Entries(entries) if entries else nothing,))
