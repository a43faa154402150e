"""Events of the observed world: sources, pods, ingresses, alerts, samples, and who was told."""

from __future__ import annotations

from state.base.json import Json
from state.events.event import Body, event, left_out
from state.view.enums import AlertState, Presence


@event("source.changed")
class SourceChanged(Body):
    """A source of facts answers, or is lost.

    ``monitors/…`` can be trusted, or not; ``alert rules/…`` can all fire, or not.
    """

    name: str
    ok: bool
    reason: str


@event("cluster.identified")
class ClusterIdentified(Body):
    """Which cluster an environment is on: what the launch is held to from then on."""

    env: str
    server: str
    ca: str
    """sha256 of the authorities that the kubeconfig names; ``system`` or ``none`` where it names none."""
    uid: str
    """Of namespace kube-system, or nothing."""
    reason: str
    """Why the uid can't be read, or nothing."""


@event("release.seen", kw_only=True)
class ReleaseSeen(Body):
    """What helm's history says of a release: what decides whether its next deploy is a first launch."""

    env: str
    presence: Presence
    namespace: bool
    """Whether the namespace is there."""
    revision: int
    """The newest; 0 where there is none."""
    status: str
    """helm's word for it, or nothing."""
    reason: str
    """Why it can't be seen, or nothing."""


@event("pod.changed")
class PodChanged(Body):
    """A pod as its newest watch event told it."""

    env: str
    name: str
    app: str
    phase: str
    """``Running``, ``Pending``, or the reason a container waits: ``CrashLoopBackOff``."""
    ready: int
    containers: int
    restarts: int
    image: str
    digest: str
    node: str
    created_us: int
    reason: str = ""
    unready: str = left_out(default="")
    """Why it isn't Ready though all its containers are: a readiness gate, the condition's reason."""
    of_job: bool = left_out(default=False)
    ended: bool = left_out(default=False)
    """Whether it is over for good where ``phase`` doesn't say it."""
    loops_until_us: int = left_out(default=0)
    """Until when a container that crashed again and again and runs now counts as crashing."""


@event("pod.gone")
class PodGone(Body):
    """It is gone."""

    env: str
    name: str


@event("ingress.changed")
class IngressChanged(Body):
    """An ingress as its newest watch event told it."""

    env: str
    name: str
    hosts: tuple[str, ...]
    address: str
    tls: bool


@event("ingress.gone")
class IngressGone(Body):
    """It is gone."""

    env: str
    name: str


@event("alert.changed")
class AlertChanged(Body):
    """An alert of Alertmanager as it is now, or a silence and what it hides."""

    env: str
    name: str
    """Alertmanager's fingerprint, or ``silence/`` and the id of a silence."""
    alert: str
    """Its name, or what a silence hides."""
    severity: str
    state: AlertState
    summary: str
    since_us: int


@event("alert.gone")
class AlertGone(Body):
    """It is over."""

    env: str
    name: str


@event("metric.batch")
class MetricBatch(Body):
    """One sample of every graph, see ``state.events.samples``."""

    at_us: int
    values: Json


@event("metric.gap")
class MetricGap(Body):
    """No samples since ``from_us``, or ``dropped`` of them were not kept."""

    reason: str
    from_us: int = left_out(default=0)
    dropped: int = left_out(default=0)


@event("webhook.sent", kw_only=True)
class WebhookSent(Body):
    """Somebody outside was told, or could not be."""

    occasion: str
    host: str
    ok: bool
    attempts: int
    reason: str
