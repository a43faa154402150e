"""RBAC's own roles and bindings, as a real API server makes them at its first start."""

from __future__ import annotations

from console.rehearsal.sim.kubernetes.bootstrap import KINDS
from state.base.json import Json, JsonObject, obj, objs
from tests.cluster.kube_api import KubeHttp

_KEPT = ("name", "namespace", "labels", "annotations")
_OWN = "kubernetes.io/bootstrapping=rbac-defaults"


async def read(api: KubeHttp) -> JsonObject:
    """Return the objects by their kinds, without what a store gives them."""
    found: dict[str, Json] = {}
    for kind in KINDS:
        listed = await api.get(f"/apis/rbac.authorization.k8s.io/v1/{kind}", {"labelSelector": _OWN})
        found[kind] = [_bare(one) for one in objs(listed.get("items"))]
    return found


def _bare(one: JsonObject) -> JsonObject:
    # What an aggregated role holds, a controller gathers, where one runs.
    rules = {"rules": None} if "aggregationRule" in one else {}
    meta = {key: value for key, value in obj(one.get("metadata")).items() if key in _KEPT}
    return {**one, "metadata": meta, **rules}
