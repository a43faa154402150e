"""The HTML report in a real browser: nothing is asked of anywhere, its console is quiet, all of it can be read."""

from __future__ import annotations

import http.server
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import pytest

from screens.kit.screen_state import Mode
from state.events.event import Event
from state.report.page import ReportFormat, report
from tests.programs import path
from tests.screens import story
from tests.screens.stage import app_of, text_of
from tests.screens.story import Story
from tests.state.events.test_stored_logs import events_of
from tests.state.report.test_complete import VERIFIED
from tests.state.report.test_formats import ATTACKS

WIDTHS = (390, 1280)
_LIVE = re.compile(r"(?m)^.*(?:[─┊]|production pod |staging pod ).*$")
"""What a screen draws or is passing: axes of graphs, whose figures the report tells, and pods that came and went."""
_NUMBER = re.compile(r"\d+(?:[.:,]\d+)*")


@contextmanager
def proxy() -> Iterator[tuple[int, list[str]]]:
    """Serve as the only way out of the browser, and note who asks for what."""
    asked: list[str] = []

    class Noting(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(502)

        do_CONNECT = do_POST = do_HEAD = do_GET  # noqa: N815  the names of http.server

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Noting)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_address[1], asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def shown(page: Path, width: int, folder: Path) -> tuple[str, list[str], list[str]]:
    """Load a page; return its document as the browser has it, what its console said, and what was asked for."""
    with proxy() as (port, asked):
        done = subprocess.run(
            [
                *(path("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"),
                *("--v=0", "--no-first-run", "--disable-background-networking", "--disable-component-update"),
                *(
                    "--disable-sync",
                    "--disable-default-apps",
                    "--hide-scrollbars",
                    "--virtual-time-budget=2000",
                ),
                *(f"--user-data-dir={folder}", f"--window-size={width},900"),
                *(f"--proxy-server=127.0.0.1:{port}", "--proxy-bypass-list=<-loopback>"),
                *("--dump-dom", page.as_uri()),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    said = [row for row in done.stderr.split("\n") if "CONSOLE" in row]
    return done.stdout, said, asked


def text_of_page(document: str) -> str:
    body = re.sub(r"(?s)<style>.*?</style>|<[^>]+>", " ", document)
    return unescape(body)


async def on_screens(events: list[Event]) -> set[str]:
    """Return every number that the screens of gates, operations and bake show of a launch at its end."""
    app, _ = app_of(Story(events, events[-1].wall_us), mode=Mode.REPLAY)
    seen: set[str] = set()
    async with app.run_test(size=(200, 55)) as pilot:
        for keys in (*(str(n) for n in range(1, 10)), "d", "b"):
            await pilot.press(keys)
            await pilot.pause()
            seen |= set(_NUMBER.findall(_LIVE.sub(" ", text_of(app))))
    return seen


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["sop-go", "sop-bad-candidate"])
def test_a_report_asks_nothing_and_its_console_is_quiet(name: str, width: int, tmp_path: Path) -> None:
    events = events_of(name, tmp_path)
    page = tmp_path / "launch.html"
    page.write_text(report(events, VERIFIED, ReportFormat.HTML))
    document, said, asked = shown(page, width, tmp_path / "profile")
    assert (said, asked) == ([], [])
    assert len(re.findall("<svg", document)) == 3
    assert "<h2" in document
    page.write_text(page.read_text().replace("Content-Security-Policy", "none") + _MEASURE)
    document, said, _ = shown(page, width, tmp_path / "profile")
    assert said == []
    (wide,) = re.findall(r'id="measure">(\d+)', document)
    assert int(wide) <= width, "nothing makes the page scroll sideways"


_MEASURE = (
    '<p id="measure"></p><script>document.getElementById("measure").textContent ='
    " document.documentElement.scrollWidth</script>"
)


@pytest.mark.needs("chromium")
def test_what_is_put_into_it_is_refused_and_would_have_been_seen(tmp_path: Path) -> None:
    attack = (
        '<img src="http://evil.test/x.png"><script src="http://evil.test/x.js"></script>'
        '<p id="p"></p><script>document.getElementById("p").textContent = "r" + "an"; console.error("seen")</script>'
    )
    page = tmp_path / "launch.html"
    page.write_text(f"<!doctype html><html><body>{attack}</body></html>")
    document, said, asked = shown(page, 800, tmp_path / "profile")
    assert "ran" in document
    assert any("seen" in row for row in said)
    assert {"http://evil.test/x.png", "http://evil.test/x.js"} <= set(asked)
    told = story.hostile(ATTACKS)
    page.write_text(report(told.events, VERIFIED, ReportFormat.HTML).replace("</main>", f"{attack}</main>"))
    document, _, asked = shown(page, 800, tmp_path / "profile")
    assert '<p id="p"></p>' in document
    assert asked == []


@pytest.mark.parametrize("name", ["sop-go", "sop-bad-candidate"])
async def test_its_text_has_every_number_that_the_screens_had(name: str, tmp_path: Path) -> None:
    events = events_of(name, tmp_path)
    told = text_of_page(report(events, VERIFIED, ReportFormat.HTML))
    seen = await on_screens(events)
    assert len(seen) > 100
    assert {one for one in seen if one not in told} == set()
