"""``launch-console scan``: what a launch left behind, looked over for the values that its runbook knows."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
import yaml

from console.cli.commands import COMMANDS
from console.cli.scan.scan import run
from console.exit_codes import ExitCode
from state.events.event import Draft
from state.events.log import NoteAdded
from tests.console.engine.outside import write_runbook
from tests.state.log.support import new_store

SECRETS = {
    "values.yaml: database.password": "of-the-values-83649",
    "the variable SCAN_TOKEN": "of-a-variable-x83Ls0wP",
    "token.txt": "of-a-file-Kq71mz",
    "app.env: API_KEY": "of-an-env-file-9f2Qx",
    "the kubeconfig of": "of-the-kubeconfig-Vn82kd",
    "values.yaml: pin": "83649275123456",
}
TOLD = {**SECRETS, "values.yaml: pin": "8.3649275123456e+13"}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a runbook, everything that it names, and an empty log."""
    monkeypatch.setenv("SCAN_TOKEN", SECRETS["the variable SCAN_TOKEN"])
    (tmp_path / "token.txt").write_text(f"{SECRETS['token.txt']}\n")
    (tmp_path / "app.env").write_text(f"API_KEY={SECRETS['app.env: API_KEY']}\n")
    values = f"database: {{password: {SECRETS['values.yaml: database.password']}}}\npin: 83649275123456\n"
    (tmp_path / "values.yaml").write_text(values)
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart" / "values.yaml").write_text("replicas: 3\n")
    path = write_runbook(tmp_path, "http://127.0.0.1:9")
    body = yaml.safe_load(path.read_text())
    for env in body["environments"].values():
        bare = {key: env[key] for key in ("title", "tier", "kube", "release", "domains") if key in env}
        env |= {"chart": {"path": "chart", "version": "1", "values": ["values.yaml"]}, **bare}
        env["prometheus"] = {"url": "http://127.0.0.1:9", "token": {"env": "SCAN_TOKEN"}}
        env["alertmanager"] = {"url": "http://127.0.0.1:9", "token": {"file": "token.txt"}}
        env["apply_secrets"] = [{"name": "app", "env_file": "app.env"}]
    path.write_text(yaml.safe_dump(body))
    config = yaml.safe_load((tmp_path / "kubeconfig").read_text())
    config["users"][0]["user"] = {"token": SECRETS["the kubeconfig of"]}
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    new_store(tmp_path / "x.lclog").close()
    return tmp_path


def scanned(place: Path, capsys: pytest.CaptureFixture[str]) -> tuple[ExitCode, dict[str, str], str]:
    """Return the exit code, the sources that were found with their places, and all that was printed."""
    code = run(place / "x.lclog", place / "runbook.yaml", [], cluster=False, as_json=True)
    told = capsys.readouterr().out
    body = json.loads(told)
    assert len(told) < 20_000
    found = {f"{one['file']} {one['place']}": one["value_of"] for one in body["found"]}
    return code, found, told


def noted(place: Path, *texts: str) -> None:
    (place / "x.lclog").unlink()
    with new_store(place / "x.lclog") as store:
        store.append_many([Draft(NoteAdded(one)) for one in texts]).result()


def without_missing(place: Path) -> list[str]:
    """Give every variable that the example's runbook names, so that nothing is unread."""
    from state.runbook.load import load_runbook
    from state.runbook.units import secret_refs

    return [ref.env or "" for _, ref in secret_refs(load_runbook(place / "runbook.yaml").runbook)]


@pytest.mark.parametrize("source", SECRETS)
def test_a_value_is_found_in_an_event_and_never_told(
    place: Path, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    coded = base64.b64encode(SECRETS[source].encode()).decode()
    noted(place, "all is well", f"it said {TOLD[source]}!", f"and {coded}")
    code, found, told = scanned(place, capsys)
    assert code is ExitCode.NO_GO
    places = [where for where, named in found.items() if source in named]
    assert any("event 3 (note.added)" in one for one in places), found
    assert any("event 4 (note.added)" in one for one in places), found
    assert all(value not in told for value in (*SECRETS.values(), *TOLD.values(), coded))


@pytest.mark.parametrize(
    "name",
    [
        *("x.lclog.programs/1/err", "x.lclog.attachments/a", "x.lclog.engine.out", "x.lclog-journal", "x.md"),
        "x.archive.lclog",
    ],
)
def test_a_value_is_found_in_what_lies_beside_the_log(
    place: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = place / name
    file.parent.mkdir(parents=True, exist_ok=True)
    value = SECRETS["values.yaml: database.password"]
    if name.endswith(".lclog"):
        with new_store(file) as store:
            store.append(Draft(NoteAdded(value))).result()
    else:
        file.write_text(f"first\nsecond {value[:10]}\n  {value[10:]} third\n")  # cut by a line's end
    code, found, told = scanned(place, capsys)
    assert code is ExitCode.NO_GO
    assert [one for one in found if str(file) in one]
    assert value not in told


def test_clean_is_said_only_where_everything_was_looked_for(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    noted(place, "all is well")
    for name in without_missing(place):
        if name and name != "SCAN_TOKEN":
            monkeypatch.setenv(name, f"some-value-of-{name}")
    code = run(place / "x.lclog", place / "runbook.yaml", [], cluster=False, as_json=False)
    told = capsys.readouterr().out
    assert (code, told.splitlines()[0].split()[0]) == (ExitCode.GO, "CLEAN"), told
    monkeypatch.delenv("SCAN_TOKEN")
    assert run(place / "x.lclog", place / "runbook.yaml", [], cluster=False, as_json=False) is ExitCode.BLIND
    told = capsys.readouterr().out
    assert told.startswith("UNKNOWN")
    assert "not looked for: token: " in told
    assert not any(value in told for value in SECRETS.values())


def test_a_value_that_was_freed_in_the_file_is_found(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    value = SECRETS["values.yaml: database.password"]
    with (place / "x.lclog").open("ab") as file:
        file.write(b"\0" * 100 + value.encode() + b"\0" * 3983)
    code, found, _ = scanned(place, capsys)
    assert code is ExitCode.NO_GO
    assert any(one.endswith("its bytes") for one in found)


def test_the_command_is_in_the_table() -> None:
    assert any(one.name == "scan" for one in COMMANDS)
