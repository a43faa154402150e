"""What helm is given: a kubeconfig made of ours, where that still leads to the launch's cluster, and which HELM_*."""

from __future__ import annotations

import asyncio

from checks.base import CouldNotLookError
from checks.clients.kube import KubeClient
from checks.clients.kubeconfig.access import Access, read_access
from checks.clients.kubeconfig.private_file import write_private
from checks.clients.kubeconfig.session import Identity, elsewhere
from console.engine.operations.helm.helm import other_driver, passed_on
from console.engine.operations.preview.finding import Finding, fails, passes, unseen
from console.engine.operations.run.context import Site
from state.base.text import line
from state.runbook.models import Operation
from state.view.enums import OperationKind


async def same_cluster(site: Site, fixed: Identity | None) -> Finding:
    """Read the kubeconfig anew and compare where it leads to; write helm's kubeconfig where that is the same.

    Never raises for what can't be seen.
    """
    try:
        access = await asyncio.to_thread(read_access, site.environment.kube, site.kube.where)
        for value in access.secrets():
            site.clients.redactor.register(value)
        found, why = await _found(site, access)
        if fixed is not None and fixed.is_other(found):
            return fails(elsewhere(site.kube.where, fixed, found))
        await asyncio.to_thread(write_private, access, site.helm.kubeconfig)
    except CouldNotLookError as error:
        return unseen(str(error))
    except OSError as error:
        return unseen(f"helm's kubeconfig can't be written: {error.strerror}")
    if fixed is None:
        return passes(f"cluster {found}; which one this launch began on was never seen")
    if fixed.uid and not found.uid:
        return passes(
            f"cluster {found}, the address that this launch began on; its kube-system was not read: {why}"
        )
    return passes(f"cluster {found}, as this launch began")


async def _found(site: Site, access: Access) -> tuple[Identity, str]:
    """Return which cluster it is, and why its uid can't be read, or nothing."""
    kube, own = site.kube, None
    try:
        if (await kube.address()).address != access.address:
            # The open connection leads where the file led before: this one is made of the file as it is now.
            own = kube = KubeClient(site.environment.kube, site.environment.title, site.clients.redactor)
        return await kube.identity(), ""
    except CouldNotLookError as error:
        return Identity(access.address), str(error)
    finally:
        if own is not None:
            await own.aclose()


def helm_environment(operation: Operation) -> list[Finding]:
    """Say what of this environment's HELM_* helm is given."""
    given, kept_back = passed_on()
    found = [passes(f"helm is given {', '.join(given)}")] if given else []
    if kept_back:
        found.append(
            passes(f"{', '.join(kept_back)} of this environment is not given to helm: the runbook decides")
        )
    driver = other_driver()
    if driver and operation.kind is OperationKind.DEPLOY:
        words = f"HELM_DRIVER={line(driver, 20)} keeps releases elsewhere than in Secrets, which alone are read here"
        found.append(
            fails(f"{words}: unset it, or two people say that this release is in Secrets", soft=True)
        )
    return found
