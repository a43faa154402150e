"""What helm does to a cluster: upgrade, install, rollback, uninstall."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from console.rehearsal.sim.helm.apply import change, owned, refuse_foreign, remove, waiting_for
from console.rehearsal.sim.helm.cluster import ApiError, Cluster, HelmError
from console.rehearsal.sim.helm.releases import Release, Status, Store, refuse_pending
from console.rehearsal.sim.helm.render import Chart, Names, objects, render
from state.base.json import JsonObject


class Cancelled(HelmError):  # noqa: N818  helm's own word for it
    """A signal asked to stop."""

    def __init__(self) -> None:
        super().__init__("context canceled")


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """What somebody asked an upgrade or a rollback for. ``timeout`` is seconds of the given clock."""

    name: str
    chart: Chart | None = None
    config: JsonObject = field(default_factory=dict, repr=False)
    description: str = ""
    wait: bool = False
    wait_for_jobs: bool = False
    timeout: float = 300.0
    dry_run: bool = False
    install: bool = False
    create_namespace: bool = False
    history_max: int = 10
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Helm:
    """The actions of one helm process on one namespace.

    ``now_us`` tells microseconds since 1970; ``pause`` waits a little, on the same clock.
    """

    cluster: Cluster
    namespace: str
    now_us: Callable[[], int]
    pause: Callable[[], None]
    cancelled: threading.Event = field(default_factory=threading.Event)
    say: Callable[[str], None] = print

    @property
    def store(self) -> Store:
        """The namespace's release records."""
        return Store(self.cluster, self.namespace)

    def _interrupted(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled

    def upgrade(self, request: ReleaseRequest) -> Release:
        """Install or upgrade a release and return its new revision.

        The revision stands in the cluster as pending before anything is applied. Raises HelmError; a failure
        after that point leaves the revision ``failed``.
        """
        history = self.store.history(request.name)
        if not history or history[-1].status is Status.UNINSTALLED:
            if not request.install:
                raise HelmError(f'UPGRADE FAILED: "{request.name}" has no deployed releases')
            if not request.dry_run:
                self.say(f'Release "{request.name}" does not exist. Installing it now.')
            return self._act(request, None, len(history) + 1, "INSTALLATION FAILED")
        return self._act(request, history, history[-1].version + 1, "UPGRADE FAILED")

    def install(self, request: ReleaseRequest) -> Release:
        """Install a release that is not there yet. Raises HelmError."""
        if self.store.history(request.name):
            raise HelmError("INSTALLATION FAILED: cannot re-use a name that is still in use")
        return self._act(request, None, 1, "INSTALLATION FAILED")

    def _act(
        self, request: ReleaseRequest, history: list[Release] | None, version: int, failed: str
    ) -> Release:
        try:
            return self._upgrade(request, history, version)
        except (HelmError, ApiError) as error:
            raise HelmError(f"{failed}: {error}") from None

    def _upgrade(self, request: ReleaseRequest, history: list[Release] | None, version: int) -> Release:
        assert request.chart is not None
        if history:
            refuse_pending(history[-1])
        good = next((r for r in reversed(history or []) if r.status is Status.DEPLOYED), None)
        current = good or (history[-1] if history else None)
        manifest, _ = render(request.chart, request.config, Names(request.name, self.namespace, version))
        old, new = self._objects(request.name, current), self._owned(request.name, manifest)
        refuse_foreign(self.cluster, old, new, request.name, self.namespace)
        now = self.now_us()
        pending = Status.PENDING_UPGRADE if current else Status.PENDING_INSTALL
        release = Release(
            name=request.name,
            namespace=self.namespace,
            version=version,
            status=pending,
            description="Preparing upgrade" if current else "Initial install underway",
            chart=request.chart.document(),
            config=request.config,
            manifest=manifest,
            first_deployed_us=history[0].first_deployed_us if history else now,
            last_deployed_us=now,
        )
        if request.dry_run:
            return release.marked(pending, "Dry run complete")
        if request.create_namespace:
            self._make_namespace()
        if request.history_max:
            self.store.prune(request.name, request.history_max - 1)
        self.store.create(release)
        verb = "Upgrade" if current else "Release"
        self._carry_out(request, release, old, new, f'{verb} "{request.name}" failed')
        done = request.description or ("Upgrade complete" if current else "Install complete")
        return self._deployed(release, done)

    def _carry_out(
        self,
        request: ReleaseRequest,
        release: Release,
        old: Sequence[JsonObject],
        new: Sequence[JsonObject],
        failed: str,
    ) -> None:
        try:
            change(self.cluster, old, new, self.namespace, self._interrupted)
            if request.wait:
                self._wait(request, new)
            self._interrupted()
        except (HelmError, ApiError) as error:
            self.store.update(release.marked(Status.FAILED, f"{failed}: {error}"), self.now_us())
            raise

    def _deployed(self, release: Release, description: str) -> Release:
        """Mark every other deployed revision superseded and this one deployed, as helm does it at the end."""
        for other in self.store.history(release.name):
            if other.status is Status.DEPLOYED:
                self.store.update(other.marked(Status.SUPERSEDED), self.now_us())
        done = release.marked(Status.DEPLOYED, description)
        self.store.update(done, self.now_us())
        return done

    def _wait(self, request: ReleaseRequest, manifest: Sequence[JsonObject]) -> None:
        until = self.now_us() + int(request.timeout * 1_000_000)
        while waiting_for(self.cluster, manifest, self.namespace, jobs=request.wait_for_jobs):
            self._interrupted()
            if self.now_us() >= until:
                raise HelmError("context deadline exceeded")
            self.pause()

    def rollback(self, request: ReleaseRequest) -> Release:
        """Bring back an earlier revision (0: the one before) as a new one. Raises HelmError.

        As with helm, a pending revision does not stop it.
        """
        history = self.store.history(request.name)
        if not history:
            raise HelmError("release: not found")
        current = history[-1]
        expected = request.revision or current.version - 1
        target = next((r for r in history if r.version == expected), None)
        if target is None:
            raise HelmError(f"release has no {expected} version")
        release = Release(
            name=request.name,
            namespace=self.namespace,
            version=current.version + 1,
            status=Status.PENDING_ROLLBACK,
            description=f"Rollback to {expected}",
            chart=target.chart,
            config=target.config,
            manifest=target.manifest,
            first_deployed_us=current.first_deployed_us,
            last_deployed_us=self.now_us(),
        )
        if request.dry_run:
            return release
        self.store.create(release)
        old, new = self._objects(request.name, current), self._objects(request.name, target)
        try:
            self._carry_out(request, release, old, new, f'Rollback "{request.name}" failed')
        except (HelmError, ApiError) as error:
            raise HelmError(str(error)) from None
        if current.status is not Status.FAILED:
            self.store.update(current.marked(Status.SUPERSEDED), self.now_us())
        done = self._deployed(release, release.description)
        if request.history_max:
            self.store.prune(request.name, request.history_max)
        return done

    def uninstall(self, name: str) -> None:
        """Take away a release's objects and its records. Raises HelmError."""
        history = self.store.history(name)
        if not history:
            raise HelmError(f"uninstall: Release not loaded: {name}: release: not found")
        for item in reversed(self._objects(name, history[-1])):
            remove(self.cluster, item, self.namespace)
        for release in history:
            self.store.delete(release)

    def _objects(self, name: str, release: Release | None) -> list[JsonObject]:
        return self._owned(name, release.manifest) if release else []

    def _owned(self, name: str, manifest: str) -> list[JsonObject]:
        return [owned(item, name, self.namespace) for item in objects(manifest)]

    def _make_namespace(self) -> None:
        body: JsonObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        try:
            self.cluster.call("POST", "/api/v1/namespaces", body)
        except ApiError as error:
            if error.status != 409:
                raise
