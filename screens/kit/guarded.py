"""What goes wrong in a widget's handler is told by the app; the widget and the console go on."""

from __future__ import annotations

from textual.message import Message
from textual.message_pump import MessagePump


class Guarded(MessagePump):
    """A widget, screen or app that outlives an error of its own.

    Textual ends the pump of whoever's handler raised, and with it the whole app: a mistake in how one number is
    written would take the screen from somebody who is about to roll back.
    """

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            self.app._handle_exception(error)  # noqa: SLF001  Textual's own door for what nobody handles
