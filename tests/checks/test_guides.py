"""What each kind tells of itself, and that no way to fail lacks its way out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.base import REGISTRY, failed, passed, unknown
from checks.guide import COMMON, NO_GUIDE, named_way, way_out
from checks.registry import names
from console.cli.kinds.told import family, page, shown
from state.view.enums import Verdict
from tests.paths import ROOT

OURS = [name for name in names() if REGISTRY[name].judge.__module__.startswith("checks.")]
PARTS = ("asks", "proves", "unseen", "rights", "otherwise")

NOTES = {"wrong": 0, "blind": 0, "failed": 0, "unknown": 0, "need": 1}
"""What notes a reason to fail or to be blind: its name, and which argument is the reason."""
WIDE = COMMON["expected …"]
"""What is told of any client that answers something else: too wide for what a check says itself."""
MADE_OF_OTHERS = {"x cookie x x"}
"""Reasons whose words are all in what is put into them."""
SHARED = {
    "api_audit": ("cluster.access",),
    "cookies": ("web.cookies",),
    "stop_conditions": ("scope.conditions",),
}
"""Modules without a kind whose reasons are those of a kind; those of others hold of every kind."""


def literal(node: ast.expr) -> list[str]:
    """Return the texts that an expression may be, ``x`` for what is only known when it runs; none where all is."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=values):
            return ["".join(str(v.value) if isinstance(v, ast.Constant) else "x" for v in values)]
        case ast.IfExp(body=body, orelse=orelse):
            return [*literal(body), *literal(orelse)]
    return []


def reasons(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the reasons that a module gives in words, with their lines."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        place = 0 if name.endswith("Error") and name[0].isupper() else NOTES.get(name, -1)
        if name in {"from_transport", "ValueError", "TypeError", "KeyError"} or not 0 <= place < len(
            node.args
        ):
            continue
        for text in literal(node.args[place]):
            if text in MADE_OF_OTHERS:
                continue
            if len(re.sub(r"\bx\b", "", text).strip(" :;x")) > 3:
                yield node.lineno, text


@pytest.mark.parametrize("name", OURS)
def test_a_kind_tells_what_it_asks_and_proves_and_how_to_mend_what_it_finds(name: str) -> None:
    guide, kind = REGISTRY[name].guide, REGISTRY[name]
    assert guide is not NO_GUIDE
    for part in PARTS:
        text = getattr(guide, part)
        assert text, part
        assert "\n" not in text, part
    assert guide.mends
    for way in (*guide.mends.values(), guide.otherwise):
        assert 8 <= len(way) <= 170, way
        assert not way.endswith("."), way
    assert kind.writes == bool(kind.leaves), "what it leaves behind is said in words"


def test_no_reason_to_fail_or_to_be_blind_lacks_a_way_out_of_its_own() -> None:
    lacking = []
    seen = 0
    for path in sorted((ROOT / "checks").glob("*.py")):
        kinds = SHARED.get(path.stem, ()) or [n for n in OURS if family(n) == path.stem]
        guides = [REGISTRY[name].guide for name in kinds] or [NO_GUIDE]
        for line, reason in reasons(path):
            seen += 1
            if all(named_way(guide, reason) in {"", WIDE} for guide in guides):
                lacking.append(f"{path.name}:{line} {reason}")
    assert seen > 200
    assert lacking == []


def test_no_error_of_a_client_lacks_a_way_out() -> None:
    lacking = [
        f"{path.relative_to(ROOT)}:{line} {reason}"
        for path in sorted((ROOT / "checks" / "clients").rglob("*.py"))
        for line, reason in reasons(path)
        if not any(named_way(REGISTRY[name].guide, reason) for name in OURS)
    ]
    assert lacking == []


def test_no_words_of_a_guide_are_out_of_reach() -> None:
    """Each entry is the first that fits some text: one below a wider one would never be told."""
    hidden = [
        f"{name}: {words!r} is told as {way_out(REGISTRY[name].guide, words.replace('…', 'x'))!r}"
        for name in OURS
        for words, way in REGISTRY[name].guide.mends.items()
        if way_out(REGISTRY[name].guide, words.replace("…", "x")) != way
    ]
    assert hidden == []


def test_an_outcome_carries_the_way_out_of_each_reason() -> None:
    kind = REGISTRY["web.csp"]
    problems = ["api /: no Content-Security-Policy", "api /: HSTS lasts 0 days; expected 180", "a new one"]
    outcome = kind.mended(failed("; ".join(problems), {"problems": problems}))
    assert outcome.ways == (
        kind.guide.mends["no Content-Security-Policy"],
        kind.guide.mends["HSTS lasts"],
        kind.guide.otherwise,
    )
    assert kind.mended(outcome) == outcome
    assert kind.mended(passed("good")).ways == ()
    blind = kind.mended(unknown("web (production) refused the connection at 127.0.0.1:9; expected a page"))
    assert blind.verdict is Verdict.UNKNOWN
    assert blind.ways == (COMMON["refused the connection"],)
    other = kind.mended(unknown("staging doesn't run the candidate (api runs x): run staging.deploy"))
    assert other.ways == ("deploy the candidate there, then run it again",)


def test_the_page_of_all_kinds_is_up_to_date() -> None:
    assert (ROOT / "docs" / "checks.md").read_text() == page(OURS), "make kinds"


@pytest.mark.parametrize("name", OURS)
def test_the_command_line_tells_a_guide_whole(name: str) -> None:
    told = " ".join(" ".join(shown(name)).split())
    guide = REGISTRY[name].guide
    for text in (*(getattr(guide, part) for part in PARTS), *guide.mends.values()):
        assert " ".join(text.split()) in told
