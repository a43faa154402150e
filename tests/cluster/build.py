"""Builds the control plane's programs from the Go module beside this file, once per go.sum.

    python -m tests.cluster.build

They land in ``$XDG_CACHE_HOME`` (or ``~/.cache``), where every checkout with the same go.sum finds them. A build
that is interrupted goes on where it was: each program appears whole or not at all, and Go keeps what it compiled.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

MODULE = Path(__file__).parent
PACKAGES = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
}
"""The package of each program."""
NO_GO = 3
FAILED = 4
"""How ``python -m tests.cluster.build`` exits beside 0."""
_GO_OFF_PATH = "/usr/local/go/bin"


class BuildError(Exception):
    """Why there are no programs, in a sentence; ``code`` is how the command exits."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


def folder() -> Path:
    """Return where the programs of this go.sum are, or would be."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return (
        Path(cache) / "launch-console" / "cluster" / sha256((MODULE / "go.sum").read_bytes()).hexdigest()[:16]
    )


def built() -> Path | None:
    """Return the folder of the programs, or None where one of them isn't built."""
    there = folder()
    return there if all((there / name).exists() for name in PACKAGES) else None


def version() -> str:
    """Return the Kubernetes version that go.mod names, as ``v1.34.3``."""
    found = re.search(r"^\s*k8s\.io/kubernetes (v\S+)$", (MODULE / "go.mod").read_text(), re.MULTILINE)
    assert found is not None, "go.mod names no k8s.io/kubernetes"
    return found[1]


def build(say: Callable[[str], None]) -> Path:
    """Build what isn't there, and return the folder; ``say`` gets a line for each program.

    Raises BuildError: without Go, or where it doesn't compile.
    """
    found = built()
    if found is not None:
        return found
    go = shutil.which("go", path=os.pathsep.join([os.environ.get("PATH", ""), _GO_OFF_PATH]))
    if go is None:
        raise BuildError(NO_GO, "Go is missing: it compiles the control plane (Go 1.24 or newer, go.dev/dl)")
    there = folder()
    there.mkdir(parents=True, exist_ok=True)
    with (there / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another checkout may be building the same
        for name, package in PACKAGES.items():
            if not (there / name).exists():
                say(f"{name}: built in {_one(go, package, there / name):.0f} s")
    return there


def _one(go: str, package: str, target: Path) -> float:
    fresh = target.with_suffix(".new")
    began = time.monotonic()
    # A build of many minutes beside others' work: two compilers at most, and only on time that nobody wants.
    words = ["nice", "-n", "19", go, "build", "-p", "2", "-mod=readonly", "-trimpath", "-buildvcs=false"]
    words += ["-gcflags=all=-dwarf=false", f"-ldflags={_stamped()}", "-o", str(fresh), package]
    # Compilers that collect less garbage: of the memory that takes, machines have more than of time.
    settings = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOGC": "300"}
    done = subprocess.run(words, cwd=MODULE, env={**os.environ, **settings}, check=False)
    if done.returncode:
        raise BuildError(FAILED, f"{target.name} was not built: go build ended with {done.returncode}")
    fresh.replace(target)
    return time.monotonic() - began


def _stamped() -> str:
    """Return the linker's flags: no symbols, and the version, without which clients are told v0.0.0."""
    major, minor = version().removeprefix("v").split(".")[:2]
    said = {"gitVersion": version(), "gitMajor": major, "gitMinor": minor}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return " ".join(["-s -w", *(f"-X {p}.{k}={v}" for p in packages for k, v in said.items())])


def main() -> int:
    """Build, and say where the programs are; return the exit code."""

    def say(words: str) -> None:
        sys.stdout.write(f"{words}\n")
        sys.stdout.flush()

    try:
        say(str(build(say)))
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return error.code
    return 0


if __name__ == "__main__":
    sys.exit(main())
