"""The five commands of the SOP as a runbook writes them (section 6): templates that operations use, or refused.

``upgrade`` is what helm is really called with, before a deploy (to render) and in it. The other four are done through
the Kubernetes API, so that no kubectl is needed and no secret stands on a command line; what of them can be honoured
may be changed, and anything else is refused when the runbook is read, because nothing would come of it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from pydantic import Field

from state.runbook.units import Model


class HelmCommand(Model):
    """One of the SOP's five commands, as a template."""

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    """``namespace``, ``secrets``, ``upgrade``, ``migrate`` or ``validate``."""
    title: str
    command: str
    """With words such as ``{release}`` in braces; flags of ``upgrade`` may be added."""


class Sop(StrEnum):
    """The commands, in the SOP's order."""

    NAMESPACE = "namespace"
    SECRETS = "secrets"
    UPGRADE = "upgrade"
    MIGRATE = "migrate"
    VALIDATE = "validate"


DEFAULTS: Mapping[Sop, str] = {
    Sop.NAMESPACE: "kubectl create namespace {namespace}",
    Sop.SECRETS: "kubectl -n {namespace} create secret generic {secret} --from-file={file}",
    Sop.UPGRADE: (
        "helm upgrade --install {release} {chart} --namespace {namespace} -f {values} --version {chart_version}"
    ),
    Sop.MIGRATE: "kubectl -n {namespace} create job --from=cronjob/{cronjob} db-migrate-{release}",
    Sop.VALIDATE: "kubectl -n {namespace} get pods,ingress",
}
_WORDS: Mapping[Sop, frozenset[str]] = {
    Sop.NAMESPACE: frozenset({"context", "namespace"}),
    Sop.SECRETS: frozenset({"context", "namespace", "secret", "file"}),
    Sop.UPGRADE: frozenset({"context", "namespace", "release", "chart", "values", "chart_version"}),
    Sop.MIGRATE: frozenset({"context", "namespace", "release", "cronjob"}),
    Sop.VALIDATE: frozenset({"context", "namespace", "release"}),
}
_WORD = re.compile(r"\{(\w*)\}")
_FOR_A_SHELL = re.compile(r"[|&;<>]+|.*(?:`|\$\().*", re.DOTALL)
_JOB = re.compile(r"[a-z0-9](?:[a-z0-9-]|\{release\})*")
# What kubectl calls them, by the one word that is used here.
_LOOKED_AT = {
    **dict.fromkeys(("pods", "pod", "po"), "pods"),
    **dict.fromkeys(("ingress", "ingresses", "ing"), "ingress"),
}

_DECIDES = (
    "what follows a failure is the console's to decide: it knows the good revision, and verifies the way back"
)
_ITSELF = "the console says it itself"
_ELSEWHERE = "helm would go elsewhere, or as somebody else, than where the console looks"
_UNSEEN = "what helm reads is copied for the preview, and this is not: put it into the chart or chart.values"
_FORBIDDEN: Mapping[str, str] = {
    **dict.fromkeys(("--atomic", "--rollback-on-failure", "--cleanup-on-fail"), _DECIDES),
    **dict.fromkeys(("--force", "--force-replace"), "it deletes objects that serve, and makes them anew"),
    **dict.fromkeys(
        ("--reuse-values", "--reset-then-reuse-values"), "values of the release before are in no file to be judged"
    ),
    **dict.fromkeys(
        (
            "--wait", "--wait-for-jobs", "--timeout", "--history-max", "--hide-notes", "--description", "--dry-run",
            "--kubeconfig", "--output", "-o", "--create-namespace",
        ),
        _ITSELF,
    ),
    **dict.fromkeys(("--set-file", "--repo"), _UNSEEN),
    **dict.fromkeys(("--debug", "--username", "--password"), "secrets would stand in its output or its command line"),
}  # fmt: skip
_ONLY = {
    "-f": "{values}", "--values": "{values}", "--version": "{chart_version}", "-n": "{namespace}",
    "--namespace": "{namespace}",
}  # fmt: skip


def template(commands: Sequence[HelmCommand], which: Sop) -> str:
    """Return a runbook's template of a command; the SOP's own where it has none."""
    return next((one.command for one in commands if one.id == which), DEFAULTS[which])


def expand(command: str, words: Mapping[str, str | Sequence[str]]) -> list[str]:
    """Return a template's words, filled in.

    A word of which there are several (values files) is repeated, with the flag before it.
    """
    found: list[str] = []
    for word in shlex.split(command):
        many = next((name for name in _WORD.findall(word) if not isinstance(words.get(name, ""), str)), None)
        if many is None:
            found.append(_filled(word, words))
            continue
        flag = [found.pop()] if word == f"{{{many}}}" and found and found[-1].startswith("-") else []
        for one in words[many]:
            found += [*flag, _filled(word, {**words, many: one})]
    return found


def _filled(word: str, words: Mapping[str, str | Sequence[str]]) -> str:
    return _WORD.sub(lambda match: str(words.get(match[1], match[0])), word)


def job_base(commands: Sequence[HelmCommand], release: str) -> str:
    """Return how the names of migration jobs begin: the name in the template, without what makes each one's own."""
    name = shlex.split(template(commands, Sop.MIGRATE))[-1]
    return name.replace("{release}", release)


def looked_at(commands: Sequence[HelmCommand]) -> frozenset[str]:
    """Return what is looked at after a deploy: ``pods``, and ``ingress`` unless a template leaves it out."""
    kinds = shlex.split(template(commands, Sop.VALIDATE))[-1]
    return frozenset(_LOOKED_AT[kind] for kind in kinds.split(",") if kind in _LOOKED_AT)


def problems(commands: Sequence[HelmCommand]) -> Iterator[tuple[int, str, str]]:
    """Yield (which command, its key, why) of everything in the templates that would not come true."""
    seen: set[str] = set()
    for index, one in enumerate(commands):
        if one.id not in list(Sop):
            known = ", ".join(Sop)
            yield index, "id", f"no operation would use {one.id}: the SOP's commands are {known}"
        elif one.id in seen:
            yield index, "id", f"{one.id} stands twice"
        else:
            for why in _wrong(Sop(one.id), one.command):
                yield index, "command", why
        seen.add(one.id)


def _wrong(which: Sop, command: str) -> Iterator[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        yield f"it can't be taken apart into words: {str(error).lower()}"
        return
    for word in words:
        if _FOR_A_SHELL.fullmatch(word):
            yield f"{word} is for a shell, and none reads this"
            return
    named = set(_WORD.findall(command))
    if unknown := sorted(named - _WORDS[which]):
        yield f"there is no {{{unknown[0]}}} here; known are {', '.join(sorted(_WORDS[which]))}"
    elif which is Sop.UPGRADE:
        yield from _wrong_upgrade(words, named)
    elif not _is_done(which, words):
        yield f"the console does this through the API, as `{DEFAULTS[which]}` would; {_FREE[which]}"


def _wrong_upgrade(words: Sequence[str], named: set[str]) -> Iterator[str]:
    if words[:2] != ["helm", "upgrade"] or not {"--install", "-i"} & {*words}:
        yield "helm upgrade --install was expected (the program itself is named at helm:)"
    lacking = _WORDS[Sop.UPGRADE] - {"context"} - named
    if lacking:
        yield f"{{{min(lacking)}}} is missing: helm would not be given it"
    elif "{release} {chart}" not in " ".join(words):
        yield "{release} {chart} were expected beside each other"
    for at, word in enumerate(words):
        flag, equals, value = word.partition("=")
        given = value if equals else next(iter(words[at + 1 : at + 2]), "")
        why = _ELSEWHERE if flag.startswith("--kube-") else _FORBIDDEN.get(flag, "")
        if flag in _ONLY and given != _ONLY[flag]:
            why = f"{_ONLY[flag]} was expected after it: the runbook says it in one place"
        if why:
            yield f"{flag} may not stand here: {why}"


_FREE: Mapping[Sop, str] = {
    Sop.NAMESPACE: "nothing of it can be changed",
    Sop.SECRETS: "which secrets, and from where, stands at apply_secrets",
    Sop.MIGRATE: "of it the job's name can be changed (letters, digits, -, {release})",
    Sop.VALIDATE: "of it ingress can be left out",
}


def _is_done(which: Sop, words: Sequence[str]) -> bool:
    """Return whether a template of kubectl is one that the console does."""
    if words[:1] != ["kubectl"]:
        return False
    rest = list(words[1:])
    for flag, word in (("-n", "{namespace}"), ("--namespace", "{namespace}"), ("--context", "{context}")):
        for at in [i for i, one in enumerate(rest[:-1]) if [one, rest[i + 1]] == [flag, word]][:1]:
            del rest[at : at + 2]
    if which is Sop.MIGRATE:
        start = ["create", "job", "--from=cronjob/{cronjob}"]
        return rest[:-1] == start and _JOB.fullmatch(rest[-1]) is not None
    if which is Sop.VALIDATE:
        kinds = rest[-1].split(",") if rest else []
        return (
            rest[:-1] == ["get"] and set(kinds) <= {*_LOOKED_AT} and "pods" in {_LOOKED_AT[k] for k in kinds}
        )
    usual = {
        Sop.NAMESPACE: ["create", "namespace", "{namespace}"],
        Sop.SECRETS: ["create", "secret", "generic", "{secret}", "--from-file={file}"],
    }
    return rest == usual[which]
