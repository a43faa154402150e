"""Bad input from the command line: one clear message, the right exit code, never a traceback, nothing lost."""

from __future__ import annotations

import os
import pty
import select
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from console.engine.engine import open_store
from console.exit_codes import ExitCode
from state.events.event import Draft
from state.events.log import NoteAdded
from tests.clocks import ManualClock
from tests.paths import ROOT

REAL_S = 60.0
SOP = ROOT / "runbook.yaml"


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder, and a short one for sockets: with a long one the account's own would be taken."""
    with TemporaryDirectory(prefix="lc-", dir="/tmp") as run:
        monkeypatch.setenv("XDG_RUNTIME_DIR", run)
        yield tmp_path


def environ(place: Path) -> dict[str, str]:
    own = {"XDG_STATE_HOME": str(place / "state"), "TERM": "xterm"}
    return {**os.environ, **own, "PYTHONPATH": str(ROOT)}


def command(place: Path, *argv: str) -> Said:
    """Run a command without a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "console", *argv],
        cwd=place,
        env=environ(place),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=REAL_S,
        check=False,
    )
    said = Said(done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in said.all
    return said


def in_terminal(place: Path, *argv: str) -> Said:
    """Run a command in a terminal, to its end."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "console", *argv],
        cwd=place,
        env=environ(place),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as run:
        os.close(theirs)
        message = b"".join(_pieces(ours))
        os.close(ours)
        run.wait(REAL_S)
    said = Said(run.returncode, message.decode(errors="replace"), "")
    assert "Traceback" not in said.all
    return said


def _pieces(fd: int) -> Iterator[bytes]:
    while select.select([fd], [], [], REAL_S)[0]:
        try:
            piece = os.read(fd, 65536)
        except OSError:  # the other end is closed
            return
        if not piece:
            return
        yield piece


# -- runbooks ---------------------------------------------------------------------------------------------


def test_no_runbook_says_how_to_begin(place: Path) -> None:
    for argv in ((), ("nowhere.yaml",), ("open", "nowhere.yaml")):
        said = command(place, *argv)
        assert said.code == 2
        assert "there is no runbook" in said.err
        assert "launch-console rehearse" in said.err


@pytest.mark.parametrize("how", [("runbook", "check"), ("open",), ()], ids=["check", "open", "short"])
def test_a_bad_runbook_names_file_line_and_column_of_every_problem(how: tuple[str, ...], place: Path) -> None:
    book = SOP.read_text()
    assert "\n  window:" in book
    bad = place / "bad.yaml"
    bad.write_text(book.replace("\n  window:", "\n  windoww:", 1).replace("rate(", "rat(", 1))
    said = command(place, *how, str(bad))
    assert said.code == 2
    lines = said.err.splitlines()
    at = next(n for n, line in enumerate(bad.read_text().splitlines(), 1) if "windoww:" in line)
    assert any(line.startswith(f"{bad}:{at}:3: ") and "windoww" in line for line in lines), said.err
    assert any("rat" in line and line.startswith(f"{bad}:") for line in lines), said.err
    assert "3 problems" in lines[-1] or "problems" in lines[-1]
    assert not list(place.glob("**/*.lclog"))


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "keys with values were expected"),
        (b"gates: [\n", "YAML"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"a: 1\na: 2\n", "stands twice"),
        (b"- 1\n", "keys with values were expected"),
    ],
)
def test_what_is_no_runbook_at_all(content: bytes, word: str, place: Path) -> None:
    (place / "bad.yaml").write_bytes(content)
    said = command(place, "runbook", "check", "bad.yaml")
    assert said.code == 2
    assert said.err.startswith("bad.yaml:")
    assert word in said.err


def test_the_engine_says_what_is_wrong_with_a_runbook_in_a_terminal_too(place: Path) -> None:
    (place / "bad.yaml").write_text("gates: 3\n")
    said = in_terminal(place, "bad.yaml")
    assert said.code == 2
    assert "bad.yaml:1:" in said.out
    assert not list(place.glob("launches/*"))


# -- logs -------------------------------------------------------------------------------------------------


def a_log(path: Path) -> Path:
    store = open_store(path, ManualClock(), "session")
    for number in range(40):
        store.append(Draft(NoteAdded(f"note {number}"), actor="ann")).result(10)
    store.close()
    return path


def damaged(path: Path) -> Path:
    a_log(path)
    raw = path.read_bytes()
    assert b"note 20" in raw
    path.write_bytes(raw.replace(b"note 20", b"note 99"))
    return path


def of_another_program(path: Path) -> Path:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE a (b)")
    other.close()
    return path


def words(path: Path) -> Path:
    path.write_text("hello\n")
    return path


@pytest.mark.parametrize("make", [words, of_another_program])
@pytest.mark.parametrize("way", ["rehearse", "headless", "open", "replay", "follow", "verify"])
def test_a_file_that_is_no_log_is_refused_and_left_alone(way: str, make: object, place: Path) -> None:
    assert callable(make)
    log = make(place / "other.lclog")
    before = log.read_bytes()
    said = asked(way, log, place)
    assert said.code == ExitCode.BAD_LOG
    assert "is not a launch log" in said.all
    assert log.read_bytes() == before
    assert {p.name for p in place.iterdir()} <= {"other.lclog", "state"}


@pytest.mark.parametrize("way", ["rehearse", "headless", "open", "replay", "follow"])
def test_a_damaged_log_is_named_with_its_first_bad_event_and_left_alone(way: str, place: Path) -> None:
    log = damaged(place / "a.lclog")
    before = log.read_bytes()
    said = asked(way, log, place)
    assert said.code == ExitCode.DAMAGED_LOG
    assert "is damaged" in said.all.replace("\r\n", " ")
    assert "at event 22" in said.all
    assert log.read_bytes() == before


def asked(way: str, log: Path, place: Path) -> Said:
    match way:
        case "rehearse":
            return in_terminal(place, "rehearse", "--log", log.name)
        case "headless":
            return command(place, "rehearse", "--headless", "--json", "--log", log.name)
        case "open":
            return in_terminal(place, str(SOP), "--log", log.name)
        case "verify":
            return command(place, "verify", log.name)
        case _:
            return in_terminal(place, way, log.name)


def test_verify_names_the_first_bad_event(place: Path) -> None:
    good, bad = a_log(place / "good.lclog"), damaged(place / "bad.lclog")
    assert command(place, "verify", good.name).code == 0
    said = command(place, "verify", bad.name)
    assert said.code == ExitCode.DAMAGED_LOG
    assert "event 22" in said.out
    assert command(place, "verify", "nowhere.lclog").code == ExitCode.BAD_LOG


def test_a_damaged_log_is_not_judged(place: Path) -> None:
    bad = damaged(place / "bad.lclog")
    said = command(place, "judge", bad.name, "--runbook", str(SOP))
    assert said.code == ExitCode.DAMAGED_LOG
    assert said.out == ""
    assert "bad.lclog is damaged at event 22" in said.err


@pytest.mark.parametrize("way", ["headless", "open"])
def test_a_folder_is_no_log(way: str, place: Path) -> None:
    folder = place / "folder"
    folder.mkdir()
    said = asked(way, folder, place)
    assert said.code == 3
    assert "is no file: name another place for the log" in said.all


def test_no_log_can_be_kept_where_no_folder_can_be_made(place: Path) -> None:
    words(place / "file")
    said = command(place, "rehearse", "--headless", "--log", "file/a.lclog")
    assert said.code == 3
    assert "no log can be kept" in said.err


# -- the rest ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [("rehearse", "--headless"), ("range",)])
def test_an_unknown_fault_is_named(way: tuple[str, ...], place: Path) -> None:
    said = command(place, *way, "--fault", "bad-candidat")
    assert said.code == 2
    assert "there is no fault 'bad-candidat': did you mean bad-candidate" in said.err
    assert "launch-console faults" in command(place, *way, "--fault", "zzzzzz").err


def test_an_unknown_fault_in_a_terminal(place: Path) -> None:
    said = in_terminal(place, "rehearse", "--fault", "zzzzzz")
    assert said.code == 2
    assert "there is no fault 'zzzzzz'" in said.out


@pytest.mark.parametrize(
    "argv",
    [
        ("rehearse", "--headless", "--rate", "-3"),
        ("rehearse", "--headless", "--rate", "nan"),
        ("range", "--rate", "1e9"),
        ("range", "--rate", "0"),
        ("replay", "a.lclog", "--speed", "nan"),
    ],
)
def test_a_clock_has_a_sensible_rate(argv: tuple[str, ...], place: Path) -> None:
    said = command(place, *argv)
    assert said.code == 2
    assert "a rate between 0.01 and 1000 is expected" in said.err


@pytest.mark.parametrize(
    "argv",
    [
        *(("rehearse", "--seed", "x"), ("--nope",), ("replay",), ("engine",), ("engine", "restart")),
        *(("runbook",), ("schema", "x"), ("checks", "show"), ("checks", "tell")),
    ],
)
def test_wrong_use_shows_the_usage(argv: tuple[str, ...], place: Path) -> None:
    said = command(place, *argv)
    assert said.code == 2
    assert said.err.startswith("usage: launch-console")


def test_without_a_terminal_nothing_is_started(place: Path) -> None:
    kept = a_log(place / "kept.lclog").name
    (place / "state").mkdir()
    before = {p.name for p in place.iterdir()}
    for argv in (("rehearse",), ("replay", kept), ("follow", kept), (str(SOP), "--log", "a.lclog")):
        said = command(place, *argv)
        assert said.code == 2
        assert "needs a terminal" in said.err
        assert "add --plain: one line an event" in said.err
        assert "--headless" in said.err
    assert {p.name for p in place.iterdir()} == before
    assert "no engine" in command(place, "engine", "list").out


def test_no_engine_can_be_stopped_where_none_runs(place: Path) -> None:
    said = command(place, "engine", "stop", "a.lclog")
    assert said.code == ExitCode.NO_ENGINE
    assert "no engine runs for a.lclog" in said.err


@pytest.mark.parametrize(
    "argv", [("faults", "--json"), ("checks", "list"), ("runbook", "schema"), ("engine", "list")]
)
def test_an_answer_that_can_not_be_written_is_told(argv: tuple[str, ...], place: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "console", *argv],
            cwd=place,
            env=environ(place),
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=REAL_S,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "launch-console: No space left on device\n"


def test_a_name_that_is_no_text_can_be_told(place: Path) -> None:
    odd = os.fsdecode(b"odd\xff.yaml")
    (place / odd).write_bytes(SOP.read_bytes())
    said = command(place, "runbook", "check", "--offline", odd)
    assert said.code == 0
    assert "odd\\udcff.yaml: 10 gates, 42 items" in said.out
