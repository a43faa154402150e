"""``launch-console check`` where no system needs to be asked."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from console.__main__ import main
from console.cli.check import junit
from console.cli.check.check import ask
from console.cli.check.tally import Lines
from console.engine.checks.validate import load_judgeable
from console.engine.checks.without_launch import Result
from state.view.enums import Verdict
from tests.console.cli.test_command_line import SOP, Said, a_log


def check(capsys: pytest.CaptureFixture[str], *argv: str) -> Said:
    try:
        code = main(["check", *argv])
    except SystemExit as ended:
        code = int(ended.code or 0)
    told = capsys.readouterr()
    return Said(code, told.out, told.err)


def test_nothing_to_check_is_no_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book = yaml.safe_load(SOP.read_text())
    item = book["gates"][9]["items"][2]
    del item["checks"]
    item["attest"] = "Are the deviations right?"
    file = tmp_path / "book.yaml"
    file.write_text(yaml.safe_dump(book))
    said = check(capsys, "--runbook", str(file), item["id"])
    assert said.code == 13
    assert said.out.startswith("attest   10.3")
    assert "no check was run" in said.out


def test_a_log_is_what_a_launch_is_judged_by_and_is_only_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = a_log(tmp_path / "a.lclog")
    before = log.read_bytes()
    said = check(capsys, "--runbook", str(SOP), "10.3", "--log", str(log))
    assert said.code == 0, said.all
    assert log.read_bytes() == before
    assert check(capsys, "--runbook", str(SOP), "10.3", "--log", "nowhere.lclog").code == 3


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("3.9", "11"), "there is no gate, item or stage 3.9, 11"),
        (("runbook.yaml",), "launch-console runbook check FILE"),
        (("3", "--junit", "/nowhere/junit.xml"), "cannot be written"),
        (("3", "--clock", "/nowhere"), "clock"),
        (("3", "--json", "--junit", "x.xml"), "not allowed with"),
    ],
)
def test_what_is_not_there_is_named(
    argv: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = check(capsys, "--runbook", str(SOP), *argv)
    assert said.code == 2
    assert said.out == ""
    assert message in said.err
    if "there is no gate" in message:
        assert "stages with checks of their own: build, test, package" in said.err
        assert "gate 3   Security and compliance: 3.1, 3.2, 3.3, 3.4, 3.5, 3.6" in said.err


def test_results_in_any_order_are_told_in_the_runbooks_and_hold_what_xml_can(tmp_path: Path) -> None:
    loaded = load_judgeable(SOP)
    asked = ask(loaded.runbook, ["test", "6.7", "1.4"], probes=False)
    messages: list[str] = []
    lines = Lines(asked, messages.append)
    for check in reversed(asked.checks):
        assert messages == []
        lines.take(Result(check, Verdict.FAIL, "bad \ufffe \ud800 <b>&", {"seen": "]]>\x0b"}, 1500))
    assert [row.split()[1] for row in messages] == ["1.4", "6.7", "6.7", "test", "test"]
    file = tmp_path / "junit.xml"
    junit.write(file, lines.swept(loaded))
    root = ET.parse(file).getroot()
    assert (root.get("failures"), root.get("time")) == ("5", "7.500")
    assert [suite.get("name", "").partition(":")[0] for suite in root] == ["gate 1", "gate 6", "stage test"]
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.get("message") == "bad \ufffd \ufffd <b>&"


def test_what_a_runbook_is_called_in_is_no_command_to_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "odd.yaml"
    file.write_text('"\\e]0;owned\\a\\e[31m": 1\n')
    assert main(["runbook", "check", str(file)]) == 2
    assert "\x1b" not in capsys.readouterr().err
