"""What a fault is, and the few ways in which the catalogue's faults reach into a world."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from aiohttp import web

from console.rehearsal.dotmac.names import SECRET, Env
from console.rehearsal.sim.fast_yaml import dump, load
from state.base.json import Json, JsonObject, obj

if TYPE_CHECKING:
    from console.rehearsal.world.world import World

Apply = Callable[["World"], None]
Hook = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


class Expect(StrEnum):
    """What the item that must notice a fault turns into."""

    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with the world, and the item of the SOP that must notice.

    ``what`` says in a sentence what is wrong. ``prepare``, where there is one, is called before the first
    release is made, when the chart and the values lie in the folder; ``apply`` when the world is complete. Both
    are called at every start of a world, so they may find what they have changed already.
    """

    name: str
    item: str
    expect: Expect
    what: str
    apply: Apply
    prepare: Apply | None = None


def fails(name: str, item: str, what: str, *applies: Apply, prepare: Apply | None = None) -> Fault:
    """Return a fault by which an item fails."""
    return Fault(name, item, Expect.FAIL, what, together(*applies), prepare)


def blinds(name: str, item: str, what: str, *applies: Apply) -> Fault:
    """Return a fault by which an item cannot be judged."""
    return Fault(name, item, Expect.UNKNOWN, what, together(*applies))


def together(*applies: Apply) -> Apply:
    """Return all of these as one."""

    def apply(world: World) -> None:
        for one in applies:
            one(world)

    return apply


def switch(path: str, value: object, env: Env = Env.PRODUCTION) -> Apply:
    """Set one of the platform's switches, by its dotted path below ``PlatformSettings``.

    Applying it raises AttributeError or KeyError where there is no such switch.
    """
    return lambda world: _set(world.settings[env], path, value)


def _get(settings: object, path: str) -> object:
    found = settings
    for name in path.split("."):
        found = found[name] if isinstance(found, dict) else getattr(found, name)
    return found


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

    def apply(world: World) -> None:
        settings = world.settings[Env.PRODUCTION]
        right = _get(settings, path)
        _set(settings, path, value)
        world.causes.when_live[Env.PRODUCTION].append(lambda: _set(settings, path, right))

    return apply


def database(env: Env = Env.PRODUCTION, **changes: object) -> Apply:
    """Change what the database is or holds; names are those of ``DatabaseSettings``."""

    def apply(world: World) -> None:
        settings = world.settings[env]
        settings.database = replace(settings.database, **changes)  # type: ignore[arg-type]  # checked when applied

    return apply


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


def set_secret(key: str, value: str, env: Env = Env.PRODUCTION) -> Apply:
    """Set one value in the release's Secret."""
    return secret(lambda values, _: values.update({key: value}), env)


def config(key: str, value: str, env: Env = Env.PRODUCTION) -> Apply:
    """Set one value in the release's ConfigMap, as a hasty kubectl edit does."""
    return edit("configmaps", "dotmac-config", lambda body: _data(body).update({key: value}), env)


def _data(body: dict[str, Json]) -> dict[str, Json]:
    return cast("dict[str, Json]", body["data"])


def edit(
    plural: str, name: str, change: Callable[[dict[str, Json]], None], env: Env = Env.PRODUCTION
) -> Apply:
    """Change an object of the cluster in place."""

    def apply(world: World) -> None:
        body = world.store.get(plural, env.namespace, name)
        if body is not None:
            change(cast("dict[str, Json]", body))
            world.store.put(plural, body)

    return apply


def gone(plural: str, name: str, env: Env = Env.PRODUCTION) -> Apply:
    """Delete an object of the cluster."""

    def apply(world: World) -> None:
        if world.store.peek(plural, env.namespace, name) is not None:
            world.store.delete(plural, env.namespace, name)

    return apply


def there(plural: str, body: JsonObject) -> Apply:
    """Add an object to the cluster."""
    return lambda world: _put(world, plural, body)


def _put(world: World, plural: str, body: JsonObject) -> None:
    world.store.put(plural, body)


def chart_values(
    change: Callable[[dict[str, Json]], None], env: Env = Env.PRODUCTION, *, always: bool = False
) -> Apply:
    """Change the values file that the candidate is released with, and with ``always`` the one before it."""

    def apply(world: World) -> None:
        for which in ("", "previous") if always else ("",):
            file = world.folder.values(env, which)
            values = load(file.read_text())
            change(values)
            file.write_text(dump(values))

    return apply


def template(name: str, old: str, new: str) -> Apply:
    """Change the text of one of the chart's templates."""

    def apply(world: World) -> None:
        file = world.folder.chart / "templates" / name
        text = file.read_text()
        assert old in text or new in text
        file.write_text(text.replace(old, new, 1))

    return apply


def below(body: Json, *keys: str) -> dict[str, Json]:
    """Return the object below some keys, to be changed."""
    for key in keys:
        body = cast("dict[str, Json]", body)[key]
    return cast("dict[str, Json]", body)


def denied(env: Env, resource: str, *verbs: str) -> Apply:
    """Refuse a console's account something in the cluster; ``*`` is every resource."""

    def apply(world: World) -> None:
        world.control.denials.append(
            lambda user, verb, asked, namespace: (
                user == f"console-{env}"
                and resource in ("*", asked.partition("/")[0])
                and (not verbs or verb in verbs)
                and namespace in ("", env.namespace)
            )
        )

    return apply


def answering(status: int, text: str, content_type: str = "text/plain") -> Hook:
    """Return a hook that answers every request in a server's place."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=text, content_type=content_type)

    return answer


def only(part: str, hook: Hook) -> Hook:
    """Return a hook that looks only at requests whose path or query holds ``part``."""

    async def answer(request: web.Request) -> web.StreamResponse | None:
        asked = [request.path, *request.query, *request.query.values()]
        if request.method == "POST" and request.content_type == "application/x-www-form-urlencoded":
            asked += [str(value) for value in (await request.post()).values()]
        return await hook(request) if any(part in one for one in asked) else None

    return answer


def at(path: str, hook: Hook) -> Hook:
    """Return a hook that looks only at requests to exactly ``path``."""

    async def answer(request: web.Request) -> web.StreamResponse | None:
        return await hook(request) if request.path == path else None

    return answer
