"""What a launch needs of the machine that its engine runs on: helm, kubeconfig contexts, the sources of its secrets.

Nothing is run and no server is asked: an engine looks before its first frame, the doctor looks further.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from checks.clients.errors import MisconfiguredError, Where
from checks.clients.kubeconfig.access import Access, read_access
from state.events.launch import Lack
from state.runbook.environment import Environment
from state.runbook.models import Runbook
from state.runbook.units import MissingSecretError, SecretRef, TokenRef, secret_refs


class LackingError(Exception):
    """Something that isn't here: what, and what to do. Never a secret."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.lack = Lack(what, fix)


def find_helm(program: str) -> str:
    """Return where helm is. Raises LackingError."""
    found = shutil.which(program)
    if found is None:
        fix = "install helm 3 or 4 (helm.sh/docs/intro/install), or set helm: in the runbook to its path"
        raise LackingError(f"no program {program!r} was found", fix)
    return found


def find_context(environment: Environment) -> Access:
    """Return how an environment's cluster is reached, as its kubeconfig says. Raises LackingError."""
    try:
        return read_access(environment.kube, Where("Kubernetes", environment.title))
    except MisconfiguredError as error:
        key = f"environments.{environment.tier.value}.kube.context"
        fix = f"kubectl config get-contexts lists yours; name one in {key}"
        raise LackingError(str(error), fix) from None


def secrets_of(runbook: Runbook) -> Mapping[SecretRef, Sequence[str]]:
    """Return every source of a secret with the keys that name it: ``environments.staging.apply_secrets 1.data``."""
    wanted: dict[SecretRef, list[str]] = {}
    for keys, ref in secret_refs(runbook):
        place = "".join(f" {key}" if key.isdecimal() else f".{key}" for key in keys).lstrip(".")
        wanted.setdefault(ref, []).append(place)
    return wanted


def how_to_give(ref: SecretRef) -> str:
    """Return what makes a source have its secret."""
    if ref.env is not None:
        return f"export {ref.env}=… in the shell that starts the engine"
    if ref.file is not None:
        return f"write it to {ref.file}, readable by you alone (chmod 600)"
    return "run the program by hand and see what it says"


def find_secret(ref: SecretRef) -> None:
    """Look whether a source is there; a program that tells a token isn't run for it. Raises LackingError."""
    if isinstance(ref, TokenRef) and ref.exec:
        if shutil.which(ref.exec[0]) is None:
            why = f"no program {ref.exec[0]!r}, which tells a token, was found"
            raise LackingError(why, "install it, or correct exec: in the runbook")
        return
    try:
        ref.read()
    except MissingSecretError as error:
        raise LackingError(str(error), how_to_give(ref)) from None


def lacks_of(runbook: Runbook) -> tuple[Lack, ...]:
    """Return what a launch lacks on this machine, each once, the most needed first."""
    found: dict[Lack, None] = {}
    looks: list[Callable[[], object]] = [
        partial(find_helm, runbook.helm),
        *(partial(find_context, one) for one in runbook.environments.values()),
        *(partial(find_secret, one) for one in secrets_of(runbook)),
    ]
    for look in looks:
        try:
            look()
        except LackingError as error:
            found[error.lack] = None
    return tuple(found)
