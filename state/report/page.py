"""A launch as a page to keep, in one of three formats: each is a rendering of the same facts."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from state.events.event import Event
from state.log.verify import VerifyReport
from state.report.facts import LaunchReport
from state.report.formats.as_html import html
from state.report.formats.as_json import as_json
from state.report.formats.as_markdown import markdown
from state.report.gather import launch_report
from state.report.telling import document


class ReportFormat(StrEnum):
    """How a report is written."""

    MD = "md"
    HTML = "html"
    JSON = "json"


def report(events: Iterable[Event], verified: VerifyReport, form: ReportFormat = ReportFormat.MD) -> str:
    """Return the report of a launch, judged at the log's newest event; times are UTC."""
    return rendered(launch_report(events, verified), form)


def rendered(facts: LaunchReport, form: ReportFormat) -> str:
    """Return a report's facts in a format."""
    if form is ReportFormat.JSON:
        return as_json(facts)
    page = document(facts)
    return html(page) if form is ReportFormat.HTML else markdown(page)
