"""Nothing that one platform is called stands in Python: it is data of its runbook, and of the rehearsal."""

from __future__ import annotations

import re
from pathlib import Path

from state.runbook.default import sop_runbook
from tests.paths import ROOT

OF_THE_SOP = re.compile(
    r"dotmac|nextauth|celery|paystack|\bawx\b|jwt_secret|platform_admin|tenant_(?:admin|user)|failed_services"
    r"|/api/v1/(?:auth|tenants|billing|jobs|partners?|platform|audit|users|admin)\b|/health/ready"
    r"|ghcr|minioadmin|category.{1,6}recovery|dev-secret",
    re.IGNORECASE,
)


def sources() -> list[Path]:
    """Return our programs without the rehearsal, which simulates the SOP's platform."""
    found = [
        p for package in ("state", "checks", "screens", "console") for p in (ROOT / package).rglob("*.py")
    ]
    return [path for path in found if "rehearsal" not in path.parts]


def test_no_name_of_the_sops_platform_stands_in_python() -> None:
    hits = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sources()
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if OF_THE_SOP.search(line)
    ]
    assert hits == []


def test_these_are_names_of_the_sop() -> None:
    assert len(set(OF_THE_SOP.findall(sop_runbook().read_text()))) > 12
