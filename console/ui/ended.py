"""What a console does with the log of a launch that has ended: its report, and its check."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual.driver import Driver

from console.exit_codes import ExitCode
from console.ui.dialog_host import over
from console.ui.terminal_app import TerminalApp
from state.log.errors import LogError
from state.log.reader import LogReader
from state.view.launch import LaunchView


class EndingApp(TerminalApp):
    """An app that offers, once its launch has ended, what is done then."""

    def __init__(self, driver_class: type[Driver] | None = None, log: Path | None = None) -> None:
        """``log`` is the launch's file; None where it isn't known."""
        super().__init__(driver_class)
        self._launch_log = log

    def show_end(self, view: LaunchView) -> None:
        """Show how the launch ended, and what can be done now."""
        self.push_screen(over(view), self._chosen_at_the_end)

    def _chosen_at_the_end(self, choice: str | None) -> None:
        if choice == "quit":
            self.exit(return_code=ExitCode.GO)
        elif choice in {"report", "verify"} and self._launch_log is not None:
            self.run_worker(self._read_log(choice, self._launch_log), exit_on_error=False, group="end")

    async def _read_log(self, choice: str, log: Path) -> None:
        told, good = await asyncio.to_thread(write_report if choice == "report" else check_log, log)
        self.tell(told, bad=not good)


def write_report(log: Path) -> tuple[str, bool]:
    """Write the report beside the log; return where it is, or why it isn't, and whether it is there."""
    # Loaded here: what only the end needs would delay the first frame.
    from state.log.verify import verify
    from state.report.page import report

    target = log.with_suffix(".md")
    try:
        with LogReader(log) as reader:
            page = report(reader.every(), verify(log))
        target.write_text(page, encoding="utf-8")
    except (LogError, OSError) as error:
        return f"the report can't be written: {error}", False
    return f"report: {target}", True


def check_log(log: Path) -> tuple[str, bool]:
    """Check the whole log; return what that found, and whether it is whole."""
    from state.log.verify import verify

    try:
        found = verify(log)
    except LogError as error:
        return str(error), False
    return (f"{found.events} events verify", True) if found.ok else (found.message, False)
