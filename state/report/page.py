"""A launch as a page to keep: what was launched, how each gate and item was judged and by whom, what deviated.

It is made of the log alone, as everything else, and names the head up to which it tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from state.base.numbers import number, plural
from state.base.text import line
from state.base.times import stamp
from state.log.verify import VerifyReport
from state.view.gates import AttestationView, CheckView, GateView, ItemView
from state.view.launch import LaunchView, OperationView
from state.view.people import SINGLE_OPERATOR
from state.view.stages import parts_of, stage_verdict
from state.view.watch import ConditionView

_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]<>#|"})


def report(view: LaunchView, verified: VerifyReport) -> str:
    """Return the report of a launch as Markdown, judged at the log's newest event; times are UTC."""
    parts = (
        _head(view, verified),
        _gates(view),
        *(_items(gate, view.wall_us) for gate in view.gates),
        *((_pipeline(view),) if view.stages else ()),
        _operations(view),
        *((_polls(view),) if view.polls else ()),
        _watch(view),
        _deviations(view),
    )
    return "\n".join(text for part in parts for text in (*part, ""))


def _head(view: LaunchView, verified: VerifyReport) -> Iterator[str]:
    scope, candidate = view.scope, view.candidate
    yield f"# {_text(scope.title or 'Launch')}"
    yield ""
    yield f"- state: **{view.state.value}** at {stamp(view.wall_us)}"
    yield f"- opened: {stamp(scope.opened_us)}; window {stamp(scope.window_start_us)} to {stamp(scope.window_end_us)}"
    commit = f", commit `{_code(candidate.commit)}`" if candidate.commit else ""
    yield f"- candidate: {_text(candidate.version or 'not named')}{commit}"
    yield from (f"    - {_text(name)}: `{_code(image)}`" for name, image in candidate.images)
    yield f"- head: `{_code(view.head)}`, {plural(view.seq, 'event')} of log `{_code(view.log_id)}`"
    newest = f"{plural(verified.unanchored, 'newest event')} not anchored yet"
    yield f"- the log verifies; {newest if verified.unanchored else 'an anchor covers all of it'}"
    if scope.single_operator:
        yield f"- **{SINGLE_OPERATOR}**"
    if verified.closed is None:
        yield "- no end of the launch is written: what follows tells how it stood"
    if view.doubt:
        yield f"- **the log is in doubt: {_text(view.doubt)}**"
    if view.unknown_kinds:
        yield f"- {plural(view.unknown_kinds, 'event')} of kinds that this version doesn't know"
    if view.unknown_words:
        yield f"- words that this version doesn't know: {_text(_counted(view.unknown_words))}"
    if view.strange_fields:
        yield f"- fields that are missing or of another type: {_text(_counted(view.strange_fields))}"


def _counted(met: Mapping[str, int]) -> str:
    return ", ".join(one if count == 1 else f"{one} ({count} times)" for one, count in met.items())


def _gates(view: LaunchView) -> Iterator[str]:
    yield "## Gates"
    yield ""
    yield from _table(
        ("gate", "recorded", "since", "at the end of the log", "title"),
        (
            (
                str(gate.number),
                status.value if (status := view.statuses.get(gate.number)) is not None else "-",
                stamp(view.decided_us.get(gate.number, 0)),
                gate.status(view.wall_us).value + (f" at {stamp(gate.used_us)}" if gate.used_us else ""),
                gate.title,
            )
            for gate in view.gates
        ),
    )


def _items(gate: GateView, now_us: int) -> Iterator[str]:
    yield f"### Gate {gate.number}: {_text(gate.title)}"
    yield ""
    for item in gate.items:
        verdict = "not applicable" if item.not_applicable else item.verdict(now_us).value
        yield f"- **{_text(item.id)} {verdict}** {_text(item.text)}"
        yield from (f"    - {told}" for told in _judged(item, now_us))


def _judged(item: ItemView, now_us: int) -> Iterator[str]:
    if item.not_applicable:
        yield f"doesn't apply to this launch: {_text(item.not_applicable)}"
    if item.owner:
        yield f"owner: {_text(item.owner)}"
    yield from (_text(link) for link in item.links)
    for check in item.checks:
        yield _check(check, now_us)
        yield from (f"to mend it: {_text(way)}" for way in check.ways)
    if item.question is not None and not item.words and not item.not_applicable:
        yield f"nobody answered: {_text(item.question)}"
    yield from (_word(word) for word in item.words)
    if (waiver := item.waiver) is not None:
        second = f" and {_text(waiver.second)}" if waiver.second else ""
        yield f"waived by {_text(waiver.actor)}{second} until {stamp(waiver.until_us)}: {_text(waiver.reason)}"


def _word(word: AttestationView) -> str:
    message = f": {_text(word.comment)}" if word.comment else ""
    link = f" ({_text(word.link)})" if word.link else ""
    said = f"{'GO' if word.go else 'NO-GO'} by {_text(word.actor)} ({_text(word.how_known)})"
    stale = f"; stale: {_text(word.stale)}" if word.stale else ""
    return f"{said} at {stamp(word.at_us)}{message}{link}{stale}"


def _polls(view: LaunchView) -> Iterator[str]:
    yield "## Go/no-go polls"
    yield ""
    for poll in view.polls:
        why = f": {_text(poll.reason)}" if poll.reason else ""
        asked = f"asked by {_text(poll.by)} at {stamp(poll.at_us)}"
        yield f"- **#{poll.seq} {poll.state.value}** {_text(poll.about)}, {asked}{why}"
        for seat in poll.seats:
            said = seat.answer.value if seat.answer is not None else "no answer"
            who = (
                f" by {_text(seat.actor)} ({_text(seat.how_known)}) at {stamp(seat.at_us)}"
                if seat.actor
                else ""
            )
            message = f": {_text(seat.comment)}" if seat.comment else ""
            yield f"    - {_text(seat.person)} {said}{who}{message}"


def _check(check: CheckView, now_us: int) -> str:
    when = f" at {stamp(check.finished_us)}" if check.finished_us else ""
    message = f": {_text(check.summary)}" if check.summary else ""
    return f"{_text(check.kind)} ({check.env}) {check.at(now_us).value}{when}{message}"


def _pipeline(view: LaunchView) -> Iterator[str]:
    yield "## Pipeline"
    yield ""
    for stage in view.stages:
        yield f"- **{_text(stage.title)} {stage_verdict(view, stage, view.wall_us).value}**"
        for part in parts_of(view, stage, view.wall_us):
            when = f" at {stamp(part.at_us)}" if part.at_us else ""
            found = f": {_text(part.words)}" if part.words else ""
            yield f"    - {_text(part.name)} ({_text(part.title)}) {part.verdict.value}{when}{found}"


def _operations(view: LaunchView) -> Iterator[str]:
    yield "## Operations"
    yield ""
    if not view.operations:
        yield "None was run."
    for run in view.operations:
        yield from _operation(run)


def _operation(run: OperationView) -> Iterator[str]:
    yield f"- **{_text(run.id)} {run.state.value}** by {_text(run.actor)}"
    times = f"{stamp(run.intended_us)} to {stamp(run.finished_us)}"
    yield f"    - {times}; from {_text(run.from_what)} to {_text(run.to_what)}"
    yield from (f"    - `{_code(command)}`" for command in run.commands)
    if run.verdict:
        yield f"    - {_text(run.verdict)}"
    if run.abort_by:
        yield f"    - its end was asked for by {_text(run.abort_by)}"


def _watch(view: LaunchView) -> Iterator[str]:
    yield "## Stop conditions"
    yield ""
    yield from _table(
        ("condition", "state", "value", "limit", "tripped", "acknowledged by"),
        (_condition(condition) for condition in view.conditions),
    )
    if (bake := view.bake) is not None:
        message = f"bake: {bake.good_s} s of {bake.minimum_s} s seen good, {bake.state}"
        yield ""
        yield _text(message + (f": {bake.why}" if bake.why else ""))


def _condition(one: ConditionView) -> tuple[str, ...]:
    power = " (shadow)" if one.shadow else ""
    value = number(one.value, one.unit) if one.evaluated_us else "never evaluated"
    limit = f"{'below ' if one.below else ''}{number(one.threshold, one.unit)} for {one.for_s} s"
    tripped = stamp(one.tripped_us) if one.tripped_us else "-"
    return (one.title + power, one.state.value, value, limit, tripped, one.acknowledged_by or "-")


def _deviations(view: LaunchView) -> Iterator[str]:
    yield "## Deviations"
    yield ""
    if not view.deviations:
        yield "None: nothing was waived, overridden, muted or cut short."
    yield from _table(
        ("event", "when", "who", "what", "owner", "follow-up"),
        (
            (
                str(deviation.seq),
                stamp(deviation.at_us),
                deviation.who,
                deviation.what,
                deviation.owner or "nobody",
                " ".join(one for one in (deviation.follow_up or "none", deviation.link) if one),
            )
            for deviation in view.deviations
        ),
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    found = list(rows)
    if not found:
        return
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    yield from (f"| {' | '.join(_text(cell) for cell in cells)} |" for cells in found)


def _text(value: str) -> str:
    """Return a text from outside on one line, with nothing in it that Markdown would obey."""
    return line(value, 2000).translate(_SPECIAL)


def _code(value: str) -> str:
    return line(value, 4000).replace("`", "'")
