"""``grant``, ``attest`` and ``poll``, end to end: an engine as a process, its socket, real keys of ssh-keygen."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from console.cli.dispatch import main
from console.client.engine_client import EngineClient
from console.client.signing import KEY_FILE
from console.engine.process.running import EngineInfo, running_engines
from console.engine.process.socket_server import account_of
from console.engine.process.spawn import start_engine, stop
from console.exit_codes import ExitCode
from state.base.json import Json, JsonObject, integer
from state.commands import Confirmation
from state.fold import fold
from state.log.reader import LogReader
from state.log.verify import verify
from state.report.page import report
from state.view.enums import PollState, RequestState
from state.view.launch import LaunchView
from tests.console.engine.commands.test_alone import person
from tests.console.engine.outside import CHECKS, write_runbook
from tests.state.attest.test_sshsig import keygen

pytestmark = [pytest.mark.needs("ssh-keygen"), pytest.mark.timeout(400)]
ME = account_of(os.getuid())
START_S = 120.0
WAIVE: JsonObject = {"item": "1.1", "reason": "the vendor answers on Monday", "minutes": "60"}
Sit = Callable[[str], None]


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="lc"))  # a socket's path is short
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    try:
        yield folder
    finally:
        for engine in running_engines():
            stop(engine)
        shutil.rmtree(folder)


@pytest.fixture
def engine(place: Path, monkeypatch: pytest.MonkeyPatch) -> EngineInfo:
    """An engine whose captain and approver share this account, and have a key each."""
    for item in CHECKS:  # the process knows no kinds of tests
        monkeypatch.setitem(CHECKS, item, [])
    book = write_runbook(place, "http://127.0.0.1:9")
    data = yaml.safe_load(book.read_text())
    roles = {"cap": "captain", "app": "approver"}
    named: list[dict[str, Json]] = []
    for name, role in roles.items():
        (place / name).mkdir()
        public = keygen(place / name, "ed25519").with_suffix(".pub").read_text()
        named.append(person(name, ME, role, keys=(public,)))
    data["people"] = named
    book.write_text(yaml.safe_dump(data))
    return start_engine(book, place / "a.lclog", timeout_s=START_S)


@pytest.fixture
def sit(place: Path, monkeypatch: pytest.MonkeyPatch) -> Sit:
    """Let a person sit at this account: it is their key that signs from now on."""

    def one(name: str) -> None:
        (public,) = (place / name).glob("*.pub")
        monkeypatch.setenv(KEY_FILE, str(public.with_suffix("")))

    return one


async def wanted(info: EngineInfo) -> int:
    client = await EngineClient.connect(info.socket)
    await client.command("console.take_over", {"reason": "a test"})
    await client.until(lambda view: len(view.parts) == 2)  # a statement names them
    shown = await client.preview("item.waive", WAIVE)
    args: JsonObject = {"command": "item.waive", "args": WAIVE, "reason": "the vendor answers on Monday"}
    reply = await client.command("request.make", args, Confirmation(token=shown.token))
    assert reply.ok, reply.message
    await client.close()
    return integer(reply.result, "request")


def view_of(log: Path) -> LaunchView:
    with LogReader(log) as reader:
        return fold(reader.every())


def test_from_grant_to_poll_with_two_keys_on_one_account(
    engine: EngineInfo,
    sit: Sit,
    place: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = str(engine.log)

    def said(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([*words, "--log", log])
        told = capsys.readouterr()
        return code, told.out, told.err

    sit("cap")
    seq = asyncio.run(wanted(engine))
    grant = ("grant", str(seq), "--comment", "I looked at it", "--phrase", f"grant {seq}")
    code, _, err = said(*grant, "--sign")
    assert (code, "doesn't grant it" in err) == (ExitCode.BAD_CONFIG, True), "one's own key grants nothing"
    monkeypatch.setenv(KEY_FILE, str(place / "none"))
    code, _, err = said(*grant, "--sign")
    assert (code, "nothing was given" in err) == (ExitCode.BAD_CONFIG, True)
    assert f"name its file in {KEY_FILE}" in err
    sit("app")
    code, out, err = said("grant", str(seq), "--sign", "--phrase", "yes")
    assert (code, f"what was typed is not grant {seq}" in err) == (ExitCode.BAD_CONFIG, True)
    code, out, err = said(*grant, "--sign")
    assert code == ExitCode.GO, err
    assert "signing with SHA256:" in err
    assert f"Grant request #{seq}: Waive item 1.1" in out
    assert "requests it: the vendor answers on Monday" in out
    assert f"request #{seq} is granted" in out
    assert "there is no request 9999" in said("grant", "9999", "--phrase", "x")[2]

    code, out, _ = said("attest", "1.2", "--go", "--comment", "seen", "--sign")
    assert (code, "1.2 attested GO" in out) == (ExitCode.GO, True)
    assert "say --go or --no-go" in said("attest", "1.2")[2]
    assert "say why it is NO-GO" in said("attest", "1.2", "--no-go")[2]
    assert said("attest", "1.2", "--no-go", "--comment", "it fails")[0] == ExitCode.GO
    assert "there is no item 99.9" in said("attest", "99.9", "--go")[2]

    assert "no go/no-go poll is open" in said("poll", "--go")[2]
    assert "open a poll with --open, or answer it" in said("poll", "--open", "promote", "--go")[2]
    sit("cap")
    assert "is open: app answers first" in said("poll", "--open", "promote")[1]
    assert "app answers before cap" in said("poll", "--go")[2]
    sit("app")
    assert "cap answers next" in said("poll", "--go", "--comment", "ready")[1]
    assert "app said GO already" in said("poll", "--go")[2]
    sit("cap")
    assert "everybody said GO" in said("poll", "--go")[1]
    stop(engine)
    assert f"no engine is reached at {log}" in said("attest", "1.2", "--go")[2]

    view = view_of(engine.log)
    one, ended = view.request(seq), view.polls[-1]
    assert one is not None
    assert one.state is RequestState.GRANTED
    assert one.answered_key.startswith("SHA256:")
    assert one.answered_key != one.key
    assert ended.state is PollState.GO
    assert [seat.key for seat in ended.seats] == [one.answered_key, one.key]
    found = verify(engine.log)
    assert found.ok, found.message
    with LogReader(engine.log) as reader:
        page = report(reader.every(), found)
    assert f"NO-GO by {ME} (SSH key {one.answered_key})" in page.replace("\\", "")
    assert f"app GO by {ME} (SSH key {one.answered_key})" in page.replace("\\", "")
    capsys.readouterr()
    assert main(["verify", str(engine.log)]) == ExitCode.GO
    shown = capsys.readouterr().out
    assert one.key in shown
    assert one.answered_key in shown
