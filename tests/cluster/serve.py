"""Runs the control plane and its kubelet in one process, until it is told to stop.

    python -m tests.cluster.serve FOLDER [--while-used]

``FOLDER/ready`` is there while it serves. With ``--while-used`` it ends by itself, once nobody holds a shared lock on
``FOLDER/users``: locks go with the processes that hold them, so nothing is left behind by tests that are killed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import signal
import sys
import time
from pathlib import Path

from tests.cluster import build
from tests.cluster.control_plane import ControlPlane
from tests.cluster.ingress_controller import give_addresses
from tests.cluster.kubelet import NODES, Kubelet

_LOOK_S = 1.0
_FIRST_USER_S = 30.0


async def serve(folder: Path, *, while_used: bool) -> int:
    """Build what is missing, start everything, say where the kubeconfig is, and serve; return the exit code."""
    began = time.monotonic()
    stop = asyncio.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(one, stop.set)
    plane = ControlPlane(folder, build.build(_say))
    try:
        await plane.start()
        nodes = asyncio.Event()
        kubelet = asyncio.create_task(Kubelet(folder, build.version()).run(nodes))
        waits = [asyncio.create_task(one) for one in (stop.wait(), _watched(plane), _addresses(folder))]
        if while_used:
            waits.append(asyncio.create_task(_until_unused(folder)))
        ready = asyncio.create_task(nodes.wait())
        await asyncio.wait([ready, kubelet, *waits], return_when=asyncio.FIRST_COMPLETED)
        if ready.done():
            (folder / "ready").write_text(plane.url)
            _say(f"Kubernetes {build.version()}, {len(NODES)} nodes, after {time.monotonic() - began:.1f} s")
            _say(f"export KUBECONFIG={folder / 'admin.kubeconfig'}")
            await asyncio.wait([kubelet, *waits], return_when=asyncio.FIRST_COMPLETED)
        return await _ended(kubelet, [ready, *waits], plane)
    finally:
        (folder / "ready").unlink(missing_ok=True)
        plane.stop()


async def _ended(kubelet: asyncio.Task[None], waits: list[asyncio.Task[bool]], plane: ControlPlane) -> int:
    why = plane.ended()
    if kubelet.done() and kubelet.exception() is not None:
        why = f"the kubelet ended: {kubelet.exception()!r}"
    for task in (kubelet, *waits):
        task.cancel()
    with contextlib.suppress(Exception):
        await asyncio.gather(kubelet, *waits, return_exceptions=True)
    if why:
        sys.stderr.write(f"{why}\n")
    return 1 if why else 0


async def _watched(plane: ControlPlane) -> bool:
    """Return when one of the programs has ended by itself."""
    while not plane.ended():  # noqa: ASYNC110  processes of their own are looked at
        await asyncio.sleep(_LOOK_S)
    return True


async def _addresses(folder: Path) -> bool:
    await give_addresses(folder)
    return True


async def _until_unused(folder: Path) -> bool:
    await asyncio.sleep(_FIRST_USER_S)
    while True:
        await asyncio.sleep(_LOOK_S)
        with (folder / "users").open("ab") as users:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            return True


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def main() -> int:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.serve")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--while-used", action="store_true")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    try:
        return asyncio.run(serve(given.folder.resolve(), while_used=given.while_used))
    except build.BuildError as error:
        sys.stderr.write(f"{error}\n")
        return error.code
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
