"""Every root cause of a wrong verdict is held by worlds of our own, over several kinds of check.

``root_causes.yaml`` beside this file names them; here nothing is judged. Faults and odd worlds are judged by
test_fault_table.py, the tables of tests/checks by themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from math import prod
from pathlib import Path

import pytest
import yaml

from checks.looks import checks_of_stages
from console.rehearsal.dotmac.faults.catalogue import FAULTS
from console.rehearsal.dotmac.odd import ODD
from console.rehearsal.world.fault import Expect
from state.base.json import JsonObject, obj, objs, text, texts
from state.runbook.load import load_runbook
from tests.paths import SOP_RUNBOOK

CAUSES = objs(yaml.safe_load(Path(__file__).with_name("root_causes.yaml").read_text()))
OWN = {fault.name: fault for fault in (*FAULTS, *ODD) if fault in ODD or fault.expect is not Expect.PASS}
"""What must be noticed, and what must not; a fault of the release that the candidate replaces is the same again."""
HEADINGS = {f"V{number:02}" for number in range(1, 37)}
"""Of the README of the handed worlds, each with its reds (r) and its unknowns (u)."""
WORLDS, KINDS = 5, 2
"""What each cause has at least."""
ALL, ALL_ODD = 300, 100
ALL_FAULTS = 220


def named(cause: JsonObject) -> Iterator[tuple[str, str]]:
    """Yield kind of check and name of each world."""
    for kind, worlds in obj(cause["worlds"]).items():
        for name in str(worlds).split():
            yield kind, name


@cache
def kinds_of(item: str) -> frozenset[str]:
    """Return the kinds of check that judge an item, or a stage of the pipeline, of the SOP."""
    runbook = load_runbook(SOP_RUNBOOK).runbook
    stages = {stage.id: checks_of_stages(runbook, (stage.id,)) for stage in runbook.stages}
    found = {one.id: {spec.kind for spec in one.checks} for gate in runbook.gates for one in gate.items}
    return frozenset(found.get(item) or {ref.spec.kind for ref in stages[item]})


@cache
def rows(name: str) -> int:
    """Return how many cases a test of tests/checks has; raises where there is no such test."""
    file, _, function = name.partition(".py::")
    test = getattr(import_module(f"tests.checks.{file}"), function)
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    return prod(len(list(mark.args[1])) for mark in marks)


def size(name: str) -> int:
    return rows(name) if "::" in name else 1


@pytest.mark.parametrize("cause", CAUSES, ids=[text(cause, "cause") for cause in CAUSES])
def test_a_root_cause_has_worlds_over_several_kinds_of_check(cause: JsonObject) -> None:
    worlds = list(named(cause))
    for kind, name in worlds:
        if "::" not in name:
            assert kind in kinds_of(OWN[name].item), (
                f"{name} is of {OWN[name].item}, which {kind} doesn't judge"
            )
    assert sum(size(name) for _, name in worlds) >= WORLDS
    assert len({kind for kind, _ in worlds}) >= KINDS
    assert any(name.startswith("odd:") or "::" in name for _, name in worlds), "none that is good and odd"


def test_every_heading_and_every_world_of_the_catalogue_has_one_cause() -> None:
    assert sorted(one for cause in CAUSES for one in texts(cause["wrong"])) == sorted(HEADINGS)
    counted = Counter(name for cause in CAUSES for _, name in named(cause) if "::" not in name)
    assert {name for name, times in counted.items() if times > 1} == set()
    assert set(counted) == {name for name, fault in OWN.items() if not fault.first}


def test_how_many_there_are() -> None:
    worlds = [name for cause in CAUSES for _, name in named(cause) if "::" not in name]
    odd = [name for name in worlds if name.startswith("odd:")]
    assert len(worlds) >= ALL
    assert len(odd) >= ALL_ODD
    assert len(worlds) - len(odd) >= ALL_FAULTS
