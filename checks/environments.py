"""Staging and production share nothing, and few people can touch production."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from checks.base import CheckContext, Outcome, Settings, check
from checks.clients.sql import ROW_LIMIT
from checks.data_places import Place, places_of
from checks.guides import configuration
from checks.judging import LASTING, Findings, key, looked
from checks.workloads import config_values
from state.base.json import Json
from state.base.numbers import plural
from state.view.enums import After, Tier
from state.view.first_launch import began_first

if TYPE_CHECKING:
    from checks.clients.clients import Clients


class SeparateSettings(Settings):
    """Which settings must differ between the two environments."""

    differ: dict[str, tuple[str, ...]]
    """Purpose (``database``, ``redis``…) -> settings whose values must all differ."""
    optional: tuple[str, ...] = ()
    """Settings that may be absent in both."""
    places: dict[str, tuple[str, ...]] = {}
    """Purpose -> settings that together name one place (host and database).

    At least one of which must differ.
    """
    database_identity: bool = True
    """The database systems are compared too: two names may lead to one."""
    objectstore: bool = True
    """The buckets are compared too."""


@check("env.separate", SeparateSettings, guide=configuration.SEPARATE, ttl=LASTING, after=(After.PREPARE,))
async def separate(settings: SeparateSettings, context: CheckContext) -> Outcome:
    """Judge that databases, caches, stores and credentials differ.

    By value and by what the systems say of themselves.
    """
    findings = Findings()
    ours = await findings.look(config_values(context, Tier.PRODUCTION))
    theirs = await findings.look(config_values(context, Tier.STAGING))
    compared = 0
    if ours is not None and theirs is not None:
        compared = _values(settings, ours, theirs, findings)
        named = context.runbook.environments
        mine = places_of(ours, named[Tier.PRODUCTION].kube.namespace)
        others = places_of(theirs, named[Tier.STAGING].kube.namespace)
        _places(mine, others, findings)
    if settings.database_identity:
        await _database(context.clients, findings)
    if settings.objectstore:
        _stores(context, findings)
    if not (settings.places or settings.database_identity or settings.objectstore):
        findings.looked_at("setting", compared)
    return findings.outcome(
        looked(
            (compared, plural(compared, "setting differs", "settings differ")),
            (settings.places, plural(len(settings.places), "place differs", "places differ")),
            (settings.database_identity, "the database systems differ"),
            (settings.objectstore, "the buckets differ"),
        )
    )


def _values(
    settings: SeparateSettings, ours: Mapping[str, str], theirs: Mapping[str, str], findings: Findings
) -> int:
    """Compare settings by value and by place; return how many were there to be compared and differ."""
    compared = 0
    for purpose, names in settings.differ.items():
        seen: dict[str, Json] = {}
        for name in names:
            one, other = ours.get(name), theirs.get(name)
            if one is None and other is None:
                seen[key(name)] = "absent"
                if name not in settings.optional:
                    findings.blind(
                        f"{name} is set in neither environment, so {purpose} could not be compared"
                    )
            elif one is None or not one.strip():
                seen[key(name)] = "only in staging"
                if name not in settings.optional:
                    findings.wrong(f"{purpose}: {name} is set in staging and not in production")
            elif other is None and name not in settings.optional:
                seen[key(name)] = "only in production"
                findings.blind(f"{name} is set in production alone, so {purpose} could not be compared")
            elif one == other:
                seen[key(name)] = "same"
                findings.wrong(f"{purpose}: {name} is the same in staging and production")
            else:
                seen[key(name)] = "differ"
                compared += 1
        findings.saw(key(purpose), seen)
    for purpose, names in settings.places.items():
        place = [ours.get(name, "") for name in names]
        same = any(place) and place == [theirs.get(name, "") for name in names]
        findings.saw(key(purpose, "place"), "same" if same else "differ")
        findings.need(not same, f"{purpose} is the same place in staging and production ({', '.join(names)})")
    return compared


def _places(ours: Mapping[str, Place], theirs: Mapping[str, Place], findings: Findings) -> None:
    """Judge that no server of production's settings is one of staging's, under whatever name and account."""
    findings.saw("places_compared", len(ours))
    held: dict[Place, list[str]] = {}
    for name, place in theirs.items():
        held.setdefault(place, []).append(name)
    for name, place in ours.items():
        if place in held:
            findings.wrong(f"{name} of production leads to the server of staging's {min(held[place])}")


async def _database(clients: Clients, findings: Findings) -> None:
    ours = await findings.look(clients.sql(Tier.PRODUCTION).identity())
    theirs = await findings.look(clients.sql(Tier.STAGING).identity())
    if ours is None or theirs is None:
        return
    findings.saw("database_system", "same" if ours == theirs else "differ")
    findings.need(
        ours != theirs, "staging and production are the same database system, whatever their addresses say"
    )


def _stores(context: CheckContext, findings: Findings) -> None:
    ours, theirs = (
        context.runbook.environments[tier].objectstore for tier in (Tier.PRODUCTION, Tier.STAGING)
    )
    if ours is None or theirs is None:
        findings.blind(
            "the runbook names no object store for both environments: expected it, or objectstore: false"
        )
        return
    same = (ours.url.rstrip("/"), ours.bucket) == (theirs.url.rstrip("/"), theirs.bucket)
    findings.saw("bucket", "same" if same else "differ")
    findings.need(not same, f"staging and production use the same bucket {ours.bucket}")


class NoSharedDataSettings(Settings):
    """Samples that must not be in both databases."""

    samples: dict[str, str]
    """What (``tenants``…) -> a query for one column of values that identify somebody."""
    allowed: tuple[str, ...] = ()
    """Values that may be in both, such as a smoke tenant's name."""


@check("env.no_shared_data", NoSharedDataSettings, guide=configuration.NO_SHARED, ttl=LASTING)
async def no_shared_data(settings: NoSharedDataSettings, context: CheckContext) -> Outcome:
    """Judge that no sampled row of production is in staging. Values are compared by keyed fingerprint."""
    findings = Findings()
    compared = 0
    first = began_first(context.view)
    if context.first(Tier.PRODUCTION) and await _empty(context, findings):
        findings.defer("production's database has no table yet, so there is nothing to compare")
        return findings.outcome("")
    for what, sql in settings.samples.items():
        sides: list[set[str]] = []
        for tier in (Tier.PRODUCTION, Tier.STAGING):
            rows = await findings.look(context.clients.sql(tier).rows(sql))
            if rows is None:
                break
            values = {str(value) for row in rows for value in row.values() if value is not None}
            sides.append({context.clients.fingerprint(value) for value in values - set(settings.allowed)})
        if len(sides) < 2:
            continue
        shared = len(sides[0] & sides[1])
        compared += len(sides[0])
        findings.saw(key(what), {"production": len(sides[0]), "staging": len(sides[1]), "in_both": shared})
        if len(sides[1]) >= ROW_LIMIT - len(settings.allowed) and not shared:
            findings.blind(
                f"staging has more {what} than the {ROW_LIMIT} that were compared: ask for fewer of production"
            )
        if not sides[0] and not first:
            findings.blind(f"production has no {what}, so nothing could be compared")
        findings.need(shared == 0, f"{shared} {what} of production are in staging too")
    return findings.outcome(f"none of {plural(compared, 'sampled value')} of production is in staging")


async def _empty(context: CheckContext, findings: Findings) -> bool:
    """Return whether production's database holds no table: one that nothing was ever migrated in."""
    tables = await findings.look(context.clients.sql(Tier.PRODUCTION).tables())
    findings.saw("production_tables", len(tables) if tables is not None else None)
    return tables is not None and not tables
