"""Guides of how the release is configured, and of what is around it."""

from __future__ import annotations

from typing import Final

from checks.guide import Guide

PLACEHOLDERS: Final = Guide(
    asks="Reads the containers' settings and the ingresses from the cluster, and the pages with their scripts over"
    " the environment's domains.",
    proves="Settings, ingresses and built scripts name this environment's hosts alone, without placeholders, and the"
    " settings of the runbook have their values.",
    unseen="Addresses that are kept in the database or built from parts, and scripts that only come after a login.",
    rights="get on config maps and secrets, list on ingresses of the namespace; the domains.",
    mends={
        "holds the placeholder": "put the real value in the values file of this environment, and deploy",
        "leads to …, which is another environment's": "put this environment's address in its values file, "
        "and deploy",
        "holds an address": "name the settings in the runbook, or correct the part whose container is read",
        "no ingress serves": "add the host to the chart's ingress, or correct domains in the runbook",
        "which the runbook does not name": "take the host off the ingress, or name it in the runbook's "
        "domains",
        " built in": "build the scripts again with this environment's addresses",
        "a page whose scripts can be read": "make the page answer itself, or correct with.pages",
        "and with no script": "see why the script that the page names isn't there: it is another build's",
        "the pages name no script": "correct with.pages: pages of the built front end",
        "more scripts were not read": "name fewer pages, so that all their scripts are read",
        "the runbook names no such domain": "name the host in the runbook's domains, or serve the scripts "
        "from one of them",
    },
    otherwise="correct the values file of this environment, and deploy",
)

DEBUG: Final = Guide(
    asks="Reads the containers' settings and the newest log lines from the cluster, and asks closed paths over the"
    " main domain.",
    proves="Nothing is set for debugging, the platform names its environment itself, its debugging paths are closed,"
    " and its log isn't at DEBUG.",
    unseen="Debugging that is switched on by a request, and other paths than the closed ones of the runbook.",
    rights="get on config maps and secrets, get on pods/log of the namespace; the main domain.",
    mends={
        "is set for debugging": "switch it off in the values file of this environment, and deploy",
        "the platform says that it is": "set the platform's environment setting, and restart it",
        " is open (": "close the path: switch it off in this environment, or refuse it at the ingress",
        "at DEBUG": "set the log level to INFO in the values file of this environment, and deploy",
        "is empty, so nothing of its level": "let the platform write its log to standard output",
    },
    otherwise="switch debugging off in the values file of this environment, and deploy",
)

TRACES: Final = Guide(
    asks="Sends one request that must fail over the main domain and reads the answer.",
    proves="What failed was answered without a stack trace of any language.",
    unseen="Other failures than this one, and headers.",
    rights="The main domain.",
    mends={
        "nothing failed": "correct with.path: a request that the platform answers with an error",
        "holds a stack trace": "switch debug answers off, and let the outermost handler answer without "
        "details",
    },
    otherwise="let the outermost error handler answer without details",
)

SEPARATE: Final = Guide(
    asks="Reads both environments' settings from their clusters, asks both databases who they are, and compares "
    "the buckets.",
    proves="Databases, caches, stores and credentials of staging and production are different ones, by value and by "
    "place.",
    unseen="Whether two names lead to one server behind a proxy, other than for the database.",
    rights="get on config maps and secrets of both namespaces; both databases, with the right to tell their "
    "identity.",
    mends={
        "is set in neither": "set it in both environments, or name it in with.optional",
        "is set in staging and not in production": "set it in production's secret, with a value of its own",
        "is set in production alone": "set it in staging too, so that it can be compared, or name it in "
        "with.optional",
        "is the same in staging and production": "make a value of production's own, and restart the pods",
        "is the same place": "give production its own server or database, and correct its address",
        "leads to the server of staging's": "give production its own server, and correct its address",
        "are the same database system": "give production a database system of its own",
        "the same bucket": "give production a bucket of its own",
        "does not tell its identity": "let the account read the server's identity",
        "object store for both": "name objectstore for both environments, or set with.objectstore: false",
    },
    otherwise="give production its own, and correct the setting",
)

NO_SHARED: Final = Guide(
    asks="Runs the queries of its settings in both databases; values are compared by keyed fingerprint.",
    proves="No sampled value of production is in staging.",
    unseen="Rows that the queries don't sample, and files.",
    rights="select on the sampled tables of both databases.",
    mends={
        "are in staging too": "take production's data out of staging's database, or the test data out of "
        "production's; name what may be in both in with.allowed",
        "than the … that were compared": "narrow the query of with.samples",
        "so nothing could be compared": "correct the query of with.samples; an empty table compares with "
        "nothing",
    },
    otherwise="correct the query of with.samples",
)

NAMESPACE: Final = Guide(
    asks="Gets the namespace and lists helm's records in it from the cluster.",
    proves="The namespace is active, has its labels, and holds exactly this release.",
    unseen="What was put into it by hand, quotas, and network policies.",
    rights="get on the namespace, list on its secrets.",
    mends={
        "does not exist": "make the namespace (the prepare operation, or kubectl create namespace)",
        "expected Active": "wait until it is gone and make it anew, or see what keeps it (its finalizers)",
        "=privileged": "set the label to baseline or restricted",
        "has no label": "set the label: kubectl label namespace, or namespace_labels of the runbook",
        "in the namespace": "install the release first, or correct release and namespace in the runbook",
        "share the namespace": "uninstall the others, or move them to namespaces of their own",
    },
    otherwise="correct the namespace",
)

PARITY: Final = Guide(
    asks="Reads deployments, pods and the containers' environment from the cluster.",
    proves="The worker has the API's settings by value, runs its named image, was started with the same "
    "configuration and reads every queue.",
    unseen="Whether tasks are done: the smoke flow shows that.",
    rights="get on deployments, config maps and secrets, list on pods of the namespace.",
    mends={
        "only one of API and worker has": "give both the same config maps and secrets in the chart, or name "
        "it in with.may_differ",
        "another value than the API": "give both the same config maps and secrets in the chart, or name it "
        "in with.may_differ",
        "has any setting": "correct with.api and with.worker: the parts that are compared",
        "was started with another": "restart the pods: kubectl rollout restart",
        "were started with different": "deploy again, so that both start with the same configuration",
        "name different images": "give both the same image in the values",
        "its deployment names": "wait until the rollout has ended, or restart the pods",
        " of … ready": "see why the worker isn't ready (p on the dashboard: events and logs)",
        "was restarted": "read the log of the container's previous run; raise its memory limit where it was OOM-"
        "killed",
        "names no queue": "name the queues on the worker's command line, or the setting that does in "
        "with.queues_key",
        "no worker reads the queue": "add the queue to the worker's command line, or take it out of "
        "with.queues",
    },
    otherwise="give worker and API the same configuration in the chart, and deploy",
)
