from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from checks.registry import names
from console.engine.checks.validate import check_problems, load_judgeable
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.product import Dotmac
from state.base.json import Json
from state.runbook.environment import Tier
from state.runbook.load import load_runbook
from state.view.enums import Verdict
from tests.checks.sop import staged
from tests.paths import SOP_RUNBOOK

NO_QUESTION = {"5.2", "5.3", "5.4", "6.1", "6.3", "6.5", "6.7", "7.2", "8.2", "9.3"}
"""Items whose last column in the table of the SOP's automation is empty: nobody is asked."""

FOR_OTHERS = {"telemetry.monitors"}
"""Kinds that the SOP has no item for."""


def leaves(value: Json) -> Iterator[Json]:
    if isinstance(value, dict):
        for key, one in value.items():
            assert re.fullmatch(r"[a-z0-9_]+", key), key
            yield from leaves(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from leaves(one)
    else:
        yield value


def test_every_item_is_judged_by_checks_whose_settings_fit() -> None:
    runbook = load_judgeable(SOP_RUNBOOK).runbook
    items = [item for gate in runbook.gates for item in gate.items]
    assert len(items) == 42
    assert [item.id for item in items if not item.checks] == []
    assert {item.id for item in items if item.attest is None} == NO_QUESTION


def test_every_kind_is_used_and_says_what_it_judges() -> None:
    runbook = load_runbook(SOP_RUNBOOK).runbook
    used = {spec.kind for gate in runbook.gates for item in gate.items for spec in item.checks}
    used |= {spec.kind for stage in runbook.stages for spec in stage.checks()}
    assert used | FOR_OTHERS == {name for name in names() if not name.startswith("test.")}


def test_a_domain_that_the_runbook_does_not_name_is_found_when_it_is_read(tmp_path: Path) -> None:
    example = (SOP_RUNBOOK.parent / "examples" / "web-service.yaml").read_text()
    mine = tmp_path / "mine.yaml"
    mine.write_text(example.replace("{ path: /cart }", "{ path: /cart, surface: blog }", 1))
    (problem,) = check_problems(load_runbook(mine))
    assert problem.key == "gates.1.items.1.checks.0.with.pages.1.surface"
    assert problem.message == "production has no domain 'blog': expected shop"


def test_what_is_left_to_a_question_needs_one_that_somebody_is_asked(tmp_path: Path) -> None:
    """``audit: asked`` would pass with nothing seen and nobody asked; ``seen`` is judged, so that it needs none."""
    question = re.compile(
        r"^( +)attest: .Were the people with access to production reviewed.*\n", re.MULTILINE
    )
    sop = SOP_RUNBOOK.read_text()
    assert len(question.findall(sop)) == 1
    unasked = tmp_path / "unasked.yaml"
    unasked.write_text(question.sub("", sop))
    (problem,) = check_problems(load_runbook(unasked))
    with_line = next(
        n
        for n, one in enumerate(unasked.read_text().splitlines(), 1)
        if "audit: asked" in one and "with" in one
    )
    assert (problem.line, problem.key) == (with_line, "gates.3.items.2.checks.0.with.audit")
    assert problem.message == (
        "asked leaves what can't be seen to a person, and item 4.3 asks nobody: ask it in the item's attest, or "
        "leave audit out or set it to what is judged by itself"
    )
    unasked.write_text(question.sub("", sop).replace("audit: asked }", "audit: seen }"))
    assert check_problems(load_runbook(unasked)) == []
    unasked.write_text(question.sub(r"\1not_applicable: a cluster of nobody else\n", sop))
    assert check_problems(load_runbook(unasked)) == []


def test_a_mistake_in_the_settings_is_found_when_the_runbook_is_read() -> None:
    loaded = load_runbook(SOP_RUNBOOK)
    runbook = loaded.runbook
    gate = runbook.gates[2]
    spec = gate.items[1].checks[0]
    wrong = spec.model_copy(update={"settings": {"pages": 3, "colour": "red"}})
    typo = spec.model_copy(update={"kind": "web.cps"})
    item = gate.items[1].model_copy(update={"checks": (wrong, typo)})
    broken = runbook.model_copy(update={"gates": (gate.model_copy(update={"items": (item,)}),)})
    problems = {
        problem.key.rpartition("checks.")[2]: problem.message
        for problem in check_problems(replace(loaded, runbook=broken))
    }
    assert {"0.with.pages", "0.with.colour"} <= set(problems)
    assert problems["1.kind"].startswith("there is no kind of check 'web.cps': did you mean web.csp")


async def test_test_accounts_are_logged_out_in_the_end(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        roles = ("tenant_user", "partner")
        for role in roles:
            await stage.clients.web(Tier.PRODUCTION).bearer(role)
        await stage.clients.aclose()
        lines = [line.text() for line in stage.world.product(Dotmac).platforms[Env.PRODUCTION].records.lines]
    assert sum("/api/v1/auth/logout" in one for one in lines) == len(roles)


async def test_a_good_release_passes_and_nothing_secret_is_told(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        seen = await stage.sweep()
        redactor = stage.clients.redactor
        assert {
            one.item: one.outcome.summary for one in seen if one.outcome.verdict is not Verdict.PASS
        } == {}
        for one in seen:
            assert one.outcome.summary
            assert "\n" not in one.outcome.summary
            assert not any(isinstance(leaf, float) for leaf in leaves(dict(one.outcome.evidence))), one.kind
            shown = one.outcome.summary + json.dumps(dict(one.outcome.evidence))
            assert not redactor.holds(shown), one.kind
            assert redactor.clean(one.outcome.summary) == one.outcome.summary, one.kind
