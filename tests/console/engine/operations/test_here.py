"""An engine says what its machine lacks before anybody sees a frame, in the log, and never what a secret is."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from state.base.json import obj
from state.events.launch import EngineStarted
from state.fold import line_of
from tests.console.engine.stand import Stand, stand


def change(s: Stand, *, helm: str, secret: dict[str, object], context: str | None = None) -> None:
    data = yaml.safe_load(s.runbook.read_text())
    data["helm"] = helm
    for name in ("staging", "production"):
        environment = obj(data["environments"][name])
        kube = {**obj(environment["kube"])}
        if name == "production" and context is not None:
            kube["context"] = context
        data["environments"][name] = {
            **environment,
            "kube": kube,
            "prometheus": {**obj(environment["prometheus"]), "token": secret},
        }
    s.runbook.write_text(yaml.safe_dump(data))


@pytest.fixture
def helm(tmp_path: Path) -> str:
    found = tmp_path / "helm"
    found.write_text("#!/bin/sh\nexit 7\n")
    found.chmod(0o755)
    return str(found)


async def test_the_first_event_of_an_engine_says_what_is_missing(
    tmp_path: Path, helm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    async with stand(tmp_path) as s:
        change(s, helm=f"{helm}-4", secret={"env": "NOT_SET"}, context="nowhere")
        await s.open(run=False)
        found = [(one.what, one.fix) for one in s.view.lacks]
        assert found[0][0] == f"no program '{helm}-4' was found"
        assert "nowhere" in found[1][0]
        assert found[1][1].endswith("environments.production.kube.context")
        assert (
            "environment variable NOT_SET is not set",
            "export NOT_SET=… in the shell that starts the engine",
        ) in found
        assert len(found) == len(set(found))
        (started,) = s.events(EngineStarted.KIND)
        assert "missing here: no program" in line_of(started, s.view).words


async def test_nothing_is_said_of_what_is_there_and_what_was_missing_is_forgotten_once_it_is_there(
    tmp_path: Path, helm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stand(tmp_path) as s:
        change(s, helm="no-such-helm", secret={"env": "CANARY_TOKEN"})
        monkeypatch.setenv("CANARY_TOKEN", "canary-7d1f")
        await s.open(run=False)
        told = [one.what for one in s.view.lacks]
        assert told[0] == "no program 'no-such-helm' was found"
        assert not [one for one in told if "CANARY" in one]
        await s.engine.close()
        assert not tuple(s.view.lacks)
        change(s, helm=helm, secret={"env": "CANARY_TOKEN"})
        await s.open(run=False)
        assert not [one for one in s.view.lacks if "program" in one.what]
        assert b"canary-7d1f" not in s.log.read_bytes()


@pytest.mark.parametrize(
    ("secret", "what"),
    [
        ({"env": "NOT_SET"}, "environment variable NOT_SET is not set"),
        ({"file": "/nowhere/token"}, "secret file /nowhere/token: No such file or directory"),
        (
            {"exec": ["no-such-teller", "--now"]},
            "no program 'no-such-teller', which tells a token, was found",
        ),
    ],
)
async def test_every_kind_of_source(
    secret: dict[str, object], what: str, tmp_path: Path, helm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    async with stand(tmp_path) as s:
        change(s, helm=helm, secret=secret)
        await s.open(run=False)
        assert what in [one.what for one in s.view.lacks]


async def test_a_program_that_tells_a_token_is_not_run_for_it(tmp_path: Path, helm: str) -> None:
    ran = tmp_path / "ran"
    teller = tmp_path / "teller"
    teller.write_text(f"#!/bin/sh\ntouch {ran}\necho t\n")
    teller.chmod(0o755)
    async with stand(tmp_path) as s:
        change(s, helm=helm, secret={"exec": [str(teller)]})
        await s.open(run=False)
        assert not [one for one in s.view.lacks if "teller" in one.what]
        assert not ran.exists()
