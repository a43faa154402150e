"""Guides of what is released: commits, images, charts, values, data."""

from __future__ import annotations

from typing import Final

from checks.guide import Guide

CI: Final = Guide(
    asks="Lists the runs of the candidate's commit from the CI service that the runbook names.",
    proves="Each named job ran on this very commit and ended well.",
    unseen="What the jobs test, and whether they were made to pass.",
    rights="A token that may read the runs of the repository.",
    mends={
        "CI has no job": "let the job run on the candidate's commit, or correct its name in with.jobs",
        "CI job … is": "see the job's log, mend the commit, and let CI run on the new one; wait where it still runs",
        "needs path:": "name path: with {commit} in it in the runbook's ci",
        "none of the newest": "let the job run on the candidate's commit",
        "of the generic form": "take the setting out, or set kind: generic in the runbook's ci",
    },
    otherwise="let CI run on the candidate's commit to its end",
)

PUBLISHED: Final = Guide(
    asks="Asks the registry for the manifests of the candidate's digests and of its tag.",
    proves="The registry has every digest of the candidate, and its tag still leads to it.",
    unseen="Who built the image, and what is in it.",
    rights="Read on the repositories, by the registry's account of the runbook.",
    mends={
        "the registry has no tag": "push the tag, or correct with.tag",
        "the registry has no": "push the image, or correct its digest in the runbook's candidate",
        "answers another digest": "ask the registry itself, past mirrors that rewrite images",
        "leads to … now": "launch the digest that the tag leads to, or put the tag back: who moved it?",
        "without a Docker-Content-Digest": "name the registry's own address in the runbook, past proxies",
    },
    otherwise="push the candidate's images, or correct their digests in the runbook",
)

SAME: Final = Guide(
    asks="Reads pods, cron jobs and helm's records of both environments from their clusters, and digests from the "
    "registry.",
    proves="Staging and production run the candidate's digests, from the same version and templates of the chart.",
    unseen="What else differs: settings are judged elsewhere.",
    rights="list on pods, get on cron jobs and secrets of both namespaces; read on the repositories.",
    mends={
        "not the candidate's": "deploy the candidate there, and wait until no old pod runs",
        "production has chart": "deploy the chart version that staging tested",
        "the chart's templates differ": "give the chart a new version and deploy that in both",
        **PUBLISHED.mends,
    },
    otherwise="deploy the candidate in both environments",
)

PACKAGED: Final = Guide(
    asks="Reads the chart and the values files that the runbook names on this machine.",
    proves="The values of each environment name the candidate's images, and the chart is there in its version, "
    "complete.",
    unseen="What a machine that deploys from Git has: only these files are read.",
    rights="The files, readable for the engine's account.",
    mends={
        "name no": "name the part's image in the values file, at the key that the message names",
        "the candidate is": "correct the image in the values file, or the runbook's candidate",
        "is without a version": "set version: in Chart.yaml",
        "; expected a folder": "correct chart.path in the runbook",
        "run helm dependency build": "run helm dependency build in the chart's folder",
        "the chart of … is": "check out the chart in the runbook's version, or correct chart.version",
        "that names the chart": "correct chart.path in the runbook: a folder or an archive with Chart.yaml",
    },
    otherwise="correct the chart or the values files",
)

VALUES: Final = Guide(
    asks="Reads helm's record and deployments from the cluster, and the candidate's values files on this machine.",
    proves="Images are fixed, every container that runs has requests and limits, and hosts are the final ones: as "
    "deployed, and as the candidate will be.",
    unseen="Whether the limits are enough.",
    rights="get on secrets and deployments of the namespace; the values files, readable.",
    mends={
        "image without a digest": "name the image by digest in the runbook's candidate",
        "that runs has no": "let the chart's template use the values' resources, and deploy",
        "container … has no": "set resources of the container in the chart",
        "than its limit": "lower the request or raise the limit",
        "cannot be read": "correct chart.values in the runbook",
        "no image for": "name the part's image in the values, or correct with.image",
        "which can move": "name the image by digest, or by a tag that nobody moves",
        "has no …": "set requests and limits of the part in the values file",
        "the candidate's values name": "correct the image in the values file, or the runbook's candidate",
        " is …; expected": "put the final host in the values file, or correct domains in the runbook",
    },
    otherwise="correct the values file of this environment, and deploy",
)

DEPLOYED: Final = Guide(
    asks="Reads helm's newest record and deployments from the cluster, and the other environment's values files.",
    proves="The candidate is deployed, complete, and configured like the other environment but for the named keys.",
    unseen="What was changed in the cluster by hand afterwards.",
    rights="get on secrets and deployments of the namespace; the values files, readable.",
    mends={
        "; expected deployed": "bring the operation to its end, or roll back: helm history says what "
        "happened",
        "chart version": "deploy the runbook's chart version",
        "is not the candidate's": "deploy the candidate there",
        "replicas are ready": "see why pods aren't ready (p on the dashboard: events and logs)",
        " differs from ": "make the values equal, or name the keys in with.may_differ",
    },
    otherwise="deploy the candidate there",
)

BACKUP: Final = Guide(
    asks="Lists objects below a prefix of the bucket, or volume snapshots from the cluster.",
    proves="A backup of plausible size was made shortly before the migration.",
    unseen="Whether it can be restored: only a restore shows that.",
    rights="List on the bucket; list on volumesnapshots where they count.",
    mends={
        "there is no backup": "make a backup now, before the migration; or correct with.prefix and "
        "with.names",
        "the newest backup was made": "make a backup now; see why the scheduled one didn't run",
        "it is not whole": "make the backup again, and see in its job's log why it broke off",
        "has … bytes": "make the backup again, and see in its job's log why it is empty",
        "are below": "name a narrower with.prefix",
    },
    otherwise="make a backup, and look into the log of its job",
)

MIGRATIONS: Final = Guide(
    asks="Reads the revision table of the database, the migration's job from the cluster, and the operations of "
    "this launch.",
    proves="The database is at the candidate's revision alone, put there by a migration that succeeded, and it is "
    "the one that the platform uses.",
    unseen="What the migration did to rows.",
    rights="select on the revision table; get on jobs, config maps and secrets of the namespace.",
    mends={
        "has no migration": "name candidate.migration in the runbook",
        "the chart's own hook migrates": "deploy: the chart's hook migrates then",
        "expected exactly one": "merge the heads, and migrate to the one head",
        "the database is at": "run the migration (d, then migrate)",
        "is not what it uses": "correct the database's URL in the runbook: the platform's own",
        "migration job … failed": "read the job's log, mend it, delete the job, and migrate again",
        "has not finished": "wait for the job's end, or see why it hangs",
        "has not been run": "run the operation (d)",
        "; expected succeeded": "run the operation again, to its end (d)",
    },
    otherwise="run the migration to its end",
)

DATA_SMOKE: Final = Guide(
    asks="Reads tables, columns and the queries' single numbers from the database.",
    proves="What the migration had to make is there, and the named numbers are as they must be.",
    unseen="Everything that no query of the settings asks for.",
    rights="select on the named tables.",
    mends={
        "the chart's own hook migrates": "deploy: the chart's hook migrates then",
        "nothing was looked at": "name tables, columns or queries for this database in the check's settings",
        "is missing": "run the migration that makes it; where it says that it ran, go back and see what it "
        "did",
        "gave no whole number": "correct the query: one row with one whole number",
        " is …; expected": "see which rows are wrong, and mend them before the deploy",
    },
    otherwise="run the migration, and mend the rows that are named",
)

LIFECYCLE: Final = Guide(
    asks="Asks the object store for the bucket's lifecycle, versioning, encryption, policy and access list.",
    proves="The platform's own bucket exists, an enabled rule covers each prefix, and nobody else gets in.",
    unseen="Accounts that share the key, and what is in the objects.",
    rights="Read on the bucket's configuration; get on config maps and secrets of the namespace.",
    mends={
        "is not where the runbook says": "correct region and address of objectstore in the runbook",
        "does not exist": "make the bucket, or correct its name in the runbook",
        "has no lifecycle rule": "add a lifecycle rule that expires or moves objects",
        "is enabled (": "enable a rule that expires or moves objects",
        "covers": "add an enabled rule for the prefix",
        "doesn't use bucket": "name the platform's own bucket in the runbook",
        "versioning": "switch versioning on",
        "is not encrypted": "set encryption by default on the bucket",
        "it is no JSON object": "see what answers in the object store's place, or which policy the bucket has",
        "lets everybody in": "take the statement for everybody out of the bucket's policy",
        "gives everybody": "make the bucket's access list private",
    },
    otherwise="correct the bucket's configuration",
)
