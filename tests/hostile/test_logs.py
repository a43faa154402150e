"""Hostile logs: whole by their chain, and full of what no version of ours writes. Every reader tells what it can."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.__main__ import main
from console.exit_codes import ExitCode
from state.base import canonical
from state.base.json import Json
from state.events.bodies import BODIES
from state.log.verify import verify
from tests.hostile.made import OBEYED, VALUES, hostile
from tests.state.log.support import OPENED, chained, forge, restamped, stamped

FIELDS = sorted({name for body in BODIES.values() for name in getattr(body, "__dataclass_fields__", {})})


def writable(value: Json) -> Json:
    """Return a value as a body can hold it: its keys and numbers in the format's domain."""
    if isinstance(value, dict):
        return {f"k{n}": writable(one) for n, one in enumerate(value.values())}
    if isinstance(value, list):
        return [writable(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return max(-canonical.LARGEST_INTEGER, min(canonical.LARGEST_INTEGER, value))
    return value


@st.composite
def events(draw: st.DrawFn) -> tuple[str, str]:
    kind = draw(st.sampled_from(sorted(BODIES)))
    names = sorted(getattr(BODIES[kind], "__dataclass_fields__", {})) or FIELDS
    body = {
        name: writable(draw(VALUES))
        for name in draw(st.lists(st.sampled_from(names), unique=True, max_size=8))
    }
    try:
        return kind, canonical.encode({name.rstrip("_").lower(): value for name, value in body.items()})
    except canonical.CanonicalError:  # too deep or too long for any log
        return kind, "{}"


def answers(*words: str) -> tuple[int, str]:
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(list(words))
    return code, out.getvalue() + err.getvalue()


def made(path: Path, bodies: Sequence[tuple[str, str]]) -> None:
    rows = [stamped(1, canonical.encode(OPENED))]
    rows += [restamped(stamped(n, kind=kind), body=body) for n, (kind, body) in enumerate(bodies, 2)]
    forge(path, chained(rows))


@hostile
@given(st.lists(events(), min_size=1, max_size=6))
def test_every_reader_ends_in_order(bodies: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "x.lclog"
        made(log, bodies)
        whole = verify(log, processes=1)
        for words in (("verify", str(log)), ("report", str(log))):
            code, told = answers(*words)
            assert code != ExitCode.INTERNAL, told
            assert "Traceback" not in told
            assert not OBEYED.search(told.replace("\n", "")), told
            if not whole.ok:
                assert code in {ExitCode.DAMAGED_LOG, ExitCode.BAD_LOG}


HEADS = {
    "after all years": restamped(stamped(1), wall_us=2**62),
    "before all years": restamped(stamped(1), wall_us=-(2**62)),
    "nested deep": restamped(stamped(1), body="[" * 50_000 + "]" * 50_000),
    "a name that is obeyed": restamped(stamped(1), actor="bob\x1b]0;PWN\x07\u202e", session="\x1b[2J"),
    "no text": restamped(stamped(1), body='{"log_id":7}'),
}


@pytest.mark.parametrize("what", HEADS)
@pytest.mark.parametrize("command", ["verify", "report", "archive"])
def test_a_first_event_that_nobody_would_write_ends_in_a_clear_line(
    tmp_path: Path, what: str, command: str
) -> None:
    log = tmp_path / "x\x1b]0;PWN\x07.lclog"
    rows = chained([HEADS[what], restamped(stamped(2), wall_us=HEADS[what].wall_us)])
    forge(log, rows)
    code, told = answers(command, str(log))
    assert code != ExitCode.INTERNAL, told
    assert not OBEYED.search(told.replace("\n", "")), told
    assert len(told) < 20_000
