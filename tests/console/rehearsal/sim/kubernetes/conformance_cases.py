"""The requests of the conformance table. Each case has objects of its own, so that their order doesn't matter."""

from __future__ import annotations

from collections.abc import Mapping

from state.base.json import Json, JsonObject, obj
from tests.console.rehearsal.sim.kubernetes.conformance import (
    APPLY,
    JSON_PATCH,
    MERGE,
    NAMESPACE,
    STRATEGIC,
    Ask,
    Case,
    applied,
    at,
    delete,
    get,
    patch,
    post,
    put,
)


def meta(name: str, **more: Json) -> JsonObject:
    """Return an object's metadata."""
    return {"name": name, **more}


def config(name: str, data: Json, **more: Json) -> JsonObject:
    """Return a ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta(name), "data": data, **more}


def secret(name: str, **more: Json) -> JsonObject:
    """Return a Secret."""
    return {"metadata": meta(name), **more}


def service(name: str, **spec: Json) -> JsonObject:
    """Return a Service."""
    return {"metadata": meta(name), "spec": {"selector": {"app": name}, "ports": [{"port": 80}], **spec}}


def template(app: str, *, container: Mapping[str, Json] | None = None, **spec: Json) -> JsonObject:
    """Return a pod template with one container."""
    one: JsonObject = {"name": "web", "image": "shop/web:1", **(container or {})}
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [one], **spec}}


def workload(
    name: str, kind: str = "Deployment", *, pod: JsonObject | None = None, **spec: Json
) -> JsonObject:
    """Return a Deployment, or a workload that is like one."""
    body: JsonObject = {"selector": {"matchLabels": {"app": name}}, "template": pod or template(name), **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": meta(name), "spec": body}


def job(name: str, **spec: Json) -> JsonObject:
    """Return a Job."""
    pod: JsonObject = {"spec": {"restartPolicy": "Never", "containers": [{"name": "m", "image": "shop/m:1"}]}}
    return {"metadata": meta(name), "spec": {"template": pod, **spec}}


def cronjob(name: str, schedule: str = "0 3 * * *") -> JsonObject:
    """Return a CronJob."""
    return {
        "metadata": meta(name),
        "spec": {"schedule": schedule, "jobTemplate": {"spec": job(name)["spec"]}},
    }


def pod(name: str, **spec: Json) -> JsonObject:
    """Return a pod."""
    return {"metadata": meta(name), "spec": {"containers": [{"name": "web", "image": "shop/web:1"}], **spec}}


def ingress(name: str, path_type: str = "Prefix") -> JsonObject:
    """Return an Ingress."""
    backend: JsonObject = {"service": {"name": "web", "port": {"number": 80}}}
    paths: list[Json] = [{"path": "/", "pathType": path_type, "backend": backend}]
    return {"metadata": meta(name), "spec": {"rules": [{"host": "shop.test", "http": {"paths": paths}}]}}


def _changed(body: JsonObject, **spec: Json) -> JsonObject:
    return {**body, "spec": {**obj(body["spec"]), **spec}}


_ZEROS: JsonObject = workload(
    "zeros",
    paused=False,
    minReadySeconds=0,
    pod=template(
        "zeros",
        hostNetwork=False,
        hostPID=False,
        hostIPC=False,
        volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "c", "readOnly": False}}],
        container={
            "stdin": False,
            "tty": False,
            "ports": [{"containerPort": 80, "hostPort": 0}],
            "volumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": False}],
            "readinessProbe": {"initialDelaySeconds": 0, "tcpSocket": {"port": 80}},
        },
    ),
)
_NULLS: JsonObject = {
    "metadata": {"name": "nulls", "creationTimestamp": None, "annotations": None},
    "spec": {
        "selector": {"matchLabels": {"app": "nulls"}},
        "strategy": {"rollingUpdate": {"maxSurge": None}},
        "template": template("nulls", container={"resources": None, "env": None}),
    },
}
_VOLUMES: list[Json] = [
    {"name": "a", "secret": {"secretName": "s"}},
    {"name": "b", "configMap": {"name": "c"}},
    {"name": "c", "emptyDir": {"sizeLimit": "1024Mi"}},
    {"name": "d", "projected": {"sources": [{"secret": {"name": "s"}}]}},
    {"name": "e", "hostPath": {"path": "/var/log"}},
]

CREATED = (
    Case("configmap", [post("configmaps", config("plain", {"a": "1"}))]),
    Case("configmap with a null", [post("configmaps", config("null", {"a": None}))]),
    Case("configmap with a number", [post("configmaps", config("number", {"a": 1}))]),
    Case("configmap of more than a MiB", [post("configmaps", config("large", {"a": "x" * 1_100_000}))]),
    Case("configmap with a bad key", [post("configmaps", config("key", {"a/b": "1"}))]),
    Case("configmap without data", [post("configmaps", {"metadata": meta("empty")})]),
    Case("secret from text", [post("secrets", secret("text", stringData={"a": "1"}))]),
    Case("secret that is no base64", [post("secrets", secret("bad", data={"a": "%"}))]),
    Case(
        "secret of a type that lacks its key",
        [post("secrets", secret("tls", type="kubernetes.io/tls", data={}))],
    ),
    Case("service", [post("services", service("svc"))]),
    Case("service with zeros", [post("services", service("svc-zero", publishNotReadyAddresses=False))]),
    Case("service without an address", [post("services", service("headless", clusterIP="None"))]),
    Case(
        "service of another name",
        [
            post(
                "services",
                {"metadata": meta("ext"), "spec": {"type": "ExternalName", "externalName": "a.test"}},
            )
        ],
    ),
    Case("service without ports", [post("services", service("portless", ports=[]))]),
    Case(
        "service with two nameless ports",
        [post("services", service("two", ports=[{"port": 80}, {"port": 81}]))],
    ),
    Case("deployment", [post("deployments", workload("plain"))]),
    Case("deployment with zeros", [post("deployments", _ZEROS)]),
    Case("deployment with nulls", [post("deployments", _NULLS)]),
    Case(
        "deployment with quantities",
        [
            post(
                "deployments",
                workload(
                    "quantities",
                    pod=template(
                        "quantities",
                        container={
                            "resources": {
                                "requests": {"cpu": 0.7, "memory": "1024Mi"},
                                "limits": {"cpu": "1000m", "memory": "8192Mi"},
                            }
                        },
                    ),
                ),
            )
        ],
    ),
    Case(
        "deployment with limits alone",
        [
            post(
                "deployments",
                workload("limits", pod=template("limits", container={"resources": {"limits": {"cpu": "1"}}})),
            )
        ],
    ),
    Case(
        "deployment that is recreated",
        [post("deployments", workload("recreate", strategy={"type": "Recreate"}))],
    ),
    Case(
        "deployment with volumes",
        [post("deployments", workload("volumes", pod=template("volumes", volumes=_VOLUMES)))],
    ),
    Case(
        "deployment with probes",
        [
            post(
                "deployments",
                workload(
                    "probes",
                    pod=template(
                        "probes",
                        container={
                            "ports": [{"containerPort": 80}],
                            "readinessProbe": {"httpGet": {"port": 80}},
                            "livenessProbe": {"exec": {"command": ["true"]}},
                            "startupProbe": {"grpc": {"port": 80}},
                        },
                    ),
                ),
            )
        ],
    ),
    Case(
        "deployment with fields in its environment",
        [
            post(
                "deployments",
                workload(
                    "fields",
                    pod=template(
                        "fields",
                        container={
                            "env": [
                                {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                                {"name": "B", "value": ""},
                            ]
                        },
                    ),
                ),
            )
        ],
    ),
    Case(
        "deployment of the newest image",
        [post("deployments", workload("latest", pod=template("latest", container={"image": "shop/web"})))],
    ),
    Case(
        "deployment with an account by its old name",
        [post("deployments", workload("account", pod=template("account", serviceAccountName="someone")))],
    ),
    Case("deployment with a field that nobody knows", [post("deployments", workload("typo", replica=3))]),
    Case(
        "deployment with a field that nobody knows, strictly",
        [post("deployments", workload("strict", replica=3), fieldValidation="Strict")],
    ),
    Case(
        "deployment that selects others",
        [post("deployments", workload("others", pod=template("not-it")))],
    ),
    Case(
        "deployment without a container",
        [
            post(
                "deployments",
                workload("bare", pod={"metadata": {"labels": {"app": "bare"}}, "spec": {"containers": []}}),
            )
        ],
    ),
    Case(
        "deployment with two containers of a name",
        [
            post(
                "deployments",
                workload(
                    "twins",
                    pod=template(
                        "twins", containers=[{"name": "a", "image": "a"}, {"name": "a", "image": "b"}]
                    ),
                ),
            )
        ],
    ),
    Case("deployment of fewer than none", [post("deployments", workload("negative", replicas=-1))]),
    Case("deployment with a bad name", [post("deployments", workload("Web_1"))]),
    Case(
        "deployment with a bad label",
        [post("deployments", {**workload("label"), "metadata": meta("label", labels={"a": "b c"})})],
    ),
    Case(
        "deployment that mounts what isn't there",
        [
            post(
                "deployments",
                workload(
                    "mounts",
                    pod=template("mounts", container={"volumeMounts": [{"name": "v", "mountPath": "/v"}]}),
                ),
            )
        ],
    ),
    Case("deployment of text where a number belongs", [post("deployments", workload("words", replicas="3"))]),
    Case("statefulset", [post("statefulsets", workload("set", "StatefulSet", serviceName="set"))]),
    Case("daemonset", [post("daemonsets", workload("daemon", "DaemonSet"))]),
    Case("job", [post("jobs", job("job"))]),
    Case(
        "job that restarts for ever",
        [
            post(
                "jobs",
                {
                    "metadata": meta("always"),
                    "spec": {"template": {"spec": {"containers": [{"name": "m", "image": "m"}]}}},
                },
            )
        ],
    ),
    Case("cronjob", [post("cronjobs", cronjob("cron"))]),
    Case("cronjob with a bad schedule", [post("cronjobs", cronjob("cron-bad", "every day"))]),
    Case("pod", [post("pods", pod("pod"))]),
    Case("pod with an account that isn't there", [post("pods", pod("nobody", serviceAccountName="nobody"))]),
    Case("pod of a class that isn't there", [post("pods", pod("classy", priorityClassName="gold"))]),
    Case("ingress", [post("ingresses", ingress("ingress"))]),
    Case("ingress with a bad path type", [post("ingresses", ingress("ingress-bad", "Anything"))]),
    Case(
        "horizontalpodautoscaler",
        [
            post(
                "horizontalpodautoscalers",
                {
                    "metadata": meta("hpa"),
                    "spec": {
                        "maxReplicas": 4,
                        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"},
                        "metrics": [
                            {
                                "type": "Pods",
                                "pods": {
                                    "metric": {"name": "m"},
                                    "target": {"type": "AverageValue", "averageValue": "1000m"},
                                },
                            }
                        ],
                    },
                },
            )
        ],
    ),
    Case(
        "horizontalpodautoscaler without metrics",
        [
            post(
                "horizontalpodautoscalers",
                {
                    "metadata": meta("hpa-bare"),
                    "spec": {
                        "maxReplicas": 4,
                        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"},
                    },
                },
            )
        ],
    ),
    Case(
        "poddisruptionbudget",
        [
            post(
                "poddisruptionbudgets",
                {
                    "metadata": meta("pdb"),
                    "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "a"}}},
                },
            )
        ],
    ),
    Case("networkpolicy", [post("networkpolicies", {"metadata": meta("np"), "spec": {"podSelector": {}}})]),
    Case(
        "endpointslice",
        [
            post(
                "endpointslices",
                {
                    "metadata": meta("slice"),
                    "addressType": "IPv4",
                    "endpoints": [{"addresses": ["10.1.2.3"]}],
                    "ports": [{"port": 80}],
                },
            )
        ],
    ),
    Case(
        "persistentvolumeclaim",
        [
            post(
                "persistentvolumeclaims",
                {
                    "metadata": meta("claim"),
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "resources": {"requests": {"storage": "1024Mi"}},
                    },
                },
            )
        ],
    ),
    Case(
        "resourcequota",
        [
            post(
                "resourcequotas",
                {"metadata": meta("quota"), "spec": {"hard": {"requests.storage": "4096Gi"}}},
            )
        ],
    ),
    Case("role without rules", [post("roles", {"metadata": meta("role"), "rules": []})]),
    Case(
        "rolebinding",
        [
            post(
                "rolebindings",
                {
                    "metadata": meta("binding"),
                    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "role"},
                    "subjects": [{"kind": "User", "name": "ann"}, {"kind": "ServiceAccount", "name": "a"}],
                },
            )
        ],
    ),
    Case("serviceaccount", [post("serviceaccounts", {"metadata": meta("account")})]),
    Case(
        "lease",
        [
            post(
                "leases",
                {
                    "metadata": meta("lease"),
                    "spec": {"holderIdentity": "a", "leaseDurationSeconds": 15},
                },
            )
        ],
    ),
    Case("a name that is made up", [post("configmaps", {"metadata": {"generateName": "made-"}})]),
    Case("no name at all", [post("configmaps", {"metadata": {}})]),
    Case("a namespace", [Ask("POST", "/api/v1/namespaces", {"metadata": meta("like-another")})]),
)

_SEEN = config("seen", {"a": "1"})
REFUSED = (
    Case("in a namespace that isn't there", [Ask("POST", at("configmaps", namespace="nowhere"), _SEEN)]),
    Case("twice", [post("configmaps", config("twice", {})), post("configmaps", config("twice", {}))]),
    Case("what isn't there", [get("pods", "nobody-knows")]),
    Case("a kind that isn't there", [Ask("GET", at("wombats"))]),
    Case("a path that isn't there", [Ask("GET", "/elsewhere")]),
    Case("creation at a name", [Ask("POST", at("configmaps", "named"), config("named", {}))]),
    Case(
        "another namespace in the body",
        [post("configmaps", {"metadata": {"name": "away", "namespace": "default"}})],
    ),
    Case(
        "another kind in the body",
        [post("configmaps", {"kind": "Secret", "apiVersion": "v1", **secret("k")})],
    ),
    Case("a body that is no object", [Ask("POST", at("configmaps"), [1])]),
    Case("a type of body that nobody takes", [Ask("POST", at("configmaps"), {}, kind="text/plain")]),
    Case("a selector of labels that can't be read", [get("pods", labelSelector="a in b")]),
    Case("a selector of fields that isn't served", [get("pods", fieldSelector="spec.color=red")]),
    Case("a token to go on that nobody gave", [get("configmaps", **{"limit": "1", "continue": "nonsense"})]),
    Case("a dry run of some kind", [post("configmaps", config("dry-kind", {}), dryRun="Some")]),
    Case("replacing what isn't there", [put("configmaps", config("not-there", {}))]),
    Case("patching what isn't there", [patch("configmaps", "not-there", {"data": {}})]),
    Case("deleting what isn't there", [delete("configmaps", "not-there")]),
    Case(
        "replacing an old version",
        [
            post("configmaps", config("old", {})),
            put("configmaps", {**config("old", {"a": "1"}), "metadata": meta("old", resourceVersion="1")}),
        ],
    ),
    Case(
        "another selector",
        [
            post("deployments", workload("fixed")),
            put(
                "deployments",
                _changed(workload("fixed", pod=template("else")), selector={"matchLabels": {"app": "else"}}),
            ),
        ],
    ),
    Case(
        "another template of a job",
        [
            post("jobs", job("fixed")),
            patch(
                "jobs",
                "fixed",
                {"spec": {"template": {"spec": {"containers": [{"name": "m", "image": "shop/m:2"}]}}}},
                STRATEGIC,
            ),
        ],
    ),
    Case(
        "another type of a secret",
        [post("secrets", secret("typed")), patch("secrets", "typed", {"type": "other"})],
    ),
    Case(
        "another value of what can't change",
        [
            post("configmaps", config("fixed", {"a": "1"}, immutable=True)),
            patch("configmaps", "fixed", {"data": {"a": "2"}}),
        ],
    ),
    Case(
        "another image in a pod",
        [
            post("pods", pod("changed", schedulerName="nobody")),
            patch(
                "pods",
                "changed",
                {"spec": {"containers": [{"name": "web", "image": "shop/web:2"}]}},
                STRATEGIC,
            ),
        ],
    ),
    Case(
        "another command in a pod",
        [
            post("pods", pod("commanded", schedulerName="nobody")),
            patch("pods", "commanded", {"spec": {"containers": [{"name": "web", "args": ["x"]}]}}, STRATEGIC),
        ],
    ),
    Case(
        "another address of a service",
        [
            post("services", service("moved")),
            patch("services", "moved", {"spec": {"clusterIP": "10.96.7.7"}}),
        ],
    ),
    Case(
        "another name by a patch",
        [
            post("configmaps", config("renamed", {})),
            patch("configmaps", "renamed", {"metadata": {"name": "newer"}}),
        ],
    ),
    Case(
        "a patch of JSON whose test fails",
        [
            post("configmaps", config("tested", {"a": "1"})),
            patch("configmaps", "tested", [{"op": "test", "path": "/data/a", "value": "2"}], JSON_PATCH),
        ],
    ),
    Case(
        "a patch of JSON that removes nothing",
        [
            post("configmaps", config("removed", {"a": "1"})),
            patch("configmaps", "removed", [{"op": "remove", "path": "/data/b"}], JSON_PATCH),
        ],
    ),
    Case(
        "deleting another one of the name",
        [
            post("configmaps", config("meant", {})),
            delete("configmaps", "meant", {"preconditions": {"uid": "00000000-0000-4000-8000-000000000000"}}),
        ],
    ),
    Case(
        "an apply without a manager",
        [Ask("PATCH", at("configmaps", "applied"), config("applied", {}), APPLY)],
    ),
    Case(
        "an apply of another's field",
        [
            applied("configmaps", config("owned", {"a": "1"})),
            applied("configmaps", config("owned", {"a": "2"}), "two"),
        ],
    ),
    Case(
        "an apply of what was scaled",
        [
            applied("deployments", workload("scaled", replicas=2)),
            patch("deployments", "scaled", {"spec": {"replicas": 4}}, sub="scale", fieldManager="kubectl"),
            applied("deployments", workload("scaled", replicas=2)),
        ],
    ),
    Case(
        "an apply of what was created by another",
        [
            post("deployments", workload("taken", replicas=2), fieldManager="helm"),
            applied("deployments", workload("taken", replicas=3), "two"),
        ],
    ),
)

_ACCESS: JsonObject = {
    "apiVersion": "authorization.k8s.io/v1",
    "kind": "SelfSubjectAccessReview",
    "spec": {"resourceAttributes": {"namespace": NAMESPACE, "verb": "get", "resource": "pods"}},
}
CHANGED = (
    Case("an apply that makes it", [applied("configmaps", config("made", {"a": "1"}))]),
    Case(
        "an apply that leaves something out",
        [
            applied("configmaps", config("less", {"a": "1", "b": "2"})),
            applied("configmaps", config("less", {"a": "1"})),
        ],
    ),
    Case(
        "an apply by force",
        [
            applied("configmaps", config("forced", {"a": "1"})),
            applied("configmaps", config("forced", {"a": "2"}), "two", force="true"),
        ],
    ),
    Case("a dry run of an apply", [applied("deployments", workload("dry"), dryRun="All")]),
    Case(
        "nothing is left of a dry run",
        [post("configmaps", config("dry", {}), dryRun="All"), get("configmaps", "dry")],
    ),
    Case(
        "a merge that takes out",
        [
            post("configmaps", config("merged", {"a": "1", "b": "2"})),
            patch("configmaps", "merged", {"data": {"a": None}}),
        ],
    ),
    Case(
        "a strategic patch",
        [
            post("deployments", workload("strategic")),
            patch(
                "deployments",
                "strategic",
                {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "shop/side:1"}]}}}},
                STRATEGIC,
            ),
        ],
    ),
    Case(
        "a patch that changes nothing counts no generation",
        [
            post("deployments", workload("same", replicas=1)),
            patch("deployments", "same", {"spec": {"replicas": 1}}),
        ],
    ),
    Case(
        "a patch that changes the spec counts one",
        [
            post("deployments", workload("more", replicas=1)),
            patch("deployments", "more", {"spec": {"replicas": 2}}),
        ],
    ),
    Case(
        "a status that changes no spec",
        [
            post("deployments", workload("status", replicas=1)),
            put("deployments", workload("status", replicas=5), "status"),
        ],
    ),
    Case(
        "the scale of a deployment",
        [
            post("deployments", workload("scale", replicas=2)),
            Ask("GET", at("deployments", "scale", "scale")),
        ],
    ),
    Case(
        "deleting returns what was",
        [post("configmaps", config("deleted", {})), delete("configmaps", "deleted")],
    ),
    Case(
        "deleting a pod that nothing runs",
        [post("pods", pod("unbound", schedulerName="nobody")), delete("pods", "unbound")],
    ),
    Case(
        "a page of a list",
        [
            post("configmaps", {"metadata": meta("page-1", labels={"page": "y"})}),
            post("configmaps", {"metadata": meta("page-2", labels={"page": "y"})}),
            get("configmaps", limit="1", labelSelector="page=y"),
        ],
    ),
    Case(
        "deleting all of a label",
        [
            post("configmaps", {"metadata": meta("all-1", labels={"all": "y"})}),
            delete("configmaps", labelSelector="all=y"),
        ],
    ),
    Case(
        "what one may do",
        [Ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", _ACCESS)],
    ),
    Case(
        "a pod that a namespace's policy refuses",
        [
            Ask(
                "POST",
                "/api/v1/namespaces",
                {
                    "metadata": meta(
                        "like-strict", labels={"pod-security.kubernetes.io/enforce": "restricted"}
                    )
                },
            ),
            Ask("POST", at("serviceaccounts", namespace="like-strict"), {"metadata": meta("default")}),
            Ask("POST", at("pods", namespace="like-strict"), pod("refused")),
        ],
    ),
    Case(
        "a pod beyond its namespace's quota",
        [
            Ask("POST", "/api/v1/namespaces", {"metadata": meta("like-full")}),
            Ask("POST", at("serviceaccounts", namespace="like-full"), {"metadata": meta("default")}),
            Ask(
                "POST",
                at("resourcequotas", namespace="like-full"),
                {"metadata": meta("none"), "spec": {"hard": {"pods": "0"}}},
            ),
            # What a controller would count: without it the quota's status is unknown, which is another refusal.
            Ask(
                "PATCH",
                at("resourcequotas", "none", "status", namespace="like-full"),
                {"status": {"hard": {"pods": "0"}, "used": {"pods": "0"}}},
                MERGE,
            ),
            Ask("POST", at("pods", namespace="like-full"), pod("one-too-many")),
        ],
    ),
)

CASES = (*CREATED, *REFUSED, *CHANGED)
