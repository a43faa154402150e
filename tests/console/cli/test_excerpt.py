"""Below each problem stands its line of the runbook, with a caret; a secret that is in it isn't shown again."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.__main__ import main
from tests.paths import ROOT

EXAMPLE = (ROOT / "examples" / "web-service.yaml").read_text()


def said(folder: Path, capsys: pytest.CaptureFixture[str], *edits: tuple[str, str]) -> list[str]:
    text = EXAMPLE
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "book.yaml").write_text(text)
    assert main(["runbook", "check", "--offline", str(folder / "book.yaml")]) == 2
    return capsys.readouterr().err.splitlines()


def test_a_caret_stands_below_the_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(tmp_path, capsys, ("min_days: 30", "min_day: 30"))
    (at,) = [number for number, one in enumerate(lines) if "min_day: this key" in one]
    assert (
        lines[at + 1].partition(" | ")[2].strip()
        == "checks: [{ kind: tls.certificates, with: { min_day: 30 } }]"
    )
    assert lines[at + 2][lines[at + 1].index("min_day")] == "^"
    assert lines[at + 2].strip() == "|" + " " * (lines[at + 1].index("min_day") - 7) + "^"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{ url: { env: SHOP_STAGING_DATABASE_URL } }", "{ url: 'postgresql://ann:canary@db/shop' }"),
        ("{ url: { env: SHOP_STAGING_DATABASE_URL } }", "{ url: canary-1 }"),
        ("{ url: { env: SHOP_STAGING_DATABASE_URL } }", '{ url: { value: "canary" } }'),
        ("{ url: { env: SHOP_STAGING_DATABASE_URL } }", '{ url: { env: A }, password: "canary 2" }'),
        ("health_path: /healthz", "health_path: /healthz\n    accounts: { a: { username: b, password: canary } }"),
        ("health_path: /healthz", "health_path: /healthz\n    api_token: canary"),
        ("health_path: /healthz", "health_path: /healthz\n    api_token: [canary"),
    ],
)  # fmt: skip
def test_a_secret_that_was_written_is_not_shown_again(
    old: str, new: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = said(tmp_path, capsys, (old, new))
    assert not any("canary" in one for one in lines), lines


def test_a_long_line_and_odd_letters_are_shown_as_one_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = said(tmp_path, capsys, ("modules: [catalogue, cart]", f"modules: ['{'日本' * 60}\x1b[31m', 7]"))
    assert all("\x1b" not in one and len(one) < 300 for one in lines)
