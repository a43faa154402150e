"""Whether the checks of a runbook can run at all: known kinds, and settings that fit them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, JsonValue, ValidationError

from checks.base import LeavesToQuestion
from checks.clients.http import MAIN, NamesADomain
from checks.looks import judges_the_old_release
from checks.registry import BROKEN, kind, similar
from state.base.text import line
from state.runbook.load import LoadedRunbook, Problem, RunbookError, load_runbook
from state.runbook.models import CheckSpec, Item, Runbook
from state.runbook.wording import worded

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def load_judgeable(path: Path) -> LoadedRunbook:
    """Read a runbook whose checks can all run.

    Raises RunbookError with every problem.
    """
    loaded = load_runbook(path)
    problems = check_problems(loaded)
    if problems:
        raise RunbookError(problems)
    return loaded


def check_problems(loaded: LoadedRunbook) -> list[Problem]:
    """Return every check that no kind of ``checks/`` could run, at its place in the file."""
    found: list[Problem] = []
    for place, spec, item in _placed(loaded.runbook):
        words = tuple(loaded.runbook.environments[spec.env].domains.named())
        problems = [*_problems(spec, words), *_unasked(spec, item)]
        found += [loaded.problem([*place, *keys], told) for keys, told in problems]
    return found


def _placed(runbook: Runbook) -> Iterator[tuple[list[str | int], CheckSpec, Item | None]]:
    """Yield every check of the runbook, at which keys it stands, and its item; a stage's check has none."""
    for g, gate in enumerate(runbook.gates):
        for i, item in enumerate(gate.items):
            for c, spec in enumerate(item.checks):
                yield ["gates", g, "items", i, "checks", c], spec, item
    for s, stage in enumerate(runbook.stages):
        for p, part in enumerate(stage.parts):
            if part.check is not None:
                yield ["stages", s, "parts", p, "check"], part.check, None


def check_warnings(loaded: LoadedRunbook) -> list[Problem]:
    """Return every check that is told to judge the release which the candidate replaces, at its place in the file."""
    told = (
        "this judges the release that the candidate replaces: leave env out, and it judges the candidate in staging "
        "before the promotion, and again live after it"
    )
    return [
        loaded.problem(["gates", g, "items", i, "checks", c, "env"], told)
        for g, gate in enumerate(loaded.runbook.gates)
        for i, item in enumerate(gate.items)
        for c, spec in enumerate(item.checks)
        if judges_the_old_release(loaded.runbook, gate, spec)
    ]


def _problems(spec: CheckSpec, domains: Sequence[str]) -> list[tuple[list[str | int], str]]:
    known = kind(spec.kind)
    if known is None:
        return [(["kind"], f"there is no kind of check {line(spec.kind, 60)!r}: {_hint(spec.kind)}")]
    try:
        settings = known.settings.model_validate(spec.settings)
    except ValidationError as error:
        return [_worded(one, known.settings, spec.settings) for one in error.errors()]
    return [
        (["with", *keys], f"{spec.env} has no domain {line(word, 60)!r}: expected {' or '.join(domains)}")
        for keys, word in _named_domains(settings)
        if word not in domains
    ]


def _unasked(spec: CheckSpec, item: Item | None) -> Iterator[tuple[list[str | int], str]]:
    """Yield each setting that leaves something to the item's question where nobody is asked anything."""
    if item is not None and (item.attest is not None or item.not_applicable is not None):
        return
    known = kind(spec.kind)
    for name, field in known.settings.model_fields.items() if known is not None else ():
        given = spec.settings.get(name)
        for mark in field.metadata:
            if isinstance(mark, LeavesToQuestion) and given == mark.value:
                whose = f"item {item.id} asks nobody" if item is not None else "a stage asks nobody"
                told = (
                    f"{given} leaves what can't be seen to a person, and {whose}: ask it in the item's attest, or "
                    f"leave {name} out or set it to what is judged by itself"
                )
                yield ["with", name], told


def _worded(
    error: ErrorDetails, settings: type[BaseModel], data: Mapping[str, JsonValue]
) -> tuple[list[str | int], str]:
    place = [str(key) for key in error["loc"]]
    return ["with", *error["loc"]], line(worded(error, settings, place, data), 300)


def _named_domains(settings: object) -> Iterator[tuple[list[str | int], str]]:
    """Yield (keys, word) of every setting that names a domain; the main one needs no word."""
    if isinstance(settings, BaseModel):
        for name, field in type(settings).model_fields.items():
            value = getattr(settings, name)
            if any(isinstance(one, NamesADomain) for one in field.metadata) and value != MAIN:
                yield [name], value
            yield from (([name, *keys], word) for keys, word in _named_domains(value))
    elif isinstance(settings, tuple):
        for index, setting in enumerate(settings):
            yield from (([index, *keys], word) for keys, word in _named_domains(setting))


def _hint(name: str) -> str:
    close = similar(name)
    hint = f"did you mean {' or '.join(close)}?" if close else "`launch-console checks list` shows them"
    return f"{hint} (these extensions could not be loaded: {', '.join(BROKEN)})" if BROKEN else hint
