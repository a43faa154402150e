"""Every kind of check: importing this module registers them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from checks import (  # noqa: F401  each registers its kinds
    alerts,
    artifact,
    auth,
    cluster,
    config,
    data,
    environments,
    flows,
    gaps,
    health,
    helm,
    launch,
    scope,
    secrets,
    storage,
    telemetry,
    tls,
    web,
    worker,
)
from checks.base import REGISTRY, CheckKind, Settings

if TYPE_CHECKING:
    from state.runbook.models import Runbook


def kind(name: str) -> CheckKind[Settings] | None:
    """Return the kind of that name, or None."""
    return REGISTRY.get(name)


def names() -> list[str]:
    """Return the names of all kinds, sorted."""
    return sorted(REGISTRY)


def validate(runbook: Runbook) -> list[tuple[str, str, str]]:
    """Return what is wrong with a runbook's checks: (item, kind, message), one for each mistake.

    Messages never quote a value.
    """
    problems: list[tuple[str, str, str]] = []
    for item in (item for gate in runbook.gates for item in gate.items):
        for spec in item.checks:
            known = REGISTRY.get(spec.kind)
            if known is None:
                problems.append((item.id, spec.kind, f"there is no such kind of check{_similar(spec.kind)}"))
                continue
            try:
                known.settings.model_validate(dict(spec.settings))
            except ValidationError as error:
                for one in error.errors(include_input=False, include_url=False):
                    where = ".".join(str(part) for part in one["loc"])
                    problems.append(
                        (item.id, spec.kind, f"with.{where}: {one['msg']}" if where else one["msg"])
                    )
    return problems


def _similar(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, REGISTRY, n=1)
    return f"; did you mean {close[0]}?" if close else ""
