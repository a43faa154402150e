"""A log as JSON lines: an event a line with all of its columns, so that its chain can be checked without SQLite.

Keys are those of docs/log-format.md; ``salt``, ``body_sha``, ``prev`` and ``hash`` are hexadecimal, ``body`` is the
JSON object, or null where it was taken out of the log.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from state.events.event import Event
from state.log.rows import Cell, Row, event_of

COLUMNS = (
    *("seq", "eid", "type", "gate", "ref", "actor", "session", "boot", "wall_us", "mono_us"),
    *("salt", "body", "body_sha", "prev", "hash"),
)


def json_lines(rows: Iterable[Row], redacted: Callable[[Event], Event] | None = None) -> Iterator[str]:
    """Yield a line for each row. With ``redacted``, what it makes of the event stands there, and no salt."""
    for row in rows:
        told: dict[str, object] = {name: _spelled(cell) for name, cell in zip(COLUMNS, row, strict=True)}
        body = row[COLUMNS.index("body")]
        told["body"] = json.loads(body) if isinstance(body, str) else None
        if redacted is not None:
            event = redacted(event_of(row))
            told |= {"actor": event.actor, "session": event.session, "boot": event.boot}
            # With the salt, whoever guesses what was taken out could prove the guess by body_sha.
            told |= {"body": event.body, "salt": None, "redacted": True}
        yield json.dumps(told, ensure_ascii=True, separators=(",", ":")) + "\n"


def _spelled(cell: Cell) -> str | int | None:
    return cell.hex() if isinstance(cell, bytes) else cell
