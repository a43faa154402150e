"""``launch-console rbac``: the least roles for the account that an engine uses, as YAML to be applied by an admin."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import yaml

from checks.base import CouldNotLookError
from checks.clients.clients import Clients
from checks.clients.kubeconfig.access import kubeconfig_path
from console.cli.say import say
from console.engine.checks.validate import load_judgeable
from console.engine.operations.access.roles import looking, manifests, operating
from console.engine.operations.helm.helm import Helm
from console.engine.operations.run.context import Site
from console.exit_codes import ExitCode
from state.base.clock import SystemClock
from state.runbook.models import Runbook
from state.view.enums import Tier


def run(runbook: Path, operations: bool, account: str, env: str | None) -> ExitCode:
    """Print the roles and bindings of each environment: to look, and with ``operations`` to operate too.

    Raises RunbookError.
    """
    return asyncio.run(_printed(load_judgeable(runbook).runbook, operations, account, env))


async def _printed(runbook: Runbook, operations: bool, account: str, env: str | None) -> ExitCode:
    clients = Clients(runbook)
    code = ExitCode.GO
    try:
        for tier in runbook.environments:
            if env not in {None, tier.value}:
                continue
            found = looking(runbook, tier)
            if operations:
                try:
                    found |= await operating(_site(runbook, tier, clients))
                except CouldNotLookError as error:
                    say(f"{tier}: what operations need can't be told: {error}")
                    code = ExitCode.BLIND
                    continue
            made = manifests(found, tier, account, runbook.environments[tier].kube.namespace)
            sys.stdout.write(f"# {tier}: {'looks and operates' if operations else 'looks'}\n")
            for one in made:
                sys.stdout.write(f"---\n{yaml.safe_dump(one, sort_keys=False)}")
    finally:
        await clients.aclose()
    return code


def _site(runbook: Runbook, tier: Tier, clients: Clients) -> Site:
    environment = runbook.environments[tier]
    helm = Helm(runbook, environment, Path(kubeconfig_path(environment.kube)), clients.redactor)
    return Site(runbook, environment, helm, clients, SystemClock(), Path(tempfile.gettempdir()))
