"""Guides of who gets in: roles, tokens, the audit trail, the cluster's rights, secrets."""

from __future__ import annotations

from typing import Final

from checks.guide import Guide

ROLES: Final = Guide(
    asks="Logs each test account in over the main domain and GETs the paths of its settings; then asks for another"
    " tenant's data with the foreign tenant's name in the header.",
    proves="Each role gets the status that it must at each path, and none reads rows of another tenant that are "
    "there.",
    unseen="Paths that it isn't told of, writes, and rows that are reached by their ids.",
    rights="A test account of each role, two of them in different tenants.",
    mends={
        "reads another tenant's data": "take the tenant from the session alone; refuse a header that names "
        "another with 403",
        "its own data is gone": "take the tenant from the session alone; refuse a header that names another "
        "with 403",
        "could not be tried": "name accounts of two tenants in the runbook, and give the second one some "
        "data",
        "gets … expected": "give the path the permission that the role must have, or take it away",
        "of another tenant": "make the path answer the other tenant's account as it answers its own",
    },
    otherwise="see why the path answers this account so, in the platform's log",
)

AUDIT: Final = Guide(
    asks="Posts one wrong password over the main domain, then reads the audit trail's path and the audit table "
    "until this very attempt is there.",
    proves="A failed login is in the audit trail within the time, as a failure, with its own name.",
    unseen="Other actions than a failed login, and whether rows can be changed afterwards.",
    rights="A test account that may read the audit trail; select on the audit table.",
    mends={
        "as one that succeeded": "record the outcome of a login as it was: a refused password is a failure",
        "is not in the audit trail": "record failed logins in the trail that with.path reads, with the name "
        "that was tried",
        "has no audit row": "write a row for failed logins too, in the transaction that isn't rolled back",
        "; expected 401": "correct the login's path in the runbook; a wrong password must be refused with "
        "401",
    },
    otherwise="record failed logins in the audit trail",
)

FORGED: Final = Guide(
    asks="Logs a test account in over the main domain, shows that its token is good at a path, and asks there with"
    " tokens of the same claims that are signed with known keys or not at all.",
    proves="No token that an outsider can make is accepted, in the header or in the session's cookie, where a good "
    "one is.",
    unseen="Keys that it doesn't know, other paths, and whether a token can be stolen.",
    rights="A test account without a second factor.",
    mends={
        "is accepted at": "set a signing key of your own (32 random bytes) and name the one algorithm that "
        "is taken; then log everybody out",
        "so a refusal there proves nothing": "correct with.path: one that answers a good token with 2xx and "
        "none with 401",
        "nothing to compare with": "renew the test account; it must log in without a second factor",
        "to a token made with": "let the request through to the platform, then run it again",
        "is answered with": "answer a bad token with 401, not with an error",
    },
    otherwise="set a signing key of your own and name the one algorithm that is taken",
)

ACCESS: Final = Guide(
    asks="Lists roles, cluster roles and their bindings from the cluster, and with with.audit the pods of kube-system"
    " that are its API servers.",
    proves="Only the listed subjects may read secrets, enter pods, act as others, give power or change things in the"
    " namespace; with with.audit, where the API servers are seen, each has an audit policy and keeps the log.",
    unseen="Who is in a group, rights outside RBAC (a cloud's own, a webhook's), who holds a copy of a credential;"
    " what the audit policy leaves out, and the audit log of a hosted control plane, which a person is asked for.",
    rights="list on roles, rolebindings, clusterroles and clusterrolebindings; for with.audit list on pods of"
    " kube-system.",
    mends={
        "records no access": "give the API server an audit policy (--audit-policy-file) and a log (--audit-log-path)",
        "keeps no log": "give the API server --audit-log-path or --audit-webhook-config-file",
        "records access can't be seen": "let the account list pods of kube-system; on a hosted control plane set"
        " with.audit: asked, and ask in attest: of the item",
        "is not on the list": "take the binding away, or name the subject in with.allowed where it must have"
        " the power",
        "without a role": "name the API server's own address in the kubeconfig, past proxies",
    },
    otherwise="take the binding away, or name the subject in with.allowed",
)

POD_TOKENS: Final = Guide(
    asks="Reads the manifest of the newest deployed revision (in a first launch: the chart as rendered), and lists"
    " pods and service accounts of the namespace.",
    proves="No pod of the release gets a token of the cluster's API, but those whose account is listed in"
    " with.needed.",
    unseen="A token that is mounted by a volume of one's own, and what an account that needs one may do"
    " (cluster.access tells it).",
    rights="list on pods, serviceaccounts and secrets.",
    mends={
        "get a Kubernetes token": "set automountServiceAccountToken: false in the pod template, or name the service"
        " account in with.needed where its pods ask the cluster's API",
    },
    otherwise="set automountServiceAccountToken: false in the pod template",
)

STRONG: Final = Guide(
    asks="Reads the environment of the first part's container as the kubelet makes it (config maps, secrets) from "
    "the cluster, of both environments; values stay in memory.",
    proves="Each secret is there, long, random, unpublished, unlike every other one and staging's, and what runs has"
    " it.",
    unseen="Who else has a copy, how it is kept elsewhere, and whether it was ever leaked.",
    rights="get on config maps and secrets, list on pods, in both environments' namespaces.",
    mends={
        "is missing or empty": "add the key to the secret that the release mounts, with a value of `openssl "
        "rand -hex 32`",
        "is a known default": "make a value of your own (`openssl rand -hex 32`), and restart the pods",
        "characters; expected at least": "make a longer value (`openssl rand -hex 32`), and restart the pods",
        "is not random enough": "make the value at random (`openssl rand -hex 32`), and restart the pods",
        "is the same as in": "make another value for this environment, and restart the pods",
        "restart the pods": "restart the pods: kubectl rollout restart",
        "are the same value": "give each its own value, or name the pair in with.same",
        " is …'s …": "make another value for this environment, and restart the pods",
    },
    otherwise="make a value of your own at random, put it in the secret, and restart the pods",
)

PRESENT: Final = Guide(
    asks="Reads the environment's secrets by name from the cluster, and the container's environment that they end "
    "up in.",
    proves="The secrets that the release mounts exist, and together they have every key that a start needs.",
    unseen="Whether the values are right: only a start shows that.",
    rights="get on secrets and config maps, get on deployments of the namespace.",
    mends={
        "does not exist in": "make the secret in the namespace (kubectl create secret, or the prepare "
        "operation)",
        "is empty": "put the keys into the secret",
        "no image is pulled with it": "make it of type kubernetes.io/dockerconfigjson (kubectl create secret"
        " docker-registry)",
        "missing or empty": "add the named keys, with values, to one of the release's secrets",
        "does not mount it": "name the secret in the chart's envFrom, or take it out of the runbook's "
        "secrets",
    },
    otherwise="put the keys into the secrets that the release mounts",
)
