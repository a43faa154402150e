"""Gate 6: TLS, health, worker, storage, namespace, secrets, values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import cast

from console.rehearsal.dotmac.faults.changes import (
    NOTHING,
    Flaw,
    Form,
    chart_values,
    container_of,
    edited,
    gone,
    lasting,
    of_candidate,
    platform,
    released,
    secret,
    switch,
    switched,
    template,
    two_forms,
)
from console.rehearsal.dotmac.names import PULL_SECRET, SECRET, Env
from console.rehearsal.dotmac.platform import Metrics
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.sim.certificate_authority import CertificateFault
from console.rehearsal.sim.helm.releases import Release, Status, encode, secret_name
from console.rehearsal.sim.helm.render import load_chart
from console.rehearsal.sim.s3.server import Bucket
from console.rehearsal.world.fault import Apply, Expect, Fault, below, fails, together
from console.rehearsal.world.world import World
from state.base.json import Json, objs


def _second_release(world: World) -> None:
    """Leave the record of another release of the chart in production's namespace."""
    clock, namespace = world.clock, Env.PRODUCTION.namespace
    name = "dotmac-trial"
    release = Release(
        name=name,
        namespace=namespace,
        version=1,
        status=Status.DEPLOYED,
        description="Install complete",
        chart=load_chart(str(world.product(Dotmac).chart)).document(),
        config={},
        manifest="",
        first_deployed_us=clock.wall_us(),
        last_deployed_us=clock.wall_us(),
    )
    labels = {"owner": "helm", "name": name, "status": release.status.value, "version": "1"}
    metadata = {"name": secret_name(name, 1), "namespace": namespace, "labels": labels}
    data = {"release": encode(release)}
    world.store.put("secrets", {"metadata": metadata, "type": "helm.sh/release.v1", "data": data})


def _certificate(fault: CertificateFault) -> Apply:
    def apply(dotmac: Dotmac) -> None:
        dotmac.settings[Env.PRODUCTION].web.certificate = fault
        dotmac.certificate_renewed()

    return platform(apply)


_WORKER = "dotmac-worker"
_ENV_FROM = "          envFrom:\n"
_OWN_SETTING = f"""          env:
            - name: ENVIRONMENT
              value: development
{_ENV_FROM}"""


def _worker_template(old: str, new: str) -> Apply:
    return template("worker-deployment.yaml", old, new)


def _in_both(change: Callable[[dict[str, Json]], None]) -> Apply:
    """Change the values that the candidate is released with, in staging and in production."""
    return together(*(chart_values(change, env) for env in Env))


def _worker_digest(release: Callable[[Dotmac], Mapping[str, str]]) -> Flaw:
    """Let a release's worker run another image than its deployment names, as a tampered node would."""

    def flaw(world: World, env: Env) -> Callable[[], None] | None:
        digests = release(world.product(Dotmac))
        named, other = digests["worker"], digests["backend"]
        changed = False
        for pod in world.store.list("pods", env.namespace):
            status = below(pod, "status")
            for container in objs(status.get("containerStatuses")):
                if container.get("name") == "worker" and named in str(container.get("imageID")):
                    seen = str(container["imageID"]).replace(named, other)
                    cast("dict[str, Json]", container)["imageID"] = seen
                    changed = True
            world.store.set_status("pods", pod, status)
        return (lambda: None) if changed else None  # the pod goes with its release

    return flaw


def _without_beat(deployment: dict[str, Json]) -> None:
    container_of(deployment)["args"] = ["worker"]


def _beat_by_hand(deployment: dict[str, Json]) -> None:
    """Start a second process that sends what is due, beside the worker's."""
    boxes = cast("list[Json]", below(deployment, "spec", "template", "spec")["containers"])
    if len(boxes) == 1:
        boxes.append({**container_of(deployment), "name": "celery-beat", "args": []})


def _two_workers(deployment: dict[str, Json]) -> None:
    below(deployment, "spec")["replicas"] = 2


def _other_queues(values: dict[str, Json]) -> None:
    below(values, "worker")["queues"] = "celery,priority,background"


def _bucket(change: Callable[[Bucket], None]) -> Apply:
    """Change production's bucket."""
    return lambda world: change(world.objects.buckets[Env.PRODUCTION.bucket])


def _lifecycle_disabled(bucket: Bucket) -> None:
    bucket.lifecycle = tuple(replace(rule, enabled=False) for rule in bucket.lifecycle)


def _bucket_is(**changes: object) -> Apply:
    """Change what production's bucket is; names are those of ``Bucket``."""

    def change(bucket: Bucket) -> None:
        for name, value in changes.items():
            setattr(bucket, name, value)

    return _bucket(change)


def _no_key(values: dict[str, str], _: World) -> None:
    values.pop("TRUSTED_HOSTS", None)


def _latest(values: dict[str, Json]) -> None:
    below(values, "image")["worker"] = "registry.dotmac.test/dotmactech/dotmac-platform-worker:latest"


def _no_limits(values: dict[str, Json]) -> None:
    # A request is at most its limit, so that of 0 takes both.
    below(values, "resources")["worker"] = {
        kind: {"cpu": "0", "memory": "0"} for kind in ("requests", "limits")
    }


def _default_tag(values: dict[str, Json]) -> None:
    below(values, "image")["frontend"] = "ghcr.io/dotmactech/dotmac-platform-frontend:0.1.0"


FAULTS: tuple[Fault, ...] = (
    fails(
        "certificate-missing-san",
        "6.1",
        "the certificate lacks the Admin domain",
        _certificate(CertificateFault.WITHOUT_SECOND_NAME),
    ),
    fails(
        "certificate-ends-soon",
        "6.1",
        "the certificate ends within a week",
        _certificate(CertificateFault.EXPIRES_SOON),
    ),
    fails(
        "certificate-test-issuer",
        "6.1",
        "the certificate is from the issuer's staging authority",
        _certificate(CertificateFault.STAGING_ISSUER),
    ),
    fails(
        "plain-http", "6.1", "plain HTTP is served and not redirected", switch("web.redirect_status", None)
    ),
    *released(
        "health-unhealthy",
        "6.2",
        "readiness answers 200 and says healthy: false",
        switched("health.failing_services", {"celery_broker"}),
    ),
    *released(
        "health-other-environment",
        "6.2",
        "/health says that it is somebody's development environment",
        switched("health.reported_environment", "development"),
    ),
    *released("metrics-absent", "6.2", "/metrics is 404", switched("health.metrics", Metrics.ABSENT)),
    *released(
        "any-host-trusted",
        "6.2",
        "a made-up Host header is answered",
        switched("health.trusted_hosts_enforced", False),
    ),
    *two_forms(
        "worker-other-environment",
        "6.3",
        "the worker alone has a setting of its own",
        Form(_worker_template(_OWN_SETTING, _ENV_FROM), _worker_template(_ENV_FROM, _OWN_SETTING)),
        Form(_worker_template(_ENV_FROM, _OWN_SETTING), NOTHING),
    ),
    of_candidate(
        "beat-missing",
        "6.3",
        "no process sends what is due: the worker runs without one",
        edited("deployments", _WORKER, _without_beat),
    ),
    of_candidate(
        "beat-in-two-workers",
        "6.3",
        "two workers run, and each sends all that is due",
        edited("deployments", _WORKER, _two_workers),
    ),
    of_candidate(
        "beat-beside-the-worker",
        "6.3",
        "a second beat process runs beside the worker's own",
        edited("deployments", _WORKER, _beat_by_hand),
    ),
    *two_forms(
        "worker-other-queues",
        "6.3",
        "no worker reads the queue that tasks are put in",
        Form(prepare=chart_values(_other_queues, previous=True)),
        Form(prepare=_in_both(_other_queues)),
    ),
    *two_forms(
        "worker-other-digest",
        "6.3",
        "the worker's pod runs another digest than its deployment names",
        Form(lasting((_worker_digest(lambda d: d.artifacts.previous),), (Env.PRODUCTION,), candidate=False)),
        Form(lasting((_worker_digest(lambda d: d.artifacts.candidate),), Env, candidate=True)),
        expect=Expect.UNKNOWN,  # what runs is not the candidate, so that nothing else is said of it
    ),
    fails(
        "lifecycle-disabled",
        "6.4",
        "the bucket's lifecycle rules are there and disabled",
        _bucket(_lifecycle_disabled),
    ),
    fails("lifecycle-missing", "6.4", "the bucket has no lifecycle rule", _bucket_is(lifecycle=())),
    fails("bucket-public", "6.4", "everybody may read the bucket", _bucket_is(public=True)),
    fails(
        "versioning-off", "6.4", "the bucket's versioning is suspended", _bucket_is(versioning="Suspended")
    ),
    fails("two-releases", "6.5", "a second release of the chart lies in the namespace", _second_release),
    fails(
        "pull-secret-missing",
        "6.6",
        "the secret for pulling images is not there",
        gone("secrets", PULL_SECRET),
    ),
    fails(
        "secret-key-missing",
        "6.6",
        "the release's secret lacks the trusted hosts",
        secret(_no_key, name=SECRET),
    ),
    *two_forms(
        "values-latest-tag",
        "6.7",
        "the values name the worker's image by the tag latest",
        Form(prepare=chart_values(_latest, previous=True)),
        Form(prepare=chart_values(_latest)),
    ),
    *two_forms(
        "values-no-limits",
        "6.7",
        "the values give the worker no limits",
        Form(prepare=chart_values(_no_limits, previous=True)),
        Form(prepare=_in_both(_no_limits)),
    ),
    *two_forms(
        "values-default-tag",
        "6.7",
        "the values name the frontend's image by the chart's default tag",
        Form(prepare=chart_values(_default_tag, previous=True)),
        Form(prepare=_in_both(_default_tag)),
    ),
)
