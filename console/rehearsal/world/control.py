"""What faults may turn in the cluster: who may do what, what becomes of pods, what the runbook says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from console.rehearsal.sim.kubernetes import PodPlan
from state.base.json import Json, JsonObject, path

JOB_S = 20.0
"""For which a pod of a job runs, where no fault says otherwise."""

Deny = Callable[[str, str, str, str], bool]
"""Takes user, verb, resource (``pods``, ``pods/log``) and namespace."""


@dataclass(slots=True)
class Control:
    """Switches beside those of a product."""

    denials: list[Deny] = field(default_factory=list)
    plans: list[Callable[[JsonObject], PodPlan | None]] = field(default_factory=list)
    """Asked in turn what becomes of a pod; the first answer holds."""
    runbook_changes: list[Callable[[dict[str, Json]], None]] = field(default_factory=list)

    def may(self, user: str, verb: str, group: str, resource: str, namespace: str) -> bool:
        """Return whether a user may do something."""
        del group
        return not any(deny(user, verb, resource, namespace) for deny in self.denials)

    def plan(self, pod: JsonObject) -> PodPlan:
        """Return what becomes of a pod: it serves, or ends well as a job's does, unless a fault says otherwise."""
        for ask in self.plans:
            if (plan := ask(pod)) is not None:
                return plan
        serves = path(pod, ("spec", "restartPolicy")) == "Always"
        return PodPlan() if serves else PodPlan(ends_after_s=JOB_S)
