"""A machine without the programs that tests drive: such tests are skipped with a reason, and open nothing before."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import cast

import pytest

from tests import programs
from tests.paths import ROOT
from tests.programs import Program


def item(*names: str) -> pytest.Item:
    marks = [pytest.mark.needs(*names).mark]
    return cast("pytest.Item", SimpleNamespace(iter_markers=lambda _: marks, user_properties=[]))


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    lacking = Program(lambda: None, "make gone"), Program(lambda: None, "apt-get install of-it", in_ci=False)
    monkeypatch.setattr(programs, "PROGRAMS", {"gone": lacking[0], "forbidden": lacking[1]})
    monkeypatch.setattr(programs, "_found", lambda name: programs.PROGRAMS[name].find())


def test_a_missing_program_skips_with_a_reason_and_in_ci_it_fails(
    gone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(pytest.skip.Exception, match="gone is missing: make gone"):
        programs.look_for(item("gone"))
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="CI must have it"):
        programs.look_for(item("gone", "forbidden"))
    with pytest.raises(pytest.skip.Exception):
        programs.look_for(item("forbidden"))


def test_a_test_that_does_not_say_what_it_needs_fails_everywhere() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"mark it with @pytest\.mark\.needs\('git'\)"):
        programs.path("git")


def test_one_line_says_what_was_skipped_and_what_to_install(gone: None) -> None:
    reports = [SimpleNamespace(user_properties=[("missing", n) for n in names])
               for names in (("gone", "forbidden"), ("gone",), ())]  # fmt: skip
    told = programs.summary(cast("list[pytest.TestReport]", reports))
    assert told == (
        "2 tests skipped for want of a program: forbidden (1), gone (2). "
        "To run them: apt-get install of-it; make gone"
    )
    assert programs.summary([]) == ""


@pytest.mark.timeout(300)
def test_without_any_of_them_nothing_is_red() -> None:
    words = [
        sys.executable,
        "-m",
        "tests.bare",
        "-rs",
        "-n",
        "2",
        "tests/wire",
        "tests/terminal/test_restore.py",
    ]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=280)
    last = done.stdout.splitlines()[-1]
    assert done.returncode == 0, done.stdout
    assert "skipped in" in last
    assert not any(word in last for word in ("passed", "failed", "error", "warning"))
    assert "tests skipped for want of a program: alertmanager (" in done.stdout
    assert "To run them: apt-get install prometheus prometheus-alertmanager tmux" in done.stdout
