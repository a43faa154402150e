"""What is asked before a command runs: the engine's preview in words, what must be typed, and yes or no."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from screens.dialogs.dialogs import Dialog, Label, no_button
from screens.dialogs.difference import DiffDialog
from screens.kit import formats
from screens.kit.field import Field
from screens.kit.formats import plural
from screens.kit.lines import LineView
from screens.kit.plain import Line, Role, Span, content, cut, row, wrap
from state.view.enums import Danger, Tier, Verdict
from state.view.preview import Preview


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person gave: the typed phrase; or why a second person should open it."""

    phrase: str = ""
    reason: str = ""
    request: bool = False
    """Whether it is to be requested, not done."""


class AskDialog(Dialog[Answer]):
    """Shows what a command would do, and asks for it; or for a second person, where it takes one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup,up", "facts(-1)", "facts up", show=False),
        Binding("pagedown,down", "facts(1)", "facts down", show=False),
        Binding("f3", "changes", "what changes", show=False, priority=True),
    ]

    def __init__(self, question: Preview, *, reason: str = "") -> None:
        """``reason``: why, where it was asked for already."""
        super().__init__(question.title, question.danger)
        self.question = question
        self._reason = reason
        opens = not question.allowed and question.override_allowed
        self.overriding = opens and bool(question.request)
        self.requesting = opens and not question.request
        self.refused = not question.allowed and not opens

    def parts(self) -> Iterable[Widget]:
        """Return the facts, the override's fields, and the field for the phrase."""
        yield LineView(id="facts")
        yield Static("", id="more", classes="label", markup=False)
        if self.refused:
            return
        if self.requesting:
            yield Label("request-reason", "Why must it be done all the same?", role=Role.STRONG)
            yield Field(value=self._reason, id="request-reason", compact=True)
            return
        if self.question.phrase:
            yield Label("phrase", f"Type {self.question.phrase} to confirm", role=Role.STRONG)
            yield Field(id="phrase", compact=True)

    def buttons(self) -> Iterable[Button]:
        """Return No, and what does it, called by the act."""
        yield no_button("Close (esc)" if self.refused else "Cancel (esc)")
        if self.question.diff:
            changes = plural(len(self.question.diff), "change", "changes")
            yield Button(content(f"{changes} (f3)"), id="changes", compact=True)
        if self.refused:
            return
        typed = bool(self.question.phrase)
        label = self.question.act or self.question.title
        if self.requesting:
            label = "Request a second person"
        elif not typed:
            label = f"{cut(label, 40)} (ctrl+g)"
        yield Button(
            content(cut(label, 50)),
            id="yes",
            compact=True,
            disabled=True,
            variant="error" if typed else "primary",
        )

    def on_mount(self) -> None:
        """Show the facts; the focus is on No, or on what must be typed."""
        facts = self.query_one(LineView)
        facts.show_lines(lambda width: question_lines(self.question, width), about="facts")
        facts.can_focus = False  # its keys work wherever the focus is
        self.watch(facts, "scroll_y", self._tell_more, init=False)
        self.set_class(self.question.tier is Tier.PRODUCTION, "-production")
        if self.question.environment and self.question.danger is Danger.DANGER:
            self.query_one("#dialog").border_title = content(self.question.environment)
        self.begin()

    def on_resize(self, event: events.Resize) -> None:
        """Give the facts the lines that they need, and no more than there are."""
        width = max(20, min(event.size.width * 92 // 100, 110) - 5)
        fields = 2 * int(bool(self.question.phrase) or self.requesting)
        room = max(3, event.size.height - 6 - fields)
        needed = len(question_lines(self.question, width))
        seen = needed if needed <= room else room - 1
        self.query_one(LineView).styles.height = seen
        self.query_one("#more", Static).display = needed > seen
        self.call_after_refresh(self._tell_more)

    def _tell_more(self) -> None:
        left = self.query_one(LineView).below
        message = f"↓ {plural(left, 'more line', 'more lines')} (PgDn)" if left else "end (PgUp)"
        self.query_one("#more", Static).update(content(row(Span(message, Role.WARN if left else Role.DIM))))

    def update_buttons(self) -> None:
        """Let Yes be pressed only when everything that must be typed is."""
        for button in self.query("#yes").results(Button):
            button.disabled = not (self.armed and self._complete())

    def _typed(self, name: str) -> str:
        return next((box.value.strip() for box in self.query(f"#{name}").results(Input)), "")

    def _complete(self) -> bool:
        if self.requesting:
            return bool(self._typed("request-reason"))
        return not self.question.phrase or self._typed("phrase") == self.question.phrase

    def action_facts(self, by: int) -> None:
        """Scroll the facts, wherever the focus is."""
        facts = self.query_one(LineView)
        facts.scroll_to(y=facts.scroll_offset.y + by * max(1, facts.size.height - 1), animate=False)

    def action_changes(self) -> None:
        """Show what would change, field by field."""
        if self.question.diff:
            self.app.push_screen(DiffDialog(self.question.diff))

    def pressed(self, name: str) -> None:
        """Give the answer, or show what would change; where something is missing, say so beside its field."""
        if name == "changes":
            self.action_changes()
        elif self.refused:
            return
        elif self._complete():
            self.finish(Answer(self._typed("phrase"), self._typed("request-reason"), self.requesting))
        elif self.requesting:
            self.complain("request-reason", "required")
        elif typed := self._typed("phrase"):
            self.complain("phrase", f"{cut(typed, 30)} is not it")
        else:
            self.complain("phrase", "required")


def question_lines(question: Preview, width: int) -> list[Line]:
    """Return everything that a person must know before they say yes."""
    lines: list[Line] = []
    if not question.allowed:
        lines += _told("✖ ", _refusal(question), width, Role.BAD)
        if question.override_allowed:
            lines += _told("! ", _second(question), width, Role.WARN)
    if question.environment:
        role = Role.MARKED if question.tier is Tier.PRODUCTION else Role.STRONG
        lines.append(row("environment  ", Span(f" {question.environment} ", role)))
    if question.from_what:
        lines.append(row("from          ", Span(question.from_what, Role.STRONG)))
    if question.from_what or question.to_what:
        lines.append(row("to            ", Span(question.to_what or "-", Role.STRONG)))
    for caution in question.cautions:
        lines += _told("! ", caution, width, Role.WARN)
    # By their words, or they would stand in another order each time: they are found at once, and end as they end.
    preflight = sorted(question.checks, key=lambda one: (_passed(one), one))
    if not question.allowed:  # what is to be overridden is read first
        against = [one for one in preflight if not _passed(one)]
        lines += _section("against it", against, width)
        preflight = preflight[len(against) :]
    for command in question.commands:
        lines += command_lines(command, width)
    lines += _section("touches", question.blast, width)
    lines += _section("preflight", preflight, width)
    return lines or [row(Span("It is recorded with your name.", Role.DIM))]


def command_lines(command: str, width: int) -> list[Line]:
    """Return a command line as it would be typed over several lines: an option and its value on each."""
    parts = re.split(r" (?=-{1,2}[A-Za-z])", command)
    if len(command) + 2 <= width or len(parts) == 1:
        return _told("$ ", command, width, Role.PLAIN, Role.KEY)
    lines = _told("$ ", f"{parts[0]} \\", width, Role.PLAIN, Role.KEY)
    for n, part in enumerate(parts[1:], 2):
        lines += _told("    ", part if n == len(parts) else f"{part} \\", width, Role.PLAIN)
    return lines


def _second(question: Preview) -> str:
    """Return what became of the request for it, or that it takes one."""
    if question.granted:
        return f"{question.granted}: it is recorded as a deviation, with both accounts."
    if question.waits:
        return f"{question.waits}. Another request takes its place."
    return (
        "It takes a second person: request it, and somebody else grants it from a console of their own account. "
        "It is recorded as a deviation."
    )


def _refusal(question: Preview) -> str:
    """Return why it may not run; where the preflight below says the same in more lines, only how many."""
    against = [check for check in question.checks if not _passed(check)]
    listed = {one.partition(": ")[2] for one in against}
    if len(against) > 1 and set(question.reason.split("; ")) & listed:
        return f"{len(against)} lines of the preflight stand against it"
    return question.reason or "it may not run now"


def _passed(entry: str) -> bool:
    return entry.startswith(f"{Verdict.PASS.value}: ")


def _section(title: str, entries: Sequence[str], width: int) -> list[Line]:
    lines: list[Line] = [row(Span(title, Role.DIM))] if entries else []
    for entry in entries:
        told, role = _entry(entry)
        lines += _told("  ", told, width, role)
    return lines


def _entry(entry: str) -> tuple[str, Role]:
    """Return an entry with the sign and the colour of the verdict that it begins with, as ``pass: …``."""
    word, colon, rest = entry.partition(": ")
    if colon and word in _VERDICTS:
        glyph, _, role = formats.VERDICT[_VERDICTS[word]]
        return f"{glyph} {rest}", role
    return entry, _ROLES.get(entry[:1], Role.PLAIN)


_VERDICTS = {verdict.value: verdict for verdict in Verdict}
_ROLES = {"✖": Role.BAD, "✔": Role.GOOD, "?": Role.BLIND, "!": Role.WARN}


def _told(sign: str, text: str, width: int, role: Role, sign_role: Role | None = None) -> list[Line]:
    parts = wrap(text, max(10, width - len(sign)))
    blank = " " * len(sign)
    return [
        row(Span(sign if n == 0 else blank, sign_role or role), Span(part, role))
        for n, part in enumerate(parts)
    ]
