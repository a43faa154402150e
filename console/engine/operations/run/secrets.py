"""The release's secrets (SOP helm command 2): applied through the API, never on a command line."""

from __future__ import annotations

from base64 import b64encode

from checks.clients.errors import NotFoundError
from console.engine.operations.run.context import Run, Site
from state.base.json import JsonObject
from state.base.numbers import plural
from state.runbook.environment import AppliedSecret


async def secrets_step(run: Run) -> str:
    """Apply what the runbook applies, and return which secret is missing, or nothing.

    The redactor knows every value from here on. Raises MisconfiguredError where a value isn't on this machine,
    and the client's errors.
    """
    site = run.site
    lines = [await _apply(site, secret) for secret in site.environment.apply_secrets]
    missing: list[str] = []
    for name in site.environment.secrets:
        try:
            await site.kube.secret(name, site.namespace)
            lines.append(f"{name} exists")
        except NotFoundError:
            missing.append(name)
    if missing:
        await run.report.step("secrets", "failed", f"missing: {', '.join(missing)}")
        return f"secret {missing[0]} does not exist in {site.namespace}: create it, then deploy again"
    await run.report.step("secrets", "done", "; ".join(lines) or "none named")
    return ""


async def _apply(site: Site, one: AppliedSecret) -> str:
    values = {key: site.clients.secret(ref) for key, ref in one.data.items()}
    coded = {key: b64encode(value.encode()).decode() for key, value in values.items()}
    collection = f"/api/v1/namespaces/{site.namespace}/secrets"
    try:
        now = await site.kube.secret(one.name, site.namespace)
    except NotFoundError:
        meta: JsonObject = {"name": one.name}
        body: JsonObject = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": one.type}
        await site.kube.create(collection, {**body, "data": coded})
        return f"{one.name} created with {plural(len(coded), 'key')}"
    changed = [key for key, value in values.items() if now.get(key) != value]
    if not changed:
        return f"{one.name} is up to date ({plural(len(coded), 'key')})"
    await site.kube.patch(f"{collection}/{one.name}", {"data": {key: coded[key] for key in changed}})
    return f"{one.name}: {', '.join(sorted(changed))} changed, {plural(len(coded) - len(changed), 'key')} as before"
