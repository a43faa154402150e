"""Which programs tests drive beside Python, where each is looked for, and what to install where it is missing.

A test says what it drives: ``@pytest.mark.needs("kubectl")``. Programs are looked for before any of its fixtures is
made (tests/conftest.py), so that a test that is skipped has opened nothing that it would have to close again.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests import fetch_helm
from tests.cluster import build
from tests.paths import ROOT

PATH_ALONE = "LAUNCH_CONSOLE_TESTS_PATH_ALONE"
"""Set: programs outside the PATH (PostgreSQL's own folder, .cache, .venv-moto) don't count, as on a bare machine."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program: what finds it, and what a person does who lacks it."""

    find: Callable[[], str | None]
    install: str
    in_ci: bool = True
    """Whether CI must have it: a machine may forbid tracing, and no package brings that."""


def _on_path(*names: str) -> Callable[[], str | None]:
    return lambda: next((found for name in names if (found := shutil.which(name))), None)


def _beside(*places: Path) -> list[str]:
    return [] if os.environ.get(PATH_ALONE) else [str(place) for place in places if place.exists()]


def _of_postgresql(name: str) -> Callable[[], str | None]:
    def find() -> str | None:
        folders = [os.environ["PATH"], *_beside(*sorted(Path("/usr/lib/postgresql").glob("*/bin")))]
        if os.geteuid() == 0 and "postgres" not in {account.pw_name for account in pwd.getpwall()}:
            return None  # its servers refuse to run as root
        return shutil.which(name, path=os.pathsep.join(folders))

    return find


def _helm(major: int) -> Callable[[], str | None]:
    def find() -> str | None:
        named = os.environ.get(f"LC_HELM{major}")
        candidates = [*([named] if named else []), *_beside(fetch_helm.program(major))]
        candidates += [found for name in (f"helm{major}", "helm") if (found := shutil.which(name))]
        return next(
            (
                candidate
                for candidate in candidates
                if _answers(candidate, "version", "--short").startswith(f"v{major}.")
            ),
            None,
        )

    return find


def _answers(*words: str) -> str:
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=20).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def _control_plane() -> str | None:
    built = build.built()
    return str(built) if built is not None and _beside(built) else None


def _tracing() -> str | None:
    found = shutil.which("strace")
    return found if found and _answers(found, "-qq", "echo", "traced") else None


_APT = "apt-get install "


PROGRAMS = {
    "tmux": Program(_on_path("tmux"), f"{_APT}tmux"),
    "kubectl": Program(_on_path("kubectl"), f"{_APT}kubernetes-client"),
    "helm3": Program(_helm(3), "python -m tests.fetch_helm"),
    "helm4": Program(_helm(4), "python -m tests.fetch_helm"),
    "prometheus": Program(_on_path("prometheus"), f"{_APT}prometheus"),
    "promtool": Program(_on_path("promtool"), f"{_APT}prometheus"),
    "alertmanager": Program(
        _on_path("prometheus-alertmanager", "alertmanager"), f"{_APT}prometheus-alertmanager"
    ),
    "initdb": Program(_of_postgresql("initdb"), f"{_APT}postgresql"),
    "postgres": Program(_of_postgresql("postgres"), f"{_APT}postgresql"),
    "moto": Program(
        lambda: next(iter(_beside(ROOT / ".venv-moto" / "bin" / "moto_server")), None),
        "make .venv-moto/.ready",
    ),
    "ssh-keygen": Program(_on_path("ssh-keygen"), f"{_APT}openssh-client"),
    "ssh-agent": Program(_on_path("ssh-agent"), f"{_APT}openssh-client"),
    "sqlite3": Program(_on_path("sqlite3"), f"{_APT}sqlite3"),
    # Large, and not in every list of packages: CI tries to install it, and goes on without.
    "chromium": Program(
        _on_path("chromium-headless-shell", "chromium"), f"{_APT}chromium-headless-shell", in_ci=False
    ),
    "git": Program(_on_path("git"), f"{_APT}git"),
    "control-plane": Program(_control_plane, "python -m tests.cluster.build (wants Go)"),
    "strace": Program(_tracing, f"{_APT}strace", in_ci=False),
}
"""By the name that a test gives."""

_declared: frozenset[str] = frozenset()


@cache
def _found(name: str) -> str | None:
    return PROGRAMS[name].find()


def look_for(item: pytest.Item) -> None:
    """Skip a test whose programs are not all there, or fail it in CI, which must install them."""
    global _declared
    _declared = frozenset(str(name) for mark in item.iter_markers("needs") for name in mark.args)
    missing = sorted(name for name in _declared if _found(name) is None)
    if not missing:
        return
    message = "; ".join(f"{name} is missing: {PROGRAMS[name].install}" for name in missing)
    if os.environ.get("CI") and any(PROGRAMS[name].in_ci for name in missing):
        pytest.fail(f"{message}; CI must have it", pytrace=False)
    item.user_properties.extend(("missing", name) for name in missing)
    pytest.skip(message)


def declare(*names: str) -> None:
    """Say what a program of the tests' own drives, which is run by itself and not as a test.

    Raises RuntimeError with how to get what is missing.
    """
    global _declared
    _declared = frozenset(names)
    missing = [name for name in names if _found(name) is None]
    if missing:
        raise RuntimeError("; ".join(f"{name} is missing: {PROGRAMS[name].install}" for name in missing))


def path(name: str) -> str:
    """Return where a program is. A test that gets here without having said that it needs it fails everywhere."""
    if name not in _declared:
        pytest.fail(f"this test drives {name}: mark it with @pytest.mark.needs({name!r})")
    found = _found(name)
    assert found is not None, name
    return found


def summary(skipped: Iterable[pytest.TestReport]) -> str:
    """Return in one line what was skipped for want of programs and what to install, or nothing."""
    lacking = [[name for key, name in report.user_properties if key == "missing"] for report in skipped]
    counts = Counter(str(name) for names in lacking for name in names)
    if not counts:
        return ""
    ways = sorted({PROGRAMS[name].install for name in counts})
    packages = [way.removeprefix(_APT) for way in ways if way.startswith(_APT)]
    ways = [
        *([f"{_APT}{' '.join(packages)}"] if packages else []),
        *(w for w in ways if not w.startswith(_APT)),
    ]
    message = ", ".join(f"{name} ({count})" for name, count in sorted(counts.items()))
    return f"{sum(map(bool, lacking))} tests skipped for want of a program: {message}. To run them: {'; '.join(ways)}"
