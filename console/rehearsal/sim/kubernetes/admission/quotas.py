"""What a namespace's quotas leave: of pods, of what they ask for, and of objects that are counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from console.rehearsal.sim.kubernetes.admission.stored_form import amount, quantity
from console.rehearsal.sim.kubernetes.objects import name_of, word
from console.rehearsal.sim.kubernetes.resources import Resource
from state.base.json import JsonObject, obj, objs, path, text

_ENDED = ("Succeeded", "Failed")
_COUNTED = ("pods", "services", "configmaps", "secrets", "resourcequotas", "persistentvolumeclaims")
"""Kinds whose number a quota limits by the kind's plain name; any other is ``count/deployments.apps``."""
_ASKED = ("cpu", "memory", "ephemeral-storage")
Uses = Mapping[str, Decimal]


def exceeded(
    resource: Resource, body: JsonObject, quotas: Iterable[JsonObject], there: Iterable[JsonObject]
) -> str:
    """Return why quotas don't admit one more object, in the API server's words; "" where they do.

    ``there`` are the objects of its kind that the namespace has.
    """
    have = [one for one in there if word(one, "status", "phase") not in _ENDED]
    for quota in sorted(quotas, key=name_of):
        hard = obj(path(quota, ("spec", "hard")))
        more, missing = _uses(resource, body, hard)
        if missing:
            return f"failed quota: {name_of(quota)}: must specify {missing}"
        used = {
            key: sum((_uses(resource, one, hard)[0].get(key, Decimal(0)) for one in have), Decimal(0))
            for key in more
        }
        beyond = [key for key in sorted(more) if used[key] + more[key] > amount(hard[key])]
        if beyond:
            told = ", ".join(
                f"{what}: {','.join(f'{key}={_written(amounts[key])}' for key in beyond)}"
                for what, amounts in (("requested", more), ("used", used))
            )
            limited = ",".join(f"{key}={quantity(str(hard[key]))}" for key in beyond)
            return f"exceeded quota: {name_of(quota)}, {told}, limited: {limited}"
    return ""


def _uses(resource: Resource, body: JsonObject, hard: JsonObject) -> tuple[dict[str, Decimal], str]:
    """Return what of a quota an object uses, and what it doesn't say though the quota counts it."""
    plural = resource.plural
    names = {f"count/{plural}.{resource.group}" if resource.group else f"count/{plural}"}
    if plural in _COUNTED:
        names.add(plural)
    uses = {key: Decimal(1) for key in names if key in hard}
    missing: dict[str, list[str]] = {}
    if plural == "pods":
        for key in hard:
            part, name = _part(key)
            if not part:
                continue
            uses[key] = Decimal(0)
            for container in objs(path(body, ("spec", "containers"))):
                said = obj(path(container, ("resources", part))).get(name)
                uses[key] += amount(said) if said is not None else 0
                if said is None:
                    missing.setdefault(key, []).append(text(container, "name"))
    return uses, "; ".join(f"{key} for: {','.join(those)}" for key, those in sorted(missing.items()))


def _part(key: str) -> tuple[str, str]:
    part, _, name = key.rpartition(".")
    if name not in _ASKED or part not in ("", "requests", "limits"):
        return "", ""
    return part or "requests", name


def _written(value: Decimal) -> str:
    return str(quantity(str(value)))
