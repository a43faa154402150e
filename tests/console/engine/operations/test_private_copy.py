"""What was previewed is what helm reads: chart and values are swapped at every moment, and it makes no difference."""

from __future__ import annotations

import asyncio
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from console.engine.commands.dispatch import Commands
from console.engine.commands.handler import CommandContext
from console.engine.operations.helm import private_copy
from console.engine.operations.helm.private_copy import CopyError, PrivateCopies, PrivateCopy, input_parts
from console.engine.ports import Who
from console.rehearsal.dotmac.names import Env
from console.rehearsal.sim.kubernetes import PodPlan
from console.rehearsal.world.runbook import account
from state.base.json import Json, integer, path
from state.commands import Confirmation
from state.events.bodies import body_as
from state.events.event import Draft
from state.events.launch import ConsoleOpened
from state.events.operations import OperationIntended
from state.log.trouble import StoreState
from state.runbook.environment import Chart
from state.view.enums import OperationState as State
from tests.console.engine.operations.helms import both_helms, launched
from tests.console.engine.operations.stand import ANN, TWO, Hold, Stand, launch, section, wrapped_helm
from tests.console.rehearsal.serving import served

CAPTAIN = Who(account(), "socket peer", "c1")
CHANGED = "chart or values changed since the preview: look again"


def swap(stand: Stand) -> None:
    """Write another values file and another chart, as a pull of somebody else's work does."""
    values = stand.world.folder.values(Env.STAGING)
    values.write_text(values.read_text().replace("backend: 2", "backend: 3"))
    template = stand.platform.chart / "templates" / "backend-deployment.yaml"
    template.write_text(template.read_text().replace("periodSeconds: 10", "periodSeconds: 11"))


def live(stand: Stand) -> tuple[int, int]:
    """Return the replicas and the period of the probe that the backend has now."""
    found = stand.world.store.need("deployments", Env.STAGING.namespace, "dotmac-backend")
    (container,) = path(found, ("spec", "template", "spec", "containers"))  # type: ignore[misc]  # one
    probe = path(container, ("readinessProbe", "periodSeconds"))
    return integer(found["spec"], "replicas"), int(str(probe))  # type: ignore[arg-type]  # an object


def copies(stand: Stand) -> list[Path]:
    folder = stand.store.path.with_suffix(".operations") / "inputs"
    return sorted(folder.iterdir()) if folder.is_dir() else []


def intended(stand: Stand) -> OperationIntended:
    events = [e for e in stand.store.read(0, 500) if e.kind == OperationIntended.KIND]
    return body_as(OperationIntended, events[-1])


async def test_swapped_between_the_confirmation_and_helm(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        preview = await stand.operations.preview("staging.deploy", ANN)
        hold = Hold(stand, "POST", "/leases")
        await stand.start("staging.deploy")
        await hold.reached.wait()
        swap(stand)
        hold.go.set()
        ended = await stand.ended()
        assert ended.state is State.SUCCEEDED, ended.verdict
        assert live(stand) == (2, 10)
        body = intended(stand)
        assert body.inputs_sha == preview.inputs_sha
        assert f"/inputs/{body.inputs_sha[:16]}/chart/" in body.commands[0]
        assert copies(stand) == [], "removed with what it holds, once the operation has ended"
        changed = await stand.operations.preview("staging.deploy", ANN)
        assert changed.inputs_sha != preview.inputs_sha
        assert any("spec.replicas 2 → 3" in line for line in changed.diff)


async def test_swapped_by_the_time_that_helm_runs(tmp_path: Path) -> None:
    values = tmp_path / "which"
    script = (
        f'case "$*" in *--dry-run*) ;; *upgrade*) sed -i "s/backend: 2/backend: 3/" "$(cat {values})";; esac'
    )
    async with launch(tmp_path, change=wrapped_helm(tmp_path, script)) as stand:
        file = stand.world.folder.values(Env.STAGING)
        values.write_text(str(file))
        assert (await stand.run("staging.deploy")).state is State.SUCCEEDED, stand.last().verdict
        assert "backend: 3" in file.read_text()
        assert live(stand) == (2, 10)


@pytest.mark.wire
@both_helms
async def test_swapped_in_the_middle_of_real_helm(tmp_path: Path, major: int) -> None:
    async with launched(tmp_path, major) as stand:
        preview = await stand.operations.preview("staging.deploy", ANN)
        hold = Hold(stand, "POST", "/secrets")  # helm's record: its first write
        await stand.start("staging.deploy")
        await hold.reached.wait()
        swap(stand)
        hold.go.set()
        assert (await stand.ended()).state is State.SUCCEEDED, stand.last().verdict
        assert live(stand) == (2, 10)
        assert intended(stand).inputs_sha == preview.inputs_sha


async def test_what_changed_since_the_preview_is_told(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        context = CommandContext(
            stand.journal,
            stand.runbook,
            runner=None,  # type: ignore[arg-type]  # no check is run
            operations=stand.operations,
            stop=lambda _why, _who: None,
            log_state=StoreState,
        )
        commands, args = Commands(context), {"operation": "staging.deploy"}
        await stand.go(1, 2, 3, 4, 5, 6, 7)
        driving = ConsoleOpened(CAPTAIN.console, "tty1", drives=True, how_known=CAPTAIN.how_known)
        await stand.journal.record(Draft(driving, actor=CAPTAIN.account))
        shown = await commands.preview("operation.run", args, CAPTAIN)
        assert shown.allowed, shown.reason
        given = Confirmation(shown.phrase, shown.token)
        template = stand.platform.chart / "templates" / "backend-deployment.yaml"
        before = template.read_text()
        template.write_text(before.replace("periodSeconds: 10", "periodSeconds: 11"))
        assert (await commands.run("operation.run", args, given, CAPTAIN)).message == CHANGED
        assert not stand.journal.view.operations
        template.write_text(before)
        reply = await commands.run("operation.run", args, given, CAPTAIN)
        assert reply.ok, reply.message
        assert (await stand.ended()).state is State.SUCCEEDED
        assert intended(stand).inputs_sha == shown.inputs_sha


async def test_only_what_was_previewed_is_started(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        preview = await stand.operations.preview("staging.deploy", ANN)
        swap(stand)
        stand.operations._copies.clear()  # somebody else's previews came between: it is no longer kept
        reply = await stand.operations.start("staging.deploy", ANN, TWO, preview.inputs_sha)
        assert (reply.ok, reply.message) == (False, CHANGED)
        again = await stand.operations.preview("staging.deploy", ANN)
        swap(stand)
        stand.world.folder.values(Env.STAGING).unlink()
        assert (await stand.operations.start("staging.deploy", ANN, TWO, again.inputs_sha)).ok
        assert (await stand.ended()).state is State.SUCCEEDED, stand.last().verdict
        assert live(stand) == (3, 11)


async def test_a_copy_that_somebody_wrote_into_is_not_used(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        hold = Hold(stand, "POST", "/leases")
        await stand.start("staging.deploy")
        await hold.reached.wait()
        (folder,) = copies(stand)
        values = next((folder / "values").iterdir())
        values.write_text(values.read_text().replace("backend: 2", "backend: 3"))
        hold.go.set()
        ended = await stand.ended()
        assert ended.state is State.FAILED
        assert "its private copy of chart and values isn't what was previewed any more" in ended.verdict
        assert not ended.pid
        assert live(stand)[0] == 2


async def test_a_new_engine_takes_the_copy_over_and_removes_it(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        stand.bad_pods(Env.STAGING, PodPlan(ready=False))
        await stand.start("staging.deploy")
        await stand.until(lambda: stand.release(Env.STAGING, 2) is not None)
        (kept,) = copies(stand)
        assert {oct(p.stat().st_mode)[-3:] for p in kept.rglob("*")} == {"700", "600"}
        assert oct(kept.stat().st_mode)[-3:] == oct(kept.parent.stat().st_mode)[-3:] == "700"
        (kept.parent / "new-left-behind").mkdir()
        newer = await stand.again()
        await newer.operations.resume()
        assert copies(newer) == [kept], "helm still runs from it"
        await newer.operations.abort(ANN, "enough")
        await newer.ended()
        assert copies(newer) == []
        await newer.close()


async def test_a_chart_that_cannot_be_copied_is_refused_in_a_line(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        outside = tmp_path / "outside.yaml"
        outside.write_text("kind: ConfigMap\n")
        link = stand.platform.chart / "templates" / "linked.yaml"
        link.symlink_to(outside)
        answer = await stand.refused("staging.deploy", TWO)
        assert f"linked.yaml is a link to {outside}, which is not in the chart: put a copy there" in answer
        link.unlink()
        stand.world.folder.values(Env.STAGING).unlink()
        answer = await stand.refused("staging.deploy", TWO)
        assert "staging.yaml: No such file or directory" in answer
        assert (await stand.operations.preview("staging.rollback", ANN)).inputs_sha == ""


@pytest.mark.wire
@both_helms
async def test_a_chart_from_elsewhere_is_fetched_once_and_run(tmp_path: Path, major: int) -> None:
    fetched: list[str] = []
    packed = io.BytesIO()

    async def give(request: web.Request) -> web.Response:
        fetched.append(request.path)
        return web.Response(body=packed.getvalue())

    app = web.Application()
    app.router.add_get("/charts/{name}", give)
    async with served(app) as url:

        def change(body: dict[str, Json]) -> None:
            section(body, "environments", "staging", "chart")["path"] = (
                f"{url}/charts/dotmac-platform-0.1.0.tgz"
            )

        async with launched(tmp_path, major, change=change) as stand:
            with tarfile.open(fileobj=packed, mode="w:gz") as archive:
                archive.add(stand.platform.chart, "dotmac-platform")
            preview = await stand.operations.preview("staging.deploy", ANN)
            assert "/chart/dotmac-platform-0.1.0.tgz " in preview.commands[0]
            assert len(fetched) == 1
            reply = await stand.operations.start("staging.deploy", ANN, TWO, preview.inputs_sha)
            assert reply.ok, reply.message
            assert (await stand.ended()).state is State.SUCCEEDED, stand.last().verdict
            assert len(fetched) == 1, "what was previewed is what was run"


# the copies themselves


def made(folder: Path) -> Chart:
    """Return a small chart, with two values files of one name."""
    (folder / "chart" / "templates").mkdir(parents=True)
    (folder / "chart" / "Chart.yaml").write_text("name: c\nversion: 1.0.0\n")
    (folder / "chart" / "templates" / "a.yaml").write_text("kind: A\n")
    (folder / "other").mkdir()
    for name in ("chart", "other"):
        (folder / name / "values.yaml").write_text(f"of: {name}\n")
    values = (folder / "chart" / "values.yaml", folder / "other" / "values.yaml")
    return Chart(path=str(folder / "chart"), version="1.0.0", values=values)


async def nothing(_folder: Path) -> None:
    raise AssertionError("the chart is on this machine")


async def copied(folder: Path, chart: Chart) -> PrivateCopy:
    return await PrivateCopies(folder / "private").make(chart, nothing)


async def test_a_copy_is_what_it_was_made_of(tmp_path: Path) -> None:
    chart = made(tmp_path)
    copy = await copied(tmp_path, chart)
    assert [file.read_text() for file in copy.chart.values] == ["of: chart\n", "of: other\n"]
    assert sorted(p.name for p in (copy.folder / "chart").rglob("*") if p.is_file()) == [
        "Chart.yaml",
        "a.yaml",
        "values.yaml",
    ]
    assert copy.parts == input_parts(chart, chart)
    assert copy.sha == (await copied(tmp_path, chart)).sha
    assert not copy.changed()
    next(iter(copy.chart.values)).write_text("of: nobody\n")
    assert copy.changed()


def _append(name: str) -> Callable[[Path], object]:
    def append(folder: Path) -> None:
        with (folder / name).open("a") as file:
            file.write("more: 1\n")

    return append


@pytest.mark.parametrize(
    "change",
    [
        _append("chart/templates/a.yaml"),
        _append("chart/values.yaml"),
        _append("other/values.yaml"),
        _append("chart/templates/new.yaml"),
        lambda folder: (folder / "chart/templates/a.yaml").rename(folder / "chart/templates/b.yaml"),
        lambda folder: (folder / "chart/templates/a.yaml").unlink(),
    ],
)
async def test_every_change_changes_the_hash_and_the_parts(
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    chart = made(tmp_path)
    before = await copied(tmp_path, chart)
    change(tmp_path)
    after = await copied(tmp_path, chart)
    assert after.sha != before.sha
    assert after.parts != before.parts


async def test_links_inside_are_followed_as_helm_follows_them(tmp_path: Path) -> None:
    chart = made(tmp_path)
    real = tmp_path / "chart" / "real"
    (tmp_path / "chart" / "templates").rename(real)
    (tmp_path / "chart" / "templates").symlink_to("real")
    before = await copied(tmp_path, chart)
    assert (Path(before.chart.path) / "templates" / "a.yaml").read_text() == "kind: A\n"
    assert not any(p.is_symlink() for p in before.folder.rglob("*"))
    (real / "a.yaml").write_text("kind: B\n")
    after = await copied(tmp_path, chart)
    assert after.sha != before.sha
    assert after.parts[0] != before.parts[0]


@pytest.mark.parametrize("target", ["/etc/hostname", "../other", "nowhere", "."])
async def test_links_that_lead_out_or_nowhere_or_round_are_refused(tmp_path: Path, target: str) -> None:
    chart = made(tmp_path)
    (tmp_path / "chart" / "link").symlink_to(target)
    with pytest.raises(CopyError, match=r"not in the chart|No such file|folders deep"):
        await copied(tmp_path, chart)
    assert list((tmp_path / "private" / "inputs").iterdir()) == []
    assert input_parts(chart, chart)[0][1] == "unreadable"


async def test_a_chart_and_a_values_file_may_themselves_be_links(tmp_path: Path) -> None:
    chart = made(tmp_path)
    (tmp_path / "by-link").symlink_to("chart")
    (tmp_path / "values-by-link.yaml").symlink_to("other/values.yaml")
    linked = chart.model_copy(
        update={"path": str(tmp_path / "by-link"), "values": (tmp_path / "values-by-link.yaml",)}
    )
    copy = await copied(tmp_path, linked)
    assert copy.chart.values[0].read_text() == "of: other\n"
    assert copy.parts == input_parts(linked, linked)


async def test_pipes_and_too_much_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chart = made(tmp_path)
    pipe = tmp_path / "chart" / "pipe"
    os.mkfifo(pipe)
    async with asyncio.timeout(5):
        with pytest.raises(CopyError, match="pipe is no file"):
            await copied(tmp_path, chart)
        assert input_parts(chart, chart)[0][1]
    pipe.unlink()
    monkeypatch.setattr(private_copy, "MAX_BYTES", 30)
    with pytest.raises(CopyError, match="more than 0 MiB"):
        await copied(tmp_path, chart)
    monkeypatch.setattr(private_copy, "MAX_FILES", 4)
    with pytest.raises(CopyError, match="more than"):
        await copied(tmp_path, chart)
    assert list((tmp_path / "private" / "inputs").iterdir()) == []


async def test_of_copies_that_nobody_uses_the_newest_two_stay(tmp_path: Path) -> None:
    chart, copies_ = made(tmp_path), PrivateCopies(tmp_path / "private")
    kept = []
    for number in range(4):
        (tmp_path / "other" / "values.yaml").write_text(f"number: {number}\n")
        copy = await copies_.make(chart, nothing)
        kept.append(copy)
        copies_.let_go(copy)
    assert [copy.folder.is_dir() for copy in kept] == [False, False, True, True]
    used, idle = copies_.find(kept[3].sha), copies_.find(kept[0].sha)
    assert (used is not None, idle) == (True, None)
    copies_.clear()
    assert [copy.folder.is_dir() for copy in kept] == [False, False, False, True]
    both = await copies_.make(chart, nothing)
    copies_.let_go(used, ended=True)
    assert both.folder.is_dir(), "a second one still looks at the same"
    copies_.let_go(both, ended=True)
    assert not both.folder.exists()
