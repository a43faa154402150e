"""What a kind of check tells of itself: what it asks, what a pass proves, and the way out of every fail.

A kind is registered with its ``Guide``. The way out of a fail is found by the words of its reason, so that no call of
``Findings`` can forget it: what a guide has no words for falls back to what holds of every client, and then to the
guide's own last line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

ANY: Final = "…"
"""Stands for any words in the reason of a fail."""
_SHOWN: Final = 3
"""As many ways as a summary names reasons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """A kind of check in words; every text is a sentence or two."""

    asks: str
    """What it asks, of which system, over which connection of the runbook."""
    proves: str
    """What is true where it passes."""
    unseen: str
    """What it can't see, so that a person has to."""
    rights: str
    """Which rights and settings it needs."""
    mends: Mapping[str, str]
    """Words of a reason to fail (or to be blind), ``…`` for any -> what to change. The first that fits counts."""
    otherwise: str
    """What to do about a reason that ``mends`` doesn't name."""


NO_GUIDE: Final = Guide(
    asks="What its author says.",
    proves="What its author says.",
    unseen="What its author says.",
    rights="What its author says.",
    mends={},
    otherwise="read its evidence, and ask whoever wrote this kind of check",
)
"""Of a kind from another distribution that has none."""

_POD: Final = (
    "look at the part's pods and their events (p on the dashboard), and deploy it again once they are ready"
)

BEFORE: Final[Mapping[str, str]] = {
    "doesn't run the candidate (": "deploy the candidate there, then run it again",
    "no release of … is in": "deploy the candidate there, then run it again",
    "no result within … s": "see why it is slow, or give the check more time: timeout: in the runbook",
    "the check itself failed": "this is a mistake of the check, not of the release: report it, judge by hand",
    "there is no kind of check": "install the distribution that has it, or correct the kind: in the runbook",
    "while it was judged: run it again": "run it again once nothing is rolled out",
    "ended without a result": "run it again; where it ends so again, report it, and judge by hand",
    "; run it again": "run it again",
}
"""What to do where a kind itself could not judge: these words are nobody else's, so they come first."""

COMMON: Final[Mapping[str, str]] = {
    "answered 401": "renew the credentials that the runbook names for this system, then run it again",
    "the account or its password was refused": "renew the database account that the runbook names, then run it again",
    "check the access key": "renew the access key that the runbook names for the object store, then run it again",
    "answered 403": "grant the account what the message names (`launch-console rbac` prints the cluster's roles)",
    "needed: permission": "grant the account the permission that the message names",
    "refused the test account": "renew the test account's password; it must log in without a second factor",
    "has no account": "name the account in the runbook: accounts of the environment",
    "refused the connection": "start the system, or correct its address in the runbook",
    "does not resolve": "correct the name in the runbook, or the DNS of the engine's machine",
    "certificate is not trusted": "name the authority's certificates (ca_file), or renew the certificate",
    "TLS failed": "correct scheme and port of the address in the runbook",
    "no complete answer in": "see why the system is slow, then run it again",
    "no answer in": "see why the system is slow, then run it again",
    "cannot be reached": "correct the address in the runbook, or let this machine through",
    "is a limiter's or a proxy's": "wait until it lets requests through again, then run it again",
    "from a cache": "keep caches off this path (Cache-Control: no-store), then run it again",
    "answered 429": "wait until the limiter lets requests through again, then run it again",
    "answered 404": "correct address and path in the runbook, or make what is missing",
    "answered 5": "mend the system: its own log says why; then run it again",
    "redirects to": "name the address that answers itself in the runbook, with credentials that need no login page",
    "(a proxy or login page?)": "name the API's own address in the runbook, past proxies and login pages",
    "the answer was cut off": "see what cuts connections on the way (proxy, size limit), then run it again",
    "truncated JSON": "see what cuts or changes answers on the way, then run it again",
    "answered nothing": "name the API's own address in the runbook",
    "answer is larger": "ask for less (a narrower path or query in the runbook), or clean up what is listed",
    "kubeconfig": "correct the kubeconfig, or the context that the runbook names",
    "client certificate": "renew the credentials of the kubeconfig",
    "ExecCredential": "log in with the kubeconfig's own program first, then run it again",
    "the runbook names no": "name it in the runbook where the message says",
    "ca_file": "correct ca_file in the runbook: a file of PEM certificates",
    "its secret holds what no header can": "correct the secret that the runbook names for this header",
    "no pod of … runs": _POD,
    "nothing runs in": "deploy it first; this is judged by itself afterwards",
    "has no record in": "install the release first, or correct release and namespace in the runbook",
    "no revision of … is deployed": "bring a deploy or a rollback to its end, so that a revision is deployed",
    "the container can't start": "add the key to the config map or secret that is named, then restart the pods",
    "does not say which digest": "wait until its containers run; an image that was loaded by hand has no digest",
    "can't be told": "push the image to the registry and deploy it by digest, then run it again",
    "not one … was seen": "check that the account may list them all, and that the runbook names the right place",
    "manifest cannot be read": "render the chart with helm template, and correct the template that is named",
    "the chart renders no": "correct the chart, or the part's name in the runbook",
    "is partial": "ask a store that has every series, or mend the one that lacks its part",
    "the answer may be incomplete": "ask a store that has every series, or mend the one that lacks its part",
    "told no versionInfo": "name Alertmanager's own address (API v2) in the runbook",
    "answered something else": "name the API's own address in the runbook, past proxies and login pages",
    "answered JSON that": "name the API's own address in the runbook, past proxies and login pages",
    "answered success without data": "name the Prometheus HTTP API in the runbook",
    "doesn't answer vector(1)": "name the Prometheus HTTP API in the runbook",
    "in another region": "correct the region of objectstore in the runbook",
    "more than … objects": "name a narrower prefix in the runbook, or clean up what is listed",
    "the watch of": "run it again; where it stays so, see the API server's log",
    "exec plugin": "correct the kubeconfig's exec plugin: kubectl must work with it, without a terminal",
    "told no credentials": "log in with the kubeconfig's own program first, then run it again",
    "told neither a token": "log in with the kubeconfig's own program first, then run it again",
    "told an expirationTimestamp": "update the kubeconfig's own program for credentials",
    "which tells the credentials": "install the kubeconfig's own program for credentials on this machine",
    "no id-token": "log in with kubectl first, then run it again",
    "token file": "correct the token file that the message names",
    "SOCKS proxy": "correct proxy-url of the kubeconfig, or start the proxy",
    "proxy-url": "correct proxy-url of the kubeconfig",
    "kubectl refuses": "correct the kubeconfig: kubectl must work with it first",
    "names no server": "correct the kubeconfig: kubectl must work with it first",
    "is no base64": "correct the kubeconfig: kubectl must work with it first",
    "cannot be read": "correct the name of the file, or let the engine's account read it",
    "cannot be used": "correct what the message names, in the runbook or in the secret that it leads to",
    "cannot be run": "correct the program that the message names, or let the engine's account run it",
    " ended with ": "run the program that the message names by hand, and mend what it says",
    "no header can": "correct the secret that the runbook names: one line of ASCII",
    ": header ": "correct headers of the endpoint in the runbook",
    "expected …": "see what answers there: correct the address in the runbook, or mend what answers",
}
"""What to do about what any client may say."""


def ways_out(guide: Guide, reasons: Iterable[str]) -> tuple[str, ...]:
    """Return what to change for each reason to fail or to be blind, each way once and the first few alone."""
    return tuple(dict.fromkeys(way_out(guide, reason) for reason in reasons))[:_SHOWN]


def way_out(guide: Guide, reason: str) -> str:
    """Return the one line that says what to change."""
    return named_way(guide, reason) or guide.otherwise


def named_way(guide: Guide, reason: str) -> str:
    """Return the way out that is written for words of this reason; nothing where none is."""
    for mends in (BEFORE, guide.mends, COMMON):
        for words, way in mends.items():
            if fits(words, reason):
                return way
    return ""


def fits(words: str, reason: str) -> bool:
    """Return whether a reason holds words, where ``…`` stands for any."""
    return _pattern(words).search(reason) is not None


@lru_cache(maxsize=1024)
def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(".*?".join(map(re.escape, words.split(ANY))), re.DOTALL)
