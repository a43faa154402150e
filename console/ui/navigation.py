"""An app in which one finds one's way: items by their number, filters, the next problem, a pod that is opened."""

from __future__ import annotations

from pathlib import Path

from textual.driver import Driver
from textual.timer import Timer

from console.client.engine_client import AttachError
from console.ui.command_app import CommandApp
from screens.base import LaunchScreen
from screens.dialogs.dialogs import Dialog
from screens.gate import GateScreen
from screens.kit.messages import PodAsked
from screens.kit.screen_state import Mode
from screens.pods import PodsScreen

JUMP_S = 3.0
"""Seconds in which the digits of an item's number are typed after its point."""


class NavigatingApp(CommandApp):
    """What leads to a place, and acts on nothing."""

    mode: Mode

    def __init__(self, driver_class: type[Driver] | None = None, log: Path | None = None) -> None:
        super().__init__(driver_class, log)
        self._screens: dict[str, LaunchScreen] = {}
        self._jump = ""
        """The gate, a point and the digits of an item that is being typed."""
        self._jumping: Timer | None = None
        """Ends the newest number that is being typed, and no other."""

    def action_item_number(self) -> None:
        """Take the digits that follow for an item's of the gate that is shown: ``3.2``."""
        front = self._front()
        if isinstance(front, GateScreen) and not isinstance(self.screen, Dialog):
            self._await_digits(f"{front.number}.")
            front.flash(f"item {self._jump}_")

    def _await_digits(self, named: str) -> None:
        """Wait for the next digit of a number, from now on as long as for its first."""
        if self._jumping is not None:
            self._jumping.stop()
        self._jump = named
        self._jumping = self.set_timer(JUMP_S, self._jumped)

    def _jump_on(self, digit: str) -> None:
        """Go to the item that the digits name; wait for another one where a longer number begins like it."""
        front = self._front()
        named, self._jump = self._jump + digit, ""
        gate = self._shown.view.gate(int(named.partition(".")[0]))
        items = [one.id for one in gate.items] if gate is not None else []
        if not isinstance(front, GateScreen) or not any(one.startswith(named) for one in items):
            self.tell(f"there is no item {named}", bad=True)
            return
        front.hush()
        if named in items:
            front.open(front.number, named)
        if any(one != named and one.startswith(named) for one in items):
            self._await_digits(named)

    def _jumped(self) -> None:
        self._jump = ""

    def action_filter(self) -> None:
        """Let somebody type what the list on the screen shall show."""
        front = self._front()
        if front is not None and not isinstance(self.screen, Dialog):
            front.open_filter()

    def action_problem(self, by: int) -> None:
        """Go to the next problem, or to the one before."""
        front = self._front()
        if front is not None and not isinstance(self.screen, Dialog) and not front.problem(by):
            self.tell("no problem here")

    def on_pod_asked(self, message: PodAsked) -> None:
        """Ask the engine for what the cluster tells of a pod, and give it to the screen."""
        self.run_worker(
            self._describe(message.env, message.pod), exit_on_error=False, group="pod", exclusive=True
        )

    async def _describe(self, env: str, pod: str) -> None:
        screen = self._screens["pods"]
        told: tuple[str, ...] = ("? only a live console can ask the cluster",)
        if self._shown.mode is Mode.LIVE:
            try:
                answer = await self.source.preview("pod.describe", {"env": env, "pod": pod})
                told = answer.told if answer.allowed else (f"? {answer.reason}",)
            except AttachError as error:
                told = (f"? {error}",)
        if isinstance(screen, PodsScreen):
            screen.described(env, pod, told or ("nothing",))
