"""etcd, kube-apiserver, kube-controller-manager and kube-scheduler on free ports of loopback.

In their folder: ``admin.kubeconfig``, ``audit.log``, a log of each program in ``logs/``, certificates, etcd's data.
TLS, RBAC and admission (PodSecurity among it) are as a cluster has them; only its nodes are ours (kubelet.py).
"""

from __future__ import annotations

import asyncio
import base64
import ctypes
import json
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import aiohttp
import yaml

from tests.cluster.certificates import Authority
from tests.cluster.kube_api import KubeHttp

ADMINS = "system:masters"
READY_S = 60.0
"""Real seconds that a program gets until it answers: it takes five, on an idle machine."""
_STOP_S = 10.0
_PR_SET_PDEATHSIG = 1
_AUDIT = """apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: None
    users: ["system:kube-controller-manager", "system:kube-scheduler", "system:apiserver", "tests:kubelet"]
  - level: None
    userGroups: ["system:serviceaccounts:kube-system"]
  - level: Metadata
"""
"""What tests ask of the audit log is what the console and helm did."""


class ControlPlane:
    """The four programs; ``folder`` is theirs alone, ``programs`` is where they were built."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self._programs = programs
        self._authority = Authority(folder / "certificates")
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.url = ""

    @property
    def audit_log(self) -> Path:
        """The file with a line of JSON for each request that a person or a program made (not the cluster's own)."""
        return self.folder / "audit.log"

    async def start(self, *, controllers: bool = True) -> None:
        """Start all four, and return when the API answers and everything that it starts with is there.

        Without ``controllers`` only etcd and the API server: nothing moves then but by a request.

        Raises RuntimeError with the end of its log where a program ends meanwhile or isn't ready in time.
        """
        (self.folder / "logs").mkdir(parents=True, exist_ok=True)
        etcd, peers, api = _free_ports(3)
        self.url = f"https://127.0.0.1:{api}"
        (self.folder / "url").write_text(self.url)
        self._run("etcd", _etcd(self.folder, etcd, peers))
        await self._until("etcd", f"http://127.0.0.1:{etcd}/health")
        self._run("kube-apiserver", self._apiserver(etcd, api))
        admin = self.kubeconfig("tests:admin", [ADMINS])
        admin.replace(self.folder / "admin.kubeconfig")
        # /readyz holds the hooks after the start too: kube-system, RBAC's own roles, priority classes.
        await self._until("kube-apiserver", f"{self.url}/readyz")
        if not controllers:
            return
        self._run("kube-controller-manager", self._manager())
        self._run("kube-scheduler", self._scheduler())
        # The first thing that a namespace needs of the controllers, and pods aren't admitted without.
        await self._until(
            "kube-controller-manager", f"{self.url}/api/v1/namespaces/default/serviceaccounts/default"
        )

    def stop(self) -> None:
        """End what was started, the youngest first; what doesn't end within seconds is killed."""
        for process in reversed(self._running.values()):
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    def ended(self) -> str:
        """Return which program ended by itself, with the end of its log; "" while all run."""
        for name, process in self._running.items():
            if process.poll() is not None:
                return f"{name} ended with {process.returncode}: {self._tail(name)}"
        return ""

    def kubeconfig(
        self,
        user: str,
        groups: Sequence[str] = (),
        *,
        namespace: str = "default",
        contexts: Sequence[str] = ("tests",),
        file: Path | None = None,
    ) -> Path:
        """Write a kubeconfig for a user, known by a client certificate; it may do what RBAC gives it."""
        return kubeconfig(self.folder, user, groups, namespace=namespace, contexts=contexts, file=file)

    def api(self) -> KubeHttp:
        """Return requests as an administrator."""
        certificate, key = self._authority.client("tests:admin", [ADMINS])
        return KubeHttp(self.url, self._authority.ca, certificate, key)

    def _run(self, name: str, flags: Mapping[str, object]) -> None:
        words = [str(self._programs / name), *(f"--{key}={value}" for key, value in flags.items())]
        with (self.folder / "logs" / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                words,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_end_with_us,  # noqa: PLW1509  no thread of ours holds a lock
            )

    async def _until(self, name: str, url: str) -> None:
        until = time.monotonic() + READY_S
        context = self._tls() if url.startswith("https") else None
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context or False)) as session:
            while not await _answers(session, url):
                ended = self.ended()
                if ended or time.monotonic() > until:
                    raise RuntimeError(
                        ended or f"{name} isn't ready after {READY_S:.0f} s: {self._tail(name)}"
                    )
                await asyncio.sleep(0.1)

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._authority.ca)
        context.load_cert_chain(*self._authority.client("tests:admin", [ADMINS]))
        return context

    def _tail(self, name: str) -> str:
        return (self.folder / "logs" / f"{name}.log").read_text(errors="replace")[-2000:]

    def _apiserver(self, etcd: int, port: int) -> Mapping[str, object]:
        policy = self.folder / "audit-policy.yaml"
        policy.write_text(_AUDIT)
        certificate, key = self._authority.serving("kube-apiserver")
        tokens = self._authority.signing_key("service-accounts")
        kubelet, kubelet_key = self._authority.client("kube-apiserver", [ADMINS])
        return {
            "etcd-servers": f"http://127.0.0.1:{etcd}",
            "bind-address": "127.0.0.1",
            "advertise-address": "127.0.0.1",
            "endpoint-reconciler-type": "none",  # an endpoint on loopback is refused
            "secure-port": port,
            "tls-cert-file": certificate,
            "tls-private-key-file": key,
            "client-ca-file": self._authority.ca,
            "authorization-mode": "Node,RBAC",
            "service-cluster-ip-range": "10.96.0.0/16",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": tokens,
            "service-account-signing-key-file": tokens,
            "kubelet-client-certificate": kubelet,
            "kubelet-client-key": kubelet_key,
            "kubelet-preferred-address-types": "InternalIP",
            "allow-privileged": "true",
            "audit-policy-file": policy,
            "audit-log-path": self.audit_log,
            "cert-dir": self.folder / "certificates",
            "profiling": "false",
            "v": 1,
        }

    def _manager(self) -> Mapping[str, object]:
        return {
            "kubeconfig": self.kubeconfig("system:kube-controller-manager"),
            "secure-port": 0,
            "leader-elect": "false",
            "use-service-account-credentials": "true",
            "service-account-private-key-file": self._authority.signing_key_file("service-accounts"),
            "root-ca-file": self._authority.ca,
            "horizontal-pod-autoscaler-sync-period": "5s",
            "kube-api-qps": 300,  # tests don't wait for a limit that protects a cluster of thousands
            "kube-api-burst": 500,
            "profiling": "false",
            "v": 1,
        }

    def _scheduler(self) -> Mapping[str, object]:
        return {
            "kubeconfig": self.kubeconfig("system:kube-scheduler"),
            "secure-port": 0,
            "leader-elect": "false",
            "kube-api-qps": 300,
            "kube-api-burst": 500,
            "profiling": "false",
            "v": 1,
        }


def kubeconfig(
    folder: Path,
    user: str,
    groups: Sequence[str] = (),
    *,
    namespace: str = "default",
    contexts: Sequence[str] = ("tests",),
    file: Path | None = None,
) -> Path:
    """Write a kubeconfig for a user of the control plane of a folder, which another process may have started."""
    authority = Authority(folder / "certificates")
    certificate, key = authority.client(user, groups)
    server = (folder / "url").read_text()
    cluster = {"server": server, "certificate-authority-data": _inline(authority.ca)}
    person = {"client-certificate-data": _inline(certificate), "client-key-data": _inline(key)}
    body = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tests", "cluster": cluster}],
        "users": [{"name": user, "user": person}],
        "contexts": [
            {"name": name, "context": {"cluster": "tests", "user": user, "namespace": namespace}}
            for name in contexts
        ],
        "current-context": contexts[0],
    }
    target = file or folder / f"{user.replace(':', '-')}.kubeconfig"
    target.touch(0o600)
    target.write_text(yaml.safe_dump(body))
    return target


def _inline(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


def _etcd(folder: Path, clients: int, peers: int) -> Mapping[str, object]:
    return {
        "data-dir": folder / "etcd",
        "listen-client-urls": f"http://127.0.0.1:{clients}",
        "advertise-client-urls": f"http://127.0.0.1:{clients}",
        "listen-peer-urls": f"http://127.0.0.1:{peers}",
        "initial-advertise-peer-urls": f"http://127.0.0.1:{peers}",
        "initial-cluster": f"default=http://127.0.0.1:{peers}",
        "unsafe-no-fsync": "true",  # nobody wants these data after a power cut
        "log-level": "warn",
    }


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=5)) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


def _free_ports(count: int) -> list[int]:
    with_each = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in with_each]
    for one in with_each:
        one.close()
    return ports


def _end_with_us() -> None:
    """Let a child end when whoever started it is killed, so that no control plane is left behind."""
    os.setpgrp()  # Ctrl-C is for us: we end them in order
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def audited(folder: Path) -> list[dict[str, object]]:
    """Return the audit log's lines."""
    return [
        json.loads(line) for line in (folder / "audit.log").read_text().splitlines() if line.endswith("}")
    ]
