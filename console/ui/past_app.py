"""An app that looks back: a replay's keys, and the same line of moments in a launch that goes on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from textual.driver import Driver

from console.client.destinations import pointer
from console.client.file_source import FileSource
from console.client.past import Past
from console.ui.dialog_host import going, urgent
from console.ui.navigation import NavigatingApp
from screens.dialogs.dialogs import Dialog
from screens.kit.screen_state import Mode, ScreenState
from state.events.event import Event
from state.log.errors import LogError


class LookingBackApp(NavigatingApp):
    """What shows another moment than the newest. Whatever acts comes back to the newest one first."""

    def __init__(self, driver_class: type[Driver] | None = None, log: Path | None = None) -> None:
        super().__init__(driver_class, log)
        self._past: Past | None = None

    def action_transport(self, action: str, value: str = "") -> None:
        """Move a replay, or look back in a launch that goes on."""
        if isinstance(self.source, FileSource) and self.mode is Mode.REPLAY:
            self.tell(self.source.transport(action, value), bad=True)
        elif not isinstance(self.screen, Dialog):
            self.run_worker(self._look_back(action, value), group="past", exclusive=True)

    def action_goto(self) -> None:
        """Ask where a replay shall go."""
        self.push_screen(going(), self._gone_to)

    def _gone_to(self, values: dict[str, str] | None) -> None:
        if values:
            self.action_transport("goto", values["where"])

    def action_pointer(self) -> None:
        """Give the pointer to this moment to the terminal's clipboard, and show it."""
        told = self.pointer()
        if told:
            self.copy_to_clipboard(told)
            self.tell(f"copied: {told}")

    def pointer(self) -> str:
        """Return what names the moment that is shown."""
        shown = self._shown
        return (
            shown.transport.pointer
            if shown.transport is not None
            else pointer(shown.view.log_id, shown.view.seq)
        )

    async def _look_back(self, action: str, value: str) -> None:
        if self._past is None:
            if self._launch_log is None:
                self.tell("the log's file isn't known here: launch-console replay LOG looks back", bad=True)
                return
            self.tell("reading the log …")
            try:
                self._past = await Past.open(self._launch_log)
            except LogError as error:
                self.tell(f"the log can't be read from here: {error}", bad=True)
                return
        trouble = self._past.move(action, value)
        self.publish()
        self.tell(trouble or "this is the past; esc is back to live", bad=bool(trouble))

    def looked_at(self, live: ScreenState) -> ScreenState:
        """Return the moment that is looked at: the newest one, or one before it."""
        return self._past.shown(live) if self._past is not None else live

    def back_to_live(self) -> bool:
        """Show the newest moment again; return whether another one was shown."""
        if self._past is None:
            return False
        self.let_go()
        self.workers.cancel_group(self, "past")
        self.publish()
        return True

    def let_go(self) -> None:
        """Forget the past, and close its file."""
        if self._past is not None:
            self._past.close()
            self._past = None

    def action_next(self) -> None:
        """Come back to the newest moment, or do what comes next."""
        if self.back_to_live():
            self.tell("back to live")
        else:
            self.do_next()

    def do_next(self) -> None:
        """Do what comes next."""
        raise NotImplementedError

    def request_command(self, name: str, args: dict[str, str] | None = None) -> None:
        """Ask for a command, about the newest moment only: what stops something at once, else when asked again."""
        if self.back_to_live() and not urgent(self._shown.view, name, args or {}):
            self.tell("back to live: ask again")
            return
        super().request_command(name, args)

    async def page(self, after: int, limit: int) -> Sequence[Event]:
        """Return events of the log, none after the moment that is looked at."""
        events = await self.source.page(after, limit)
        past = self._past
        return events if past is None else [one for one in events if one.seq <= past.player.seq]
