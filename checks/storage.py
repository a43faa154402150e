"""The release's bucket."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Mapping
from typing import Final

from checks.base import CheckContext, CouldNotLookError, Outcome, Settings, check
from checks.clients.errors import MovedError
from checks.guides import deliveries
from checks.judging import STEADY, Findings
from checks.workloads import config_values
from state.base.json import Json, JsonObject, items, obj, objs, text
from state.base.numbers import plural

_BUCKET: Final = re.compile(r"(?:^|_)BUCKET(?:_NAME)?$", re.IGNORECASE)
_NARROWS: Final = (
    *(
        "aws:sourceip",
        "aws:sourcevpc",
        "aws:vpcsourceip",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorg",
    ),
    *("aws:principal", "aws:userid", "aws:username", "s3:dataaccesspoint", "aws:sourcevpce"),
)
"""Keys of conditions that say who may come, or from where; what is asked of the connection narrows nobody."""


class LifecycleSettings(Settings):
    """What the bucket must have."""

    prefixes: tuple[str, ...] = ()
    """Each must be covered by an enabled rule."""
    versioning: bool = False
    """Versioning must be on."""
    encryption: bool = False
    """Encryption at rest must be on."""
    private: bool = True
    """No policy gives everybody access."""


@check("storage.lifecycle", LifecycleSettings, guide=deliveries.LIFECYCLE, ttl=STEADY)
async def lifecycle(settings: LifecycleSettings, context: CheckContext) -> Outcome:
    """Judge that the bucket exists and that at least one enabled lifecycle rule does something."""
    findings = Findings()
    store = context.clients.objectstore(context.tier)
    findings.saw("bucket", store.bucket)
    try:
        exists = await store.bucket_exists()
    except MovedError as error:
        findings.wrong(f"bucket {store.bucket} is not where the runbook says: {error}")
        return findings.outcome("")
    await _own_bucket(store.bucket, context, findings)
    if not exists:
        findings.wrong(f"bucket {store.bucket} does not exist")
        return findings.outcome("")
    rules = await findings.look(store.lifecycle())
    if rules is not None:
        findings.saw(
            "rules", [{"id": r.id, "enabled": r.enabled, "prefix": r.prefix, "days": r.days} for r in rules]
        )
        working = [rule for rule in rules if rule.enabled and rule.acts]
        disabled = [rule.id or "without a name" for rule in rules if not rule.enabled]
        if not rules:
            findings.wrong(f"bucket {store.bucket} has no lifecycle rule")
        elif not working:
            findings.wrong(
                f"no lifecycle rule of {store.bucket} is enabled ({', '.join(disabled) or 'none does anything'})"
            )
        for prefix in settings.prefixes:
            covered = any(prefix.startswith(rule.prefix) and rule.whole for rule in working)
            findings.need(covered or not working, f"no enabled lifecycle rule covers {prefix}")
    await _protection(settings, context, findings)
    count = len(rules or ())
    return findings.outcome(f"bucket {store.bucket} exists with {plural(count, 'lifecycle rule')}")


async def _own_bucket(bucket: str, context: CheckContext, findings: Findings) -> None:
    """Compare the runbook's bucket with that of the platform's own settings, where it has such."""
    if context.first():
        # Its secrets may be made yet; the item that judges them says so.
        findings.saw("buckets_of_the_platform", "no settings yet")
        return
    try:
        values = await config_values(context)
    except CouldNotLookError as error:
        findings.blind(str(error))
        return
    named = {name: value.strip() for name, value in values.items() if _BUCKET.search(name) and value.strip()}
    findings.saw("buckets_of_the_platform", sorted(set(named.values())))
    if named and bucket not in named.values():
        told = ", ".join(f"{name} is {value}" for name, value in sorted(named.items())[:3])
        findings.wrong(f"the platform doesn't use bucket {bucket}, which was looked at: {told}")


async def _protection(settings: LifecycleSettings, context: CheckContext, findings: Findings) -> None:
    store = context.clients.objectstore(context.tier)
    if settings.versioning:
        versioning = await findings.look(store.versioning())
        findings.saw("versioning", versioning)
        findings.need(
            versioning in {None, "Enabled"}, f"versioning of {store.bucket} is {versioning}; expected Enabled"
        )
    if settings.encryption:
        encryption = await findings.look(_told(store.encryption()))
        findings.saw("encryption", encryption)
        findings.need(encryption != "", f"bucket {store.bucket} is not encrypted by default")
    if settings.private:
        policy = await findings.look(_told(store.policy()))
        if policy is not None:
            public = _public(policy)
            findings.saw("public_statements", public)
            if public is None:
                findings.blind(f"the policy of {store.bucket} can't be read: it is no JSON object")
            else:
                findings.need(public == 0, f"the policy of {store.bucket} lets everybody in")
        grants = await findings.look(store.public_grants())
        findings.saw("public_grants", list(grants) if grants is not None else None)
        findings.need(
            not grants, f"the access list of {store.bucket} gives everybody {', '.join(grants or ())}"
        )


async def _told(asking: Awaitable[str | None]) -> str:
    """Return an answer as text, so that "there is none" (empty) differs from "could not be seen" (None)."""
    return await asking or ""


def _public(policy: str) -> int | None:
    """Return how many statements let everybody in; None where the policy can't be read."""
    if not policy:
        return 0
    try:
        answer: Json = json.loads(policy)
    except (ValueError, RecursionError):
        return None
    if not isinstance(answer, Mapping):
        return None
    return sum(_lets_everybody_in(one) for one in objs(obj(answer).get("Statement")))


def _lets_everybody_in(statement: JsonObject) -> bool:
    """Return whether a statement allows everybody something: a condition counts where it says who, or from where."""
    principal = statement.get("Principal")
    who = obj(principal).get("AWS")
    if text(statement, "Effect") != "Allow" or not (principal == "*" or who == "*" or "*" in items(who)):
        return False
    keys = {
        name.lower()
        for operator, tests in obj(statement.get("Condition")).items()
        if not operator.lower().startswith(("stringnot", "notip", "arnnot", "null"))
        for name in obj(tests)
    }
    return not any(name.startswith(_NARROWS) for name in keys)
