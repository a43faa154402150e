"""The ways in which the platform's faults reach into a world: switches, secrets, objects, values, templates."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import cast

from console.rehearsal.dotmac.names import SECRET, Env
from console.rehearsal.dotmac.platform import Fixed, PlatformSettings
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.dotmac.reconcile import Lasting
from console.rehearsal.sim.fast_yaml import dump, load
from console.rehearsal.sim.kubernetes.objects import name_of, stamp
from console.rehearsal.world.cluster_seed import KUBE_SYSTEM, api_server
from console.rehearsal.world.fault import Apply, Expect, Fault, below, together
from console.rehearsal.world.world import World
from state.base.json import Json, JsonObject, obj, objs, path

NOTHING: Apply = together()
Flaw = Callable[[World, Env], Callable[[], None] | None]
"""Makes something wrong in an environment, and returns what takes it back; None: it is too early for it."""


def platform(change: Callable[[Dotmac], None]) -> Apply:
    """Change the platform that stands in the world."""
    return lambda world: change(world.product(Dotmac))


def switch(path: str, value: object, env: Env = Env.PRODUCTION) -> Apply:
    """Set one of the platform's switches, by its dotted path below ``PlatformSettings``.

    Applying it raises AttributeError or KeyError where there is no such switch.
    """
    return platform(lambda dotmac: _set(dotmac.settings[env], path, value))


def _get(settings: object, path: str) -> object:
    value = settings
    for name in path.split("."):
        value = value[name] if isinstance(value, dict) else getattr(value, name)
    return value


def _set(settings: object, path: str, value: object) -> None:
    _get(settings, path)
    holders, _, last = path.rpartition(".")
    holder = _get(settings, holders) if holders else settings
    if isinstance(holder, dict):
        holder[last] = value
    else:
        setattr(holder, last, value)


def until_released(path: str, value: object) -> Apply:
    """Set a switch of production until the candidate runs there: the release before it is what is wrong."""

    def apply(dotmac: Dotmac) -> None:
        settings = dotmac.settings[Env.PRODUCTION]
        right = _get(settings, path)
        _set(settings, path, value)
        dotmac.reconciler.when_live[Env.PRODUCTION].append(lambda: _set(settings, path, right))

    return platform(apply)


@dataclass(frozen=True, slots=True)
class Form:
    """How a fault gets into a release: ``prepare`` before the first one is made, ``apply`` when it is there."""

    apply: Apply = NOTHING
    prepare: Apply | None = None


def released(
    name: str, item: str, what: str, *flaws: Flaw, expect: Expect = Expect.FAIL
) -> tuple[Fault, Fault]:
    """Return what is wrong with a release, in two forms: production's now, and the candidate wherever it runs."""
    before = Form(lasting(flaws, (Env.PRODUCTION,), candidate=False))
    return two_forms(name, item, what, before, Form(lasting(flaws, Env, candidate=True)), expect=expect)


def two_forms(
    name: str,
    item: str,
    what: str,
    before: Form,
    candidate: Form,
    *,
    expect: Expect = Expect.FAIL,
    live: bool = False,
) -> tuple[Fault, Fault]:
    """Return a fault of the release that the candidate replaces, and the same of the candidate alone.

    The first is gone with that release: no item may be red for it. ``live``: the second shows only in production.
    """
    old = Fault(
        name=name,
        item=item,
        expect=Expect.PASS,
        what=f"{what}, until the candidate replaces it",
        apply=before.apply,
        prepare=before.prepare,
    )
    new = replace(
        old,
        name=f"{name}-candidate",
        expect=expect,
        what=f"{what}, in the candidate alone",
        apply=candidate.apply,
        prepare=candidate.prepare,
        live=live,
    )
    return old, new


def lasting(flaws: Iterable[Flaw], environments: Iterable[Env], *, candidate: bool) -> Apply:
    """Let flaws be there while the candidate runs in an environment, or as long as it doesn't."""

    def apply(world: World) -> None:
        changes = world.product(Dotmac).reconciler.lasting
        for env in environments:
            changes[env] += [
                Lasting(lambda e=env, f=flaw: f(world, e), candidate)  # type: ignore[misc]  # bound now
                for flaw in flaws
            ]

    return apply


def switched(path: str, value: object) -> Flaw:
    """Return that one of the platform's switches is set, by its dotted path below ``PlatformSettings``."""

    def flaw(world: World, env: Env) -> Callable[[], None]:
        settings = world.product(Dotmac).settings[env]
        right = _get(settings, path)
        _set(settings, path, value)
        return lambda: _set(settings, path, right)

    return flaw


def configured(key: str, value: str) -> Flaw:
    """Return that a release's ConfigMap has a value."""

    def flaw(world: World, env: Env) -> Callable[[], None]:
        body = world.store.get("configmaps", env.namespace, "dotmac-config")
        right = str(obj(body["data"]).get(key, "")) if body is not None else ""
        config(key, value, env)(world)
        return lambda: config(key, right, env)(world)

    return flaw


def when_live(env: Env, change: Apply) -> Apply:
    """Let something happen when all of an environment's backend pods run the candidate."""
    return lambda world: world.product(Dotmac).reconciler.when_live[env].append(lambda: change(world))


def database(env: Env = Env.PRODUCTION, **changes: object) -> Apply:
    """Change what the database is or holds; names are those of ``DatabaseSettings``."""

    def apply(dotmac: Dotmac) -> None:
        settings = dotmac.settings[env]
        settings.database = replace(settings.database, **changes)  # type: ignore[arg-type]  # checked when applied

    return platform(apply)


def secret(
    change: Callable[[dict[str, str], World], None], env: Env = Env.PRODUCTION, name: str = SECRET
) -> Apply:
    """Change the values in a Secret."""

    def apply(world: World) -> None:
        body = world.store.get("secrets", env.namespace, name)
        if body is None:
            return
        values = {k: base64.b64decode(str(v)).decode() for k, v in obj(body["data"]).items()}
        change(values, world)
        data: dict[str, Json] = {k: base64.b64encode(v.encode()).decode() for k, v in values.items()}
        world.store.put("secrets", {**body, "data": data})

    return apply


def set_secret(key: str, value: str) -> Apply:
    """Set one value in production's Secret of the release."""
    return secret(lambda values, _: values.update({key: value}), Env.PRODUCTION)


def config(key: str, value: str, env: Env = Env.PRODUCTION) -> Apply:
    """Set one value in the release's ConfigMap, as a hasty kubectl edit does."""

    def apply(world: World) -> None:
        body = world.store.get("configmaps", env.namespace, "dotmac-config")
        if body is not None:
            cast("dict[str, Json]", body["data"])[key] = value
            world.store.put("configmaps", body)

    return apply


def gone(plural: str, name: str, env: Env = Env.PRODUCTION) -> Apply:
    """Delete an object of the cluster."""

    def apply(world: World) -> None:
        if world.store.peek(plural, env.namespace, name) is not None:
            world.store.delete(plural, env.namespace, name)

    return apply


def chart_values(
    change: Callable[[dict[str, Json]], None], env: Env = Env.PRODUCTION, *, previous: bool = False
) -> Apply:
    """Change the values file that the candidate is released with, or that of the release before it."""

    def apply(world: World) -> None:
        file = world.folder.values(env, "previous" if previous else "")
        values = load(file.read_text())
        change(values)
        file.write_text(dump(values))

    return apply


def template(name: str, old: str, new: str) -> Apply:
    """Change the text of one of the chart's templates."""

    def apply(dotmac: Dotmac) -> None:
        file = dotmac.chart / "templates" / name
        text = file.read_text()
        assert old in text or new in text
        file.write_text(text.replace(old, new, 1))

    return platform(apply)


def denied(env: Env, resource: str, *verbs: str) -> Apply:
    """Refuse a console's account something in the cluster; ``*`` is every resource."""

    def apply(world: World) -> None:
        world.control.denials.append(
            lambda user, verb, asked, namespace: (
                user == world.account(env)
                and resource in ("*", asked.partition("/")[0])
                and (not verbs or verb in verbs)
                and namespace in ("", env.namespace)
            )
        )

    return apply


def of_candidate(
    name: str, item: str, what: str, *flaws: Flaw, expect: Expect = Expect.FAIL, live: bool = False
) -> Fault:
    """Return what is wrong with the candidate alone, wherever it runs; ``live``: it shows only in production."""
    apply = lasting(flaws, Env, candidate=True)
    return Fault(name=name, item=item, expect=expect, what=what, apply=apply, live=live)


def edited(plural: str, name: str, change: Callable[[dict[str, Json]], None]) -> Flaw:
    """Return that an object of the release was changed, as by hand; it goes with the release."""

    def flaw(world: World, env: Env) -> Callable[[], None] | None:
        body = world.store.get(plural, env.namespace, name)
        if body is None:
            return None
        change(below(body))
        world.store.put(plural, body)
        return lambda: None

    return flaw


def edit(
    plural: str, name: str, change: Callable[[dict[str, Json]], None], env: Env = Env.PRODUCTION
) -> Apply:
    """Change an object of an environment, where it is there."""

    def apply(world: World) -> None:
        edited(plural, name, change)(world, env)

    return apply


def of_pods(app: str, change: Callable[[dict[str, Json], World], None]) -> Flaw:
    """Return that every pod with a label ``app`` was changed, status and all."""

    def flaw(world: World, env: Env) -> Callable[[], None] | None:
        found = [
            pod
            for pod in world.store.list("pods", env.namespace)
            if path(pod, ("metadata", "labels", "app")) == app and path(pod, ("status", "phase")) == "Running"
        ]
        for pod in found:
            change(below(pod), world)
            world.store.put("pods", pod)
        return (lambda: None) if found else None

    return flaw


def container_of(deployment: dict[str, Json]) -> dict[str, Json]:
    """Return the first container of a deployment's template, to be changed."""
    containers = cast("list[dict[str, Json]]", below(deployment, "spec", "template", "spec")["containers"])
    return containers[0]


def with_env(*given: JsonObject) -> Callable[[dict[str, Json]], None]:
    """Give a deployment's first container further environment variables."""

    def change(deployment: dict[str, Json]) -> None:
        box = container_of(deployment)
        names = {one["name"] for one in given}
        box["env"] = [*(one for one in objs(box.get("env")) if one.get("name") not in names), *given]

    return change


def answered(path_: str, status: int, text: str, content_type: str = "application/json") -> Flaw:
    """Return that a path of the API has one answer for everybody."""
    return _in(lambda settings: settings.flows.answers, path_, Fixed(status, text, content_type))


def admin_answered(path_: str, status: int, text: str, content_type: str = "text/html") -> Flaw:
    """Return that a path of the Admin UI has one answer for everybody."""
    return _in(lambda settings: settings.web.admin_answers, path_, Fixed(status, text, content_type))


def _in(choose: Callable[[PlatformSettings], dict[str, Fixed]], name: str, value: Fixed) -> Flaw:
    def flaw(world: World, env: Env) -> Callable[[], None]:
        held = choose(world.product(Dotmac).settings[env])
        held[name] = value
        return lambda: (held.pop(name, None), None)[1]

    return flaw


def at_once(env: Env, *flaws: Flaw) -> Apply:
    """Let an environment have flaws from the beginning on, whatever runs there."""

    def apply(world: World) -> None:
        for flaw in flaws:
            flaw(world, env)

    return apply


def api_server_with(number: int, *flags: str) -> Apply:
    """Let an API server of the cluster run with these flags: its kubelet makes the pod anew."""

    def apply(world: World) -> None:
        body = api_server(number, stamp(world.clock.wall_us()), *flags)
        gone_from(KUBE_SYSTEM, name_of(body))(world)
        world.store.put("pods", body)

    return apply


def gone_from(namespace: str, pod: str) -> Apply:
    """Take a pod away, whatever namespace it is in."""

    def apply(world: World) -> None:
        if world.store.peek("pods", namespace, pod) is not None:
            world.store.delete("pods", namespace, pod, grace=False)

    return apply


def condition(name: str, change: Callable[[dict[str, Json]], None]) -> Apply:
    """Change a stop condition of the runbook."""

    def apply(world: World) -> None:
        def changed(runbook: dict[str, Json]) -> None:
            for one in objs(runbook["conditions"]):
                if one.get("id") == name:
                    change(cast("dict[str, Json]", one))

        world.control.runbook_changes.append(changed)

    return apply
