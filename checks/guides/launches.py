"""Guides of what the launch is meant to be, and of what became of it."""

from __future__ import annotations

from typing import Final

from checks.guide import Guide

WINDOW: Final = Guide(
    asks="Compares the clock with the runbook's window and freezes, and reads helm's records of both environments.",
    proves="Now lies in the launch window, no freeze meets what is left of it, and no helm operation is under way.",
    unseen="Freezes that the runbook doesn't name, and operations of other tools.",
    rights="get and list on secrets of both namespaces.",
    mends={
        "the window opens": "wait for the window, or move it in the runbook and open the launch anew",
        "the window closed": "scrub this launch, and open one with a new window",
        "production is frozen": "wait for the end of the freeze, or let whoever set it lift it",
        "so another operation is under way": "wait for its end; of one that was killed, roll back to the "
        "last good revision",
        "helm has no record of": "install the release first, or correct release and namespace in the runbook",
    },
    otherwise="move the window in the runbook",
)

MODULES: Final = Guide(
    asks="Reads the platform's feature list and the API's inventory over the main domain.",
    proves="Exactly the modules in scope are switched on, by their features and by their paths.",
    unseen="What a module does, and switches that it isn't told of.",
    rights="The main domain.",
    mends={
        "to say how it shows": "add the module to with.modules, with its feature or path",
        "is switched on and not in scope": "switch the feature off in the values file, or take the module "
        "into scope.modules",
        "is not in scope, and the API serves": "switch the module off, or take it into scope.modules",
        "could be seen": "give the module a feature or a path in with.modules that the platform shows",
        "is in scope and switched off": "switch the feature on in the values file, or take the module out of"
        " scope.modules",
        "is in scope and has no path": "deploy a build that has the module, or correct its path in "
        "with.modules",
        "belongs to no module": "switch the feature off, or name it in with.modules or with.ignored",
        "has no …; expected": "correct with.config_path and with.features",
    },
    otherwise="correct the features, or scope.modules",
)

REGIONS: Final = Guide(
    asks="Lists nodes from the cluster and asks the object store where it is.",
    proves="Nodes run in exactly the target regions, and so does the store.",
    unseen="Backups, logs and third parties in other regions.",
    rights="list on nodes; read on the bucket.",
    mends={
        "the cluster lists no nodes": "grant list on nodes",
        "without a region": "label the nodes, or correct with.label",
        "nodes run in": "move the workloads, or add the region to the runbook's scope",
        "no node runs in": "add nodes in the region, or take it out of the runbook's scope",
        "the object store is in": "move the bucket, or add the region to the runbook's scope",
        "doesn't tell its region": "attest the store's region by hand",
    },
    otherwise="correct the regions of the runbook's scope",
)

CONDITIONS: Final = Guide(
    asks="Queries Prometheus for the numbers of each stop condition, and for how often its series are scraped.",
    proves="Every stop condition can be evaluated now and could trip: its metrics and labels exist.",
    unseen="Whether the thresholds are the right ones.",
    rights="Prometheus' query API.",
    mends={
        "has no stop condition": "add stop_conditions to the runbook",
        "watches …, which is": "correct the namespace in the query: it was copied from another environment",
        "could never trip": "correct the selector: label and value that the metric has",
        "series where one is expected": "say how they become one: reduce: of the condition",
        "which nobody exports": "correct the metric's name in the query, or export it",
        "no data": "send some traffic, or set bad_absent_is_zero where nothing bad means zero",
        "fewer than": "widen the rate window of the query, or scrape more often",
        "of history are needed": "wait until Prometheus has so much history",
        "no numbers before the release": "deploy it first; this is judged by itself afterwards",
    },
    otherwise="correct the query of the condition",
)

BAKE: Final = Guide(
    asks="Reads the launch's own log; no connection.",
    proves="As many seconds as the runbook asks for were seen to be good, and nothing tripped.",
    unseen="What no stop condition watches.",
    rights="None.",
    mends={
        "has not begun": "deploy to production: the bake begins then",
        "tripped": "look at the condition (b), then acknowledge it or roll back",
        "was stopped": "look at the condition (b), then acknowledge it or roll back",
        "were seen to be good so far": "wait; what isn't seen doesn't count, so see why where it stands "
        "still",
    },
    otherwise="look at the bake (b)",
)

ROLLBACK: Final = Guide(
    asks="Reads the launch's own log, and helm's history from the cluster.",
    proves="Every trip was answered by a rollback that was verified, and the good revision is still there to go back"
    " to.",
    unseen="Whether the database can go back with it.",
    rights="get and list on secrets of the namespace.",
    mends={
        "was not rolled back": "roll back (d, then rollback), or acknowledge the trip with a reason",
        "the rollback is": "look at the rollback (d), and bring it to a verified end",
        "it could not be judged": "mend what the condition asks, so that it can be judged again",
        "has no revision to go back to": "uninstall the first release, or mend forward",
        "no good revision is recorded": "deploy in this launch: the good revision is recorded before",
        "no longer in helm's history": "keep more revisions (--history-max), and name another good one "
        "before the deploy",
    },
    otherwise="look at the operations of this launch (d)",
)

DEVIATIONS: Final = Guide(
    asks="Reads the launch's own log; no connection.",
    proves="Whatever was waived or overridden is in the list of deviations, each with an owner and a follow-up.",
    unseen="Deviations that nobody recorded.",
    rights="None.",
    mends={
        "is not in the list": "this is a mistake of the console: report it, and name the deviation in the "
        "closing note",
        "lacks an owner": "name owner and follow-up of the deviation (u on its gate)",
    },
    otherwise="name owner and follow-up of each deviation (u on its gate)",
)
