"""Fields of the chart that somebody else has taken since: an autoscaler, ``kubectl scale``, a CA injector.

The API server says which: it is asked to apply each object as helm would, without force and without doing it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from checks.clients.errors import ConflictError, NotFoundError, RejectedError
from console.engine.operations.access.kinds import kinds_of
from console.engine.operations.preview.manifest import documents
from console.engine.operations.run.context import Site
from state.base.json import JsonObject, obj, text
from state.base.text import line

_HELM = "helm"
_MANAGER = re.compile(r'conflicts? with "([^"]*)"(?: with subresource "([^"]*)")? using [^:\s]+:')
_FIELD = re.compile(r"(?:^|[\s-])(\.[^\s&]+)")
_MOST = 5
_AT_ONCE = 8
_AUTOSCALER = ("kube-controller-manager", "scale")


async def taken(site: Site, manifest: str) -> list[str]:
    """Return what helm would set back to the manifest's value though another has set it, a line an object.

    Raises the client's errors where the cluster doesn't say.
    """
    things = documents(manifest)
    kinds = await kinds_of(site.kube, things)
    some = asyncio.Semaphore(_AT_ONCE)

    async def one_of(thing: JsonObject) -> str:
        kind = kinds.get((text(thing, "apiVersion"), text(thing, "kind")))
        meta = obj(thing.get("metadata"))
        if kind is None:
            return ""
        place = kind.collection(text(meta, "namespace") or site.namespace)
        path = f"{place}/{text(meta, 'name')}"
        async with some:
            try:
                await site.kube.get(path)
                await site.kube.apply_dry_run(path, thing, _HELM, force=False)
            except NotFoundError:
                return ""  # what isn't there has no owner
            except ConflictError as error:
                fields = conflicts(str(error))
                return line(f"{text(thing, 'kind')}/{text(meta, 'name')}: {fields}", 300) if fields else ""
            except RejectedError:
                return ""  # helm will be told so itself, or applies it another way
        return ""

    found = [one for one in await asyncio.gather(*(one_of(thing) for thing in things)) if one]
    more = len(found) - _MOST
    return [*found[:_MOST], *([f"and fields of {more} more objects"] if more > 0 else [])]


def conflicts(message: str) -> str:
    """Return the fields of a conflict and who has them, from the server's own words; helm itself is nobody else."""
    told: list[str] = []
    owners: Sequence[re.Match[str]] = list(_MANAGER.finditer(message))
    for at, owner in enumerate(owners):
        end = owners[at + 1].start() if at + 1 < len(owners) else len(message)
        # The sentence around it ends with a bracket and what was expected.
        words = message[owner.end() : end].partition(");")[0]
        fields = [
            one.rstrip(",;)") if one.count("(") < one.count(")") else one for one in _FIELD.findall(words)
        ]
        manager, part = owner[1], owner[2] or ""
        if (manager == _HELM and not part) or not fields:
            continue
        who = f"{manager} ({part})" if part else manager
        again = ", whose autoscaler sets it again" if (manager, part) == _AUTOSCALER else ""
        told.append(f"{', '.join(dict.fromkeys(fields))} is set back, which {who} has taken{again}")
    return "; ".join(told)
