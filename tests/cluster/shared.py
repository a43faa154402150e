"""One control plane for all who use it at once: whoever comes first starts it, and it ends with the last."""

from __future__ import annotations

import asyncio
import fcntl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from tests.cluster.certificates import Authority
from tests.cluster.control_plane import ADMINS, kubeconfig
from tests.cluster.kube_api import KubeHttp
from tests.paths import ROOT

_STARTS_S = 110.0
"""Within a test's own limit of 120 s; it takes ten on an idle machine."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A control plane that serves, by its folder."""

    folder: Path

    @property
    def url(self) -> str:
        """Where the API server listens."""
        return (self.folder / "url").read_text()

    @property
    def admin(self) -> Path:
        """The kubeconfig of an administrator."""
        return self.folder / "admin.kubeconfig"

    def api(self, user: str = "tests:admin", groups: Sequence[str] = (ADMINS,)) -> KubeHttp:
        """Return requests as a user; by default as an administrator."""
        authority = Authority(self.folder / "certificates")
        return KubeHttp(self.url, authority.ca, *authority.client(user, groups))

    def kubeconfig(
        self,
        user: str,
        file: Path,
        *,
        groups: Sequence[str] = (),
        namespace: str = "default",
        contexts: Sequence[str] = ("tests",),
    ) -> Path:
        """Write a kubeconfig for a user, who may do nothing until RBAC says so."""
        return kubeconfig(self.folder, user, groups, namespace=namespace, contexts=contexts, file=file)

    async def namespace(self, api: KubeHttp, prefix: str = "t") -> str:
        """Make a namespace of a test's own, with the account that its pods need, and return its name."""
        name = f"{prefix}-{token_hex(4)}"
        await api.create("/api/v1/namespaces", {"metadata": {"name": name}})
        account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
        async with asyncio.timeout(30):
            while (await api.ask("GET", account))[0] == 404:  # noqa: ASYNC110  the cluster is asked
                await asyncio.sleep(0.05)
        return name


@contextmanager
def shared(folder: Path) -> Iterator[Cluster]:
    """Use the control plane of a folder, which is started where nobody does yet.

    Raises RuntimeError with what it said where it doesn't start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "users").open("ab") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        with (folder / "starting").open("ab") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            if not (folder / "ready").exists():
                _start(folder)
        yield Cluster(folder)


def _start(folder: Path) -> None:
    with (folder / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.cluster.serve", str(folder), "--while-used"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    until = time.monotonic() + _STARTS_S
    while not (folder / "ready").exists():
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            process.wait()
            raise RuntimeError((folder / "serve.log").read_text(errors="replace")[-3000:])
        time.sleep(0.1)
    # It outlives the worker that started it, on purpose: it ends with the last one that uses it.
    process.returncode = 0
