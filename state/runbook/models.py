"""The runbook: the Production Launch SOP as data (gates, items, conditions, operations, pipeline)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, RootModel, model_validator

from state.attest.sshsig import fingerprint, public_key
from state.runbook.attestation import Attest, Due
from state.runbook.ci_service import CiService
from state.runbook.conditions import Bake, OnTrip, StopCondition
from state.runbook.environment import Environment, Tier
from state.runbook.helm_commands import HelmCommand
from state.runbook.units import FilePath, Model, RoleName, Seconds, SecretRef
from state.runbook.window import AnyFreeze, Freeze, RecurringFreeze, Window
from state.view.enums import OperationKind

__all__ = [
    "Bake", "Candidate", "CheckSpec", "Freeze", "Gate", "Graph", "GraphSeries", "HelmCommand", "Images", "Item",
    "Migration", "OnTrip", "Operation", "OperationKind", "Person", "RecurringFreeze", "Requirement",
    "Runbook", "Scope", "Stage", "StagePart", "StopCondition", "Window",
]  # fmt: skip


class Scope(Model):
    """What gate 1 asks for (SOP section 1)."""

    title: str
    window: Window
    freezes: tuple[AnyFreeze, ...] = ()
    modules: tuple[str, ...] = Field(min_length=1)
    regions: tuple[str, ...] = Field(min_length=1)


class Images(RootModel[dict[str, str]]):
    """The candidate's images by container name, each by digest: ``registry/name@sha256:…``."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    root: dict[str, str] = Field(min_length=1)

    def named(self) -> dict[str, str]:
        """Return the references by container name."""
        return dict(self.root)


class Migration(Model):
    """The candidate's database migration."""

    head: str
    """The revision that the database must be at afterwards."""
    sql: str = "SELECT version_num FROM alembic_version"
    """A query for the revision that the database is at: one column, one row."""
    image: str | None = None
    """Which of the candidate's images migrates; None: the first."""
    backward_compatible: bool = False
    """Declared: the version before the candidate works on the migrated schema."""
    tested_way_down: bool = False
    by: Literal["cronjob", "job", "deployment", "hook"] = "cronjob"
    """A job made from the cron job; a ``job`` with a deployment's pod (``deployment`` is the older word); or the
    chart's own hook, in the deploy."""
    cronjob: str | None = None
    """The cron job that a migration job is made from (SOP helm command 4)."""
    deployment: str | None = None
    """The deployment whose pod a migration job is made from, with ``command``."""
    command: tuple[str, ...] = ()
    container: str | None = None
    """The container of the cron job or the deployment that migrates; None: the only one, or the one with the image's
    name. Others keep their own image."""

    @model_validator(mode="after")
    def _how(self) -> Migration:
        if self.by == "cronjob" and self.cronjob is None:
            raise ValueError("by: cronjob needs cronjob: (the cron job that a migration job is made from)")
        if self.by in {"deployment", "job"} and (self.deployment is None or not self.command):
            raise ValueError(f"by: {self.by} needs deployment: and command:")
        return self


class Candidate(Model):
    """What is being launched."""

    version: str
    commit: str
    images: Images
    migration: Migration | None = None
    """None: nothing is migrated in this launch."""

    @property
    def migration_image(self) -> str:
        """The image that migrates."""
        images = self.images.named()
        name = self.migration.image if self.migration is not None else None
        return images[name] if name in images else next(iter(images.values()))

    @model_validator(mode="after")
    def _known_image(self) -> Candidate:
        name = self.migration.image if self.migration is not None else None
        if name is not None and name not in self.images.named():
            raise ValueError(f"migration.image names {name}, which is none of the images")
        return self


def _known_key(text: str) -> str:
    fingerprint(public_key(text))
    return " ".join(text.split()[:2])


SigningKey = Annotated[str, AfterValidator(_known_key)]
"""An SSH public key; its comment is left out."""


class Person(Model):
    """Somebody with a part in the launch, known by Unix accounts."""

    id: str
    name: str
    accounts: tuple[str, ...] = ()
    roles: tuple[RoleName, ...] = Field(min_length=1)
    """captain, operator, approver, observer, and words of the runbook's own, which an item's or an operation's
    ``role:`` asks for: ``security-lead``. One of those lets somebody sign what asks for it, and say NO-GO."""
    signing_keys: tuple[SigningKey, ...] = ()
    """SSH public keys, as ``.pub`` files hold them. Who has one signs every GO with it."""


class CheckSpec(Model):
    """One automatic check of an item."""

    kind: str
    """A kind of ``checks/``, for example ``web.csp``."""
    env: Tier = Tier.PRODUCTION
    ttl: Seconds | None = None
    """How long its evidence stays fresh; None: as its kind says."""
    timeout: Seconds = 30.0
    settings: dict[str, JsonValue] = Field(default={}, alias="with")


class Item(Model):
    """One line of the SOP."""

    id: str = Field(pattern=r"^[1-9][0-9]?\.[1-9][0-9]?$")
    text: str
    checks: tuple[CheckSpec, ...] = ()
    attest: Attest | None = None
    """The question that a person answers; None where the checks judge it all."""
    not_applicable: str | None = Field(default=None, min_length=1)
    """Why it doesn't apply to this launch: it counts as passed, and is listed. None: it applies."""
    owner: str = ""
    """Who sees to it."""
    due: Due | None = None
    """How long before the window opens it is to be done: ``T-1d``, ``T-2h``."""
    links: tuple[str, ...] = ()
    """Where more of it is found: a ticket, a page."""

    @model_validator(mode="after")
    def _judged(self) -> Item:
        if not self.checks and self.attest is None and self.not_applicable is None:
            raise ValueError(f"item {self.id} has neither checks nor attest: nobody would judge it")
        return self

    @property
    def question(self) -> str | None:
        """What a person is asked; None where the checks judge it all."""
        return self.attest.question if self.attest is not None else None


class Gate(Model):
    """A gate of the launch: what must be GO before what comes after it."""

    number: int = Field(ge=1, le=99)
    title: str
    items: tuple[Item, ...] = Field(min_length=1)


class GraphSeries(Model):
    """One line of a graph."""

    id: str
    label: str
    query: str


class Graph(Model):
    """A graph of the dashboard."""

    id: str
    title: str
    env: Tier = Tier.PRODUCTION
    unit: Literal["ratio", "seconds", "count"]
    series: tuple[GraphSeries, ...] = Field(min_length=1)
    condition: str | None = None
    """The stop condition whose threshold is drawn."""


class Requirement(Model):
    """What must be GO before an operation may run."""

    gates: tuple[int, ...] = ()
    items: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    """Stages of the pipeline that must be good, by their ids."""


_CHANGES = frozenset({OperationKind.DEPLOY, OperationKind.MIGRATE})
"""What changes something that runs. What is prepared comes before the gates that judge it."""


class Operation(Model):
    """An operation that changes an environment."""

    id: str
    """``staging.deploy``, ``production.migrate`` and so on."""
    kind: OperationKind
    title: str
    env: Tier
    gate: int
    """The gate that it belongs to."""
    requires: Requirement = Requirement()
    """Left out, a deploy or migration of production needs every gate before its own."""
    timeout: Seconds = 600.0
    role: RoleName | None = None
    """The role that who runs it must have, beside captain or operator; None: one of those is enough."""

    @model_validator(mode="before")
    @classmethod
    def _needs(cls, told: object) -> object:
        if (
            not isinstance(told, Mapping)
            or "requires" in told
            or not isinstance(gate := told.get("gate"), int)
        ):
            return told
        # Whatever a person wrote there: a list is in no set.
        changes = told.get("env") == Tier.PRODUCTION and told.get("kind") in list(_CHANGES)
        return {**told, "requires": {"gates": list(range(1, gate))}} if changes else told


class StagePart(Model):
    """What a pipeline stage is judged by: an item, an operation, or a check of its own."""

    item: str | None = None
    operation: str | None = None
    check: CheckSpec | None = None
    """A check that belongs to the stage alone."""

    @model_validator(mode="after")
    def _one(self) -> StagePart:
        if sum(one is not None for one in (self.item, self.operation, self.check)) != 1:
            raise ValueError("a part of a stage is exactly one of item:, operation: and check:")
        return self


class Stage(Model):
    """One of the stages of the release pipeline."""

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    title: str
    steps: tuple[str, ...]
    """What is done in it, a line each."""
    parts: tuple[StagePart, ...] = ()
    """What it stands on: the stage is good where each of them is good."""

    def checks(self) -> tuple[CheckSpec, ...]:
        """Return the checks that belong to the stage alone."""
        return tuple(part.check for part in self.parts if part.check is not None)


class Anchors(Model):
    """Where the head of the log is kept besides witness files, ``helm history`` and signatures."""

    configmap: bool = False
    """Whether a ConfigMap of the launched namespace holds it."""


class Runbook(Model):
    """The whole procedure for one launch."""

    version: Literal[1]
    scope: Scope
    candidate: Candidate
    people: tuple[Person, ...] = Field(min_length=1)
    group: str | None = None
    """A Unix group whose accounts reach the engine and read the log; None: the account that started it alone. Who of
    them may do what is said by ``people``, and who isn't named there is refused."""
    revoked_keys: FilePath | None = None
    """A file of SSH keys that are revoked, as ``ssh-keygen -Y verify -r`` takes it: a KRL, or lines of public keys.
    It is read at every signature: what such a key signs is refused, and all that is signed where it can't be read."""
    single_operator: bool = False
    """Whether the team has one person only: a captain then grants their own requests. The header, every preview of
    something dangerous, the record and the report say so."""
    environments: dict[Tier, Environment]
    ci: CiService | None = None
    """Where the candidate's builds and tests are told, where an environment says nothing else."""
    gates: tuple[Gate, ...] = Field(min_length=1)
    """Numbered 1 to N in their order."""
    conditions: tuple[StopCondition, ...]
    graphs: tuple[Graph, ...] = ()
    operations: tuple[Operation, ...]
    helm_commands: tuple[HelmCommand, ...] = ()
    stages: tuple[Stage, ...] = ()
    bake: Bake = Bake()
    anchors: Anchors = Anchors()
    attachments: bool = False
    """Whether what is too long for an event is kept whole, in a folder beside the log."""
    helm: str = "helm"
    """The helm program: a name on PATH, or a path."""
    webhooks: tuple[str | SecretRef, ...] = ()
    """Where trips, holds and operations are told: URLs, or where a URL that is a secret is found."""
    launches: FilePath = Path("launches")
    """The folder of the logs."""

    @model_validator(mode="after")
    def _whole(self) -> Runbook:
        problems = [
            *_missing("environment", {"staging", "production"}, {str(e) for e in self.environments}),
            *_repeated("condition", [c.id for c in self.conditions]),
            *_repeated("operation", [o.id for o in self.operations]),
            *_repeated("stage", [s.id for s in self.stages]),
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def item(self, item_id: str) -> Item | None:
        """Return an item by its number, or None."""
        return next((i for g in self.gates for i in g.items if i.id == item_id), None)

    def operation(self, operation_id: str) -> Operation | None:
        """Return an operation by its id, or None."""
        return next((o for o in self.operations if o.id == operation_id), None)


def _missing(what: str, expected: set[str], given: set[str]) -> list[str]:
    return [f"{what} {name} is missing" for name in sorted(expected - given, key=str)]


def _repeated(what: str, ids: list[str]) -> list[str]:
    return [f"{what} {name} stands twice" for name in sorted({i for i in ids if ids.count(i) > 1})]
