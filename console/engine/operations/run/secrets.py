"""The release's secrets (SOP helm command 2): applied through the API, never on a command line."""

from __future__ import annotations

import os
from base64 import b64encode

from checks.clients.errors import MisconfiguredError, NotFoundError
from console.engine.operations.run.context import Run, Site
from state.base.json import JsonObject
from state.base.numbers import plural
from state.runbook.environment import AppliedSecret
from state.runbook.units import SecretRef


async def secrets_step(run: Run) -> str:
    """Apply what the runbook applies, and return which secret is missing, or nothing.

    The redactor knows every value from here on. Raises MisconfiguredError where a value isn't on this machine,
    and the client's errors.
    """
    site = run.site
    lines = [await apply(site, secret) for secret in site.environment.apply_secrets]
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


def values_of(site: Site, secret: AppliedSecret) -> dict[str, str]:
    """Return what a secret is to hold; the redactor knows every value from here on.

    Raises MisconfiguredError where a value isn't on this machine.
    """
    if secret.env_file is None:
        return {key: site.clients.secret(ref) for key, ref in secret.data.items()}
    raw = site.clients.secret(SecretRef(file=secret.env_file))
    values = env_lines(raw)
    if not values:
        raise MisconfiguredError(
            f"{secret.env_file} holds no KEY=VALUE line; expected the values of {secret.name}"
        )
    for key, value in values.items():
        site.clients.redactor.register_pair(key, value)
    return values


def env_lines(raw: str) -> dict[str, str]:
    """Return the pairs of a file of KEY=VALUE lines, read as kubectl does.

    Nothing is unquoted, ``#`` begins a comment only at a line's start, and a key alone stands for the variable of
    its name.
    """
    values: dict[str, str] = {}
    for line in raw.removeprefix("\ufeff").splitlines():
        text = line.lstrip()
        if not text or text.startswith("#"):
            continue
        key, equals, value = text.partition("=")
        values[key] = value if equals else os.environ.get(key, "")
    return values


async def apply(site: Site, one: AppliedSecret, *, overwrite: bool = True) -> str:
    """Create a secret, or bring it up to date; say what was done.

    Without ``overwrite`` values that are there stay as they are. Raises MisconfiguredError and the client's errors.
    """
    values = values_of(site, one)
    coded = {key: b64encode(value.encode()).decode() for key, value in values.items()}
    collection = f"/api/v1/namespaces/{site.namespace}/secrets"
    try:
        now = await site.kube.secret(one.name, site.namespace)
    except NotFoundError:
        meta: JsonObject = {"name": one.name}
        body: JsonObject = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": one.type}
        await site.kube.create(collection, {**body, "data": coded})
        return f"{one.name} created with {plural(len(coded), 'key')}"
    differ = [key for key, value in values.items() if key in now and now[key] != value]
    changed = [key for key in values if key not in now or (overwrite and key in differ)]
    kept = [] if overwrite else differ
    if changed:
        await site.kube.patch(f"{collection}/{one.name}", {"data": {key: coded[key] for key in changed}})
    left = f"; left as they are, though they differ: {', '.join(sorted(kept))}" if kept else ""
    if not changed:
        return f"{one.name} is up to date ({plural(len(coded), 'key')}){left}"
    as_before = plural(len(coded) - len(changed), "key")
    return f"{one.name}: {', '.join(sorted(changed))} changed, {as_before} as before{left}"
