"""One list of exit codes: ``--help``, the README and the enum agree, and nothing else ends a command."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.__main__ import main
from console.exit_codes import ExitCode
from tests.paths import ROOT

LIST = [(code.value, code.meaning) for code in ExitCode]
CODE = [path for path in sorted((ROOT / "console").rglob("*.py")) if "sim" not in path.parts]
"""The simulators end as the programs do that they stand for."""
ENDS = (
    *("console/cli/", "console/rehearsal/cli/", "console/rehearsal/autopilot/", "console/__main__"),
    *("console/engine/__main__", "console/engine/process/spawn", "console/ui/run", "console/ui/terminal"),
)
"""Where a function that returns a number returns an exit code."""
_CALLED = {"code", "exit_code", "return_code", "_return_code"}
_ENDING = {"exit", "_exit", "SystemExit"}


def test_these_are_the_codes() -> None:
    assert [code for code, _ in LIST] == [0, 1, 2, 3, 4, 5, *range(10, 17)]


def test_help_tells_them(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out.partition("exit codes:\n")[2]
    rows = [re.fullmatch(r"\s+(\d+)  (.+)", row) for row in told.splitlines()]
    assert [(int(row[1]), row[2]) for row in rows if row] == LIST


def test_the_readme_tells_them() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert [(int(code), meaning) for code, meaning in rows] == LIST


def numbers(value: ast.AST | None) -> Iterator[int]:
    """Yield the numbers that an expression may come to as it stands there."""
    match value:
        case ast.Constant(value=int() as number) if not isinstance(number, bool):
            yield number
        case ast.IfExp(body=one, orelse=other):
            yield from (*numbers(one), *numbers(other))
        case ast.BoolOp(values=several):
            for one in several:
                yield from numbers(one)
        case _:
            return


def literals(path: Path, *, ends: bool) -> Iterator[int]:
    """Yield the lines of a module where a bare number is used as an exit code."""
    for node in ast.walk(ast.parse(path.read_text())):
        found: list[ast.AST | None] = []
        match node:
            case (
                ast.FunctionDef(returns=ast.Name(id=name)) | ast.AsyncFunctionDef(returns=ast.Name(id=name))
            ) if name == "ExitCode" or (ends and name == "int"):
                found = [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Return)]
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _ENDING:
                found = [*node.args, *(word.value for word in node.keywords)]
            case ast.keyword(arg=str(name)) if name in _CALLED:
                found = [node.value]
            case ast.Assign(targets=[target]) | ast.AnnAssign(target=target):
                names = [target.id] if isinstance(target, ast.Name) else []
                names += [target.attr] if isinstance(target, ast.Attribute) else []
                if any(name in _CALLED or "EXIT" in name for name in names):
                    found = [node.value]
            case ast.arguments():
                pairs = zip(reversed([*node.posonlyargs, *node.args]), reversed(node.defaults), strict=False)
                found = [default for argument, default in pairs if argument.arg in _CALLED]
            case _:
                continue
        if any(True for value in found for _ in numbers(value)):
            yield getattr(node, "lineno", 0)


def test_no_other_number_ends_a_command() -> None:
    found = [
        f"{name}:{line}"
        for path in CODE
        for name in [str(path.relative_to(ROOT))]
        for line in literals(path, ends=name.startswith(ENDS))
    ]
    assert found == []


def test_a_bare_number_is_seen(tmp_path: Path) -> None:
    ways = (
        *("def run() -> int:\n    return 2", "def run() -> int:\n    return x.code or 1", "sys.exit(3)"),
        *("app.exit(return_code=4)", "code = 1 if odd else x", "EXIT_LOG = 3", "def f(code: int = 1) -> None: ..."),
    )  # fmt: skip
    file = tmp_path / "way.py"
    for way in ways:
        file.write_text(way)
        assert list(literals(file, ends=True)), way


def test_commands_have_one_way_to_the_standard_error() -> None:
    folders = (ROOT / "console" / "cli", ROOT / "console" / "rehearsal" / "cli")
    lines = [
        str(path.relative_to(ROOT))
        for folder in folders
        for path in sorted(folder.rglob("*.py"))
        if re.search(r"\bstderr\.write|file=sys\.stderr|print_exc", path.read_text())
    ]
    assert lines == ["console/cli/say.py"]
