"""Giving a draft its time and id at the moment it is queued; noticing that the wall clock jumped or slept."""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence

from state.base import canonical
from state.base.clock import Clock
from state.base.times import SECOND_US
from state.events.event import Draft
from state.events.log import ClockJumped
from state.log.rows import Stamped, check_draft, check_name

JUMP_US = SECOND_US
"""How far wall and monotonic time may drift apart between two events before it is a jump."""

_STEADY_READING_US = 50_000


class Stamper:
    """Stamps the drafts of one session, in the order in which they are given."""

    def __init__(self, clock: Clock, session: str) -> None:
        self._clock = clock
        self._session = check_name(session, "session")
        self._boot = check_name(clock.boot(), "boot")
        self._offset_us: int | None = None
        self._asleep_us = clock.asleep_us()

    def stamp(self, drafts: Sequence[Draft]) -> list[Stamped]:
        """Return the stamped drafts, after a ``clock.jumped`` where the clock was set or the machine slept.

        Raises CanonicalError before anything is stamped.
        """
        for draft in drafts:
            check_draft(draft)
        bodies = [canonical.encode(draft.fields()) for draft in drafts]
        wall_us, mono_us, slack_us = self._read()
        stamped: list[Stamped] = []
        jump = self._jump(wall_us, mono_us, slack_us)
        if jump is not None:
            draft = Draft(jump)
            stamped.append(self._row(draft, canonical.encode(draft.fields()), wall_us, mono_us))
        for draft, body in zip(drafts, bodies, strict=True):
            stamped.append(self._row(draft, body, wall_us, mono_us))
        return stamped

    def _jump(self, wall_us: int, mono_us: int, slack_us: int) -> ClockJumped | None:
        """Return what happened to the clock since the last reading, or None."""
        asleep_us = self._clock.asleep_us()
        slept_us, self._asleep_us = asleep_us - self._asleep_us, asleep_us
        before, self._offset_us = self._offset_us, wall_us - mono_us
        moved_us = self._offset_us - before if before is not None else 0
        if abs(moved_us) <= JUMP_US + slack_us and slept_us <= JUMP_US:
            return None
        return ClockJumped(moved_us, wall_us - moved_us, slept_us if slept_us > JUMP_US else 0)

    def _read(self) -> tuple[int, int, int]:
        """Return wall time, monotonic time, and how far apart the two readings may lie.

        A thread can be put to sleep between the readings, which a fast clock makes long.
        """
        for _ in range(3):
            first = self._clock.wall_us()
            mono_us = self._clock.mono_us()
            wall_us = self._clock.wall_us()
            if abs(wall_us - first) <= _STEADY_READING_US:
                break
        return wall_us, mono_us, abs(wall_us - first)

    def _row(self, draft: Draft, body: str, wall_us: int, mono_us: int) -> Stamped:
        return Stamped(
            eid=str(uuid.uuid4()),
            kind=str(draft.kind),
            gate=draft.gate,
            ref=draft.ref,
            actor=draft.actor,
            session=self._session,
            boot=self._boot,
            wall_us=wall_us,
            mono_us=mono_us,
            salt=os.urandom(16),
            body=body,
        )
