"""Each format by its own rules: nothing of a log is obeyed, and HTML asks nothing of anywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from markdown_it import MarkdownIt
from markdown_it.token import Token

from state.events.event import Event
from state.events.launch import LaunchHeld, LaunchReleased
from state.events.log import NoteAdded
from state.report.gather import launch_report
from state.report.page import ReportFormat, rendered, report
from state.report.telling_runs import folded
from tests.screens import story
from tests.state.events.test_stored_logs import events_of
from tests.state.made_events import event_lists
from tests.state.report import reading
from tests.state.report.test_complete import MORE, VERIFIED

ATTACKS = (
    *(
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '"><svg onload=alert(1)>',
        "</title></style>",
    ),
    *("# heading", "\n# heading", "* * *", "[click](javascript:alert(1))", "![x](https://evil.test/x.png)"),
    *(
        "| a | b |",
        "`code` ``two``",
        "```\nfence",
        "&lt;b&gt; &amp;",
        "~~gone~~ $x$",
        "\\",
        "\x1b]0;title",
        "a_b_ *c*",
    ),
    *("javascript:alert(1)", "https://evil.test/<x>", "-->", "<!-- ", "]]>", "\u202egnp", "<!DOCTYPE x>"),
)
TAGS = frozenset(
    (
        *(
            "html",
            "head",
            "meta",
            "link",
            "title",
            "style",
            "body",
            "a",
            "header",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
        ),
        *(
            "h6",
            "dl",
            "dt",
            "dd",
            "nav",
            "ul",
            "li",
            "main",
            "section",
            "p",
            "div",
            "table",
            "caption",
            "thead",
        ),
        *("tbody", "tr", "th", "td", "strong", "code", "span", "details", "summary", "pre", "figure", "br"),
        *("figcaption", "svg", "desc", "path", "rect", "circle", "text"),
    )
)


def attacked() -> list[Event]:
    told = story.hostile(ATTACKS)
    for attack in ATTACKS:
        told.tell(NoteAdded.KIND, {"text": attack}, actor=attack)
        told.tell(LaunchHeld.KIND, {"reason": attack}, actor=attack)
        told.tell(LaunchReleased.KIND, {"reason": attack}, actor="ann")
    return told.events


def page(events: Sequence[Event], form: ReportFormat) -> str:
    return report(events, VERIFIED, form)


# -- Markdown ----------------------------------------------------------------------------------------------


def tokens(page: str) -> list[Token]:
    every = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(page)
    return [*every, *(child for one in every for child in one.children or ())]


SPOKEN = frozenset(
    {"text", "code_inline", "strong_open", "strong_close", "softbreak", "inline", "fence", "text_special"}
)
BUILT = re.compile(r"(heading|paragraph|bullet_list|list_item|table|thead|tbody|tr|th|td)_(open|close)\Z")


def assert_obeys_nothing(events: Sequence[Event]) -> None:
    every = tokens(page(events, ReportFormat.MD))
    strange = [t for t in every if t.type not in SPOKEN and not BUILT.match(t.type)]
    assert not strange
    heads = [every[n + 1].content for n, t in enumerate(every) if t.type == "heading_open" and t.tag == "h2"]
    assert [reading.unmarked(h) for h in heads] == list(dict.fromkeys(reading.unmarked(h) for h in heads))
    assert {reading.unmarked(head) for head in heads} <= set(reading.PARTS)


def test_markdown_obeys_nothing_of_a_log() -> None:
    assert_obeys_nothing(attacked())


@given(event_lists(bodies=MORE))
@settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
def test_markdown_obeys_nothing_of_a_made_up_log(made: list[Event]) -> None:
    assert_obeys_nothing(made)


def test_names_are_code_in_markdown(tmp_path: Path) -> None:
    told = story.opened()
    told.tell(NoteAdded.KIND, {"text": "SECRET_KEY is a known default, see web.rate_limit."}, actor="ann")
    assert "`SECRET_KEY` is a known default, see `web.rate_limit`." in page(told.events, ReportFormat.MD)


def test_what_one_text_leaves_open_takes_nothing_away() -> None:
    told = story.opened()
    told.tell(LaunchHeld.KIND, {"reason": "wait \x1b]8;;"}, actor="ann\x1b[")
    told.wait(61)
    told.tell(LaunchReleased.KIND, {"reason": "done"}, actor="bob")
    for form in (ReportFormat.MD, ReportFormat.HTML):
        (said,) = [
            told
            for _, told in (reading.of_markdown, reading.of_html)[form is ReportFormat.HTML](
                page(told.events, form)
            )["holds"]
        ]
        assert "wait" in said
        assert "released by bob: done" in said
        assert "1 m 01 s" in said


@pytest.mark.parametrize(
    ("command", "lines"),
    [
        ("helm upgrade x ./chart", ("helm upgrade x ./chart",)),
        ("helm upgrade x --set a=b -n prod", ("helm upgrade x \\", "  --set a=b \\", "  -n prod")),
        ("helm --d 'a -n b' -f \"c --x\"", ("helm \\", "  --d 'a -n b' \\", '  -f "c --x"')),
        ("", ("",)),
    ],
)
def test_a_command_has_an_option_a_line_and_quotes_stay_whole(command: str, lines: tuple[str, ...]) -> None:
    assert folded(command) == lines


# -- HTML --------------------------------------------------------------------------------------------------


def assert_asks_nothing(written: str) -> None:
    read = reading.parsed(written)
    assert {tag for tag, _ in read.attributes} <= TAGS
    ids = set(read.ids)
    assert not [name for name, count in read.ids.items() if count > 1]
    for tag, given_ in read.attributes:
        assert not [
            name for name in given_ if name.startswith("on") or name in {"src", "style", "srcset", "action"}
        ]
        href = given_.get("href")
        if tag == "link":
            assert href == "data:,"
        elif href is not None and not href.startswith("#"):
            assert re.fullmatch(r"https?://[^\s<>\"]+", href)
            assert "noopener" in str(given_["rel"])
        elif href is not None:
            assert href[1:] in ids, href
        for label in str(given_.get("aria-labelledby") or "").split():
            assert label in ids
    policy = next(
        str(a["content"]) for _, a in read.attributes if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "url(" not in written
    assert "@import" not in written


def test_html_obeys_nothing_of_a_log_and_asks_nothing_of_anywhere() -> None:
    assert_asks_nothing(page(attacked(), ReportFormat.HTML))


@given(event_lists(bodies=MORE))
@settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
def test_html_of_a_made_up_log_asks_nothing_of_anywhere(made: list[Event]) -> None:
    assert_asks_nothing(page(made, ReportFormat.HTML))


def test_html_can_be_listened_to_and_walked_by_keys(tmp_path: Path) -> None:
    written = page(events_of("sop-bad-candidate", tmp_path), ReportFormat.HTML)
    read = reading.parsed(written)
    tags = [tag for tag, _ in read.attributes]
    assert ("html", {"lang": "en"}) in read.attributes
    assert [tags.count(one) for one in ("header", "nav", "main", "h1")] == [1, 1, 1, 1]
    assert next(a for tag, a in read.attributes if tag == "a") == {"class": "skip", "href": "#main"}
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(given_.get("scope") in {"col", "row"} for tag, given_ in read.attributes if tag == "th")
    assert tags.count("caption") == tags.count("table")
    assert tags.count("details") == tags.count("summary") > 10
    drawn = [given_ for tag, given_ in read.attributes if tag == "svg"]
    assert len(drawn) == 3
    assert all(given_["role"] == "img" and given_["aria-labelledby"] for given_ in drawn)
    assert tags.count("desc") == len(drawn)
    for said in ("prefers-color-scheme:dark", "@page{size:A4", "@media print", ":focus-visible"):
        assert said in written


# -- curves ------------------------------------------------------------------------------------------------


def drawn(told: story.Story) -> str:
    return page(told.events, ReportFormat.HTML)


def test_a_gap_stays_a_gap_and_marks_are_drawn(tmp_path: Path) -> None:
    whole = drawn(story.baking())
    events = events_of("prometheus-outage", tmp_path)
    holed = page(events, ReportFormat.HTML)
    assert 'class="gap"' in holed
    assert "gap" in holed[holed.index("<desc") : holed.index("</desc>")]
    assert holed.count('class="line l0"') > holed.count("<svg"), "a line is broken where there is a gap"
    assert 'class="limit"' in whole
    assert re.search(r'class="mark plain" d="M[\d.]+ ', whole)
    assert "Marks: 1 " in whole


def test_curves_have_all_samples_where_a_view_keeps_the_newest(tmp_path: Path) -> None:
    told = story.opened()
    told.samples(3 * 3600, step=5)
    facts = launch_report(told.events, VERIFIED)
    (graph, *_) = told.view().graphs
    assert len(graph.series[0].points) == 1000
    curve = next(one for one in facts.curves if one.id == graph.id)
    assert len(curve.lines[0].points) == 3 * 3600 // 5
    assert len(rendered(facts, ReportFormat.HTML)) < 200_000, "samples in one column are one stroke"
