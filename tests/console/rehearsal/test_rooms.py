"""The rooms of the rehearsal: what a simulator may know, how large a folder is, and where a product is named."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.paths import ROOT

REHEARSAL = ROOT / "console" / "rehearsal"
MOST_MODULES = 16
OURS = ("checks", "console", "screens", "state")
MAY_KNOW = ("console.rehearsal.sim", "state.base")


def imports(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, also those inside of functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def below(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def products() -> set[str]:
    return {path.parent.name for path in REHEARSAL.glob("*/product.py")} - {"world"}


def test_a_simulator_knows_nothing_of_ours_but_state_base() -> None:
    strangers = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((REHEARSAL / "sim").rglob("*.py"))
        for name in imports(path)
        if below(name, OURS) and not below(name, MAY_KNOW)
    ]
    assert strangers == []


def test_no_folder_is_crowded() -> None:
    folders = {path.parent for path in REHEARSAL.rglob("*.py")}
    sizes = {str(f.relative_to(ROOT)): len([*f.glob("*.py")]) - (f / "__init__.py").exists() for f in folders}
    assert {name: size for name, size in sizes.items() if size > MOST_MODULES} == {}


def test_the_linter_keeps_every_product_apart() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    modules = {f"console.rehearsal.{product}" for product in products()}
    assert len(modules) == 2
    (apart,) = [contract for contract in contracts if contract["type"] == "independence"
                and "console.rehearsal.dotmac" in contract["modules"]]  # fmt: skip
    assert set(apart["modules"]) == modules
    (world,) = [
        contract for contract in contracts if contract.get("source_modules") == ["console.rehearsal.world"]
    ]
    assert modules <= set(world["forbidden_modules"])
    (sim,) = [
        contract for contract in contracts if contract.get("source_modules") == ["console.rehearsal.sim"]
    ]
    rooms = {f"state.{p.stem}" for p in (ROOT / "state").iterdir() if p.is_dir() or p.suffix == ".py"}
    rooms -= {"state.base", "state.__init__", "state.__pycache__"}
    assert rooms <= set(sim["forbidden_modules"])
    assert modules <= set(sim["forbidden_modules"])


def test_only_the_table_and_tests_name_a_product() -> None:
    named = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted(REHEARSAL.rglob("*.py"))
        if path != REHEARSAL / "products.py" and path.relative_to(REHEARSAL).parts[0] not in products()
        for name in imports(path)
        if below(name, tuple(f"console.rehearsal.{product}" for product in products()))
    ]
    assert named == []
