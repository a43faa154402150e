"""One chart on the real control plane, by the console: deployed, equal, rolled back, changed by hand."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from checks.base import CouldNotLookError
from console.engine.operations.compare.drift import drift_of, of_object
from console.engine.operations.compare.live_objects import LiveObjects, by_key
from console.engine.operations.run.context import Site
from console.engine.operations.verdict.helm_history import history
from console.rehearsal.dotmac.names import Env
from state.base.json import Json, JsonObject, obj, path
from state.view.enums import OperationState as State
from state.view.enums import Tier
from tests.cluster.charts.making import LEVELS, Chart, write
from tests.cluster.control_plane import ADMINS
from tests.cluster.fields import by_field
from tests.cluster.kube_api import JSON_PATCH, KubeHttp
from tests.cluster.shared import Cluster
from tests.console.engine.operations.helms import real
from tests.console.engine.operations.stand import Stand, on_world, section

_HAND = "kubectl-edit"
EVERY = "every"
"""The seed that draws nothing, and tries all."""


@dataclass(slots=True)
class Proof:
    """A chart's launch, and what was found of it."""

    chart: Chart
    stand: Stand
    api: KubeHttp
    namespace: str
    values: Path

    @property
    def site(self) -> Site:
        """Where the release is, as the console's operations see it."""
        return self.stand.operations._site(Tier.STAGING)

    async def run(self, operation: str) -> None:
        """Run an operation, which must succeed, with nothing said to differ."""
        ended = await self.stand.run(operation)
        steps = self.stand.steps()
        assert ended.state is State.SUCCEEDED, f"{operation}: {ended.verdict} {steps}"
        state, words = steps["objects"]
        # What the API lets nobody change, such as a bound claim, it doesn't take in a dry run either.
        assert (state, words.partition(";")[0]) == ("done", "live is what helm recorded"), (
            f"{operation}: {words}"
        )
        assert "set by others" not in words, f"{operation}: {words}"

    async def changed_by_hand(self, seed: str) -> str:
        """Change one field, drawn from all that the manifest sets and the API lets one change; return what it was.

        Raises AssertionError where that isn't found.
        """
        manifest = (await history(self.site))[-1].manifest
        expected = by_key(manifest, self.namespace)
        asked = LiveObjects(self.site)
        live = await asked.get(list(expected))
        fields = [(key, one) for key in sorted(expected) for one in by_field(expected[key], live[key])]
        random.Random(seed).shuffle(fields)
        for key, alternatives in fields:
            for change in alternatives:
                if not await self._changes(asked.path(key), change, live[key]):
                    continue
                words = f"{key[1]}/{key[3]} {change['path']}"
                found = await drift_of(self.site, manifest)
                assert f"{key[1]}/{key[3]}" in {one.object for one in found.found if one.lasting}, (
                    f"missed: {words}"
                )
                return words
        raise AssertionError("no field could be changed")

    async def every_field(self) -> str:
        """Change every field that can be, one after the other, and put each back; return how many.

        Raises AssertionError with the places of those that weren't found.
        """
        manifest = (await history(self.site))[-1].manifest
        expected = by_key(manifest, self.namespace)
        asked = LiveObjects(self.site)
        tried, missed = 0, list[str]()
        for key in sorted(expected):
            for alternatives in by_field(expected[key], (await asked.get([key]))[key]):
                live = (await asked.get([key]))[key]
                change = await self._first(asked.path(key), alternatives, live)
                if change is None:
                    continue
                tried += 1
                found = await of_object(asked, key, expected[key], (await asked.get([key]))[key])
                if not any(one.lasting for one in found.found):
                    missed.append(f"{key[1]}/{key[3]} {change['path']} {change['value']!r}")
                if not await self._put_back(asked.path(key), change, live):
                    break  # what was made immutable stays as it is
        assert tried, "no field could be changed"
        assert not missed, f"missed {len(missed)} of {tried}: {'; '.join(missed)}"
        return f"{tried} fields"

    async def _first(
        self, where: str, alternatives: Sequence[JsonObject], live: JsonObject
    ) -> JsonObject | None:
        """Make the first change that the API takes; None where it takes none."""
        for change in alternatives:
            if await self._changes(where, change, live):
                return change
        return None

    async def _put_back(self, where: str, change: JsonObject, live: JsonObject) -> bool:
        """Undo a change; return whether the API takes that."""
        parts = [part.replace("~1", "/").replace("~0", "~") for part in str(change["path"]).split("/")[1:]]
        was: Json = live
        for part in parts:
            was = was[int(part)] if isinstance(was, list) else obj(was).get(part)
        back = {**change, "value": was} if was is not None else {"op": "remove", "path": change["path"]}
        query = {"fieldManager": _HAND}
        return (await self.api.ask("PATCH", where, [back], query=query, kind=JSON_PATCH))[0] < 400

    async def _changes(self, where: str, change: JsonObject, live: JsonObject) -> bool:
        """Make a change; return whether it was one."""
        for dry in ("All", ""):
            query = {"fieldManager": _HAND, **({"dryRun": dry} if dry else {})}
            status, now = await self.api.ask("PATCH", where, [change], query=query, kind=JSON_PATCH)
            if status >= 400 or not _differs(now, live):
                return False
        return True


def _differs(one: JsonObject, other: JsonObject) -> bool:
    def bare(thing: JsonObject) -> str:
        meta = {k: v for k, v in obj(thing.get("metadata")).items() if k in {"labels", "annotations"}}
        return json.dumps({**thing, "metadata": meta, "status": None}, sort_keys=True)

    return bare(one) != bare(other)


@asynccontextmanager
async def proof(
    cluster: Cluster, api: KubeHttp, base: Stand, chart: Chart, folder: Path, major: int
) -> AsyncIterator[Proof]:
    """Open a launch of a chart in a namespace of its own, on a world that others use too."""
    namespace = await cluster.namespace(api, f"c{chart.name[-2:]}")
    config = cluster.kubeconfig(
        f"ann-{namespace}", folder / "config", groups=[ADMINS], contexts=[env.value for env in Env]
    )
    made = write(chart, folder / "chart", namespace)
    values = folder / "values.yaml"
    values.write_text(f"level: {LEVELS[0]}\n")

    def change(body: dict[str, Json]) -> None:
        real(major)(body)
        images = obj(section(body, "candidate").get("images"))
        candidate = section(body, "candidate")
        candidate["images"] = {"web": images["backend"]}
        candidate["migration"] = None
        for env in Env:
            environment = section(body, "environments", env.value)
            section(environment, "kube").update(
                kubeconfig=str(config), context=env.value, namespace=namespace
            )
            keys: dict[str, Json] = {"image_keys": {"web": chart.image_keys}} if chart.image_keys else {}
            environment["chart"] = {"path": str(made), "version": "0.1.0", "values": [str(values)], **keys}
            environment["secrets"] = []
            environment["apply_secrets"] = []

    stand = await on_world(base.world, folder / "chart.lclog", change, each_s=60)
    try:
        yield Proof(chart, stand, api, namespace, values)
    finally:
        await stand.close()
        await api.ask("DELETE", f"/api/v1/namespaces/{namespace}")


async def prove(
    cluster: Cluster, api: KubeHttp, base: Stand, chart: Chart, folder: Path, major: int, seed: str
) -> str:
    """Prove all of a chart and return the field that was changed by hand; all of them where the seed is `every`.

    Raises AssertionError.
    """
    folder.mkdir(parents=True)  # noqa: ASYNC240  one quick call
    async with proof(cluster, api, base, chart, folder, major) as one:
        try:
            await one.run("staging.deploy")
            one.values.write_text(f"level: {LEVELS[1]}\n")
            await one.run("staging.deploy")
            await one.run("staging.rollback")
            config = await api.get(f"/api/v1/namespaces/{one.namespace}/configmaps/web-config")
            assert path(config, ("data", "level")) == LEVELS[0]
            return await (one.every_field() if seed == EVERY else one.changed_by_hand(seed))
        except CouldNotLookError as error:
            raise AssertionError(f"could not look: {error}") from error
