"""More requests of the conformance table: lists and watches, values of other types, rules, and who owns a field."""

from __future__ import annotations

from state.base.json import Json, JsonObject
from tests.console.rehearsal.sim.kubernetes import conformance_cases
from tests.console.rehearsal.sim.kubernetes.conformance import (
    APPLY,
    BEHIND,
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
from tests.console.rehearsal.sim.kubernetes.conformance_cases import (
    config,
    cronjob,
    ingress,
    job,
    meta,
    pod,
    secret,
    service,
    template,
    workload,
)


def namespace(name: str, **labels: str) -> list[Ask]:
    """Return the creation of a namespace with the account that pods need."""
    made = Ask("POST", "/api/v1/namespaces", {"metadata": meta(name, labels=labels)})
    return [made, Ask("POST", at("serviceaccounts", namespace=name), {"metadata": meta("default")})]


def within(name: str, plural: str, body: JsonObject, **query: str) -> Ask:
    """Return the creation of an object in another namespace."""
    return Ask("POST", at(plural, namespace=name), body, query=query)


def one_of(name: str, **container: Json) -> Ask:
    """Return the creation of a Deployment whose container has fields of its own."""
    return post("deployments", workload(name, pod=template(name, container=container)))


def with_spec(name: str, **spec: Json) -> Ask:
    """Return the creation of a Deployment whose pods' spec has fields of its own."""
    return post("deployments", workload(name, pod=template(name, container=None, **spec)))


def watch(plural: str, **query: str) -> Ask:
    """Return a watch that lasts a second."""
    return get(plural, watch="true", timeoutSeconds="1", **query)


_PAGES = [*namespace("like-pages"), *(within("like-pages", "secrets", secret(f"p-{n}")) for n in range(3))]
_PAGE = Ask("GET", at("secrets", namespace="like-pages"), query={"limit": "2"})
_LABELLED: JsonObject = {"metadata": meta("seen-1", labels={"seen": "y"})}
LISTED = (
    Case("a page of a whole list", [*_PAGES, _PAGE]),
    Case("the page behind a page", [*_PAGES, _PAGE, Ask("GET", _PAGE.path, query={**_PAGE.query, **BEHIND})]),
    Case("a list of nothing", [get("configmaps", labelSelector="nobody=has")]),
    Case("a limit that is no number", [get("configmaps", limit="x")]),
    Case(
        "a list of all namespaces",
        [post("configmaps", _LABELLED), Ask("GET", "/api/v1/configmaps", query={"labelSelector": "seen=y"})],
    ),
    Case("a list of a version that is none", [get("configmaps", resourceVersion="x")]),
    Case(
        "a selector of sets",
        [post("configmaps", _LABELLED), get("configmaps", labelSelector="seen in (y,z),!other,seen")],
    ),
    Case("a selector with two operators", [get("configmaps", labelSelector="a==b==c")]),
    Case("a selector of a bad key", [get("configmaps", labelSelector="a/b/c=d")]),
    Case(
        "a selector of names",
        [post("configmaps", _LABELLED), get("configmaps", fieldSelector="metadata.name=seen-1")],
    ),
    Case(
        "a watch from the beginning",
        [post("configmaps", _LABELLED), watch("configmaps", labelSelector="seen=y")],
    ),
    Case(
        "a watch from any version",
        [post("configmaps", _LABELLED), watch("configmaps", labelSelector="seen=y", resourceVersion="0")],
    ),
    Case(
        "a watch that lists first",
        [
            post("configmaps", _LABELLED),
            watch(
                "configmaps",
                labelSelector="seen=y",
                sendInitialEvents="true",
                resourceVersionMatch="NotOlderThan",
                allowWatchBookmarks="true",
            ),
        ],
    ),
    Case("a watch that lists first without a match", [watch("configmaps", sendInitialEvents="true")]),
    Case("a watch from a version that is none", [watch("configmaps", resourceVersion="x")]),
)

TYPES = (
    Case("text where yes or no belongs", [post("deployments", workload("t-bool", paused="yes"))]),
    Case("a fraction where a number belongs", [post("deployments", workload("t-fraction", replicas=1.5))]),
    Case("a number that is too large", [post("deployments", workload("t-large", replicas=3_000_000_000))]),
    Case("an object where a list belongs", [with_spec("t-list", volumes={"a": 1})]),
    Case("a list where an object belongs", [post("deployments", workload("t-object", strategy=[]))]),
    Case("a number where text belongs", [one_of("t-text", workingDir=1)]),
    Case("a number as a variable's value", [one_of("t-env", env=[{"name": "A", "value": 1}])]),
    Case("a quantity that is none", [one_of("t-quantity", resources={"limits": {"cpu": "much"}})]),
    Case("yes or no among labels", [post("configmaps", {"metadata": meta("t-label", labels={"a": True})})]),
    Case(
        "a port that is text and one that is a number",
        [post("services", service("t-port", ports=[{"port": 80, "targetPort": "web"}]))],
    ),
    Case("a null in a list of texts", [one_of("t-null", args=["a", None])]),
    Case(
        "an unknown field, ignored",
        [post("configmaps", config("v-ignored", {}, datum={}), fieldValidation="Ignore")],
    ),
    Case(
        "an unknown field, by a word that nobody knows",
        [post("configmaps", config("v-word", {}), fieldValidation="Some")],
    ),
    Case(
        "two unknown fields, strictly",
        [
            post(
                "deployments",
                workload("v-two", replica=3, pod=template("v-two", container={"imagePull": "x"})),
                fieldValidation="Strict",
            )
        ],
    ),
    Case(
        "an unknown field of metadata", [post("configmaps", {"metadata": meta("v-meta", label={"a": "b"})})]
    ),
    Case(
        "an unknown field in a merge",
        [post("configmaps", config("v-merge", {})), patch("configmaps", "v-merge", {"datum": {"a": "1"}})],
    ),
    Case(
        "an unknown field in a merge, strictly",
        [
            post("configmaps", config("v-merged", {})),
            patch("configmaps", "v-merged", {"datum": {"a": "1"}}, fieldValidation="Strict"),
        ],
    ),
    Case("an unknown field in an apply", [applied("deployments", workload("v-applied", replica=3))]),
    Case(
        "a merge of another type",
        [
            post("deployments", workload("v-type")),
            patch("deployments", "v-type", {"spec": {"replicas": "two"}}),
        ],
    ),
    Case(
        "a strategic patch of another type",
        [
            post("deployments", workload("v-strategic")),
            patch("deployments", "v-strategic", {"spec": {"replicas": "two"}}, STRATEGIC),
        ],
    ),
    Case("an apply of another type", [applied("deployments", workload("v-apply-type", replicas="two"))]),
    Case(
        "a patch of a type that nobody takes",
        [post("configmaps", config("v-kind", {})), patch("configmaps", "v-kind", {}, "application/json")],
    ),
    Case(
        "another version in the body",
        [post("deployments", {**workload("v-version"), "apiVersion": "apps/v1beta1"})],
    ),
    Case(
        "another name in the body",
        [post("configmaps", config("n-one", {})), Ask("PUT", at("configmaps", "n-one"), config("n-two", {}))],
    ),
    Case("a group that isn't there", [Ask("GET", "/apis/wombats.test/v1/wombats")]),
    Case("a version that isn't there", [Ask("GET", "/apis/apps/v9/deployments")]),
    Case("a subresource that isn't there", [Ask("GET", at("configmaps", "seen", "scale"))]),
    Case("a body that is too large", [post("configmaps", config("n-huge", {"a": "x" * 3_200_000}))]),
)

RULES = (
    Case(
        "two containers of one name",
        [with_spec("r-two", containers=[{"name": "a", "image": "a:1"}, {"name": "a", "image": "b:1"}])],
    ),
    Case("a container without an image", [with_spec("r-image", containers=[{"name": "a"}])]),
    Case("no containers", [with_spec("r-none", containers=[])]),
    Case("a mount without its volume", [one_of("r-mount", volumeMounts=[{"name": "v", "mountPath": "/v"}])]),
    Case("a deployment that never restarts", [with_spec("r-never", restartPolicy="Never")]),
    Case("less than none", [post("deployments", workload("r-less", replicas=-1))]),
    Case(
        "a request beyond its limit",
        [one_of("r-limit", resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}})],
    ),
    Case("a probe of nothing", [one_of("r-probe", readinessProbe={"periodSeconds": 3})]),
    Case("a port that is too large", [one_of("r-port", ports=[{"containerPort": 70000}])]),
    Case("a policy that nobody knows", [one_of("r-policy", imagePullPolicy="Sometimes")]),
    Case("a variable without a name", [one_of("r-env", env=[{"name": "", "value": "a"}])]),
    Case(
        "a key of labels that is bad", [post("configmaps", {"metadata": meta("r-key", labels={"a b": "c"})})]
    ),
    Case("a name that is too long", [post("configmaps", {"metadata": meta("x" * 254)})]),
    Case(
        "a job that always restarts",
        [
            post(
                "jobs",
                job(
                    "r-job",
                    template={
                        "spec": {"restartPolicy": "Always", "containers": [{"name": "m", "image": "m:1"}]}
                    },
                ),
            )
        ],
    ),
    Case(
        "a key in data and in binary data",
        [post("configmaps", config("r-both", {"a": "1"}, binaryData={"a": "MQ=="}))],
    ),
    Case(
        "an ingress without a slash",
        [
            post(
                "ingresses",
                {
                    **ingress("r-path"),
                    "spec": {
                        "rules": [
                            {
                                "http": {
                                    "paths": [
                                        {
                                            "path": "a",
                                            "pathType": "Prefix",
                                            "backend": {"service": {"name": "w", "port": {"number": 80}}},
                                        }
                                    ]
                                }
                            }
                        ]
                    },
                },
            )
        ],
    ),
    Case(
        "an autoscaler from more to less",
        [
            post(
                "horizontalpodautoscalers",
                {
                    "metadata": meta("r-hpa"),
                    "spec": {
                        "minReplicas": 3,
                        "maxReplicas": 2,
                        "scaleTargetRef": {"kind": "Deployment", "name": "w", "apiVersion": "apps/v1"},
                    },
                },
            )
        ],
    ),
    Case(
        "a budget of both kinds",
        [
            post(
                "poddisruptionbudgets",
                {
                    "metadata": meta("r-pdb"),
                    "spec": {"minAvailable": 1, "maxUnavailable": 1, "selector": {"matchLabels": {"a": "b"}}},
                },
            )
        ],
    ),
    Case("a service's port that is none", [post("services", service("r-zero", ports=[{"port": 0}]))]),
    Case("a service beyond the addresses", [post("services", service("r-address", clusterIP="192.168.1.1"))]),
    Case("a service of nodes", [post("services", service("r-nodes", type="NodePort"))]),
    Case("a service of a balancer", [post("services", service("r-balancer", type="LoadBalancer"))]),
    Case("a namespace with a bad name", [Ask("POST", "/api/v1/namespaces", {"metadata": meta("like_this")})]),
    Case(
        "a budget replaced without its version",
        [
            post(
                "poddisruptionbudgets",
                {
                    "metadata": meta("u-pdb"),
                    "spec": {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}},
                },
            ),
            put(
                "poddisruptionbudgets",
                {
                    "metadata": meta("u-pdb"),
                    "spec": {"minAvailable": 2, "selector": {"matchLabels": {"a": "b"}}},
                },
            ),
        ],
    ),
    Case(
        "a lease replaced without its version",
        [
            post("leases", {"metadata": meta("u-lease"), "spec": {"holderIdentity": "a"}}),
            put("leases", {"metadata": meta("u-lease"), "spec": {"holderIdentity": "b"}}),
        ],
    ),
    Case(
        "another service of a statefulset",
        [
            post("statefulsets", workload("r-set", "StatefulSet", serviceName="a")),
            patch("statefulsets", "r-set", {"spec": {"serviceName": "b"}}),
        ],
    ),
    Case(
        "another template of a daemonset",
        [
            post("daemonsets", workload("r-daemons", "DaemonSet")),
            patch(
                "daemonsets",
                "r-daemons",
                {"spec": {"template": {"spec": {"priorityClassName": "system-node-critical"}}}},
            ),
        ],
    ),
    Case(
        "a secret that can't change",
        [
            post("secrets", secret("r-fixed", immutable=True, stringData={"a": "1"})),
            patch("secrets", "r-fixed", {"immutable": None}),
        ],
    ),
    Case(
        "another role of a binding",
        [
            post(
                "rolebindings",
                {
                    "metadata": meta("r-binding"),
                    "roleRef": {"kind": "Role", "name": "a", "apiGroup": "rbac.authorization.k8s.io"},
                },
            ),
            patch("rolebindings", "r-binding", {"roleRef": {"name": "b"}}),
        ],
    ),
)

_CPU: JsonObject = {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "2"}}}


def _quota(name: str, *more: Ask, **hard: str) -> list[Ask]:
    counted: JsonObject = {"hard": dict(hard), "used": dict.fromkeys(hard, "0")}
    return [
        *namespace(name),
        within(name, "resourcequotas", {"metadata": meta("few"), "spec": {"hard": dict(hard)}}),
        Ask("PATCH", at("resourcequotas", "few", "status", namespace=name), {"status": counted}, MERGE),
        *more,
    ]


def _bound(name: str, **spec: Json) -> Ask:
    return post("pods", pod(name, nodeName="nowhere", **spec))


LIVES = (
    Case("deleting a pod on a node", [_bound("g-one"), delete("pods", "g-one")]),
    Case(
        "deleting a pod on a node with its own grace",
        [_bound("g-own", terminationGracePeriodSeconds=90), delete("pods", "g-own")],
    ),
    Case(
        "deleting a pod with another grace",
        [_bound("g-other"), delete("pods", "g-other", gracePeriodSeconds="5")],
    ),
    Case(
        "deleting a pod with less grace than before",
        [_bound("g-less"), delete("pods", "g-less"), delete("pods", "g-less", gracePeriodSeconds="5")],
    ),
    Case(
        "deleting a pod at once",
        [_bound("g-once"), delete("pods", "g-once", gracePeriodSeconds="0"), get("pods", "g-once")],
    ),
    Case(
        "deleting what is held",
        [
            post("configmaps", {"metadata": meta("g-held", finalizers=["shop.test/held"])}),
            delete("configmaps", "g-held"),
        ],
    ),
    Case(
        "deleting without doing it",
        [
            post("configmaps", config("g-dry", {})),
            delete("configmaps", "g-dry", dryRun="All"),
            get("configmaps", "g-dry"),
        ],
    ),
    Case(
        "deleting by a policy that nobody knows",
        [
            post("configmaps", config("g-policy", {})),
            delete("configmaps", "g-policy", propagationPolicy="Some"),
        ],
    ),
    Case("a paused deployment", [post("deployments", workload("l-paused", paused=True, replicas=2))]),
    Case(
        "a deployment that goes on",
        [
            post("deployments", workload("l-on", paused=True)),
            patch("deployments", "l-on", {"spec": {"paused": False}}),
        ],
    ),
    Case(
        "what a namespace warns of",
        [
            *namespace("like-warned", **{"pod-security.kubernetes.io/warn": "restricted"}),
            within("like-warned", "deployments", workload("w")),
        ],
    ),
    Case(
        "a pod of the host in a guarded namespace",
        [
            *namespace("like-guarded", **{"pod-security.kubernetes.io/enforce": "baseline"}),
            within(
                "like-guarded",
                "pods",
                pod(
                    "host", hostNetwork=True, hostPID=True, volumes=[{"name": "h", "hostPath": {"path": "/"}}]
                ),
            ),
        ],
    ),
    Case(
        "a privileged pod in a guarded namespace",
        [
            *namespace("like-guarded", **{"pod-security.kubernetes.io/enforce": "baseline"}),
            within(
                "like-guarded",
                "pods",
                pod(
                    "root",
                    containers=[
                        {
                            "name": "a",
                            "image": "a:1",
                            "securityContext": {"privileged": True, "capabilities": {"add": ["SYS_ADMIN"]}},
                            "ports": [{"containerPort": 80, "hostPort": 80}],
                        }
                    ],
                ),
            ),
        ],
    ),
    Case("a pod whose account isn't there", [post("pods", pod("l-account", serviceAccountName="nobody"))]),
    Case("a pod of a class that isn't there", [post("pods", pod("l-class", priorityClassName="first"))]),
    Case(
        "a pod without what its quota counts",
        _quota("like-counted", within("like-counted", "pods", pod("bare")), **{"requests.cpu": "1"}),
    ),
    Case(
        "a pod with more than its quota",
        _quota(
            "like-short",
            within("like-short", "pods", pod("big", containers=[{"name": "a", "image": "a:1", **_CPU}])),
            **{"requests.cpu": "1", "limits.cpu": "1"},
        ),
    ),
    Case(
        "one map more than a quota",
        _quota("like-few", within("like-few", "configmaps", config("more", {})), **{"count/configmaps": "0"}),
    ),
    Case(
        "one service more than a quota",
        _quota("like-alone", within("like-alone", "services", service("more")), services="0"),
    ),
)

_OWNED: JsonObject = workload("o-applied", replicas=2)
OWNERS = (
    Case(
        "who owns what was created",
        [post("configmaps", config("o-created", {"a": "1"}), fieldManager="helm")],
        owners=True,
    ),
    Case(
        "who owns what was merged",
        [
            post("configmaps", config("o-merged", {"a": "1", "c": "1"}), fieldManager="helm"),
            patch("configmaps", "o-merged", {"data": {"a": "2", "b": "1"}}, fieldManager="kubectl"),
        ],
        owners=True,
    ),
    Case("who owns what was applied", [applied("deployments", _OWNED)], owners=True),
    Case(
        "who owns what was scaled",
        [
            applied("deployments", workload("o-scaled", replicas=2)),
            patch("deployments", "o-scaled", {"spec": {"replicas": 4}}, sub="scale", fieldManager="kubectl"),
            get("deployments", "o-scaled"),
        ],
        owners=True,
    ),
    Case(
        "who owns a status",
        [
            applied("deployments", workload("o-status", paused=True, replicas=2)),
            patch(
                "deployments",
                "o-status",
                {"status": {"observedGeneration": 1}},
                sub="status",
                fieldManager="controller",
            ),
            get("deployments", "o-status"),
        ],
        owners=True,
    ),
    Case(
        "who owns what was taken by force",
        [
            applied("configmaps", config("o-forced", {"a": "1", "b": "1"})),
            applied("configmaps", config("o-forced", {"a": "2"}), "two", force="true"),
        ],
        owners=True,
    ),
    Case(
        "who owns what two apply alike",
        [
            applied("configmaps", config("o-shared", {"a": "1"})),
            applied("configmaps", config("o-shared", {"a": "1"}), "two"),
        ],
        owners=True,
    ),
    Case(
        "what is left when one of two lets go",
        [
            applied("configmaps", config("o-left", {"a": "1", "b": "1"})),
            applied("configmaps", config("o-left", {"a": "1", "b": "1"}), "two"),
            applied("configmaps", config("o-left", {"b": "1"})),
        ],
        owners=True,
    ),
    Case(
        "an apply of a variable less",
        [
            applied(
                "deployments",
                workload(
                    "o-env",
                    pod=template(
                        "o-env", container={"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
                    ),
                ),
            ),
            applied(
                "deployments",
                workload("o-env", pod=template("o-env", container={"env": [{"name": "B", "value": "2"}]})),
            ),
        ],
    ),
    Case(
        "an apply of a container less",
        [
            applied(
                "deployments",
                workload("o-less", pod=template("o-less", initContainers=[{"name": "i", "image": "i:1"}])),
            ),
            applied("deployments", workload("o-less")),
        ],
    ),
    Case(
        "an apply that says who owns what",
        [
            applied(
                "configmaps",
                {
                    **config("o-says", {}),
                    "metadata": meta(
                        "o-says",
                        managedFields=[
                            {
                                "manager": "a",
                                "operation": "Apply",
                                "apiVersion": "v1",
                                "fieldsType": "FieldsV1",
                                "fieldsV1": {},
                            }
                        ],
                    ),
                },
            )
        ],
    ),
    Case(
        "an apply of an old version",
        [
            applied("configmaps", config("o-old", {"a": "1"})),
            applied(
                "configmaps", {**config("o-old", {"a": "2"}), "metadata": meta("o-old", resourceVersion="1")}
            ),
        ],
    ),
    Case(
        "a dry run of an apply of what is there",
        [
            applied("configmaps", config("o-dry", {"a": "1"})),
            applied("configmaps", config("o-dry", {"a": "2"}), dryRun="All"),
            get("configmaps", "o-dry"),
        ],
    ),
    Case(
        "a dry run of an apply that conflicts",
        [
            applied("configmaps", config("o-dry-conflict", {"a": "1"})),
            applied("configmaps", config("o-dry-conflict", {"a": "2"}), "two", dryRun="All"),
        ],
    ),
    Case(
        "an apply of many conflicts",
        [
            applied("deployments", workload("o-many", replicas=2, minReadySeconds=3)),
            applied(
                "deployments",
                workload(
                    "o-many",
                    replicas=3,
                    minReadySeconds=4,
                    pod=template("o-many", container={"image": "shop/web:2"}),
                ),
                "two",
            ),
        ],
    ),
    Case(
        "an apply of a scale",
        [
            post("deployments", workload("o-scale", replicas=1)),
            Ask(
                "PATCH",
                at("deployments", "o-scale", "scale"),
                {
                    "apiVersion": "autoscaling/v1",
                    "kind": "Scale",
                    "metadata": meta("o-scale"),
                    "spec": {"replicas": 3},
                },
                APPLY,
                {"fieldManager": "scaler", "force": "true"},
            ),
        ],
    ),
    Case(
        "the scale of a statefulset",
        [
            post("statefulsets", workload("o-set", "StatefulSet", serviceName="a", replicas=2)),
            patch("statefulsets", "o-set", {"spec": {"replicas": 3}}, sub="scale"),
        ],
    ),
    Case(
        "a scale that is less than none",
        [
            post("deployments", workload("o-none", replicas=1)),
            patch("deployments", "o-none", {"spec": {"replicas": -1}}, sub="scale"),
        ],
    ),
    Case(
        "a replaced scale",
        [
            post("deployments", workload("o-put", replicas=1)),
            Ask(
                "PUT",
                at("deployments", "o-put", "scale"),
                {"metadata": meta("o-put", namespace=NAMESPACE), "spec": {"replicas": 3}},
            ),
        ],
    ),
    Case("a scale of what isn't there", [Ask("GET", at("deployments", "nobody", "scale"))]),
    Case(
        "the rules of oneself",
        [
            Ask(
                "POST",
                "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
                {"spec": {"namespace": NAMESPACE}},
            )
        ],
    ),
    Case(
        "what one may do of paths",
        [
            Ask(
                "POST",
                "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                {"spec": {"nonResourceAttributes": {"path": "/metrics", "verb": "get"}}},
            )
        ],
    ),
    Case(
        "what one may do of nothing",
        [Ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"spec": {}})],
    ),
    Case(
        "a patch of JSON that adds a list's member",
        [
            one_of("o-json"),
            patch(
                "deployments",
                "o-json",
                [
                    {
                        "op": "add",
                        "path": "/spec/template/spec/containers/-",
                        "value": {"name": "b", "image": "b:1"},
                    }
                ],
                JSON_PATCH,
            ),
        ],
    ),
    Case(
        "a patch of JSON that is no list",
        [post("configmaps", config("o-bad", {})), patch("configmaps", "o-bad", {"op": "add"}, JSON_PATCH)],
    ),
    Case(
        "a strategic patch that deletes a member",
        [
            one_of("o-delete", env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]),
            patch(
                "deployments",
                "o-delete",
                {
                    "spec": {
                        "template": {
                            "spec": {
                                "containers": [{"name": "web", "env": [{"name": "A", "$patch": "delete"}]}]
                            }
                        }
                    }
                },
                STRATEGIC,
            ),
        ],
    ),
    Case(
        "a cronjob that was suspended",
        [post("cronjobs", cronjob("o-cron")), patch("cronjobs", "o-cron", {"spec": {"suspend": True}})],
    ),
)

MORE = (*LISTED, *TYPES, *RULES, *LIVES, *OWNERS)
CASES = (*conformance_cases.CASES, *MORE)
