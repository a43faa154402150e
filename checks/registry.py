"""Every kind of check: importing this module registers them all.

Other distributions add kinds of their own with an entry point of the group ``launch_console.checks`` that names
a module: loading it registers what it decorates with ``checks.base.check``.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

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
    monitors,
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


GROUP: Final = "launch_console.checks"


def _load_extensions() -> tuple[str, ...]:
    """Load the kinds of other distributions and return which of them could not be loaded, and why."""
    broken = []
    for extension in entry_points(group=GROUP):
        try:
            extension.load()
        except Exception as error:
            broken.append(f"{extension.name} ({type(error).__name__})")
    return tuple(broken)


BROKEN: Final = _load_extensions()
"""Extensions that are installed and could not be loaded."""


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
    if close:
        return f"; did you mean {close[0]}?"
    return f"; these extensions could not be loaded: {', '.join(BROKEN)}" if BROKEN else ""
