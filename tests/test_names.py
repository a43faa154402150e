"""Nothing that one platform is called stands in Python: it is data of its runbook, and of the rehearsal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tests.paths import ROOT, SOP_RUNBOOK

OF_THE_SOP = re.compile(
    r"dotmac|nextauth|celery|paystack|\bawx\b|jwt_secret|platform_admin|tenant_(?:admin|user)|failed_services"
    r"|/api/v1/(?:auth|tenants|billing|jobs|partners?|platform|audit|users|admin)\b|/health/ready"
    r"|ghcr|minioadmin|category.{1,6}recovery|dev-secret",
    re.IGNORECASE,
)

OF_A_PRODUCT = re.compile(
    OF_THE_SOP.pattern
    + r"|\b(?:backend|frontend|worker|billing|invoices|shop)\b(?! - 404)|/health\b|['\"]/products\b"
    r"|\bhttp_request(?:s_total|_duration)",
    re.IGNORECASE,
)
"""``default backend - 404`` is nginx's."""
OF_A_RUNBOOK = re.compile(r"\bgates? \d|[\"'](?:[1-9]|10)\.[1-9][\"']|\bitems? \d+\.\d", re.IGNORECASE)
"""Numbers of gates and of items."""
REHEARSAL = ROOT / "console" / "rehearsal"
SHARED = [path for room in ("sim", "world", "autopilot", "cli") for path in (REHEARSAL / room).rglob("*.py")]
"""What every product of the rehearsal uses."""
NUMBERED = (
    REHEARSAL / "dotmac" / "faults",
    REHEARSAL / "dotmac" / "odd",
    REHEARSAL / "web_service" / "faults.py",
)
"""A fault names the item that must notice it."""


def hits(paths: Iterable[Path], *patterns: re.Pattern[str]) -> list[str]:
    """Return the lines that match any of these."""
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if any(pattern.search(line) for pattern in patterns)
    ]


def sources() -> list[Path]:
    """Return our programs without the rehearsal, which simulates the SOP's platform."""
    packages = ("state", "checks", "screens", "console")
    paths = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    return [path for path in paths if "rehearsal" not in path.parts]


def test_no_name_of_the_sops_platform_stands_in_python() -> None:
    assert hits(sources(), OF_THE_SOP) == []


def test_what_products_of_the_rehearsal_share_names_none_of_them() -> None:
    assert len(SHARED) > 80
    assert hits(SHARED, OF_A_PRODUCT, OF_A_RUNBOOK) == []


def test_no_number_of_a_gate_stands_in_a_product_but_in_its_faults() -> None:
    others = [
        path
        for product in ("dotmac", "web_service")
        for path in (REHEARSAL / product).rglob("*.py")
        if not any(path.is_relative_to(numbered) for numbered in NUMBERED)
    ]
    assert hits(others, OF_A_RUNBOOK) == []


def test_these_are_names_of_the_sop() -> None:
    assert len(set(OF_THE_SOP.findall(SOP_RUNBOOK.read_text()))) > 12
