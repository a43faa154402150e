"""Secrets of the chart's values with real helm 3 and helm 4 that tells all it knows: they are nowhere.

helm runs with ``--debug``: it prints every value, the manifest with its Secrets, and each hook. Its errors name a
value too. Looked at are the log and what lies beside it, the screens and dialogs, the command lines of every
process while all this runs, and helm's environment.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.rehearsal.dotmac.names import Env
from console.rehearsal.sim.kubernetes import PodPlan
from state.base.json import Json
from state.view.enums import OperationState as State
from tests.console.engine.operations.helms import both_helms, find
from tests.console.engine.operations.screen import asked, told
from tests.console.engine.operations.stand import ANN, Hold, Stand, launch, section
from tests.console.rehearsal.dotmac.test_canaries import command_lines, core
from tests.console.rehearsal.dotmac.test_canaries import told as forms

pytestmark = [pytest.mark.wire, both_helms]
OF_VALUES = "it's<of>the&values\\9f2Qx"
OF_CHART = "of-the-charts-own-defaults-7Lw3"
OF_A_SUBCHART = "of-a-vendored-chart-Vn82kd"
OF_NO_NAME = "box-of-somebody-Kq71mz/plain"
OF_A_VARIABLE = "of-a-variable-7fQ2xK9d"
OF_A_FILE = "of-a-file-x83Ls0wP"
KEY_LINES = ("MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v", "Vq0v9sLkJb7yXc2TnQ8wRfG5hD4mPz")
ALL = (OF_VALUES, OF_CHART, OF_A_SUBCHART, OF_NO_NAME, OF_A_VARIABLE, OF_A_FILE, *KEY_LINES)
SECRET = """apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}-of-values
stringData:
  admin: {{ .Values.adminPassword | quote }}
  cache: {{ .Values.cache.password | quote }}
  mail: {{ .Values.mail.box | quote }}
  tls.key: {{ .Values.signing.privateKey | quote }}
"""
NOTES = "The administrator's password is {{ .Values.adminPassword }}.\n"
FAILS = """{{- if lookup "v1" "ConfigMap" .Release.Namespace "fails" }}
{{ fail (printf "cannot use %s with %s" .Values.adminPassword .Values.mail.box) }}
{{- end }}
"""


def _talkative(folder: Path, major: int) -> Path:
    """Return a helm that tells everything, and what it had for an environment."""
    file = folder / "helm-that-talks"
    had = folder / "helm.had"
    script = f'cat /proc/$$/environ >> {had}\nset -- "$@" --debug\nexec {find(major)} "$@"\n'
    file.write_text(f"#!/bin/sh\n{script}")
    file.chmod(0o700)
    return file


def _secretive(stand: Stand) -> None:
    """Give the chart secrets in each place where a chart can have some."""
    chart = stand.platform.chart
    inner = chart / "charts" / "store"
    inner.mkdir(parents=True)
    (inner / "Chart.yaml").write_text("apiVersion: v2\nname: store\nversion: 1.0.0\n")
    (inner / "values.yaml").write_text(f"rootPassword: {OF_A_SUBCHART}\n")
    with (chart / "values.yaml").open("a") as file:
        file.write(f"\ncache:\n  password: {OF_CHART}\n")
    (chart / "templates" / "of-values.yaml").write_text(SECRET)
    (chart / "templates" / "NOTES.txt").write_text(NOTES)
    key = "".join(f"    {line}\n" for line in KEY_LINES)
    with stand.world.folder.values(Env.STAGING).open("a") as file:
        quoted = OF_VALUES.replace("'", "''")
        file.write(
            f"\nadminPassword: '{quoted}'\nmail:\n  box: {OF_NO_NAME}\nsigning:\n  privateKey: |\n{key}"
        )


async def test_they_are_nowhere(tmp_path: Path, major: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPLOY_TOKEN", OF_A_VARIABLE)
    (tmp_path / "database-password").write_text(OF_A_FILE)
    helm = _talkative(tmp_path, major)

    def change(body: dict[str, Json]) -> None:
        body["helm"] = str(helm)
        data: Json = {
            "token": {"env": "DEPLOY_TOKEN"},
            "password": {"file": str(tmp_path / "database-password")},
        }
        section(body, "environments", "staging")["apply_secrets"] = [{"name": "applied", "data": data}]

    async with launch(tmp_path, change=change, each_s=60) as stand:
        watching = asyncio.create_task(command_lines())
        _secretive(stand)
        shown = await _lived_through(stand)
        watching.cancel()
        lines = await watching
        log = stand.store.path
        left = {str(p): p.read_bytes() for p in log.parent.glob(f"{log.stem}*") for p in _files(p)}
        assert _found({"what was shown": "\n".join(shown).encode(), **left}) == []
        assert _found({f"a command line {line[:80]!r}": line for line in lines}) == []
        assert _found({"helm's environment": (tmp_path / "helm.had").read_bytes()}) == []
        assert len([name for name in left if name.endswith(("/out", "/err"))]) == 8
        assert any(b"COMPUTED VALUES:" in raw and b"rootPassword: [redacted]" in raw for raw in left.values())
        assert sum(b"[redacted]" in raw for raw in left.values()) >= 3
        assert any(b"--install" in line for line in lines)


async def _lived_through(stand: Stand) -> list[str]:
    """Fail, succeed, go back, and be followed by another engine; return all that was shown meanwhile."""
    shown = [asked(await stand.operations.preview("staging.deploy", ANN))]
    (stand.platform.chart / "templates" / "late.yaml").write_text(FAILS)
    hold = Hold(stand, "POST", "/leases")
    await stand.start("staging.deploy")
    await hold.reached.wait()
    stand.world.store.put("configmaps", {"metadata": {"name": "fails"}}, Env.STAGING.namespace)
    hold.go.set()
    assert (await stand.ended()).state is State.FAILED
    assert "cannot use [redacted] with [redacted]" in stand.steps()["helm upgrade"][1]
    shown += [told(stand), repr(stand.last()), asked(await stand.operations.preview("staging.deploy", ANN))]
    stand.world.store.delete("configmaps", Env.STAGING.namespace, "fails")
    preview = await stand.operations.preview("staging.deploy", ANN)
    assert (await stand.run("staging.deploy")).state is State.SUCCEEDED, stand.last().verdict
    shown += [repr(preview), told(stand), repr(stand.last())]
    assert (await stand.run("staging.rollback")).state is State.SUCCEEDED, stand.last().verdict
    shown += [told(stand), repr(stand.last())]
    stand.bad_pods(Env.STAGING, PodPlan(ready=False))
    await stand.start("staging.deploy")
    await stand.until(lambda: stand.release(Env.STAGING, 4) is not None)
    newer = await stand.again()  # which has read no secret yet
    os.kill(newer.last().pid, signal.SIGTERM)
    await newer.operations.resume()
    assert (await newer.ended()).state is State.FAILED, newer.last().verdict
    shown += [
        told(newer),
        repr(newer.journal.view),
        asked(await newer.operations.preview("staging.rollback", ANN)),
    ]
    await newer.close()
    return shown


def _files(path: Path) -> Iterator[Path]:
    yield from (one for one in (path.rglob("*") if path.is_dir() else (path,)) if one.is_file())


def _found(told: dict[str, bytes]) -> list[str]:
    needles = {core(form): value for value in ALL for form in forms(value)}
    return sorted(
        {f"{value[:9]} in {name}" for name, raw in told.items() for n, value in needles.items() if n in raw}
    )
