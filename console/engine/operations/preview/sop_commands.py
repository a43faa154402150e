"""The SOP's commands 1, 2, 4 and 5 as a person would type them: the runbook's templates, filled in.

They are shown, and what they say is done through the API.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from console.engine.operations.run.context import Site
from state.runbook.environment import AppliedSecret
from state.runbook.helm_commands import Sop, expand, template


def sop(site: Site, which: Sop, words: Mapping[str, str | Sequence[str]]) -> list[str]:
    """Return one of the commands for an environment; it names its context, whatever the template says."""
    context = site.environment.kube.context
    known = {"namespace": site.namespace, "release": site.release, "context": context, **words}
    program, *rest = expand(template(site.runbook.helm_commands, which), known)
    return [program, *rest] if "--context" in rest else [program, "--context", context, *rest]


def kubectl(site: Site, *words: str) -> list[str]:
    """Return a command of kubectl for an environment."""
    return ["kubectl", "--context", site.environment.kube.context, "-n", site.namespace, *words]


def namespace_command(site: Site) -> str:
    """Return command 1: create the namespace."""
    return shlex.join(sop(site, Sop.NAMESPACE, {}))


def secret_commands(site: Site) -> list[str]:
    """Return command 2 for each secret that is applied; they name files and variables, never values."""
    return [_secret(site, one) for one in site.environment.apply_secrets]


def _secret(site: Site, one: AppliedSecret) -> str:
    # A variable is read by the shell that a person types this into: quoted, it would not be.
    sources = {
        key: shlex.quote(str(ref.file)) if ref.file is not None else f"<(printenv {ref.env})"
        for key, ref in one.data.items()
    }
    *start, _from = sop(site, Sop.SECRETS, {"secret": one.name, "file": ""})
    files = " ".join(f"--from-file={shlex.quote(key)}={source}" for key, source in sources.items())
    create = f"{shlex.join(start)} --type={shlex.quote(one.type)} {files}"
    apply = shlex.join(kubectl(site, "apply", "-f", "-"))
    return f"{create} --dry-run=client -o yaml | {apply}"


def validate_command(site: Site) -> str:
    """Return command 5: look at what runs."""
    return shlex.join(sop(site, Sop.VALIDATE, {}))
