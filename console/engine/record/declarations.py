"""What a runbook declares, as events; and which of them a log has not seen in this form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from checks.base import CheckKind, Settings
from checks.looks import CheckRef, checks_of_stages, looks_of
from checks.registry import kind as find_kind
from state.base.frozen import remake
from state.base.json import decimal_text
from state.base.times import micros
from state.events.declared import (
    NO_RULE,
    Check,
    ConditionDeclared,
    EnvironmentDeclared,
    GateDeclared,
    GraphDeclared,
    Item,
    OperationDeclared,
    Series,
    StageDeclared,
    WordRule,
)
from state.events.event import Body, Draft, gate_key
from state.events.launch import Candidate, LaunchOpened, Person
from state.runbook.attestation import AttestSpec
from state.runbook.environment import Domain, Environment
from state.runbook.models import Gate, Graph, Operation, Runbook, Stage, StopCondition
from state.view.enums import After, Look, Tier
from state.view.launch import GateView, LaunchView


def opened(runbook: Runbook, launch_id: str, digest: str) -> Draft:
    """Return ``launch.opened``: scope, candidate, people, and the runbook's digest."""
    scope = runbook.scope
    return Draft(
        LaunchOpened(
            launch_id=launch_id,
            title=scope.title,
            window_start_us=micros(scope.window.start),
            window_end_us=micros(scope.window.end),
            modules=tuple(scope.modules),
            regions=tuple(scope.regions),
            runbook_digest=digest,
            people=people(runbook),
            candidate=candidate(runbook),
            single_operator=runbook.single_operator,
        )
    )


def people(runbook: Runbook) -> tuple[Person, ...]:
    """Return who takes part, as ``launch.opened`` holds them."""
    return tuple(
        Person(p.id, p.name, tuple(p.roles), tuple(p.accounts), tuple(p.signing_keys)) for p in runbook.people
    )


def candidate(runbook: Runbook) -> Candidate:
    """Return what is launched, as ``launch.opened`` holds it."""
    what = runbook.candidate
    chart = runbook.environments[Tier.PRODUCTION].chart
    return Candidate(
        version=what.version,
        commit=what.commit,
        chart=f"{Path(chart.path).name} {chart.version}",
        images=tuple(what.images.named().items()),
        migration_head=what.migration.head if what.migration is not None else "",
        backward_compatible=what.migration is not None and what.migration.backward_compatible,
    )


def declarations(runbook: Runbook) -> list[Draft]:
    """Return the ``*.declared`` events of a runbook. Every kind of check must be known."""
    return [
        *(Draft(_environment(e)) for e in runbook.environments.values()),
        *(
            Draft(_gate(runbook, g), gate_key(g.number))
            for g in sorted(runbook.gates, key=lambda g: g.number)
        ),
        *(Draft(_condition(c)) for c in runbook.conditions),
        *(Draft(_graph(g)) for g in runbook.graphs),
        *(Draft(_operation(o)) for o in runbook.operations),
        *(Draft(_stage(runbook, s)) for s in runbook.stages),
    ]


def unseen(drafts: Sequence[Draft], view: LaunchView) -> list[Draft]:
    """Return the declarations that differ from what the log knows.

    A gate that is declared anew loses its evidence, so one that stayed the same must not be.
    """
    there = known(view)
    return [draft for draft in drafts if draft.body not in there]


def _address(domain: Domain) -> str:
    return domain.host if domain.port == 443 else f"{domain.host}:{domain.port}"


def _environment(env: Environment) -> EnvironmentDeclared:
    return EnvironmentDeclared(
        tier=env.tier.value,
        title=env.title,
        namespace=env.kube.namespace,
        release=env.release,
        context=env.kube.context,
        hosts=tuple((word, _address(domain)) for word, domain in env.domains.named().items()),
    )


def _gate(runbook: Runbook, gate: Gate) -> GateDeclared:
    items = tuple(
        Item(
            id=item.id,
            text=item.text,
            question=item.question,
            checks=tuple(_check(look) for look in looks_of(runbook, gate, item)),
            rule=_rule(item.attest),
            not_applicable=item.not_applicable or "",
            owner=item.owner,
            due_s=round(item.due) if item.due is not None else 0,
            links=item.links,
        )
        for item in gate.items
    )
    return GateDeclared(gate.number, gate.title, items)


def _rule(attest: AttestSpec | None) -> WordRule:
    if attest is None:
        return NO_RULE
    return WordRule(
        needs=attest.requires,
        role=attest.role or "",
        people=attest.people,
        excluded=tuple(one.deed for one in attest.excluded),
    )


def _check(look: CheckRef) -> Check:
    spec = look.spec
    kind: CheckKind[Settings] | None = find_kind(spec.kind)
    ttl = spec.ttl if spec.ttl is not None else kind.ttl if kind is not None else 3600.0
    return Check(
        id=look.id,
        kind=spec.kind,
        env=spec.env.value,
        ttl_s=max(1, round(ttl)),
        writes=kind is not None and kind.writes,
        look=look.look,
        after=_after(kind, look),
    )


def _after(kind: CheckKind[Settings] | None, look: CheckRef) -> tuple[After, ...]:
    """Return what makes evidence out of date; a candidate that ran on the schema before its own is judged again."""
    known = kind.after if kind is not None else ()
    return (*known, After.MIGRATE) if look.look is Look.CANDIDATE and After.MIGRATE not in known else known


def _condition(condition: StopCondition) -> ConditionDeclared:
    return ConditionDeclared(
        id=condition.id,
        title=condition.title,
        env=condition.env.value,
        unit=condition.unit,
        threshold=_kept(condition.limit),
        for_s=round(condition.for_),
        on_trip=condition.on_trip.value,
        query=condition.query,
        shadow=condition.shadow,
        below=condition.below is not None,
        warn=None if condition.warn is None else _kept(condition.warn),
    )


def _kept(number: float) -> float:
    """Return a number as the log keeps it, to be compared with it."""
    return float(decimal_text(number))


def _graph(graph: Graph) -> GraphDeclared:
    return GraphDeclared(
        id=graph.id,
        title=graph.title,
        env=graph.env.value,
        unit=graph.unit,
        condition=graph.condition,
        series=tuple(Series(one.id, one.label) for one in graph.series),
    )


def _operation(operation: Operation) -> OperationDeclared:
    return OperationDeclared(
        id=operation.id,
        kind=operation.kind.value,
        env=operation.env.value,
        title=operation.title,
        gate=operation.gate,
        gates=tuple(operation.requires.gates),
        items=tuple(operation.requires.items),
        stages=tuple(operation.requires.stages),
        role=operation.role or "",
    )


def _stage(runbook: Runbook, stage: Stage) -> StageDeclared:
    checks = [_check(one) for one in checks_of_stages(runbook, (stage.id,))]
    own = iter(checks)
    parts = tuple(
        f"item:{part.item}"
        if part.item is not None
        else f"operation:{part.operation}"
        if part.operation is not None
        else f"check:{next(own).id}"
        for part in stage.parts
    )
    return StageDeclared(stage.id, stage.title, tuple(stage.steps), parts, tuple(checks))


def known(view: LaunchView) -> list[Body]:
    """Return what a view was declared with, in the form of the drafts above."""
    return [
        *view.environments,
        *(_known_gate(gate) for gate in view.gates),
        *(remake(ConditionDeclared, c) for c in view.conditions),
        *(
            remake(GraphDeclared, g, series=tuple(Series(one.id, one.label) for one in g.series))
            for g in view.graphs
        ),
        *view.operation_specs,
        *(
            remake(StageDeclared, s, checks=tuple(remake(Check, check) for check in s.checks))
            for s in view.stages
        ),
    ]


def _known_gate(gate: GateView) -> GateDeclared:
    items = tuple(
        remake(Item, item, checks=tuple(remake(Check, check) for check in item.checks)) for item in gate.items
    )
    return GateDeclared(gate.number, gate.title, items)
