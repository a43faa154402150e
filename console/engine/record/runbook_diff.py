"""What differs between the runbook that a log knows and the one that an engine was started with, in lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from console.engine.record.declarations import declarations, known, opened
from state.base.codec import LOG
from state.base.frozen import remake
from state.base.json import Json, JsonObject, obj
from state.base.text import line
from state.events.declared import EnvironmentDeclared, GateDeclared
from state.events.event import Body
from state.events.launch import LaunchOpened
from state.runbook.models import Runbook
from state.view.launch import LaunchView

MOST = 60
"""How many lines a diff has at most."""
_LONGEST = 60


def runbook_changes(view: LaunchView, runbook: Runbook) -> list[str]:
    """Return what changed, a line each; what a log doesn't know (queries, settings) is only said to have changed."""
    new = opened(runbook, view.scope.launch_id, "").body
    assert isinstance(new, LaunchOpened)
    before, after = _named(known(view)), _named([draft.body for draft in declarations(runbook)])
    before |= _head(remake(LaunchOpened, view.scope, people=view.people, candidate=view.candidate))
    after |= _head(new)
    lines = [line(difference, 300) for difference in _differences(before, after)]
    if not lines:
        return ["nothing that this log knows: a query, an address, a check's settings or the like"]
    return lines if len(lines) <= MOST else [*lines[: MOST - 1], f"and {len(lines) - MOST + 1} more"]


def gone(view: LaunchView, runbook: Runbook) -> list[str]:
    """Return what a log knows and the runbook has no more: ``condition latency-p95``."""
    after = _named([draft.body for draft in declarations(runbook)])
    return [name for name in _named(known(view)) if name not in after]


def _head(body: LaunchOpened) -> dict[str, JsonObject]:
    fields = LOG.dump(body)
    scope = ("title", "window_start_us", "window_end_us", "modules", "regions")
    return {
        "candidate": obj(fields["candidate"]),
        "people": {"people": fields["people"]},
        "scope": {key: fields[key] for key in scope},
    }


def _named(bodies: Sequence[Body]) -> dict[str, JsonObject]:
    return {_name(body): LOG.dump(body) for body in bodies}


def _name(body: Body) -> str:
    """Return what a declaration is about: ``environment staging``, ``gate 3``, ``condition errors``."""
    match body:
        case EnvironmentDeclared():
            return f"environment {body.tier}"
        case GateDeclared():
            return f"gate {body.number}"
        case _:
            return f"{body.KIND.partition('.')[0]} {LOG.dump(body)['id']}"


def _differences(before: Mapping[str, JsonObject], after: Mapping[str, JsonObject]) -> Iterator[str]:
    for name in [*before, *(new for new in after if new not in before)]:
        if name not in after:
            yield f"{name}: is no longer in the runbook"
        elif name not in before:
            yield f"{name}: is new"
        else:
            old, new = dict(_leaves(before[name])), dict(_leaves(after[name]))
            for path in [*old, *(one for one in new if one not in old)]:
                if old.get(path) != new.get(path):
                    yield f"{name}: {path}: {_shown(old, path)} → {_shown(new, path)}"


def _shown(leaves: Mapping[str, Json], path: str) -> str:
    if path not in leaves:
        return "nothing"
    told = json.dumps(leaves[path], ensure_ascii=False)
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}…"


def _leaves(value: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Yield each leaf with its path; members of a list go by their id, where they have one."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            if key != "id":
                yield from _leaves(one, f"{path} {key}".strip())
    elif isinstance(value, Sequence) and not isinstance(value, str) and value and _identified(value):
        for one in value:
            assert isinstance(one, Mapping)
            yield from _leaves(one, f"{path} {one['id']}".strip())
    else:
        yield path, value


def _identified(value: Sequence[Json]) -> bool:
    return all(isinstance(one, Mapping) and "id" in one for one in value)
