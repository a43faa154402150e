"""What stands in the cluster for the platform before anybody launches: namespaces, access, secrets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from console.rehearsal.dotmac.credentials import platform_secret
from console.rehearsal.dotmac.names import IMAGE_HOST, PULL_SECRET, SECRET, Env
from console.rehearsal.sim.seeded import key
from console.rehearsal.world.cluster_seed import namespace, role_binding, secret
from state.base.json import JsonObject


def objects(seed: int, envs: Iterable[Env]) -> Iterator[tuple[str, JsonObject]]:
    """Yield (plural, object) of environments, ready to be created in this order."""
    for env in envs:
        yield from namespace(env.namespace, {"dotmac.test/tier": env.value})
        if env is Env.STAGING:
            yield "rolebindings", role_binding(env.namespace, "developers", "edit", "developers")
        yield "secrets", secret(env.namespace, SECRET, platform_secret(seed, env))
        kind = "kubernetes.io/dockerconfigjson"
        yield (
            "secrets",
            secret(env.namespace, PULL_SECRET, {".dockerconfigjson": pull_secret(seed, env)}, kind),
        )


def pull_secret(seed: int, env: Env) -> str:
    """Return what lets an environment's cluster pull the images."""
    return f'{{"auths":{{"{IMAGE_HOST}":{{"auth":"{key(seed, env, "pull")[:32]}"}}}}}}'
