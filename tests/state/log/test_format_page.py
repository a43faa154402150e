from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from state.base.codec import LOG
from state.events.bodies import BODIES
from state.log import layout
from state.log.verify import verify
from state.runbook.models import Person
from tests.paths import ROOT
from tests.state.log.agreement import block
from tests.state.log.support import LOG_ID, chained, forge, stamped, tampered, written

PAGE = (ROOT / "docs" / "log-format.md").read_text(encoding="utf-8")


def check(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = tmp_path / "check.py"
    program.write_text(block("python"), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-I", str(program), *arguments], capture_output=True, text=True, check=False
    )


def test_the_script_of_the_page_is_short_and_agrees(tmp_path: Path) -> None:
    path = tmp_path / "x.lclog"
    written(path, 30)
    assert len(block("python").splitlines()) <= 40
    head = verify(path).head
    done = check(tmp_path, str(path), head)
    assert (done.returncode, done.stdout) == (0, f"31 events verify, head {head}\n")
    tampered(path, "DELETE FROM event WHERE seq>29")
    assert check(tmp_path, str(path)).returncode == 0
    assert check(tmp_path, str(path), head).stderr == f"not in this log: {head}\n"


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE event SET actor='mallory' WHERE seq=4", "event 4: hash"),
        ("UPDATE event SET body='{}' WHERE seq=4", "event 4: body"),
        ("UPDATE event SET body=NULL, salt=NULL WHERE seq=4", "event 4: body is gone"),
        ("DELETE FROM event WHERE seq=4", "event 4: seq"),
        ("UPDATE event SET prev=zeroblob(32) WHERE seq=4", "event 4: prev"),
    ],
)
def test_the_script_of_the_page_names_damage(tmp_path: Path, statement: str, message: str) -> None:
    written(tmp_path / "x.lclog", 10)
    tampered(tmp_path / "x.lclog", statement)
    assert check(tmp_path, str(tmp_path / "x.lclog")).stderr == f"{message}\n"


def test_the_script_of_the_page_knows_redactions(tmp_path: Path) -> None:
    path = tmp_path / "x.lclog"
    forge(path, chained([stamped(1), stamped(2), stamped(3, kind="log.redacted", ref=2)]))
    tampered(path, "UPDATE event SET body=NULL, salt=NULL WHERE seq=2")
    assert check(tmp_path, str(path)).returncode == 0


@pytest.mark.needs("sqlite3")
def test_the_commands_of_the_page_work(tmp_path: Path) -> None:
    path = tmp_path / "x.lclog"
    written(path, 3)
    lines = [
        subprocess.run(
            ["sh", "-c", line.replace("LOG", str(path), 1)], capture_output=True, text=True, check=True
        ).stdout
        for line in block("sh").splitlines()
    ]
    assert lines[0].startswith(f"{layout.APPLICATION_ID}\n1\n")
    assert "log.opened|engine" in lines[1]
    assert lines[2].strip() == verify(path).head


def test_the_page_pins_what_the_code_pins() -> None:
    assert layout.SCHEMA_SHA256 in PAGE
    assert LOG_ID in PAGE


def test_every_kind_of_event_is_on_the_page() -> None:
    rows = re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \| (.*?) \| (.+) \|$", PAGE, re.MULTILINE)
    assert {kind: set(re.findall(r"`(\w+)`", fields)) for kind, fields, _ in rows} == {
        kind: set(LOG.keys(body)) - {"cut"} for kind, body in BODIES.items()
    }
    assert len({kind for kind, _, _ in rows}) == len(rows)


@pytest.mark.parametrize("page", ["docs/log-format.md", "runbook.yaml"])
def test_the_examples_of_signing_keys_are_keys(page: str) -> None:
    (found,) = re.findall(r'- (\{.*signing_keys: \[".*"\] \})', (ROOT / page).read_text(encoding="utf-8"))
    person = Person.model_validate(yaml.safe_load(found))
    assert len(person.signing_keys) == 1
