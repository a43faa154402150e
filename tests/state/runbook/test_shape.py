"""What doesn't fit together in a runbook of any shape is told at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from state.runbook.load import RunbookError, load_runbook
from state.runbook.models import Runbook
from tests.paths import ROOT

EXAMPLE = ROOT / "examples" / "web-service.yaml"


def edited(tmp_path: Path, *edits: tuple[str, str]) -> Path:
    text = EXAMPLE.read_text()
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = tmp_path / "runbook.yaml"
    path.write_text(text)
    return path


def told(path: Path) -> dict[str, str]:
    with pytest.raises(RunbookError) as caught:
        load_runbook(path)
    return {problem.key: problem.message for problem in caught.value.problems}


def example() -> Runbook:
    return load_runbook(EXAMPLE).runbook


def test_the_example_has_six_gates_and_nothing_of_the_sop() -> None:
    runbook = example()
    assert [gate.number for gate in runbook.gates] == [1, 2, 3, 4, 5, 6]
    assert runbook.candidate.migration is None
    assert "dotmac" not in EXAMPLE.read_text().lower()
    assert len(EXAMPLE.read_text().splitlines()) < 250


def test_a_deploy_of_production_needs_every_gate_before_its_own_unless_it_says_otherwise(
    tmp_path: Path,
) -> None:
    needs = {operation.id: operation.requires.gates for operation in example().operations}
    assert needs == {"staging.deploy": (), "production.deploy": (1, 2, 3, 4), "production.rollback": ()}
    path = edited(
        tmp_path,
        (
            "Release the candidate, env: production, gate: 5",
            "R, env: production, gate: 5, requires: { gates: [2] }",
        ),
    )
    assert [one.requires.gates for one in load_runbook(path).runbook.operations] == [(), (2,), ()]


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("  - number: 3\n", "  - number: 2\n", "gates.2.number", "gate 2 stands twice"),
        (
            "  - number: 3\n",
            "  - number: 7\n",
            "gates.2.number",
            "numbered 1 to 6 in their order: 3 was expected",
        ),
        ('- id: "3.1"', '- id: "2.9"', "gates.2.items.0.id", "item 2.9 stands in gate 3"),
        ('- id: "3.2"', '- id: "3.1"', "gates.2.items.1.id", "item 3.1 stands twice"),
        (
            "env: production, gate: 5 }",
            "env: production, gate: 9 }",
            "operations.1.gate",
            "gate 9, which the runbook",
        ),
        (
            "env: production, gate: 5 }",
            "env: production, gate: 5, requires: { gates: [1, 8] } }",
            "operations.1.requires.gates",
            "production.deploy needs gate 8",
        ),
        (
            "env: production, gate: 5 }",
            'env: production, gate: 5, requires: { items: ["4.8"] } }',
            "operations.1.requires.items",
            "needs item 4.8",
        ),
        ("kind: deploy, title: Rel", "kind: migrate, title: Rel", "operations.1.kind", "has no migration"),
        (
            (
                '        attest: { question: "Is somebody on call, and were they told? Name them in the comment.", '
                "requires: [comment] }\n"
            ),
            "",
            "gates.0.items.2",
            "item 1.3 has neither checks nor attest",
        ),
        (
            "\noperations:\n",
            "\nstages: [{ id: o, title: X, parts: [{ item: '9.9' }, { operation: x.y }], steps: [] }]\noperations:\n",
            "stages.0.parts.0.item",
            "there is no item 9.9",
        ),
        (
            "  # A service",
            "  migration: { head: x, image: worker, by: deployment, deployment: web, command: [go] }\n  # A service",
            "candidate",
            "migration.image names worker",
        ),
        (
            "  # A service",
            "  migration: { head: x }\n  # A service",
            "candidate.migration",
            "by: cronjob needs cronjob:",
        ),
    ],
)
def test_what_does_not_fit_is_told_at_its_place(
    tmp_path: Path, old: str, new: str, key: str, words: str
) -> None:
    found = told(edited(tmp_path, (old, new)))
    assert words in found[key], found


def test_a_runbook_without_gates_is_none(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    start, end = text.index("gates:\n"), text.index("# A rate window")
    path = tmp_path / "runbook.yaml"
    path.write_text(text[:start] + "gates: []\n" + text[end:])
    assert "at least one" in told(path)["gates"]


def test_keys_of_an_image_that_the_candidate_has_not_are_told(tmp_path: Path) -> None:
    old = "values: [deploy/staging.yaml] }"
    path = edited(tmp_path, (old, f"{old[:-2]}, image_keys: {{ wed: {{ tag: image.tag }} }} }}"))
    assert told(path) == {
        "environments.staging.chart.image_keys.wed": "the candidate has no image wed; it has web"
    }
