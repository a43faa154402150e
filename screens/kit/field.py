"""A field of one line that loses nothing of what is pasted into it."""

from __future__ import annotations

from textual import events
from textual.widgets import Input


class Field(Input):
    """An input; several pasted lines become one, where Textual's own keeps only the first.

    Getting the keys selects nothing: else the next letter would take the place of all that was written.
    """

    def __init__(self, value: str = "", *, placeholder: str = "", id: str, compact: bool = True) -> None:  # noqa: A002  the name that Textual gives it
        super().__init__(value, placeholder=placeholder, id=id, compact=compact, select_on_focus=False)

    def _on_paste(self, event: events.Paste) -> None:
        event.text = " ".join(one.strip() for one in event.text.splitlines() if one.strip())
