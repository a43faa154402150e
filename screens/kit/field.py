"""A field of one line that loses nothing of what is pasted into it."""

from __future__ import annotations

from textual import events
from textual.widgets import Input


class Field(Input):
    """An input; several pasted lines become one, where Textual's own keeps only the first."""

    def _on_paste(self, event: events.Paste) -> None:
        event.text = " ".join(one.strip() for one in event.text.splitlines() if one.strip())
