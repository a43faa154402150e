"""A launch as a page: everything that was judged is on it, nothing of it is obeyed, and it names the head."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.__main__ import main
from console.exit_codes import ExitCode
from state.base.times import clock
from state.events.gates import GateChanged
from state.events.launch import LaunchHeld
from state.events.operations import OperationIntended
from state.log.reader import LogReader
from state.log.verify import VerifyReport
from state.report.page import report
from tests.console.engine.stand import stand
from tests.screens import story

ODD = "seen | *all* <b>of</b> `it`\n# not a heading"


async def launch(folder: Path) -> Path:
    """Return the log of a launch in which somebody attested and the engine was stopped."""
    async with stand(folder) as s:
        await s.open()
        ann = await s.attach("ann")
        said = await ann.command("attest.sign", {"item": "1.1", "verdict": "GO", "comment": ODD})
        assert said.ok, said.message
        await s.close()
        return s.log


async def test_the_page_tells_the_launch_and_its_head(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = await launch(tmp_path)
    assert main(["report", str(log)]) == 0
    page = capsys.readouterr().out
    with LogReader(log) as reader:
        newest = list(reader.every())[-1]
    assert f":{newest.seq}:{newest.hash[:32]}" in page
    for told in (
        "## Gates",
        "### Gate 1",
        "## Operations",
        "## Stop conditions",
        "## Deviations",
        "GO by ann",
    ):
        assert told in page
    assert "nobody answered" in page
    assert "seen \\| \\*all\\* \\<b\\>of\\</b\\> \\`it\\` \\# not a heading" in page
    assert not any(line.startswith("# not") for line in page.split("\n"))


async def test_it_is_written_to_a_file_that_was_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = await launch(tmp_path)
    before = log.stat().st_size
    page = tmp_path / "launch.md"
    assert main(["report", str(log), str(page)]) == 0
    assert page.read_text().startswith("# ")
    assert main(["report", str(log), str(log)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert log.stat().st_size == before


async def test_a_damaged_log_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = await launch(tmp_path)
    raw = log.read_bytes()
    at = raw.index(b"seen | ")
    log.write_bytes(raw[:at] + b"SEEN" + raw[at + 4 :])
    assert main(["report", str(log)]) == ExitCode.DAMAGED_LOG
    assert "damaged" in capsys.readouterr().err
    assert main(["report", str(tmp_path / "nothing")]) == ExitCode.BAD_LOG


def test_the_time_of_a_gate_is_when_it_was_decided_whatever_else_is_called_like_it() -> None:
    told = story.opened()
    told.wait(60)
    told.tell(GateChanged.KIND, {"from": "OPEN", "to": "GO"}, gate=1)
    decided = clock(told.now_us)
    told.wait(3600)
    told.tell(OperationIntended.KIND, {"id": "gate 1 smoke test"}, actor="ann")
    for _ in range(600):  # more marks than are kept
        told.tell(LaunchHeld.KIND, {"reason": "x"})
    verified = VerifyReport(
        ok=True, events=1, head="", bad_seq=None, damage=None, message="", unanchored=0, anchors=0, log_id=""
    )
    (row,) = [one for one in report(told.events, verified).split("\n") if one.startswith("| 1 | GO |")]
    assert decided in row


def test_the_pipeline_is_told_with_what_each_stage_stands_on() -> None:
    told = story.piped()
    verified = VerifyReport(
        ok=True, events=1, head="", bad_seq=None, damage=None, message="", unanchored=0, anchors=0, log_id=""
    )
    page = report(told.events, verified)
    assert "- **Build pass**\n    - build/0 (ci.passed) pass at " in page
    assert "- **Test fail**" in page
    assert "CI job unit-tests is failure" in page
    assert "- **Package pending**\n    - package/0 (ci.passed) pending" in page


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        (("--format", "html"), "<!doctype html>"),
        (("--format", "json"), '{"format":"launch-console-report/1"'),
        (("--format", "md"), "# "),
        (("x.html",), "<!doctype html>"),
        (("x.JSON",), '{"format":'),
        (("x.txt",), "# "),
        (("x.html", "--format", "md"), "# "),
    ],
)
async def test_the_format_is_what_is_asked_for_or_what_the_files_name_ends_in(
    words: tuple[str, ...], begins: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = await launch(tmp_path)
    target = tmp_path / words[0]
    given = [str(target) if one.startswith("x.") else one for one in words]
    assert main(["report", str(log), *given]) == 0
    told = capsys.readouterr().out
    written = target.read_text() if words[0].startswith("x.") else told
    assert written.startswith(begins)
