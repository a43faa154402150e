"""A replay's screen as an asciicast v3 (docs.asciinema.org/manual/asciicast/v3): drawn without a terminal.

Time is the log's own, so many times as fast as it was, with stretches without events cut short as in ``replay``: how
long drawing takes here changes nothing. A frame is the rows that changed since the one before.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.color import ColorSystem
from rich.style import Style
from textual.strip import Strip

from console.client.replay import Player, Recording
from console.client.sources import Changed
from console.exit_codes import ExitCode, FailedError
from console.ui.app import LaunchApp
from screens.kit.screen_state import Mode, ScreenState
from state.base.json import EMPTY, JsonObject
from state.base.times import SECOND_US, span
from state.commands import Confirmation, Reply
from state.events.event import Event
from state.log.reader import LogReader
from state.view.enums import Danger
from state.view.preview import Preview

FRAME_S = 0.5
"""Seconds of the recording between two frames."""
_MOST_FRAMES = 20_000
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")
_REFUSED = "a recording takes no commands"


class CastSource:
    """A replay that stands where it is told to."""

    def __init__(self, player: Player, fetch: Callable[[int, int], Sequence[Event]]) -> None:
        self._player = player
        self._fetch = fetch

    async def open(self, changed: Changed) -> None:
        """Begin; see EventSource."""

    async def close(self) -> None:
        """Let go."""

    def shown(self) -> ScreenState:
        """Return where the replay stands."""
        player = self._player
        return ScreenState(player.view, player.now_us, Mode.REPLAY, transport=player.transport())

    async def page(self, after: int, limit: int) -> Sequence[Event]:
        """Return events that the replay has come to."""
        return [event for event in self._fetch(after, limit) if event.seq <= self._player.seq]

    async def preview(self, name: str, args: JsonObject) -> Preview:
        """Refuse."""
        del args
        return Preview(name, name, Danger.SAFE, allowed=False, reason=_REFUSED)

    async def command(self, name: str, args: JsonObject, given: Confirmation | None) -> Reply:
        """Refuse."""
        del name, args, given
        return Reply(ok=False, message=_REFUSED, result=EMPTY)


def asciicast(
    reader: LogReader, redacted: Callable[[Event], Event], size: tuple[int, int], speed: float
) -> Sequence[str]:
    """Return the lines of the recording: columns and rows are ``size``.

    Raises FailedError where it would take too many frames, and LogError.
    """

    def fetch(after: int, limit: int) -> Sequence[Event]:
        return [redacted(event) for event in reader.events(after, limit)]

    recording = Recording(fetch)
    while recording.read():
        pass
    player = Player(recording, speed=speed)
    player.begin()
    _check_length(reader.path, player, speed)
    return asyncio.run(_filmed(player, CastSource(player, fetch), size))


def _check_length(path: Path, player: Player, speed: float) -> None:
    last_us = player.recording.wall(player.recording.count)
    length_s = (last_us - player.now_us) / SECOND_US / speed
    if length_s / FRAME_S > _MOST_FRAMES:
        raise FailedError(
            f"{path}: {span(length_s)} of a recording are too many: give a higher --speed",
            ExitCode.BAD_CONFIG,
        )


async def _filmed(player: Player, source: CastSource, size: tuple[int, int]) -> Sequence[str]:
    view = player.recording.newest
    header = {
        "version": 3,
        "term": {"cols": size[0], "rows": size[1], "type": "xterm-256color"},
        "timestamp": view.scope.opened_us // SECOND_US,
        "title": " ".join(one for one in (view.scope.title, view.candidate.version) if one) or "Launch",
    }
    film = [json.dumps(header) + "\n"]
    app = LaunchApp(source, Mode.REPLAY)
    app.animation_level = "none"
    async with app.run_test(size=size) as pilot:
        shown: list[str] = []
        marked, passed = player.seq, 0.0
        while True:
            app.publish()
            await pilot.pause()
            rows = [_ansi(strip) for strip in _strips(app)[: size[1]]]
            for mark in player.view.marks:
                if mark.seq > marked:
                    film.append(_event(passed, "m", mark.label))
                    passed = 0.0
            marked = player.seq
            if drawn := "".join(_changed(shown, rows)):
                film.append(_event(passed, "o", drawn if shown else f"\x1b[?25l\x1b[2J{drawn}"))
                shown, passed = rows, 0.0
            if not player.advance(FRAME_S):
                break
            passed += FRAME_S
    film.append(_event(passed, "o", "\x1b[?25h"))
    film.append(_event(0, "x", "0"))
    return film


def _strips(app: LaunchApp) -> Sequence[Strip]:
    return app.screen._compositor.render_strips()  # noqa: SLF001  nothing public gives the cells of a screen


def _changed(before: Sequence[str], rows: Sequence[str]) -> Iterator[str]:
    for number, row in enumerate(rows):
        if number >= len(before) or before[number] != row:
            yield f"\x1b[{number + 1};1H{row}\x1b[0m"


def _event(after_s: float, code: str, data: str) -> str:
    return json.dumps([round(after_s, 3), code, data]) + "\n"


def _ansi(strip: Strip) -> str:
    """Return a row with its colours; nothing else that a terminal obeys, whatever the row says."""
    return "".join(_styled(_CONTROLS.sub("?", text), style) for text, style, control in strip if not control)


def _styled(text: str, style: Style | None) -> str:
    # Without links: they would have another id each time, and are obeyed by a terminal.
    plain = Style.null() if style is None else style.update_link(None)
    return plain.render(text, color_system=ColorSystem.TRUECOLOR)
