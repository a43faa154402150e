"""Whether the cluster itself records who did what in it: the audit log of its API servers, where they can be seen.

A cluster of one's own runs them as pods of kube-system, whose command lines say it. A hosted one shows none, and says
nothing of them in its API: there a person has to say it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from checks.clients.errors import ForbiddenError
from checks.clients.kube_object import name_of
from checks.container_env import command_words
from checks.errors import CouldNotLookError
from checks.workloads import containers
from state.base.numbers import plural
from state.view.pods import observe, serves

if TYPE_CHECKING:
    from checks.clients.kube import KubeClient
    from checks.judging import Findings
    from state.base.json import JsonObject

SPACE: Final = "kube-system"
_SERVERS: Final[Mapping[str, str]] = {"labelSelector": "component=kube-apiserver"}
"""As kubeadm and its like label the pods that the kubelet itself starts."""
_POLICY: Final = "--audit-policy-file"
_KEPT: Final = ("--audit-log-path", "--audit-webhook-config-file")


class Audit(StrEnum):
    """What is to be done where no API server can be seen."""

    SEEN = "seen"
    """Then it can't be judged."""
    ASKED = "asked"
    """Then it is left to the item's question; what can be seen is judged all the same."""


async def access_is_recorded(kube: KubeClient, how: Audit, findings: Findings) -> str:
    """Judge whether every API server keeps an audit log; return what the summary of a pass says of it."""
    unseen = "no API server runs as a pod here"
    try:
        listed = await kube.list_objects(f"/api/v1/namespaces/{SPACE}/pods", dict(_SERVERS))
        servers = [pod for pod in listed.items if serves(observe("", pod))]
    except ForbiddenError:
        servers, unseen = [], f"this account may not list pods of {SPACE}"
    except CouldNotLookError as error:
        findings.blind(str(error))
        return ""
    findings.saw("api_servers", len(servers))
    if not servers:
        findings.saw("audit_log", f"not seen: {unseen}")
        if how is Audit.SEEN:
            findings.blind(f"whether the cluster records access can't be seen: {unseen}")
        return "; whether the cluster records access is not seen here, but asked"
    for pod in servers:
        policy, kept = flag_of(pod, _POLICY), any(flag_of(pod, one) for one in _KEPT)
        findings.need(bool(policy), f"{name_of(pod)} records no access: it has no {_POLICY[2:]}")
        findings.need(
            kept or not policy,
            f"{name_of(pod)} has an audit policy and keeps no log: neither {' nor '.join(o[2:] for o in _KEPT)}",
        )
    return f"; {plural(len(servers), 'API server keeps', 'API servers keep')} an audit log"


def flag_of(pod: JsonObject, flag: str) -> str:
    """Return the value of a flag on a pod's command lines, ``--flag=value`` or ``--flag value``; empty: unset."""
    for box in containers(pod):
        words: Sequence[str] = command_words(box, {})
        for index, word in enumerate(words):
            name, equals, value = word.partition("=")
            if name == flag:
                return value if equals else next(iter(words[index + 1 : index + 2]), "")
    return ""
