"""The rehearsal's own word on deviations: there is nothing to do about one that was rehearsed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from state.base.json import JsonObject
from state.commands import Reply
from state.view.launch import LaunchView

OWNER = "the rehearsal"
TEXT = "nothing: it was rehearsed"


async def follow_up(view: LaunchView, command: Callable[[str, JsonObject], Awaitable[Reply]]) -> None:
    """See to every deviation that nobody sees to yet; ``command`` gives a command by its name."""
    for one in view.deviations:
        if not one.followed:
            await command("deviation.follow_up", {"deviation": one.seq, "owner": OWNER, "text": TEXT})
