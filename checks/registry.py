"""Every kind of check: importing this module registers them all.

Other distributions add kinds of their own with an entry point of the group ``launch_console.checks`` that names
a module: loading it registers what it decorates with ``checks.base.check``.
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import Final

from checks import (  # noqa: F401  each registers its kinds
    alerts,
    artifact,
    auth,
    ci,
    cluster,
    config,
    data,
    environments,
    flows,
    forged,
    gaps,
    health,
    helm,
    launch,
    monitors,
    origins,
    package,
    pod_tokens,
    rate_limit,
    scope,
    secrets,
    storage,
    tasks,
    telemetry,
    tls,
    web,
    worker,
)
from checks.base import REGISTRY, CheckKind, Settings

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


def similar(name: str) -> list[str]:
    """Return the kinds whose names are most like ``name``, at most three."""
    close = get_close_matches(name, REGISTRY, n=3)
    return close or [one for one in names() if one.split(".")[0] == name.split(".", maxsplit=1)[0]][:3]
