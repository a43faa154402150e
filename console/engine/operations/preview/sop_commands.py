"""The SOP's commands 1, 2, 4 and 5 as a person would type them: the runbook's templates, filled in.

They are shown, and what they say is done through the API.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence

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


def secret_commands(site: Site, only: Mapping[str, Collection[str]] | None = None) -> list[str]:
    """Return command 2 for each secret that is applied; they name files and variables, never values.

    ``only``: of each secret to be applied, the keys of it; None: all of all.
    """
    found: list[str] = []
    for one in site.environment.apply_secrets:
        keys = None if only is None else only.get(one.name, ())
        if keys is None or keys:
            found.append(_secret(site, one, keys))
    return found


def _secret(site: Site, one: AppliedSecret, keys: Collection[str] | None) -> str:
    *start, _from = sop(site, Sop.SECRETS, {"secret": one.name, "file": ""})
    create = f"{shlex.join(start)} --type={shlex.quote(one.type)} {' '.join(_sources(one, keys))}"
    apply = shlex.join(kubectl(site, "apply", "-f", "-"))
    return f"{create} --dry-run=client -o yaml | {apply}"


def _sources(secret: AppliedSecret, keys: Collection[str] | None) -> list[str]:
    # A variable is read by the shell that a person types this into: quoted, it would not be.
    if secret.env_file is not None:
        file = shlex.quote(str(secret.env_file))
        if keys is None:
            return [f"--from-env-file={file}"]
        return [f"--from-file={key}=<(sed -n 's/^{key}=//p' {file})" for key in sorted(keys)]
    return [
        f"--from-file={key}={ref.file if ref.file is not None else f'<(printenv {ref.env})'}"
        for key, ref in secret.data.items()
        if keys is None or key in keys
    ]


def validate_command(site: Site) -> str:
    """Return command 5: look at what runs."""
    return shlex.join(sop(site, Sop.VALIDATE, {}))
