"""Whether gates, items, operations and stages of a runbook fit together, found when the runbook is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from state.runbook import helm_commands, signers
from state.runbook.models import Gate, Operation, Runbook
from state.view.enums import OperationKind

Found = tuple[tuple[str | int, ...], str]
"""The keys at which something is wrong, and what was expected there."""


def problems(runbook: Runbook) -> Iterator[Found]:
    """Yield what doesn't fit together in a runbook whose parts are right each by itself."""
    numbers = [gate.number for gate in runbook.gates]
    items = [item.id for gate in runbook.gates for item in gate.items]
    for index in range(len(runbook.gates)):
        yield from _gate(index, runbook.gates, items)
    for index, gate in enumerate(runbook.gates):
        for number, item in enumerate(gate.items):
            for keys, why in signers.problems(runbook, item):
                yield ("gates", index, "items", number, "attest", *keys), why
    yield from signers.shared(runbook)
    yield from signers.roles(runbook)
    for index, operation in enumerate(runbook.operations):
        yield from _operation(index, operation, runbook, numbers, items)
    images = runbook.candidate.images.named()
    for tier, environment in runbook.environments.items():
        for name in environment.chart.image_keys:
            if name not in images:
                keys = ("environments", tier.value, "chart", "image_keys", name)
                yield keys, f"the candidate has no image {name}; it has {', '.join(images)}"
    for index, key, why in helm_commands.problems(runbook.helm_commands):
        yield ("helm_commands", index, key), why
    known = {operation.id for operation in runbook.operations}
    for index, stage in enumerate(runbook.stages):
        for part, one in enumerate(stage.parts):
            place = ("stages", index, "parts", part)
            if one.item is not None and one.item not in items:
                yield (*place, "item"), f"there is no item {one.item}"
            if one.operation is not None and one.operation not in known:
                yield (*place, "operation"), f"there is no operation {one.operation}"


def _gate(index: int, gates: Sequence[Gate], items: list[str]) -> Iterator[Found]:
    place, gate = ("gates", index), gates[index]
    if gate.number in [one.number for one in gates[:index]]:
        yield (*place, "number"), f"gate {gate.number} stands twice"
    elif gate.number != index + 1:
        yield (
            (*place, "number"),
            f"gates are numbered 1 to {len(gates)} in their order: {index + 1} was expected here",
        )
    earlier = sum(len(one.items) for one in gates[:index])
    for number, item in enumerate(gate.items):
        where = (*place, "items", number, "id")
        if item.id.split(".")[0] != str(gate.number):
            yield where, f"item {item.id} stands in gate {gate.number}: {gate.number}.N was expected"
        elif item.id in items[: earlier + number]:
            yield where, f"item {item.id} stands twice"


def _operation(
    index: int, operation: Operation, runbook: Runbook, numbers: list[int], items: list[str]
) -> Iterator[Found]:
    place, name = ("operations", index), operation.id
    absent = "which the runbook does not have"
    if operation.gate not in numbers:
        yield (*place, "gate"), f"{name} belongs to gate {operation.gate}, {absent}"
    for number in operation.requires.gates:
        if number not in numbers and operation.gate in numbers:
            yield (*place, "requires", "gates"), f"{name} needs gate {number}, {absent}"
    for item in operation.requires.items:
        if item not in items:
            yield (*place, "requires", "items"), f"{name} needs item {item}, {absent}"
    for stage in operation.requires.stages:
        if stage not in [one.id for one in runbook.stages]:
            yield (*place, "requires", "stages"), f"{name} needs stage {stage}, {absent}"
    if operation.kind is OperationKind.MIGRATE and runbook.candidate.migration is None:
        yield (
            (*place, "kind"),
            f"{name} migrates, and the candidate has no migration: candidate.migration was expected",
        )
