"""Which pods of a release get a token of the cluster's API: by themselves, or by their service account."""

from __future__ import annotations

import pytest

from checks.pod_tokens import tokens_given, workloads
from state.base.json import JsonObject

CLOSED: JsonObject = {"metadata": {"name": "closed"}, "automountServiceAccountToken": False}
OPEN: JsonObject = {"metadata": {"name": "open"}, "automountServiceAccountToken": True}
KNOWN = {"closed": CLOSED, "open": OPEN, "default": {"metadata": {"name": "default"}}}


def pod(**spec: object) -> JsonObject:
    return {"spec": {"containers": [], **spec}}  # type: ignore[dict-item]  # what a case gives is JSON


@pytest.mark.parametrize(
    ("spec", "given"),
    [
        ({}, True),  # an account that says nothing gives one
        ({"automountServiceAccountToken": False}, False),
        ({"automountServiceAccountToken": True}, True),
        ({"serviceAccountName": "closed"}, False),
        ({"serviceAccount": "closed"}, False),  # its older name
        ({"serviceAccountName": "closed", "automountServiceAccountToken": True}, True),  # the pod decides
        ({"serviceAccountName": "open"}, True),
        ({"serviceAccountName": "open", "automountServiceAccountToken": False}, False),
        ({"serviceAccountName": "nobody"}, True),  # not there: nothing closes it
        ({"serviceAccountName": "operator"}, False),  # needs one
    ],
)
def test_a_pod_gets_a_token_unless_it_or_its_account_declines(spec: dict[str, object], given: bool) -> None:
    assert tokens_given([("web", pod(**spec))], KNOWN, ("operator",)) == (["web"] if given else [])


def test_every_kind_that_makes_pods_is_looked_at() -> None:
    template: JsonObject = {"spec": {"automountServiceAccountToken": True}}
    simple = ("Deployment", "StatefulSet", "DaemonSet", "Job", "ReplicaSet", "ReplicationController")
    objects: list[JsonObject] = [
        {"kind": kind, "metadata": {"name": kind}, "spec": {"template": template}} for kind in simple
    ]
    nested: JsonObject = {"jobTemplate": {"spec": {"template": template}}}
    objects.append({"kind": "CronJob", "metadata": {"name": "CronJob"}, "spec": nested})
    objects.append({"kind": "Pod", "metadata": {"name": "Pod"}, **template})
    objects.append({"kind": "ConfigMap", "metadata": {"name": "no"}})
    found = list(workloads(objects))
    assert [name for name, _ in found] == [*simple, "CronJob", "Pod"]
    assert tokens_given(found, {}, ()) == [*simple, "CronJob", "Pod"]
