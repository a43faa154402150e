"""A launch of the SOP's product whose cluster is the real one; everything else is a rehearsal's."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from console.rehearsal.dotmac.names import PULL_SECRET, RELEASE, SECRET, Env
from state.base.json import Json, JsonObject, obj, objs, text
from tests.cluster.control_plane import ADMINS
from tests.cluster.kube_api import KubeHttp
from tests.cluster.shared import Cluster
from tests.console.engine.operations.helms import find, real
from tests.console.engine.operations.stand import Stand, launch, section

_NOBODY = "http://127.0.0.1:9"
_PULL = '{"auths": {}}'


@dataclass(slots=True)
class RealLaunch:
    """A launch, and where its release is."""

    stand: Stand
    api: KubeHttp
    namespace: str
    kubeconfig: Path
    major: int

    async def helm(self, *words: str, code: int = 0) -> str:
        """Run helm as a person would, beside the console, and return what it printed."""
        process = await asyncio.create_subprocess_exec(
            find(self.major),
            *words,
            *("--kubeconfig", str(self.kubeconfig), "--namespace", self.namespace),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 100)
        assert process.returncode == code, out.decode()
        return out.decode()

    async def install(self, **images: str) -> None:
        """Install a first revision by hand: with the values' own images, but for those that are named."""
        platform = self.stand.platform
        values = self.stand.world.folder.values(Env.STAGING)
        chosen = [part for name, image in images.items() for part in ("--set", f"image.{name}={image}")]
        await self.helm("install", RELEASE, str(platform.chart), "-f", str(values), *chosen, "--wait")

    async def get(self, plural: str, name: str) -> JsonObject:
        """Return an object of the release's namespace."""
        group = {"deployments": "/apis/apps/v1", "jobs": "/apis/batch/v1"}.get(plural, "/api/v1")
        return await self.api.get(f"{group}/namespaces/{self.namespace}/{plural}/{name}")

    async def revisions(self) -> list[str]:
        """Return ``number status`` of every revision, as helm's labels tell it."""
        query = {"labelSelector": "owner=helm"}
        found = objs((await self.api.get(f"/api/v1/namespaces/{self.namespace}/secrets", query)).get("items"))
        labels = [obj(obj(one.get("metadata")).get("labels")) for one in found]
        return [f"{n} {s}" for n, s in sorted((int(text(o, "version")), text(o, "status")) for o in labels)]


@asynccontextmanager
async def launched(
    cluster: Cluster,
    api: KubeHttp,
    folder: Path,
    major: int,
    *,
    images: Mapping[str, str] | None = None,
    each_s: float = 60,
    migration: Callable[[dict[str, Json]], None] | None = None,
    groups: Sequence[str] = (ADMINS,),
    user: str = "ann",
) -> AsyncIterator[RealLaunch]:
    """Open a launch on namespaces of its own.

    ``images``: what is put behind the name of a candidate's image, so that its pods do that (images.py). No registry
    has such an image: it is out of reach then, which two people override. ``migration``: changes what the runbook
    says of it. ``user``, ``groups``: as whom console and helm act.
    """
    staging, production = [await cluster.namespace(api, f"dotmac-{env}") for env in Env]
    for namespace in (staging, production):
        await _secrets(api, namespace)
    config = cluster.kubeconfig(
        user, folder / "cluster.kubeconfig", groups=groups, contexts=[env.value for env in Env]
    )

    def change(body: dict[str, Json]) -> None:
        real(major)(body)
        for env, namespace in zip(Env, (staging, production), strict=True):
            environment = section(body, "environments", env.value)
            section(environment, "kube").update(
                kubeconfig=str(config), context=env.value, namespace=namespace
            )
            if images:
                section(environment, "registry")["url"] = _NOBODY
        if migration is not None:
            migration(section(body, "candidate", "migration"))
        if images:
            named = section(body, "candidate", "images")
            named.update({part: _behind(str(named[part]), word) for part, word in images.items()})

    async with launch(folder, rate=1.0, change=change, each_s=each_s) as stand:
        yield RealLaunch(stand, api, staging, config, major)


def _behind(reference: str, word: str) -> str:
    name, at, digest = reference.partition("@")
    return f"{name}-{word}{at}{digest}"


async def _secrets(api: KubeHttp, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/secrets"
    body: JsonObject = {"metadata": {"name": SECRET}, "stringData": {"JWT_SECRET": "of a test"}}
    await api.create(path, body)
    data: JsonObject = {".dockerconfigjson": base64.b64encode(_PULL.encode()).decode()}
    pull: JsonObject = {
        "metadata": {"name": PULL_SECRET},
        "type": "kubernetes.io/dockerconfigjson",
        "data": data,
    }
    await api.create(path, pull)
