"""A captain at the keys: after each key, wait until the screen says what it should."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from tests.terminal.range import PATIENT_S
from tests.terminal.tmux import Tmux

ROW = re.compile(
    r"^ ?(?P<id>\d+\.\d+) +\S (?P<verdict>[A-Z]+) +(?:(?P<glyph>\S) (?P<good>\d+)/(?P<all>\d+)|-)"
    r"(?: +(?:-|later|\S [A-Z]+)){2}"
    r" +(?P<person>needed|GO|NO-GO|-) "
)
PHRASE = re.compile(r"Type (.+?) to confirm")
"""What a dangerous dialog wants typed: it names what is at stake."""
OVERRIDE = "a rehearsal of trouble"
"""Why a lock is to be opened; the rehearsal's second person grants it."""
WHY = "Why must it be done all the same?"
"""What the dialog of something locked asks, before anybody else is asked."""
COMMENT = "by the platform team, rotated in May"
"""What is said where a GO takes a comment."""
DIALOG = "│╭╰┃┏┗║╔╚"
"""What the frames of dialogs are drawn with."""
_DEVIATION = re.compile(r"│ +(?:\d+ +)?([·✔]) #(\d+) ")
"""A deviation that can be chosen, and whether somebody sees to it."""
_STARTED = re.compile(r"\d checks? started")
_SGR = re.compile(r"\x1b\[([0-9;]*)m")
_MARKED = re.compile(r"\x1b\[(?:48;5;(\d+)|(?:\d+;)*7)m[^\x1b]{2,}")
"""A text on a background of its own or reversed; a text cursor is one cell wide, and blinks."""
_FRAMED = re.compile(r"[│┃║](.*)[│┃║]")
_BACK = re.compile(r"48;5;(\d+)")
_BRIGHT = 0.5
"""The luminance that the background of what has the focus exceeds, in a dark theme."""
_READABLE = 3.5
"""The contrast that a button which can be pressed has at least, and one which can't has not."""


@dataclass(frozen=True, slots=True)
class Item:
    """A row of a gate's screen."""

    id: str
    verdict: str
    checks: tuple[int, int]
    person: str
    deferred: bool = False
    """Whether its checks wait for a first deploy."""


class Captain:
    """Drives a console by keys alone, and believes only its screen."""

    def __init__(self, pane: Tmux) -> None:
        self.pane = pane

    def wait(self, true: str, within: float = PATIENT_S) -> str:
        """Return the screen as soon as it shows a text; what was told meanwhile is in the failure."""
        lines: list[str] = []

        def look(shown: str) -> bool:
            bottom = next((line.strip() for line in reversed(shown.splitlines()) if line.strip()), "")
            if bottom not in lines:
                lines.append(bottom)
            return true in shown

        def seen_or_over(shown: str) -> bool:
            return look(shown) or "\ncode " in shown

        try:
            shown = self.pane.until(seen_or_over, within=within)
        except AssertionError as error:
            raise AssertionError(f"{true!r} was not shown; told: {lines}; {error}") from None
        assert true in shown, f"the console ended before {true!r} was shown; told: {lines}; {shown}"
        return shown

    def attached(self) -> str:
        """Wait for the first screen of a console that drives."""
        return self.wait("you are driving")

    def either(self, *texts: str) -> str:
        """Return the screen as soon as it shows one of some texts."""
        return self.pane.until(lambda shown: any(text in shown for text in texts), within=PATIENT_S)

    # -- dialogs -------------------------------------------------------------------------------------

    def gone(self, title: str) -> str:
        """Wait until a dialog is closed."""
        return self.pane.until(lambda shown: not _in_dialog(shown, title), within=PATIENT_S)

    def ready(self, button: str) -> None:
        """Wait until a button can be pressed: dialogs take no answer in their first moment."""
        self.pane.until(lambda _: self._contrast(button) >= _READABLE, within=PATIENT_S)

    def press(self, button: str) -> None:
        """Go to a button with the tabulator, and press it."""
        self.ready(button)
        for _ in range(6):
            if self._has_focus(button):
                break
            self.tab()
        self.pane.keys("Enter")

    def tab(self) -> None:
        """Go to the next field and wait until it has the keys: what is typed too soon goes to the old one."""
        before = self._focus()
        self.pane.keys("Tab")
        self.pane.until(lambda _: self._focus() != before, within=PATIENT_S)

    def _focus(self) -> list[tuple[str, list[int]]]:
        """Return what shows where the keys go.

        It is the first background of each line of a dialog, and where a text stands on a bright one there.
        """
        coloured = self.pane.run("capture-pane", "-p", "-e").splitlines()
        inside = [found[1] for line in coloured if (found := _FRAMED.search(line))]
        return [
            (
                found[1] if (found := _BACK.search(line)) else "",
                [
                    m.start()
                    for m in _MARKED.finditer(line)
                    if m[1] is None or _luminance(int(m[1])) > _BRIGHT
                ],
            )
            for line in inside
        ]

    def _has_focus(self, button: str) -> bool:
        """Return whether a button has the focus: then it is reversed, or dark on bright."""
        fore, back, reverse = self._style(button)
        return reverse or _luminance(back) > max(_BRIGHT, _luminance(fore))

    def _style(self, text: str) -> tuple[int, int, bool]:
        """Return foreground, background (256 colours) and reversal of a text on the screen."""
        for line in self.pane.run("capture-pane", "-p", "-e").splitlines():
            at = line.rfind(text)
            if at >= 0:
                return _sgr_before(line[:at])
        return (0, 0, False)

    def _contrast(self, text: str) -> float:
        fore, back, _ = self._style(text)
        high, low = sorted((_luminance(fore), _luminance(back)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    # -- gates ---------------------------------------------------------------------------------------

    def open_gate(self, number: int) -> list[Item]:
        """Show a gate."""
        self.pane.keys(str(number % 10))
        return items(self.wait(f"GATE {number} "))

    def run_checks(self, number: int) -> list[Item]:
        """Run all checks of a gate that is shown, saying yes where they leave traces."""
        self.pane.keys("R")
        shown = self.pane.until(
            lambda s: _in_dialog(s, "Run all checks of gate") or _STARTED.search(s) is not None,
            within=PATIENT_S,
        )
        if _in_dialog(shown, "Run all checks of gate"):
            self.ready("(ctrl+g)")
            self.pane.keys("C-g")
            self.gone("Run all checks of gate")
            self.pane.until(lambda s: _STARTED.search(s) is not None, within=PATIENT_S)
        return items(self.pane.until(lambda s: _judged(items(s)), within=PATIENT_S))

    def item(self, item: str) -> None:
        """Run the checks of one item of the gate that is shown, and attest it."""
        self.choose(item)
        self.pane.keys("r")
        shown = self.pane.until(
            lambda s: _in_dialog(s, "Run the checks of item") or _STARTED.search(s) is not None,
            within=PATIENT_S,
        )
        if _in_dialog(shown, "Run the checks of item"):
            self.ready("(ctrl+g)")
            self.pane.keys("C-g")
        self.pane.until(lambda s: _judged([i for i in items(s) if i.id == item]), within=PATIENT_S)
        self.attest(item)

    def attest(self, *only: str) -> None:
        """Attest GO on every item of the gate that is shown and that a person is asked about."""
        for item in items(self.pane.screen()):
            if item.person == "needed" and (not only or item.id in only):
                self.choose(item.id)
                self.pane.keys("a")
                self.wait(f"Attest item {item.id}")
                self.ready("GO (ctrl+g)")
                if "a GO takes a comment" in self.pane.screen():
                    self.pane.run("send-keys", "-l", COMMENT)
                    self.wait(COMMENT)
                self.pane.keys("C-g")
                told, again = f"{item.id} attested GO", f"Attest item {item.id} (ctrl+g)"
                if again in self.either(told, again):  # a check that runs still speaks against it
                    self.ready(again)
                    self.pane.keys("C-g")
                    self.wait(told)

    def follow_up(self, owner: str, text: str) -> None:
        """Say of every deviation who sees to it and what follows, from a gate's screen."""
        while True:
            self.pane.keys("u")
            listed = self.pane.until(lambda s: _DEVIATION.search(s) is not None, within=PATIENT_S)
            first = _DEVIATION.search(listed)
            if first is None or first[1] == "✔":
                self.pane.keys("Escape")
                self.pane.until(lambda s: _DEVIATION.search(s) is None, within=PATIENT_S)
                return
            self.pane.keys("Enter")
            self.wait(f"Follow up deviation #{first[2]}")
            for words in (owner, text):
                self.pane.run("send-keys", "-l", words)
                self.wait(words)
                self.tab()
            self.pane.keys("C-g")
            self.wait(f"{owner} sees to deviation #{first[2]}")

    def choose(self, item: str) -> None:
        """Put the cursor on an item: its text stands below the list."""
        # After a word the cursor moves on by itself: a key that comes between would take it one too far.
        time.sleep(0.5)
        for _ in range(12):
            chosen = detail(self.pane.screen())
            if chosen == item:
                return
            self.pane.keys("Down" if _number(chosen) < _number(item) else "Up")
            self.pane.until(lambda s, c=chosen: detail(s) != c, within=PATIENT_S)  # type: ignore[misc]  # bound now
        raise AssertionError(f"item {item} can't be reached")

    def gate(self, number: int) -> str:
        """Bring a gate to GO: checks, then attestations."""
        shown = self.open_gate(number)
        if any(item.checks[1] for item in shown):
            self.run_checks(number)
        self.attest()
        return self.pane.until(lambda s: gate_status(s) == "GO", within=PATIENT_S)

    def stages(self, *titles: str) -> None:
        """Run the checks that stages of the pipeline have of their own, from the first stage on."""
        self.pane.keys("s")
        self.wait("run stage")
        for number, title in enumerate(titles, 1):
            self.pane.keys("r")
            passed = re.compile(rf"(?m)^ ?{number} {title} +✔ PASS")
            shown = self.pane.until(lambda s, p=passed: p.search(s) is not None, within=PATIENT_S)  # type: ignore[misc]  # bound now
            below = shown[shown.index(f"{number} {title}") :].splitlines()[1:]
            parts = next(n for n, line in enumerate(below) if re.match(r" ?\d ", line))
            self.pane.keys(*["Down"] * (parts + 1))

    # -- operations ----------------------------------------------------------------------------------

    def start(self, operation: str, title: str, *, override: str = "") -> str:
        """Start an operation with everything that is asked; return what its dialog showed.

        ``override`` is a reason, for one that is locked: it is requested, and started once somebody else granted it.
        """
        if override:
            self._open(operation, title, WHY)
            self.pane.run("send-keys", "-l", override)
            self.wait(override)
            self.press("Request a second person")
            self.gone(WHY)
            self.wait("! GRANTED #")
        self._open(operation, title, "to confirm")
        return self.confirm()

    def _open(self, operation: str, title: str, asked: str) -> None:
        """Open an operation's dialog, which asks for something."""
        self.pane.keys("d")
        for _ in range(3):
            self.choose_operation(operation, title)
            self.pane.keys("Enter")
            if _in_dialog(self.wait(asked), title):
                return
            self.pane.keys("Escape")  # the list had moved to what matters now just before the key
            self.gone(asked)

    def choose_operation(self, operation: str, title: str) -> None:
        """Put the cursor on an operation: its title stands below the list."""
        shown = self.wait("newest run")
        ids = [m[1] for m in re.finditer(r"(?m)^ ?(\w+\.\w+) +\S ", shown)]
        while heading(shown) != title:
            at = next((n for n, one in enumerate(ids) if _titled(shown, one, heading(shown))), 0)
            self.pane.keys("Down" if at < ids.index(operation) else "Up")
            shown = self.pane.until(lambda s, b=shown: heading(s) != heading(b), within=PATIENT_S)  # type: ignore[misc]  # bound now

    def confirm(self) -> str:
        """Give what a dangerous command's dialog asks for; return what it showed."""
        self.wait("to confirm")
        # The facts are laid out a moment after the frame that they stand in.
        asked = self.pane.until(lambda s: "environment " in s and "$ " in s, within=PATIENT_S)
        phrase = PHRASE.search(asked)
        assert phrase is not None, asked
        self.pane.run("send-keys", "-l", phrase[1])
        self.pane.keys("Enter")
        self.gone("to confirm")
        return asked

    def operate(self, operation: str, title: str) -> str:
        """Run an operation to its good end."""
        self.start(operation, title)
        return self.ended(operation, "SUCCEEDED")

    def ended(self, operation: str, how: str) -> str:
        """Wait until an operation ended on the operations' screen."""
        return self.pane.until(
            lambda s: any(line.lstrip().startswith(operation) and how in line for line in s.splitlines()),
            within=PATIENT_S,
        )

    def clock(self, rate: int) -> None:
        """Run the rehearsal's clock faster or slower: 1, 10, 60 or 300 times as fast as time."""
        self.pane.keys("f")
        self.wait("Change the clock")
        self.pane.keys(str((1, 10, 60, 300).index(rate) + 1), "Enter")
        self.pane.until(lambda s: f"×{rate}" in s.splitlines()[0], within=PATIENT_S)


def items(shown: str) -> list[Item]:
    """Return the items on a gate's screen."""
    return [
        Item(m["id"], m["verdict"], (int(m["good"] or 0), int(m["all"] or 0)), m["person"], m["glyph"] == "»")
        for line in shown.splitlines()
        if (m := ROW.match(line))
    ]


def detail(shown: str) -> str:
    """Return the item whose evidence a gate's screen shows."""
    found = re.search(r"(?m)^─{20,}.*\n ?(\d+\.\d+) ", shown)
    return found[1] if found else ""


def heading(shown: str) -> str:
    """Return the title of the operation that the operations' screen shows."""
    found = re.search(r"(?m)^ ?(\w[^─\n]*?) ─{4,}", shown)
    return found[1] if found else ""


def gate_status(shown: str) -> str:
    """Return the status in the headline of a gate's screen."""
    found = re.search(r"(?m)^ ?GATE \d+ .* \S ([A-Z-]+)(?: at \S+|, \d+ deferred)?  \d+/\d+ done", shown)
    return found[1] if found else ""


def gates(shown: str) -> dict[int, str]:
    """Return the status of every gate on the dashboard."""
    return {int(m[1]): m[2] for m in re.finditer(r"(?m)^ ?(\d+) \S (GO|NO-GO|OPEN|BLIND) ", shown)}


def _judged(found: list[Item]) -> bool:
    return bool(found) and all(
        (i.checks[0] == i.checks[1] or i.deferred) and i.verdict != "RUNNING" for i in found
    )


def _number(item: str) -> tuple[int, ...]:
    return tuple(int(part) for part in item.split(".")) if item else (0,)


def _titled(shown: str, operation: str, title: str) -> bool:
    return any(line.lstrip().startswith(operation) and title in line for line in shown.splitlines())


def _in_dialog(shown: str, title: str) -> bool:
    return any(title in line and any(c in line for c in DIALOG) for line in shown.splitlines())


def _sgr_before(line: str) -> tuple[int, int, bool]:
    fore, back, reverse = 7, 0, False
    for match in _SGR.finditer(line):
        codes = [int(c or 0) for c in match[1].split(";")]
        while codes:
            code = codes.pop(0)
            if code in {38, 48} and codes[:1] == [5]:
                value = codes[1]
                del codes[:2]
                fore, back = (value, back) if code == 38 else (fore, value)
            elif code == 0:
                fore, back, reverse = 7, 0, False
            elif code in {7, 27}:
                reverse = code == 7
            elif code == 39:
                fore = 7
            elif code == 49:
                back = 0
    return fore, back, reverse


def _luminance(colour: int) -> float:
    """Return the relative luminance of one of the 256 colours (WCAG 2)."""
    if colour >= 232:
        rgb = [8 + 10 * (colour - 232)] * 3
    elif colour >= 16:
        n = colour - 16
        rgb = [0 if part == 0 else 55 + 40 * part for part in (n // 36, n // 6 % 6, n % 6)]
    else:
        rgb = [229, 229, 229] if colour in {7, 15} else [0, 0, 0]
    parts = [v / 255 / 12.92 if v <= 10 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in rgb]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
