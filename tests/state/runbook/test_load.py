from __future__ import annotations

from pathlib import Path

import pytest

from state.runbook.load import Problem, RunbookError, load_runbook
from tests.paths import SOP_RUNBOOK


def problems(path: Path) -> list[Problem]:
    with pytest.raises(RunbookError) as caught:
        load_runbook(path)
    return list(caught.value.problems)


def edited(tmp_path: Path, *edits: tuple[str, str]) -> Path:
    text = SOP_RUNBOOK.read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "runbook.yaml"
    path.write_text(text)
    return path


def test_the_sop_runbook_has_ten_gates_and_42_items() -> None:
    runbook = load_runbook(SOP_RUNBOOK).runbook
    assert [g.number for g in runbook.gates] == list(range(1, 11))
    assert [len(g.items) for g in runbook.gates] == [4, 3, 6, 3, 4, 7, 3, 4, 5, 3]
    assert len(runbook.helm_commands) == 5
    assert len(runbook.stages) == 6


def test_every_problem_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    path = edited(
        tmp_path,
        ("  title: DotMac platform, first production launch", "  tittle: DotMac"),
        ("    threshold: 1%", "    threshold: lots"),
        ("    for: 5m", "    for: 5 parsecs"),
        ("        query: sum(rate(", "        query: sum(rat("),
    )
    found = problems(path)
    lines = path.read_text().splitlines()
    told = {p.key: p for p in found}
    assert "not known" in told["scope.tittle"].message
    assert "missing" in told["scope.title"].message
    assert lines[told["scope.tittle"].line - 1].strip().startswith("tittle")
    assert "1%, 500ms" in told["conditions.0.threshold"].message
    assert "30s, 5m" in told["conditions.0.for"].message
    assert "PromQL" in told["graphs.0.series.0.query"].message
    assert all(str(p).startswith(f"{path}:{p.line}:{p.column}: ") for p in found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1, 2", "YAML"),
        ("\tx: 1", "YAML"),
        ("- 1\n- 2\n", "runbook"),
        ("", "runbook"),
        ("version: 1\nversion: 2\n", "twice"),
        ("scope:\n  start: 2026-02-30T09:00:00Z\n", "2:10: scope.start: is written as a date and is none"),
        ("a: !!int many\n", "1:4: a: is written as a whole number and is none"),
        ("a: &a [*a]\n", "its aliases make too much of it"),
        ("[" * 100_000, "1:61: YAML: is nested over 60 deep"),
        (
            "\n".join(["a0: &a0 [1]", *(f"a{n}: &a{n} [{f'*a{n - 1},' * 9}]" for n in range(1, 10))]),
            "aliases",
        ),
        ("#" * (4 * 1024 * 1024 + 1), "is over 4 MiB"),
    ],
    ids=lambda part: str(part)[:20].replace("\n", " "),
)
def test_what_is_not_a_runbook_is_said_in_a_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    assert any(message in str(p) for p in problems(path))


def test_a_missing_file_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    assert "cannot be read" in str(problems(tmp_path / "none.yaml")[0])
    path = tmp_path / "bytes.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    assert problems(path)


def test_a_long_rate_window_is_refused(tmp_path: Path) -> None:
    path = edited(tmp_path, ("    for: 5m\n", "    for: 5m\n    window: 5m\n"))
    assert "a quarter of for" in str(problems(path)[0])


def test_an_item_that_nobody_would_judge_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "runbook.yaml"
    text = SOP_RUNBOOK.read_text()
    path.write_text(
        text.replace("gates:\n", "gates:\n  - {number: 1, title: x, items: [{id: '1.1', text: x}]}\n", 1)
    )
    assert any("nobody would judge" in str(p) for p in problems(path))
