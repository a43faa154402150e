"""An app that asks the engine for commands, one wish at a time, and beside it those that stop something."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TypeVar

from textual.driver import Driver
from textual.screen import Screen
from textual.timer import Timer

from console.client.sources import EventSource
from console.ui.dialog_host import PICKED, carry_out, pick_request, urgent
from console.ui.ended import EndingApp
from console.ui.keys import keymap
from screens.base import FLASH_S, LaunchScreen
from screens.dialogs.dialogs import Dialog
from screens.kit.messages import CommandRequested
from screens.kit.screen_state import ScreenState
from state.commands import Reply
from state.view.next_step import NextStep
from state.view.own_step import own_step

T = TypeVar("T")
SLOW_S = 0.5
"""Seconds after which it is said that the engine is being asked."""
AGAIN_S = FLASH_S / 2
"""Seconds after which it is said again, for as long as it lasts: what is told goes away by itself."""


class CommandApp(EndingApp):
    """What a wish goes through: what is asked for it, its preview, its dialog, and what the engine answers."""

    source: EventSource
    _shown: ScreenState

    def __init__(self, driver_class: type[Driver] | None = None, log: Path | None = None) -> None:
        super().__init__(driver_class, log)
        self._asking = 0
        """How many wishes are under way: one, and beside it those that stop something."""
        self._opened = False
        """Whether the wish under way opened a dialog."""
        self._letting_go: Timer | None = None
        self._wished: NextStep | None = None
        """The step that somebody asked for before the command before it was answered."""

    def moment(self) -> ScreenState:
        """Return what is shown now."""
        return self._shown

    def _front(self) -> LaunchScreen | None:
        """Return the screen of the launch that is shown, below any dialog."""
        raise NotImplementedError

    def publish(self) -> None:
        """Show the newest moment."""
        raise NotImplementedError

    def on_command_requested(self, message: CommandRequested) -> None:
        """Carry out what a screen asks for."""
        self.request_command(message.name, message.args)

    def request_command(self, name: str, args: dict[str, str] | None = None) -> None:
        """Ask for a command; a second wish while one is being asked is left out, and it is said why.

        What stops something waits for nothing: a wish that was not given yet gives way, one that was runs beside it.
        """
        if isinstance(self.screen, Dialog):
            return
        self._wished = None
        if self._asking and not urgent(self._shown.view, name, args or {}):
            self._still_asking()
            return
        if self._opening:
            self.workers.cancel_group(self, "command")
        self._asking += 1
        self._opening = True
        front = self._front()
        # A screen that is just being opened stands on nothing yet.
        about = front.context() if front is not None and front.laid_out else {}
        known = {**about, **(args or {})}
        self.run_worker(self._request_command(name, known), exit_on_error=False, group="command")

    async def _request_command(self, name: str, known: dict[str, str]) -> None:
        slow = (self.set_timer(SLOW_S, self._still_asking), self.set_interval(AGAIN_S, self._still_asking))
        reply: Reply | None = None
        self._opened = replaced = False
        try:
            if name == PICKED:
                chosen = await pick_request(self)
                if chosen is None:
                    return
                name, known = chosen
            expected = keymap.parameters_of(name)
            reply = await carry_out(self, name, {k: v for k, v in known.items() if k in expected})
            if reply is not None:
                # What the command changed is there before its answer: a key that waited for it acts on that.
                self.publish()
                if reply.ok and (front := self._front()) is not None:
                    front.done(name, known)
                self.tell(reply.message or ("done" if reply.ok else "refused"), bad=not reply.ok)
        except asyncio.CancelledError:
            replaced = True  # what gave way leaves the keys to what took its place
            raise
        finally:
            for timer in slow:
                timer.stop()
            if self._letting_go is not None:
                self._letting_go.stop()
            self._giving = False
            self._asking -= 1
            if not replaced and not self._opened and (reply is None or not reply.ok):
                self._ahead.drop()
            if not replaced or not self._asking:
                self._opening = False
            if not self._asking:
                self._take_wished()

    def step(self) -> NextStep | None:
        """Return what comes next now for who sits here; None where nothing does."""
        shown = self._shown
        return own_step(shown.view, shown.now_us, shown.account, shown.me)

    def action_next(self) -> None:
        """Do what comes next."""
        raise NotImplementedError

    def await_answer(self, step: NextStep) -> bool:
        """Return whether a command was given and is not answered yet: the step is then taken once it is.

        The engine tells what it recorded before it answers: whoever reads what comes next, and presses its key, has
        done nothing wrong.
        """
        if not self._asking or self._opening or not step.command:
            return False
        if urgent(self._shown.view, step.command, dict(step.args)):
            return False
        self._wished = step
        self._still_asking()
        return True

    def _take_wished(self) -> None:
        wished, self._wished = self._wished, None
        if wished is not None and wished == self.step():
            self.action_next()

    def _still_asking(self) -> None:
        if self._asking and not isinstance(self.screen, Dialog):
            self.tell("asking the engine… (esc: leave it)" if self._opening else "asking the engine…")

    async def show_dialog(self, dialog: Screen[T]) -> T | None:
        """Show a dialog and return how it ended; called from a worker."""
        front = self._front()
        if front is not None:
            front.hush()
        self._opening, self._opened = False, True
        result = await self.push_screen_wait(dialog)
        # Another dialog may follow: what is typed meanwhile is for that one.
        self._opening = self._asking > 0
        return result

    def giving(self) -> None:
        """Let keys reach the screen again once it is carried out: no dialog follows.

        They wait for a slow engine no longer than SLOW_S, so that one can always look around and stop something.
        """
        if self._letting_go is not None:
            self._letting_go.stop()
        self._opening, self._giving = False, True
        self._letting_go = self.set_timer(SLOW_S, self._let_go)

    def _let_go(self) -> None:
        self._giving = False
