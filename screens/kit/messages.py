"""What screens tell the app. A screen changes nothing by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.message import Message


class CommandRequested(Message):
    """Somebody asks for a command of the registry; missing parameters are asked for."""

    def __init__(self, name: str, args: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.name = name
        self.args = dict(args or {})


class PodAsked(Message):
    """Somebody wants to see more of a pod than the log holds: its containers, events, the end of its logs."""

    def __init__(self, env: str, pod: str) -> None:
        super().__init__()
        self.env = env
        self.pod = pod


class ScreenRequested(Message):
    """Somebody wants to see another screen: ``gate`` with a number as its target, ``deploy``, and so on."""

    def __init__(self, screen: str, target: str = "") -> None:
        super().__init__()
        self.screen = screen
        self.target = target


class ExplanationRequested(Message):
    """Somebody wants to read what kinds of checks ask and prove, and how their fails are mended."""

    def __init__(self, kinds: Sequence[str]) -> None:
        super().__init__()
        self.kinds = tuple(kinds)
