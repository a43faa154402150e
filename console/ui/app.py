"""The app: it shows moments of its source on screens, and turns wishes into commands."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from rich.text import Text
from textual.binding import BindingsMap
from textual.driver import Driver
from textual.timer import Timer
from textual.worker import Worker, WorkerState

from console.client.engine_client import AttachError
from console.client.sources import EventSource, Reopens
from console.exit_codes import ExitCode, of_log
from console.ui.bell import Attention, deposed_words
from console.ui.dialog_host import PICKED, leaving
from console.ui.keys import keymap
from console.ui.keys.key_file import KeyFile
from console.ui.kind_text import kind_text
from console.ui.past_app import LookingBackApp
from console.ui.stops import lead
from console.ui.terminal_app import settle
from console.ui.theme import THEMES, themes
from screens.bake import BakeScreen
from screens.base import LaunchScreen
from screens.dashboard import DashboardScreen
from screens.deploy import DeployScreen
from screens.dialogs.dialogs import Dialog
from screens.dialogs.reading import ReadingDialog
from screens.gate import GateScreen
from screens.help import HelpDialog, HelpEntry
from screens.kit.messages import ExplanationRequested, ScreenRequested
from screens.kit.screen_state import Mode, ScreenState
from screens.log import LogScreen
from screens.pipeline import PipelineScreen
from screens.pods import PodsScreen
from state.base.text import line
from state.base.times import SECOND_US
from state.log.errors import LogError
from state.view.ending import is_over
from state.view.enums import LaunchState
from state.view.first_launch import way_out
from state.view.next_step import Place
from state.view.requests import open_requests
from state.view.rollbacks import rollback_of

Restart = Callable[[], Path | Awaitable[Path]]
"""Starts an engine for the launch and returns its socket."""

SOONEST_S = 0.2
"""Seconds between two paintings of the view: at most five a second."""


class LaunchApp(LookingBackApp):
    """A window on a launch. ``restart`` starts an engine where the one that was attached is gone."""

    TITLE = "launch console"
    ENABLE_COMMAND_PALETTE = False
    CSS = "Screen { scrollbar-size-vertical: 1; }"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (140, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall"), (46, "-huge")]

    def __init__(
        self,
        source: EventSource,
        mode: Mode,
        *,
        restart: Restart | None = None,
        log: Path | None = None,
        ascii_only: bool = False,
        driver_class: type[Driver] | None = None,
        keys: KeyFile | None = None,
        tour: bool = False,
    ) -> None:
        super().__init__(driver_class, log)
        self._keys = keys or KeyFile()
        self.source = source
        self.mode = mode
        self._restart = restart
        self._tour = tour
        self._ascii_only = ascii_only
        self._shown = ScreenState(mode=mode, ascii_only=ascii_only)
        self._live = self._shown
        """The newest moment, also where another one is looked at."""
        self._labels = keymap.labels(self._keys.keys)
        self._due: Timer | None = None
        self._last = 0.0
        self._attention = Attention()
        for theme in THEMES:
            self.register_theme(theme)
        if "TEXTUAL_THEME" not in os.environ:
            self.theme = themes(os.environ)[0].name
        self._bindings = BindingsMap.merge(
            [self._bindings, BindingsMap(keymap.bindings(mode, self._keys.keys))]
        )
        self.set_keymap(dict(self._keys.keys))

    # -- beginning and end ---------------------------------------------------------------------------

    async def on_mount(self) -> None:
        """Show the dashboard, then attach to the source."""
        made = (
            DashboardScreen(),
            GateScreen(),
            DeployScreen(),
            PipelineScreen(),
            BakeScreen(),
            PodsScreen(),
            LogScreen(self.page),
        )
        for screen in made:
            self._screens[screen.NAME] = screen
            self.install_screen(screen, screen.NAME)
        self._handle_signals()
        # Before attaching: the first frame waits for nobody.
        await self.push_screen("dashboard")
        try:
            await self.source.open(self.changed)
        except (AttachError, LogError) as error:
            code = of_log(error) if isinstance(error, LogError) else ExitCode.NO_ENGINE
            self.exit(return_code=code, message=Text(f"launch-console: {error}"))
            return
        self.publish()
        # Clocks and countdowns move even when no event arrives.
        self.set_interval(1.0, self.publish)
        # After the first frame: a full collection now would delay it.
        self.call_after_refresh(settle)
        self.take_keys()
        if self._tour:
            self.run_worker(
                lead(self.action_open, self.push_screen_wait, self._labels), group="tour", exit_on_error=False
            )
        if self._keys.problems:
            more = f" (and {len(self._keys.problems) - 1} more)" if len(self._keys.problems) > 1 else ""
            self.tell(f"your file of keys counts for nothing: {self._keys.problems[0]}{more}", bad=True)

    async def on_unmount(self) -> None:
        """Leave the source, and the terminal its own title."""
        self._ahead.stop()
        self._write(self._attention.end())
        self.let_go()
        await self.source.close()

    # -- what is shown -------------------------------------------------------------------------------

    def changed(self) -> None:
        """Show what is new, soon: bursts become one painting."""
        if self._due is None and self.is_running:
            wait = self._last + SOONEST_S - asyncio.get_running_loop().time()
            self._due = self.set_timer(max(wait, 0.001), self.publish)

    def publish(self) -> None:
        """Give the newest moment to the screen that is seen."""
        if self._due is not None:
            self._due.stop()
            self._due = None
        self._last = asyncio.get_running_loop().time()
        live = self._moment_of_source()
        shown = self.looked_at(live)
        lost = (
            f"{shown.lost} · S: start an engine" if shown.lost and self._restart is not None else shown.lost
        )
        # Whole seconds, or every beat would be something new to paint.
        now = shown.now_us - shown.now_us % SECOND_US
        shown = replace(
            shown,
            lost=lost,
            now_us=max(now, 0),
            ascii_only=self._ascii_only,
            broken=self.broken,
            labels=self._labels,
        )
        if shown != self._shown:
            deposed = deposed_words(self._live, live)
            ended = is_over(live.view) and self.mode is Mode.LIVE and not is_over(self._live.view)
            self._shown, self._live = shown, live
            self._write(self._attention.notice(live))
            self._show()
            self.tell(deposed, bad=True)
            if ended:
                self.call_later(self.action_next)

    def _moment_of_source(self) -> ScreenState:
        """Return the newest moment; the last one that could be shown, where a mistake of ours keeps it back."""
        try:
            return self.source.shown()
        except Exception as error:
            self._handle_exception(error)
            return replace(self._live, broken="")

    def _write(self, sequence: str) -> None:
        if sequence and self._driver is not None:
            self._driver.write(sequence)

    def _show(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, LaunchScreen):
                screen.show(self._shown)

    def _front(self) -> LaunchScreen | None:
        return next((s for s in reversed(self.screen_stack) if isinstance(s, LaunchScreen)), None)

    def tell(self, message: str, *, bad: bool = False) -> None:
        """Tell something in the bottom line of the screen that is seen."""
        front = self._front()
        if front is not None and message:
            front.flash(message, bad=bad)

    def on_explanation_requested(self, message: ExplanationRequested) -> None:
        """Let somebody read what kinds of checks tell of themselves."""
        if not isinstance(self.screen, Dialog):
            self.run_worker(self._explain(message.kinds), group="explain", exclusive=True)

    async def _explain(self, kinds: tuple[str, ...]) -> None:
        self.tell(f"reading what {', '.join(kinds)} tells …")
        text = await kind_text(kinds)
        if not isinstance(self.screen, Dialog):
            self.push_screen(ReadingDialog(", ".join(kinds), text))

    # -- screens -------------------------------------------------------------------------------------

    def action_open(self, name: str) -> None:
        """Show a screen by its name; nothing happens while a dialog is open."""
        screen, self._wished = self._screens[name], None
        if self._opening or isinstance(self.screen, Dialog):
            return
        if self.screen is not screen:
            screen.entered()
            self.switch_screen(screen)
        screen.show(self._shown)

    def action_home(self) -> None:
        """Show the dashboard."""
        self.action_open("dashboard")

    def action_gate(self, number: int, item: str = "") -> None:
        """Show a gate, and an item of it; nothing happens where the runbook has none of that number.

        After a gate and a point, the digits are an item's.
        """
        if self._jump and not item:
            self._jump_on(str(number % 10))
            return
        if self._shown.view.gates and self._shown.view.gate(number) is None:
            return
        gate = self._screens["gate"]
        if isinstance(gate, GateScreen) and not self._opening:
            gate.open(number, item)
        self.action_open("gate")

    async def action_back(self) -> None:
        """Take a wish or a filter back, or go back to the dashboard."""
        if self._opening:
            self.workers.cancel_group(self, "command")
            return
        self._jump, self._wished = "", None
        front = self._front()
        if front is not None and front.clear_filter():
            return
        if not self.back_to_live():
            self.action_open("dashboard")

    def on_screen_requested(self, message: ScreenRequested) -> None:
        """Show what a screen asks for."""
        if message.screen == "gate":
            self.action_gate(int(message.target))
        elif message.screen == "item":
            self.action_gate(int(message.target.partition(".")[0]), message.target)
        else:
            self.action_open(message.screen)

    # -- commands ------------------------------------------------------------------------------------

    def action_ask(self, name: str) -> None:
        """Ask for a command by a key."""
        self.request_command(name)

    def do_next(self) -> None:
        """Do what comes next: run it where it is safe, else show it, and what it would do."""
        if is_over(self._shown.view):
            if not isinstance(self.screen, Dialog):
                self.show_end(self._shown.view)
            return
        step = self.step()
        if step is None or self._opening or isinstance(self.screen, Dialog) or self.await_answer(step):
            return
        if step.place is Place.GATE:
            self.action_gate(step.gate, step.item)
        elif step.place is not Place.HERE:
            self.action_open(step.place)
        if step.command:
            self.request_command(step.command, dict(step.args))

    def action_hold(self) -> None:
        """Hold the launch, or release its hold."""
        held = self._shown.view.state is LaunchState.HELD
        self.request_command("launch.release" if held else "launch.hold")

    def action_rollback(self) -> None:
        """Open the dialog of the production rollback; of a first install, of taking it away."""
        spec = way_out(self._shown.view) or rollback_of(self._shown.view)
        if spec is not None:
            self.request_command("operation.run", {"operation": spec.id})
        else:
            self.tell("the runbook has no rollback of production", bad=True)

    def action_requests(self) -> None:
        """Show the open requests, and what may be done about one."""
        if open_requests(self._shown.view.requests, self._shown.now_us):
            self.request_command(PICKED)
        else:
            self.tell("nobody requests a second person")

    # -- help, palette, quitting -----------------------------------------------------------------------

    def help_entries(self) -> list[HelpEntry]:
        """Return everything that can be done."""
        shown = self._shown
        found = [
            *keymap.entries(self.mode, len(shown.view.gates), self._keys.keys),
            *keymap.places(shown.view),
        ]
        return [replace(one, locked=keymap.locked(one.name, shown)) for one in found]

    def run_entry(self, name: str) -> None:
        """Do what an entry of the help or the palette says."""
        kind, _, rest = name.partition(":")
        if kind == "command":
            self.call_later(self.request_command, rest)
        elif kind == "action":
            self.call_later(self.run_action, rest)
        elif kind in {"gate", "item"}:
            self.action_gate(int(rest.partition(".")[0]), rest if kind == "item" else "")
        elif kind == "operation":
            self.action_open("deploy")
            self.call_later(self.request_command, "operation.run", {"operation": rest})
        elif kind == "screen":
            screen, _, action = rest.partition(":")
            self.action_open(screen)
            self.call_later(self._screens[screen].run_action, action)

    def action_theme(self) -> None:
        """Change between dark, light and high contrast; under NO_COLOR there is one theme only."""
        names = [one.name for one in themes(os.environ)]
        if self.theme in names:
            self.theme = names[(names.index(self.theme) + 1) % len(names)]

    def action_help(self) -> None:
        """Show all keys and commands."""
        self.push_screen(HelpDialog(self.help_entries()), self._helped)

    def _helped(self, name: str | None) -> None:
        if name is not None:
            self.run_entry(name)

    async def action_quit(self) -> None:
        """Leave; ask first while an operation is under way."""
        running = self._shown.view.running()
        if running is None or self.mode is not Mode.LIVE or self._shown.lost:
            self.exit(return_code=ExitCode.GO)
            return
        if self._asking or isinstance(self.screen, Dialog):
            return
        self.push_screen(leaving(running), self._quitting)

    def _quitting(self, choice: str | None) -> None:
        if choice == "leave":
            self.exit(return_code=ExitCode.GO)
        elif choice == "abort":
            self.call_later(self.request_command, "operation.abort")

    def action_start_engine(self) -> None:
        """Start an engine where the one that was attached is gone."""
        if is_over(self._shown.view):
            self.tell("the launch is over: its log is sealed")
        elif self._restart is not None and self._shown.lost and isinstance(self.source, Reopens):
            self.tell("an engine is being started")
            self.run_worker(
                self._start_engine(self._restart, self.source),
                exit_on_error=False,
                group="engine",
                exclusive=True,
            )

    async def _start_engine(self, restart: Restart, source: Reopens) -> None:
        found = await asyncio.to_thread(restart)
        await source.reopen(await found if inspect.isawaitable(found) else found)
        self.tell("the launch goes on where its log ends")

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Tell what went wrong in the background; nothing of it ends the console."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            error = event.worker.error
            if isinstance(error, Exception) and not isinstance(error, LogError | AttachError | OSError):
                self._tell_broken(error)
            self.tell(f"that failed: {line(str(error), 300)}", bad=True)
