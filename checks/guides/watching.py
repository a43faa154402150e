"""Guides of what watches the release, and of the flows that are walked through it."""

from __future__ import annotations

from typing import Final

from checks.guide import Guide

ROUTED: Final = Guide(
    asks="Posts a synthetic alert to Alertmanager, follows its receivers, silences and notification counters, and "
    "asks Prometheus for its rules and its Alertmanagers.",
    proves="An alert like a real one is routed to a receiver that tells somebody, a notification left, and "
    "Prometheus' rules can fire and send here.",
    unseen="Whether the notification arrived and whether somebody reads it: a person says so.",
    rights="Alertmanager's API (post alerts), Prometheus' API.",
    mends={
        "no route of Alertmanager leads": "add a route with a receiver to Alertmanager's configuration",
        "alerts reach nobody": "give the receiver a channel that is filled in: address, URL or key",
        "like this one reaches nobody": "lead alerts with these labels to a receiver of people: a route of "
        "their own, or continue: true",
        "does not appear in Alertmanager": "see in Alertmanager's log why it doesn't take alerts",
        "is routed to no receiver": "add a route that catches the alert's labels",
        "is suppressed": "end the silence or the inhibition that is named",
        "no notification left": "see in Alertmanager's log why nothing was sent; shorten group_wait of the "
        "route",
        "notifications by": "mend the integration that is named: Alertmanager's log has its error",
        "could not be resolved": "resolve it by hand: it ends by itself after a while",
        "hides every alert": "expire the silence",
        "a peer is missing": "bring the peer back, or wait until the cluster has settled",
        "which Alertmanager its rules' alerts go to": "name the Prometheus that evaluates the rules in the "
        "runbook",
        "is connected to no Alertmanager": "add this Alertmanager to alerting: of Prometheus' configuration",
        "has no alert rule": "load the alert rules into Prometheus",
        "rule … fails:": "correct the rule's expression",
        "can never fire": "correct the metric's name in the rule, or export the metric",
        "versionInfo": "name Alertmanager's own address (API v2) in the runbook",
        "tell its configuration": "name Alertmanager's own address (API v2) in the runbook",
    },
    otherwise="correct Alertmanager's route and receivers",
)

REACHABLE: Final = Guide(
    asks="Asks Prometheus, Alertmanager, Grafana, logs and traces for something small from here, and the "
    "platform's readiness for which of them it reaches.",
    proves="Each of them answers as itself, from here and, where it says so, from the platform.",
    unseen="Whether anything is recorded: telemetry.appears shows that.",
    rights="The endpoints and their credentials in the runbook.",
    mends={
        "says that its database is": "mend Grafana's database: its log says why",
        "does not say whether it reaches": "name the service in the platform's readiness answer, or correct "
        "with.services",
        "the platform does not reach": "correct the address of the service in the platform's settings, or "
        "its network policy",
    },
    otherwise="start the system, or correct its address in the runbook",
)

APPEARS: Final = Guide(
    asks="Sends one request of its own over the main domain and looks for its trace in metrics, logs and traces.",
    proves="This very request was counted, logged and traced within the time.",
    unseen="Whether everything else is, and how long it is kept.",
    rights="The main domain; the query APIs of Prometheus, logs and traces.",
    mends={
        "does not appear in the metrics": "let Prometheus scrape the platform's pods, or correct the query "
        "in with",
        "does not appear in the logs": "let the log collector take the pods' output, or correct the query in"
        " with",
        "does not appear in the traces": "switch tracing on (OTLP endpoint, sampling) in the platform's "
        "settings",
        "does not appear in the": "let the collector take it, or correct the query in with",
    },
    otherwise="correct address and query of the observer in the runbook",
)

MONITORS: Final = Guide(
    asks="Queries Prometheus for its time, the release's targets, a canary and counters; lists the release's pods.",
    proves="Prometheus is up, its clock is right, it scrapes every pod of the release now, and counters only grow.",
    unseen="Whether the rules are the right ones.",
    rights="Prometheus' query API; list on pods of the namespace.",
    mends={
        "expected bake.monitors": "say how Prometheus itself is watched: bake.monitors in the runbook",
        "doesn't scrape": "let Prometheus find these pods: labels, annotations, or its scrape configuration",
        "gives no number above zero": "correct bake.monitors.canary, or see why nothing is counted",
        "does not tell its time": "name the Prometheus query API in the runbook",
        "the clocks of": "set the clocks by NTP on both machines",
        "scrapes nothing of the release": "let Prometheus find the release's pods, or correct "
        "bake.monitors.up",
        " down:": "see on Prometheus' targets page why the scrape fails",
        "how old its newest scrape is": "correct bake.monitors.up: a query for up series",
        "the newest scrape is": "see why Prometheus stopped scraping",
        "gives no series": "correct the counter's name in bake.monitors.counters",
        "is torn": "let each process export its own series, or sum them in one store",
        "worker processes": "let all processes count in one store (multiprocess mode), or export one series "
        "each",
    },
    otherwise="mend Prometheus, or correct bake.monitors",
)

FLOWS: Final = Guide(
    asks="Walks the steps of its settings over the environment's domains as their test accounts, and puts one task"
    " into the queue.",
    proves="Each step answered as it must and not with nothing, and a task went through a worker and came back done.",
    unseen="What the steps don't ask for, and anything at the load of a launch.",
    rights="The test accounts of the steps.",
    mends={
        "with nothing in it": "see why the answer is empty, or name a path whose answer holds something",
        "something else than a web page": "correct the step's path, or take page: out",
        "; expected the platform's own answer": "let the request through to the platform, then run it again",
        "answers …; expected": "see in the platform's log why the step answers so",
        "lacks": "see why the answer lacks the fields, or correct has: of the step",
        "the answer… says": "see in the platform's log why it says no",
        "is refused with": "see in the platform's log why the task is refused",
        "has no …": "correct task.id_field",
        "the task ended as": "read the worker's log for the task",
        "no worker does it": "start a worker that reads the task's queue",
    },
    otherwise="see in the platform's log why the step fails",
)

FEATURE: Final = Guide(
    asks="Reads the API's inventory and GETs the feature's paths over the main domain; reads its tables and "
    "setting.",
    proves="The feature is either there (its paths answer, its table and endpoint exist, its work is done) or wholly"
    " gone.",
    unseen="Whether what it answers is right.",
    rights="A test account; select on the tables; get on config maps and secrets.",
    mends={
        "neither implemented": "finish the feature, or switch it off so that its paths answer 404",
        "is half there": "finish the feature, or switch all of it off",
        "still listed": "take its paths out of the API's inventory",
        "all wait": "start the worker that does this work, or switch the feature off",
        "does not exist": "run the migration that makes the table, or switch the feature off",
        "is unset or leads to localhost": "set the endpoint to the real system, or switch the feature off",
        "expected the API's own answer": "let the request through to the platform, then run it again",
    },
    otherwise="finish the feature, or switch it off",
)

GAPS: Final = Guide(
    asks="GETs the probes of its settings over the main domain as their test accounts.",
    proves="Each probe gives real data where there is something to tell, or is a documented placeholder.",
    unseen="Whether the numbers are right.",
    rights="The test accounts of the probes.",
    mends={
        "is zero or empty": "compute the field, take it out of the answer, or document it in with.documented",
        " answers …": "see in the platform's log why the probe answers so",
    },
    otherwise="see in the platform's log why the probe answers so",
)

BEAT: Final = Guide(
    asks="Lists the pods of the namespace and reads their command lines from the cluster (in a first launch: the"
    " chart as rendered); asks Prometheus for what was sent where a query is given.",
    proves="One process sends the periodic tasks (or several with a lock), it is ready, and tasks were sent lately.",
    unseen="A process whose image starts it without a command line or a name that is known, one outside of the"
    " namespace, and which tasks are due when; without with.sent also whether any is sent.",
    rights="list on pods of the namespace; Prometheus' API where with.sent is given.",
    mends={
        "no beat process runs": "deploy one process that runs `beat`, or name its container in with.containers;"
        " where no task is periodic, take the check out",
        "beat processes run": "run one replica of it, and -B in no worker that has several; or set with.standby where"
        " the scheduler holds a lock",
        "isn't ready": "read the process' log, and see its pod's events (p on the dashboard)",
        "was restarted": "read the log of the container's previous run",
        "no series tells when": "let an exporter tell what the task queue sends, or take with.sent out and ask in"
        " attest: of the item",
        "was sent lately": "read the beat process' log: its schedule, its timezone, the broker that it reaches",
    },
    otherwise="run one beat process, and read its log",
)

QUEUES: Final = Guide(
    asks="Asks Prometheus for the lengths of the queues over the last minutes, and for who reads them where a query"
    " is given.",
    proves="Each queue that tasks are put in is read, was not too long all the time, and did not only grow.",
    unseen="Queues that no series tells of, whether a task that was taken is done, and without with.readers whether"
    " somebody reads an empty queue.",
    rights="Prometheus' API, and an exporter of the broker or of the task queue, which it scrapes.",
    mends={
        "no series tells": "let an exporter tell of the broker's queues, and correct the query; where"
        " nobody exports them, take the check out and ask in attest: of the item",
        "can't be told yet": "run it again when the queue has been told of for all of with.span",
        "was longer than": "start more workers for the queue, or see in their logs why they are slow",
        "gets longer and longer": "start a worker that reads the queue, or see in its log why it is stuck",
        "no worker reads": "add the queue to a worker's command line, or start that worker",
    },
    otherwise="see in the worker's log why its queue isn't worked off",
)
