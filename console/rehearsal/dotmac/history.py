"""The past of a new world: the cluster's objects and, two days ago, a good release in both environments."""

from __future__ import annotations

import asyncio

from console.rehearsal.dotmac import cluster_objects
from console.rehearsal.dotmac.names import PREVIOUS_VERSION, RELEASE, Env
from console.rehearsal.sim.fast_yaml import load
from console.rehearsal.sim.helm.actions import Helm, Wish
from console.rehearsal.sim.helm.cluster import ApiError, Cluster, HelmError, read_access
from console.rehearsal.sim.helm.render import load_chart
from console.rehearsal.sim.kubernetes import Store
from console.rehearsal.world.folder import Folder, WorldError
from state.base.clock import SharedClock

_TIMEOUT_S = 600.0


def plant(store: Store, seed: int, clock: SharedClock) -> None:
    """Create what stands in a cluster before the first release; what is there already stays."""
    for plural, body in cluster_objects.objects(seed, clock.wall_us()):
        store.put(plural, body)


async def release_both(folder: Folder, clock: SharedClock) -> None:
    """Release the previous version in both environments, through the API, as helm would.

    Raises WorldError where a release fails.
    """
    await asyncio.gather(*(asyncio.to_thread(_release, folder, env, clock) for env in Env))


def _release(folder: Folder, env: Env, clock: SharedClock) -> None:
    wish = Wish(
        name=RELEASE,
        chart=load_chart(str(folder.chart)),
        config=load(folder.values(env, "previous").read_text()),
        description=f"release {PREVIOUS_VERSION}",
        wait=True,
        timeout=_TIMEOUT_S,
        install=True,
    )
    release(folder, env, env.namespace, wish, clock)


def release(folder: Folder, env: Env, namespace: str, wish: Wish, clock: SharedClock) -> None:
    """Release something in a namespace, through the API, as helm would.

    Raises WorldError where it fails.
    """
    helm = Helm(
        Cluster(read_access(folder.kubeconfig, env.value)),
        namespace,
        clock.wall_us,
        lambda: asyncio.run(clock.sleep(max(0.5, 0.02 * clock.rate()))),
        say=lambda _: None,
    )
    try:
        helm.upgrade(wish)
    except (HelmError, ApiError) as error:
        raise WorldError(f"the rehearsal's first release in {namespace} failed: {error}") from None
    finally:
        helm.cluster.close()
