"""The release's bucket."""

from __future__ import annotations

import json
from collections.abc import Awaitable

from checks.base import CheckContext, Outcome, Settings, check
from checks.judging import STEADY, Findings
from state.base.json import Json, items, obj, objs, text
from state.base.numbers import plural


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


@check("storage.lifecycle", LifecycleSettings, ttl=STEADY)
async def lifecycle(settings: LifecycleSettings, context: CheckContext) -> Outcome:
    """Judge that the bucket exists and that at least one enabled lifecycle rule does something."""
    findings = Findings()
    store = context.clients.objectstore(context.tier)
    findings.saw("bucket", store.bucket)
    exists = await store.bucket_exists()
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
            covered = any(prefix.startswith(rule.prefix) for rule in working)
            findings.need(covered or not working, f"no enabled lifecycle rule covers {prefix}")
    await _protection(settings, context, findings)
    count = len(rules or ())
    return findings.outcome(f"bucket {store.bucket} exists with {plural(count, 'lifecycle rule')}")


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
            findings.need(public == 0, f"the policy of {store.bucket} lets everybody in")


async def _told(asking: Awaitable[str | None]) -> str:
    """Return an answer as text, so that "there is none" (empty) differs from "could not be seen" (None)."""
    return await asking or ""


def _public(policy: str) -> int:
    if not policy:
        return 0
    try:
        answer: Json = json.loads(policy)
    except ValueError:
        return 0
    count = 0
    for statement in objs(obj(answer).get("Statement")):
        principal = statement.get("Principal")
        everybody = (
            principal == "*" or "*" in items(obj(principal).get("AWS")) or obj(principal).get("AWS") == "*"
        )
        count += everybody and text(statement, "Effect") == "Allow" and not statement.get("Condition")
    return count
