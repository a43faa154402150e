"""Charts that a chart depends on: vendored they are deployed, missing they are named before anything runs."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from console.engine.operations.helm.chart import lacking
from console.rehearsal.dotmac.names import Env
from state.view.enums import OperationState as State
from tests.console.engine.operations.helms import both_helms, launched
from tests.console.engine.operations.screen import asked, told
from tests.console.engine.operations.stand import ANN, Stand

NEEDS = "dependencies:\n  - name: cache\n    version: {}\n    repository: https://charts.example.test\n"
CHART = "apiVersion: v2\nname: cache\nversion: 1.2.0\n"
OBJECT = """apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-cache
data:
  size: {{ .Values.size | quote }}
"""


def _chart(folder: Path, version: str = "1.2.0") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    before = (folder / "Chart.yaml").read_text() if (folder / "Chart.yaml").exists() else ""
    (folder / "Chart.yaml").write_text(before + NEEDS.format(version))
    return folder


def _vendor(chart: Path) -> None:
    inner = chart / "charts" / "cache"
    (inner / "templates").mkdir(parents=True)
    (inner / "Chart.yaml").write_text(CHART)
    (inner / "values.yaml").write_text("size: small\n")
    (inner / "templates" / "cache.yaml").write_text(OBJECT)


def test_what_is_missing_or_of_another_version_is_named(tmp_path: Path) -> None:
    chart = _chart(tmp_path)
    do = f"run helm dependency build {chart}"
    (one,) = lacking(chart)
    assert (one.words, one.missing) == (
        f"the chart needs cache 1.2.0, which is not in its charts folder: {do}",
        True,
    )
    _vendor(chart)
    assert lacking(chart) == []
    (chart / "Chart.lock").write_text(NEEDS.format("1.2.1"))
    (one,) = lacking(chart)
    assert (one.words, one.missing) == (
        f"the charts folder has cache 1.2.0, Chart.lock says 1.2.1: {do}",
        False,
    )


def test_an_archive_and_a_range_will_do(tmp_path: Path) -> None:
    chart = _chart(tmp_path, "^1.0.0")
    (chart / "charts").mkdir()
    (chart / "charts" / "README.md").write_text("not a chart")
    with tarfile.open(chart / "charts" / "cache-1.2.0.tgz", "w:gz") as archive:
        entry = tarfile.TarInfo("cache/Chart.yaml")
        entry.size = len(CHART)
        archive.addfile(entry, io.BytesIO(CHART.encode()))
    assert lacking(chart) == []
    (chart / "charts" / "cache-1.2.0.tgz").write_bytes(b"broken")
    assert [one.missing for one in lacking(chart)] == [True]


def test_an_archived_chart_and_one_without_needs_lack_nothing(tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text(CHART)
    assert lacking(tmp_path) == []
    assert lacking(tmp_path / "chart.tgz") == []


@pytest.mark.wire
@both_helms
async def test_it_is_vendored_and_deployed(tmp_path: Path, major: int) -> None:
    async with launched(tmp_path, major) as stand:
        chart = _chart(stand.platform.chart)
        shown = asked(await stand.operations.preview("staging.deploy", ANN))
        assert "✖ the chart needs cache 1.2.0, which is not in its charts folder" in shown
        assert "run helm dependency build" in shown
        assert "An override" not in shown
        _vendor(chart)
        preview = await stand.operations.preview("staging.deploy", ANN)
        assert "ConfigMap/dotmac-cache: is created (v1)" in preview.diff
        assert (await stand.run("staging.deploy")).state is State.SUCCEEDED, stand.last().verdict
        assert "revision 2 (deployed) runs: 5 pods" in told(stand)
        assert _size(stand) == {"size": "small"}


def _size(stand: Stand) -> object:
    found = stand.world.store.peek("configmaps", Env.STAGING.namespace, "dotmac-cache")
    return found["data"] if found is not None else None
