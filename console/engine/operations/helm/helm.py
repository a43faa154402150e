"""The helm program: its version, what a chart would come to, and the command lines that change something.

Every call names the kubeconfig and the context, because helm with a missing kubeconfig silently talks to
localhost. What ``helm upgrade -o json`` prints holds secrets: it stays in memory.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path

from checks.base import CouldNotLookError
from checks.clients.kube_object import name_of
from checks.clients.redact import Redactor
from console.engine.operations.preview.manifest import documents, parted
from state.base.json import JsonObject, obj, objs, path, text, texts
from state.base.text import line
from state.runbook.environment import Chart, Environment
from state.runbook.helm_commands import Sop, expand, template
from state.runbook.image_keys import assignments
from state.runbook.models import Candidate, Runbook
from state.runbook.units import secret_refs

# A dry run against a server takes some 0.2 s; this allows for a slow cluster.
_TIMEOUT_S = 60.0
_BROKEN = {(4, 2, 1): "it never creates hook jobs (helm #32224) and hangs on fast deletes (#32214)"}
# helm keeps 10 by default: a few failed attempts would push the good revision out of its history.
HISTORY_MAX = 20
_WHERE_CHARTS_ARE = frozenset(
    {
        *("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HELM_CONTENT_CACHE"),
        *("HELM_REPOSITORY_CACHE", "HELM_REPOSITORY_CONFIG", "HELM_REGISTRY_CONFIG"),
        *("HELM_PLUGINS", "HELM_NO_PLUGINS", "HELM_QPS", "HELM_BURST_LIMIT"),
    }
)
# The first version that has --hide-notes.
_HIDES_NOTES = (3, 16)
_OLDEST = (3, 8)


class HelmError(CouldNotLookError):
    """helm could not be asked, or it answered with an error. One line, no secrets."""


@dataclass(frozen=True, slots=True)
class Version:
    """helm's version."""

    major: int
    minor: int
    patch: int
    text: str

    def problem(self) -> str:
        """Return why this version must not be used, or nothing."""
        reason = _BROKEN.get((self.major, self.minor, self.patch))
        if reason is None and (self.major, self.minor) < _OLDEST:
            reason = f"it is older than {_OLDEST[0]}.{_OLDEST[1]}"
        if reason is None and self.major > 4:
            reason = "its command line is not known here"
        return f"helm {self.text} must not be used: {reason}" if reason else ""


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook that is rendered, and the events that it is for: a test's runs in no deploy."""

    words: str
    """``Job/migrate (pre-upgrade)``."""
    events: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What an upgrade would bring."""

    manifest: str = field(repr=False)
    """Secret-bearing: never log it."""
    hooks: tuple[Hook, ...]
    hooks_manifest: str = field(default="", repr=False)
    """The objects of the hooks, which helm keeps apart from the manifest. Secret-bearing too."""
    unchecked: bool = False
    """Whether the cluster could not be asked, because it doesn't know a kind yet that the chart brings."""

    def running(self, *, first: bool) -> list[str]:
        """Return the hooks that a deploy runs, in words; ``first``: helm installs, there is nothing to upgrade."""
        events = {"pre-install", "post-install"} if first else {"pre-upgrade", "post-upgrade"}
        return [hook.words for hook in self.hooks if events & hook.events]


class Helm:
    """The helm program, for one environment."""

    _versions: dict[tuple[str, int, int], Version] = {}

    def __init__(
        self, runbook: Runbook, environment: Environment, kubeconfig: Path, redactor: Redactor
    ) -> None:
        self.program = runbook.helm
        self.environment = environment
        self.chart = environment.chart
        """The runbook's, or a private copy of it: what helm reads."""
        self.kubeconfig = kubeconfig
        self._redactor = redactor
        self._template = template(runbook.helm_commands, Sop.UPGRADE)
        self._hidden = {ref.env for _, ref in secret_refs(runbook) if ref.env is not None}

    def reading(self, chart: Chart) -> Helm:
        """Return the same helm for a copy of the chart and its values files."""
        helm = copy(self)
        helm.chart = chart
        return helm

    def environ(self) -> dict[str, str]:
        """Return helm's environment: ours, without what would change its target, and without secrets.

        What says where repositories, log-ins and plugins are is kept.
        """
        kept = {
            name: value
            for name, value in os.environ.items()
            if (name in _WHERE_CHARTS_ARE or not name.startswith(("HELM_", "KUBE")))
            and name not in self._hidden
        }
        return {**kept, "HELM_MAX_HISTORY": str(HISTORY_MAX), "LC_ALL": "C.UTF-8"}

    def _cluster(self) -> list[str]:
        return ["--kubeconfig", str(self.kubeconfig), "--kube-context", self.environment.kube.context]

    def _release(self, candidate: Candidate) -> list[str]:
        """Return the runbook's template, filled in, with the cluster and the candidate's images."""
        chart, kube = self.chart, self.environment.kube
        words: dict[str, str | list[str]] = {
            "release": self.environment.release,
            "chart": chart.path,
            "chart_version": chart.version,
            "namespace": kube.namespace,
            "context": kube.context,
            "values": [str(path) for path in chart.values],
        }
        images = assignments(chart.image_keys, candidate.images.named(), candidate.version)
        return [
            *expand(self._template, words)[1:],
            *self._cluster(),
            *(part for key, value in images for part in ("--set-string", f"{key}={value}")),
        ]

    def upgrade(
        self, candidate: Candidate, version: Version, timeout_s: int, words: str, *, by_server: bool = False
    ) -> list[str]:
        """Return the command line that installs or upgrades the release with the candidate's images.

        Without ``--atomic``: what follows a failure is decided here, not by helm. ``by_server``: how the newest
        revision was applied; a first install by helm 4 is.
        """
        return [
            self.program, *self._release(candidate),
            *_wait(version),
            *_apply(version, by_server=by_server),
            "--timeout", f"{timeout_s}s",
            "--history-max", str(HISTORY_MAX),
            *(["--hide-notes"] if (version.major, version.minor) >= _HIDES_NOTES else []),
            "--description", words[:256],
        ]  # fmt: skip

    def rollback(
        self,
        number: int,
        version: Version,
        timeout_s: int,
        *,
        without_hooks: bool = False,
        by_server: bool = False,
    ) -> list[str]:
        """Return the command line that goes back to one explicit revision; ``by_server``: how that was applied."""
        return [
            self.program, "rollback", self.environment.release, str(number),
            "--namespace", self.environment.kube.namespace,
            *self._cluster(),
            *_wait(version),
            *_apply(version, by_server=by_server),
            "--timeout", f"{timeout_s}s",
            *(["--no-hooks"] if without_hooks else []),
        ]  # fmt: skip

    def uninstall(self, version: Version, timeout_s: int) -> list[str]:
        """Return the command line that takes the release away, with its records."""
        return [
            self.program, "uninstall", self.environment.release,
            "--namespace", self.environment.kube.namespace,
            *self._cluster(),
            *_wait(version)[:1],
            "--timeout", f"{timeout_s}s",
        ]  # fmt: skip

    async def version(self) -> Version:
        """Return helm's version.

        Raises HelmError where there is no helm, or its answer is none.
        """
        found = shutil.which(self.program)
        if found is None:
            raise HelmError(
                f"helm: no program {self.program!r} was found: install helm or set helm: in the runbook"
            )
        about = Path(found).stat()  # noqa: ASYNC240  one quick call
        key = (found, about.st_mtime_ns, about.st_size)
        if key not in self._versions:
            self._versions[key] = _version((await self._ask(["version", "--short"])).strip())
        return self._versions[key]

    async def render(self, candidate: Candidate, *, by_server: bool = True) -> Rendered:
        """Return what an upgrade with the candidate would bring, as the cluster would take it.

        Not ``by_server``: without the cluster's word on it, which needs a namespace that is there.

        Raises HelmError where the chart doesn't render or the cluster refuses it.
        """
        how = "--dry-run=server" if by_server else "--dry-run=client"
        answer = await self._ask([*self._release(candidate), how, "-o", "json"])
        try:
            release = obj(json.loads(answer[answer.find("{") :]))
        except ValueError:
            raise HelmError("helm upgrade --dry-run: JSON was expected") from None
        hooks = objs(release.get("hooks"))
        bodies = "".join(f"---\n{text(hook, 'manifest')}\n" for hook in hooks)
        return Rendered(text(release, "manifest"), tuple(_hook(hook) for hook in hooks), bodies)

    async def template(self, candidate: Candidate) -> Rendered:
        """Return the same without asking the cluster anything: of a chart whose ``crds`` it doesn't have yet.

        Raises HelmError where the chart doesn't render.
        """
        args = [one for one in self._release(candidate)[1:] if one not in {"--install", "-i"}]
        parts = parted(await self._ask(["template", *args]))
        hooks = {part: hook for part in parts if (hook := _hook_of(part)) is not None}
        plain = [part for part in parts if part not in hooks]
        return Rendered("---\n".join(plain), tuple(hooks.values()), "---\n".join(hooks), unchecked=True)

    async def crds(self) -> str:
        """Return the manifest of the chart's ``crds`` folders, which a first install brings and an upgrade doesn't.

        Raises HelmError.
        """
        return await self._ask(["show", "crds", self.chart.path, "--version", self.chart.version])

    async def pull(self, folder: Path) -> None:
        """Fetch the chart, which isn't on this machine, as an archive into a folder. Raises HelmError."""
        chart = self.environment.chart
        await self._ask(["pull", chart.path, "--version", chart.version, "--destination", str(folder)])
        found = [path.name for path in folder.iterdir()]  # noqa: ASYNC240  one quick look
        if len(found) != 1:
            raise HelmError(f"helm pull {line(chart.path, 80)}: one archive was expected, not {len(found)}")

    async def _ask(self, args: Sequence[str]) -> str:
        try:
            process = await asyncio.create_subprocess_exec(
                self.program,
                *args,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                env=self.environ(),
            )
        except OSError as error:
            raise HelmError(f"helm: {self.program} cannot be run: {error.strerror}") from error
        try:
            out, err = await asyncio.wait_for(process.communicate(), _TIMEOUT_S)
        except TimeoutError as error:
            process.kill()  # it only asks: nothing is left half done
            await process.wait()
            raise HelmError(f"helm {args[0]}: no answer within {_TIMEOUT_S:g} s") from error
        if process.returncode:
            message = err.decode(errors="replace").strip() or f"exit code {process.returncode}"
            raise HelmError(f"helm {args[0]}: {line(self._redactor.clean(message))}")
        return out.decode(errors="replace")


def passed_on() -> tuple[list[str], list[str]]:
    """Return which HELM_* variables of this environment helm is given, and which it isn't."""
    ours = sorted(name for name in os.environ if name.startswith("HELM_"))
    return [n for n in ours if n in _WHERE_CHARTS_ARE], [n for n in ours if n not in _WHERE_CHARTS_ARE]


def other_driver() -> str:
    """Return where this environment would keep releases, where that isn't in Secrets; else nothing.

    The console reads helm's records of Secrets, and so lets helm write them there.
    """
    driver = os.environ.get("HELM_DRIVER", "").lower()
    return "" if driver in {"", "secret", "secrets"} else driver


def _version(message: str) -> Version:
    match = re.match(r"v(\d+)\.(\d+)\.(\d+)", message)
    if match is None:
        raise HelmError(f"helm: a version such as v3.17.2 was expected, not {line(message, 60)!r}")
    return Version(int(match[1]), int(match[2]), int(match[3]), line(message, 40))


def _wait(version: Version) -> list[str]:
    # helm 4's watcher waits for custom resources that never become ready (helm #32615)
    return ["--wait=legacy" if version.major >= 4 else "--wait", "--wait-for-jobs"]


def _hook(hook: JsonObject) -> Hook:
    return _named(text(hook, "kind"), text(hook, "name"), texts(hook.get("events")))


def _hook_of(part: str) -> Hook | None:
    """Return the hook that a part of a manifest is, None where it is none."""
    for one in documents(part):
        events = text(obj(path(one, ("metadata", "annotations"))), "helm.sh/hook")
        if events:
            return _named(text(one, "kind"), name_of(one), [event.strip() for event in events.split(",")])
    return None


def _named(kind: str, name: str, events: Sequence[str]) -> Hook:
    return Hook(line(f"{kind}/{name} ({', '.join(events)})", 160), frozenset(events))


def _apply(version: Version, *, by_server: bool) -> list[str]:
    """Return how helm 4 applies objects, so that no field that somebody else took stops it half-way.

    Measured with helm 4.1.4 on Kubernetes 1.34 (docs/decisions.md, "helm 4 takes its fields back"):

    - as it is, a field that ``kubectl scale``, an autoscaler or a CA injector took is a conflict: deploy and rollback
      fail, and each failed rollback costs a revision;
    - ``--force-conflicts`` takes back exactly what the manifest sets. Replicas that it doesn't set stay, also where
      the revision before had set them; an autoscaler sets its number again within its period;
    - ``--server-side=false`` takes the same back, and sets replicas to 1 where a chart stops setting them: five pods
      were one, until the autoscaler looked again. And the objects have two managers called helm from then on;
    - a release that was applied by helm 3, or so, has no owners that conflict; ``--force-conflicts`` is
      refused there. The server also refuses objects that such a helm let through (a variable twice in a
      container): the way back to such a revision is that by which it came.
    """
    if version.major < 4:
        return []
    return ["--server-side=true", "--force-conflicts"] if by_server else ["--server-side=false"]


def shown(argv: Sequence[str]) -> str:
    """Return a command line as a person would type it."""
    return shlex.join(argv)
