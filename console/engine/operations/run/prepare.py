"""Prepare: the namespace with its labels, and the secrets (SOP helm commands 1 and 2), before the first install.

It only adds: a value or an object that is there is never overwritten. Run again, it goes on where it was.
"""

from __future__ import annotations

from contextlib import suppress

from checks.base import CouldNotLookError
from checks.clients.errors import NotFoundError
from console.engine.operations.preview.preparation import secret_values, to_prepare
from console.engine.operations.run import secrets as applying
from console.engine.operations.run.context import Run
from console.engine.operations.run.deploy import lease_step, namespace_step
from console.engine.operations.run.output import End
from console.engine.operations.verdict.verdict import RETRY
from state.base.json import JsonObject
from state.view.enums import OperationState as State


async def prepare(run: Run) -> End:
    """Create what is lacking, and judge it by what is there afterwards."""
    try:
        await namespace_step(run)
        await _labels_step(run)
    except CouldNotLookError as error:
        return End(State.FAILED, f"{error}; {await _stands(run)}", offers=(RETRY,))
    held = await lease_step(run)
    if held:
        return End(State.FAILED, f"no secret was touched: {held}", offers=(RETRY,))
    failed: list[str] = []
    for secret in run.site.environment.apply_secrets:
        if run.abort.is_set():
            return End(State.ABORTED, f"aborted; {await _stands(run)}", offers=(RETRY,))
        name = f"secret {secret.name}"
        try:
            await run.report.step(name, "done", await applying.apply(run.site, secret, overwrite=False))
        except CouldNotLookError as error:
            await run.report.step(name, "failed", str(error))
            failed.append(str(error))
    return await judge_prepared(run, failed)


async def _labels_step(run: Run) -> None:
    labels = run.site.environment.namespace_labels
    if not labels:
        return
    body: JsonObject = {"metadata": {"labels": dict(labels)}}
    await run.site.kube.patch(f"/api/v1/namespaces/{run.site.namespace}", body)
    await run.report.step(
        "labels", "done", ", ".join(f"{key}={value}" for key, value in sorted(labels.items()))
    )


async def judge_prepared(run: Run, failed: list[str] | None = None) -> End:
    """Say what a preparation came to: by what is in the cluster now."""
    try:
        found = await to_prepare(run.site)
    except CouldNotLookError as error:
        return End(State.UNKNOWN, f"what it came to cannot be seen: {error}", offers=(RETRY,))
    problems = list(failed or ())
    if not found.nothing:
        problems.append(f"still lacking: {found.words}")
    if found.without_source:
        problems.append(
            f"secret {', '.join(found.without_source)} is not there, and the runbook names no values for it "
            "(apply_secrets): create it by hand, or name them"
        )
    stands = await _stands(run)
    if problems:
        return End(State.FAILED, f"{'; '.join(problems)}. {stands}", offers=(RETRY,))
    return End(State.SUCCEEDED, stands)


async def _stands(run: Run) -> str:
    """Return what is there, in words."""
    site = run.site
    names = dict.fromkeys((*(s.name for s in site.environment.apply_secrets), *site.environment.secrets))
    try:
        await site.kube.get(f"/api/v1/namespaces/{site.namespace}")
    except NotFoundError:
        return f"namespace {site.namespace} is not there"
    except CouldNotLookError as error:
        return f"what is there cannot be seen ({error})"
    there: list[str] = []
    with suppress(CouldNotLookError):
        there = [name for name in names if await secret_values(site, name) is not None]
    held = f" with secret {', '.join(there)}" if there else ", without a secret"
    return f"namespace {site.namespace} is there{held}"
