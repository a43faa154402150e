"""What follows from the pods of a candidate: which of them are ready, and what a bad candidate does to traffic."""

from __future__ import annotations

from dataclasses import dataclass, replace

from console.rehearsal.sim.kubernetes import Store
from console.rehearsal.world.traffic import Behaviour
from state.base.json import JsonObject, objs, path, text


@dataclass(slots=True)
class Misbehaviour:
    """What the candidate does to an environment whose pods run it; none of it: it is a good one."""

    error_ratio: float = 0.0
    p95_s: float = 0.0
    auth_error_ratio: float = 0.0
    too_many_ratio: float = 0.0
    limited_ratio: float = 0.0

    @property
    def bad(self) -> bool:
        """Whether anything is wrong with it."""
        return self != Misbehaviour()

    def applied(self, base: Behaviour, share: float) -> Behaviour:
        """Return how ``base`` is changed where ``share`` of the pods run the candidate."""
        if not share or not self.bad:
            return base
        return replace(
            base,
            error_ratio=base.error_ratio + share * self.error_ratio,
            auth_error_ratio=base.auth_error_ratio + share * (self.auth_error_ratio or self.error_ratio),
            too_many_ratio=base.too_many_ratio + share * self.too_many_ratio,
            limited_ratio=base.limited_ratio + share * self.limited_ratio,
            # a request is slow where it meets a bad pod: the 95th percentile moves with the first of them
            p95_s=max(base.p95_s, self.p95_s if share > 0.1 else 0.0),
        )


def ready_pods(store: Store, namespace: str, app: str) -> dict[str, str]:
    """Return the ready pods with a label ``app``: name -> image."""
    return {
        str(path(pod, ("metadata", "name"))): image
        for pod in store.scan("pods", namespace)
        if path(pod, ("metadata", "labels", "app")) == app
        and "Ready" in conditions(pod)
        and path(pod, ("metadata", "deletionTimestamp")) is None
        and (image := image_of(pod))
    }


def share_of(digest: str, pods: dict[str, str]) -> float:
    """Return the share of pods that run an image; 0 where there is no pod."""
    return sum(digest in image for image in pods.values()) / len(pods) if pods else 0.0


def conditions(body: JsonObject) -> set[str]:
    """Return the types of the conditions that hold for an object."""
    return {
        text(c, "type") for c in objs(path(body, ("status", "conditions"))) if text(c, "status") == "True"
    }


def image_of(pod: JsonObject) -> str:
    """Return the image of a pod's first container."""
    return next((text(c, "image") for c in objs(path(pod, ("spec", "containers")))), "")
