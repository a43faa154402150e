"""What people say of an item, and what the runbook says of who sees to it, as lines."""

from __future__ import annotations

from screens.kit import formats
from screens.kit.plain import Line, Role, Span, row, wrap
from state.base.times import SECOND_US
from state.events.declared import WordRule
from state.view.attestations import cautions
from state.view.gates import AttestationView, ItemView


def person(item: ItemView) -> Span:
    """Return in a word what people said: ``GO``, ``~ GO`` where it is asked again, ``1 of 2``, ``asked``."""
    word = item.attestation
    if word is None or item.not_applicable:
        asked = item.question is not None and not item.not_applicable
        return Span("needed", Role.ACCENT) if asked else Span("-", Role.DIM)
    if any(not one.go for one in item.words):
        return Span("NO-GO", Role.BAD)
    if item.signed >= item.rule.people:
        return Span("GO", Role.GOOD)
    if any(one.stale for one in item.words):
        return Span("~ GO", Role.WARN)
    return Span(f"{item.signed} of {item.rule.people}", Role.ACCENT)


def plan_lines(item: ItemView, start_us: int, now_us: int, width: int) -> list[Line]:
    """Return why an item doesn't apply, who sees to it until when, and where more is found."""
    lines: list[Line] = []
    if item.not_applicable:
        told = wrap(f"doesn't apply: {item.not_applicable}", width)
        lines += [row(Span(text, Role.STRONG)) for text in told]
    due_us = item.due_us(start_us)
    due = f"due {formats.stamp(due_us, seconds=False)}" if due_us else ""
    seen_to = " · ".join(one for one in (f"owner: {item.owner}" if item.owner else "", due) if one)
    late = item.overdue(start_us, now_us)
    if seen_to:
        mark = Span(f"! overdue for {formats.span((now_us - due_us) / SECOND_US)}  ", Role.WARN)
        lines.append(row(*([mark] if late else []), Span(seen_to, Role.PLAIN if late else Role.DIM)))
    lines += [row(Span(text, Role.DIM)) for link in item.links for text in wrap(link, width)]
    return lines


def word_lines(item: ItemView, now_us: int, width: int, *, dialog: bool = False) -> list[Line]:
    """Return what people are asked, what a GO takes, and what they said."""
    lines: list[Line] = []
    if item.question is not None:
        lines += [row(Span(text, Role.ACCENT)) for text in wrap(f"asked: {item.question}", width)]
        if takes := rule_words(item.rule):
            lines += [row(Span(f"  {text}", Role.DIM)) for text in wrap(f"a GO takes {takes}", width - 2)]
    if not item.words:
        asked = item.question is not None and not item.not_applicable
        told = "  Not attested yet" if dialog else "  Not attested yet (a)"
        return [*lines, row(Span(told, Role.DIM))] if asked else lines
    for word in item.words:
        lines += _word(word, now_us, width)
    return lines


def rule_words(rule: WordRule) -> str:
    """Return what a GO takes beside a person, in words: ``a comment, 2 people, who is approver``; or nothing."""
    told = [f"a {need.value}" for need in rule.needs]
    told += [f"{rule.people} people"] if rule.people > 1 else []
    told += [f"the role {rule.role}"] if rule.role else []
    told += [f"somebody else than who {deed}" for deed in rule.excluded]
    return ", ".join(told)


def _word(word: AttestationView, now_us: int, width: int) -> list[Line]:
    good = Role.GOOD if not word.stale else Role.WARN
    sign = Span("✔ GO" if word.go else "✖ NO-GO", good if word.go else Role.BAD)
    how = Span(f" ({word.how_known})", Role.DIM)
    lines = [row("  ", sign, f" by {word.actor}, ", formats.ago(word.at_us, now_us), how)]
    if word.stale:
        told = wrap(f"~ stale: {word.stale} · a: attest again", width - 2)
        lines += [row(Span(f"  {text}", Role.WARN)) for text in told]
    for said in (word.comment, word.link):
        lines += [row(f"  {text}") for text in wrap(said, width - 2) if text]
    return lines


def caution_lines(item: ItemView, width: int) -> list[Line]:
    """Return what speaks against a GO, a line each."""
    return [row(Span(text, Role.WARN)) for one in cautions(item) for text in wrap(f"! {one}", width)]
