"""What a fault is, and the ways to reach into a world that are the same for every product."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from aiohttp import web

from console.rehearsal.world.coupling import Misbehaviour
from state.base.json import Json, JsonObject

if TYPE_CHECKING:
    from console.rehearsal.world.world import World

Apply = Callable[["World"], None]
Hook = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


ODD = "odd:"
"""What the name of a world begins with that is good, and unlike what one would expect."""


class UnknownFaultError(Exception):
    """No fault has that name."""


class Expect(StrEnum):
    """What the item that must notice a fault turns into."""

    FAIL = "fail"
    UNKNOWN = "unknown"
    PASS = "pass"  # noqa: S105  a verdict
    """Nothing: it is gone with the release that the candidate replaces, and no item may be red for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is wrong with the world, and the item of the product's runbook that must notice.

    ``item`` is an item's number, or the id of a stage of the pipeline.

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
    live: bool = False
    """Whether it shows only in production, once the candidate is there: the item's second look notices."""
    first: bool = False
    """Whether it shows only in a first launch."""

    @property
    def is_odd(self) -> bool:
        """Return whether nothing is wrong with it at all."""
        return self.name.startswith(ODD)


def fails(
    name: str, item: str, what: str, *applies: Apply, prepare: Apply | None = None, live: bool = False
) -> Fault:
    """Return a fault by which an item fails."""
    return Fault(
        name=name,
        item=item,
        expect=Expect.FAIL,
        what=what,
        apply=together(*applies),
        prepare=prepare,
        live=live,
    )


def odd(name: str, item: str, what: str, *applies: Apply) -> Fault:
    """Return a world that is good, but odd where ``item`` looks: no item may be red or unknown for it."""
    return Fault(name=f"{ODD}{name}", item=item, expect=Expect.PASS, what=what, apply=together(*applies))


def blinds(name: str, item: str, what: str, *applies: Apply) -> Fault:
    """Return a fault by which an item cannot be judged."""
    return Fault(name=name, item=item, expect=Expect.UNKNOWN, what=what, apply=together(*applies))


def named(name: str, faults: Sequence[Fault]) -> Fault:
    """Return a fault by its name.

    Raises UnknownFaultError, which lists names like it.
    """
    for fault in faults:
        if fault.name == name:
            return fault
    close = get_close_matches(name, [fault.name for fault in faults], n=5, cutoff=0.6)
    hint = f"did you mean {', '.join(close)}?" if close else "`launch-console faults` lists them"
    raise UnknownFaultError(f"there is no fault {name!r}: {hint}")


def together(*applies: Apply) -> Apply:
    """Return all of these as one."""

    def apply(world: World) -> None:
        for change in applies:
            change(world)

    return apply


def misbehaves(environment: str, **changes: float) -> Apply:
    """Let the candidate misbehave in an environment; names are those of ``Misbehaviour``."""

    def apply(world: World) -> None:
        world.misbehaviour[environment] = Misbehaviour(**changes)

    return apply


def added(plural: str, body: JsonObject) -> Apply:
    """Add an object to the cluster."""

    def apply(world: World) -> None:
        world.store.put(plural, body)

    return apply


def below(body: Json, *keys: str) -> dict[str, Json]:
    """Return the object below some keys, to be changed."""
    for key in keys:
        body = cast("dict[str, Json]", body)[key]
    return cast("dict[str, Json]", body)


def answering(status: int, text: str, content_type: str = "text/plain") -> Hook:
    """Return a hook that answers every request in a server's place."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=text, content_type=content_type)

    return answer


def only(part: str, hook: Hook) -> Hook:
    """Return a hook that looks only at requests whose path or query holds ``part``."""

    async def answer(request: web.Request) -> web.StreamResponse | None:
        sent = [request.path, *request.query, *request.query.values()]
        if request.method == "POST" and request.content_type == "application/x-www-form-urlencoded":
            sent += [str(value) for value in (await request.post()).values()]
        return await hook(request) if any(part in text for text in sent) else None

    return answer


def at(path: str, hook: Hook) -> Hook:
    """Return a hook that looks only at requests to exactly ``path``."""

    async def answer(request: web.Request) -> web.StreamResponse | None:
        return await hook(request) if request.path == path else None

    return answer
