"""What a runbook declares, as events; and which of them a log has not seen in this form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from checks.base import CheckKind, Settings
from checks.registry import kind as find_kind
from state.base.canonical import encode
from state.base.json import Json, JsonObject, decimal_text
from state.base.times import micros
from state.events.event import Draft, Kind, gate_key
from state.runbook.environment import Domain, Environment
from state.runbook.models import CheckSpec, Gate, Graph, Operation, Runbook, Stage, StopCondition
from state.view.enums import Tier
from state.view.launch import (
    ConditionView,
    EnvironmentView,
    GateView,
    GraphView,
    LaunchView,
    OperationSpecView,
    StageView,
)


def opened(runbook: Runbook, launch_id: str, digest: str) -> Draft:
    """Return ``launch.opened``: scope, candidate, people, and the runbook's digest."""
    scope = runbook.scope
    return Draft(
        Kind.LAUNCH_OPENED,
        {
            "launch_id": launch_id,
            "title": scope.title,
            "window_start_us": micros(scope.window.start),
            "window_end_us": micros(scope.window.end),
            "modules": list(scope.modules),
            "regions": list(scope.regions),
            "runbook_digest": digest,
            "people": people(runbook),
            "candidate": candidate(runbook),
        },
    )


def people(runbook: Runbook) -> list[Json]:
    """Return who has a part in the launch, as ``launch.opened`` holds them."""
    return [
        {
            "id": person.id,
            "name": person.name,
            "roles": [role.value for role in person.roles],
            "accounts": list(person.accounts),
            "signing_keys": list(person.signing_keys),
        }
        for person in runbook.people
    ]


def seen_people(view: LaunchView) -> list[Json]:
    """Return the people that a log knows, in the form of ``people``."""
    return [
        {
            "id": person.id,
            "name": person.name,
            "roles": list(person.roles),
            "accounts": list(person.accounts),
            "signing_keys": list(person.signing_keys),
        }
        for person in view.people
    ]


def candidate(runbook: Runbook) -> JsonObject:
    """Return what is launched, as ``launch.opened`` holds it."""
    what = runbook.candidate
    chart = runbook.environments[Tier.PRODUCTION].chart
    return {
        "version": what.version,
        "commit": what.commit,
        "chart": f"{Path(chart.path).name} {chart.version}",
        "images": [[name, reference] for name, reference in what.images.named().items()],
        "migration_head": what.migration.head if what.migration is not None else "",
        "backward_compatible": what.migration is not None and what.migration.backward_compatible,
    }


def seen_candidate(view: LaunchView) -> JsonObject:
    """Return the candidate that a log knows, in the form of ``candidate``."""
    what = view.candidate
    return {
        "version": what.version,
        "commit": what.commit,
        "chart": what.chart,
        "images": [list(pair) for pair in what.images],
        "migration_head": what.migration_head,
        "backward_compatible": what.backward_compatible,
    }


def declarations(runbook: Runbook) -> list[Draft]:
    """Return the ``*.declared`` events of a runbook. Every kind of check must be known."""
    return [
        *(Draft(Kind.ENVIRONMENT_DECLARED, _environment(e)) for e in runbook.environments.values()),
        *(
            Draft(Kind.GATE_DECLARED, _gate(g), gate_key(g.number))
            for g in sorted(runbook.gates, key=lambda g: g.number)
        ),
        *(Draft(Kind.CONDITION_DECLARED, _condition(c)) for c in runbook.conditions),
        *(Draft(Kind.GRAPH_DECLARED, _graph(g)) for g in runbook.graphs),
        *(Draft(Kind.OPERATION_DECLARED, _operation(o)) for o in runbook.operations),
        *(Draft(Kind.STAGE_DECLARED, _stage(s)) for s in runbook.stages),
    ]


def unseen(drafts: Sequence[Draft], view: LaunchView) -> list[Draft]:
    """Return the declarations that differ from what the log knows.

    A gate that is declared anew loses its evidence, so one that stayed the same must not be.
    """
    bodies = {encode(body) for body in known(view)}
    return [draft for draft in drafts if encode(draft.body) not in bodies]


def _address(domain: Domain) -> str:
    return domain.host if domain.port == 443 else f"{domain.host}:{domain.port}"


def _environment(env: Environment) -> JsonObject:
    return {
        "tier": env.tier.value,
        "title": env.title,
        "namespace": env.kube.namespace,
        "release": env.release,
        "context": env.kube.context,
        "hosts": [[word, _address(domain)] for word, domain in env.domains.named().items()],
    }


def _gate(gate: Gate) -> JsonObject:
    return {
        "number": gate.number,
        "title": gate.title,
        "items": [
            {
                "id": item.id,
                "text": item.text,
                "question": item.attest,
                "checks": [_check(item.id, index, spec) for index, spec in enumerate(item.checks)],
            }
            for item in gate.items
        ],
    }


def _check(item: str, index: int, spec: CheckSpec) -> JsonObject:
    kind: CheckKind[Settings] | None = find_kind(spec.kind)
    ttl = spec.ttl if spec.ttl is not None else kind.ttl if kind is not None else 3600.0
    return {
        "id": f"{item}/{index}",
        "kind": spec.kind,
        "env": spec.env.value,
        "ttl_s": max(1, round(ttl)),
        "writes": kind is not None and kind.writes,
    }


def _condition(condition: StopCondition) -> JsonObject:
    query = condition.value or f"{condition.bad} / {condition.total}"
    body: dict[str, Json] = {
        "id": condition.id,
        "title": condition.title,
        "env": condition.env.value,
        "unit": condition.unit,
        "threshold": decimal_text(condition.threshold),
        "for_s": round(condition.for_),
        "on_trip": condition.on_trip.value,
        "query": query,
    }
    return {**body, "shadow": True} if condition.shadow else body


def _graph(graph: Graph) -> JsonObject:
    return {
        "id": graph.id,
        "title": graph.title,
        "env": graph.env.value,
        "unit": graph.unit,
        "condition": graph.condition,
        "series": [{"id": one.id, "label": one.label} for one in graph.series],
    }


def _operation(operation: Operation) -> JsonObject:
    return {
        "id": operation.id,
        "kind": operation.kind.value,
        "env": operation.env.value,
        "title": operation.title,
        "gate": operation.gate,
        "gates": list(operation.requires.gates),
        "items": list(operation.requires.items),
    }


def _stage(stage: Stage) -> JsonObject:
    parts = [f"item:{part.item}" if part.item else f"operation:{part.operation}" for part in stage.parts]
    return {"id": stage.id, "title": stage.title, "steps": list(stage.steps), "parts": list[Json](parts)}


def known(view: LaunchView) -> list[JsonObject]:
    """Return what a view was declared with, in the form of the drafts above."""
    return [
        *(_known_environment(e) for e in view.environments),
        *(_known_gate(g) for g in view.gates),
        *(_known_condition(c) for c in view.conditions),
        *(_known_graph(g) for g in view.graphs),
        *(_known_operation(o) for o in view.operation_specs),
        *(_known_stage(s) for s in view.stages),
    ]


def _known_environment(env: EnvironmentView) -> JsonObject:
    return {
        "tier": env.tier,
        "title": env.title,
        "namespace": env.namespace,
        "release": env.release,
        "context": env.context,
        "hosts": [list(pair) for pair in env.hosts],
    }


def _known_condition(condition: ConditionView) -> JsonObject:
    body: dict[str, Json] = {
        "id": condition.id,
        "title": condition.title,
        "env": condition.env,
        "unit": condition.unit,
        "threshold": decimal_text(condition.threshold),
        "for_s": condition.for_s,
        "on_trip": condition.on_trip,
        "query": condition.query,
    }
    return {**body, "shadow": True} if condition.shadow else body


def _known_gate(gate: GateView) -> JsonObject:
    return {
        "number": gate.number,
        "title": gate.title,
        "items": [
            {
                "id": item.id,
                "text": item.text,
                "question": item.question,
                "checks": [
                    {"id": c.id, "kind": c.kind, "env": c.env, "ttl_s": c.ttl_s, "writes": c.writes}
                    for c in item.checks
                ],
            }
            for item in gate.items
        ],
    }


def _known_graph(graph: GraphView) -> JsonObject:
    return {
        "id": graph.id,
        "title": graph.title,
        "env": graph.env,
        "unit": graph.unit,
        "condition": graph.condition,
        "series": [{"id": one.id, "label": one.label} for one in graph.series],
    }


def _known_operation(operation: OperationSpecView) -> JsonObject:
    return {
        "id": operation.id,
        "kind": operation.kind,
        "env": operation.env,
        "title": operation.title,
        "gate": operation.gate,
        "gates": list(operation.gates),
        "items": list(operation.items),
    }


def _known_stage(stage: StageView) -> JsonObject:
    return {"id": stage.id, "title": stage.title, "steps": list(stage.steps), "parts": list(stage.parts)}
