"""An ingress controller that answers nobody: it gives every Ingress an address, as one that serves would."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import aiohttp

from state.base.json import JsonObject, obj, objs, path, text
from tests.cluster.certificates import Authority
from tests.cluster.kube_api import MERGE, ApiError, KubeHttp

ADDRESS = "127.0.0.1"
_INGRESSES = "/apis/networking.k8s.io/v1/ingresses"
_AGAIN_S = 0.5


async def give_addresses(folder: Path) -> None:
    """Follow all Ingresses until cancelled."""
    authority = Authority(folder / "certificates")
    certificate, key = authority.client("tests:ingress-controller", ["system:masters"])
    async with KubeHttp((folder / "url").read_text(), authority.ca, certificate, key) as api:
        while True:
            with contextlib.suppress(aiohttp.ClientError, ApiError, TimeoutError, OSError):
                found = await api.get(_INGRESSES)
                for one in objs(found.get("items")):
                    await _give(api, one)
                version = text(obj(found.get("metadata")), "resourceVersion")
                async for kind, one in api.watch(_INGRESSES, {"resourceVersion": version}):
                    if kind == "ERROR":
                        break
                    if kind in {"ADDED", "MODIFIED"}:
                        await _give(api, one)
            await asyncio.sleep(_AGAIN_S)


async def _give(api: KubeHttp, ingress: JsonObject) -> None:
    if objs(path(ingress, ("status", "loadBalancer", "ingress"))):
        return
    meta = obj(ingress.get("metadata"))
    where = f"/apis/networking.k8s.io/v1/namespaces/{text(meta, 'namespace')}/ingresses/{text(meta, 'name')}"
    body: JsonObject = {"status": {"loadBalancer": {"ingress": [{"ip": ADDRESS}]}}}
    await api.ask("PATCH", f"{where}/status", body, kind=MERGE)
