"""The figures as a table for a terminal, as JSON, and as one HTML file that asks nobody for anything."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from state.base.numbers import plural
from state.base.text import line
from state.base.times import SECOND_US, date, moment, span
from state.figures.one_launch import LaunchFigures, OverrideKind
from state.figures.totals import Spread, Totals

UNKNOWN = "unknown"
"""Stands where nothing is known: never a zero, which would read as good."""
_MOST = 20
"""How many NO-GO items a table shows; JSON has all."""
_CELL = 60


@dataclass(frozen=True, slots=True)
class _Table:
    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str
    """What stands there without rows."""


def _tables(totals: Totals) -> Iterator[_Table]:
    yield _Table(
        "Lead time per gate, from the launch's opening to its first GO",
        ("gate", "median", "9 of 10 within", "launches", "never GO", "GO lost"),
        tuple(
            (f"{g.number} {g.title}", *_lengths(g.lead), str(g.lead.known), str(g.lead.unknown), str(g.lost))
            for g in totals.gates
        ),
        UNKNOWN,
    )
    yield _Table(
        "Most frequent NO-GO items",
        ("item", "launches", "times", "what"),
        tuple((n.item, str(n.launches), str(n.times), n.text) for n in totals.no_go[:_MOST]),
        "none" if totals.launches else UNKNOWN,
    )
    yield _Table(
        "Overrides per person",
        ("person", *(kind.value for kind in OverrideKind)),
        tuple((p.who, *(str(count) for _, count in p.counts)) for p in totals.people),
        "none" if totals.launches else UNKNOWN,
    )
    yield _Table(
        "Launches",
        ("opened", "version", "state", "deploys of production", "trip to restored", "log"),
        tuple(_launch(one) for one in totals.launches),
        "none",
    )


def _launch(one: LaunchFigures) -> tuple[str, ...]:
    restored = [
        "not restored" if i.restored_us is None else span((i.restored_us - i.tripped_us) / SECOND_US)
        for i in one.incidents
    ]
    deploys = ", ".join(change.value for change in one.changes) or "none"
    version = one.version or one.title or "not named"
    return (date(one.opened_us), version, one.state.value, deploys, ", ".join(restored) or "no trip", one.log)


def _lengths(spread: Spread) -> tuple[str, str]:
    if spread.median_s is None or spread.p90_s is None:
        return UNKNOWN, UNKNOWN
    return span(spread.median_s), span(spread.p90_s)


def headlines(totals: Totals) -> tuple[str, ...]:
    """Return the two figures that are one number each, in a sentence each."""
    changes, restored = totals.changes, totals.restored
    rate, decided = changes.rate, changes.good + changes.failed
    open_ends = f"; of {plural(changes.unknown, 'more', 'more')} it isn't known" if changes.unknown else ""
    if rate is None:
        failure = f"{UNKNOWN}: no deploy of production whose end is known in these logs{open_ends}"
    else:
        failure = (
            f"{100 * rate:.0f} % ({changes.failed} of {plural(decided, 'deploy')} of production){open_ends}"
        )
    never = f"; {restored.unknown} not restored in its log" if restored.unknown else ""
    if restored.median_s is None:
        back = f"{UNKNOWN}: {'no release was restored' if restored.unknown else 'no release tripped'}{never}"
    else:
        median, ninth = _lengths(restored)
        back = f"median {median}, 9 of 10 within {ninth} ({plural(restored.known, 'release')} that tripped){never}"
    return (
        f"Launches: {len(totals.launches)}",
        f"Change failure rate: {failure}",
        f"Time from trip to restored: {back}",
    )


def as_table(totals: Totals) -> str:
    """Return the figures as text for a terminal; nothing in it is obeyed by one."""
    parts = ["\n".join(headlines(totals))]
    parts += ["\n".join((table.title, *_text_rows(table))) for table in _tables(totals)]
    if totals.unused:
        parts.append("\n".join(("Not used whole", *(f"  {one.log}: {one.why}" for one in totals.unused))))
    return "\n\n".join(parts)


def _text_rows(table: _Table) -> list[str]:
    if not table.rows:
        return [f"  {table.empty}"]
    rows = [table.heads, *(tuple(line(cell, _CELL) for cell in row) for row in table.rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.heads))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def as_json(totals: Totals) -> str:
    """Return the figures as one JSON document; what isn't known is null, lengths of time are seconds."""
    changes = totals.changes
    return json.dumps(
        {
            "launches": [_json_launch(one) for one in totals.launches],
            "gates": [
                {"gate": g.number, "title": g.title, "lead": _json_spread(g.lead), "go_lost": g.lost}
                for g in totals.gates
            ],
            "change_failure": {
                "rate": changes.rate,
                "good": changes.good,
                "failed": changes.failed,
                "unknown": changes.unknown,
            },
            "trip_to_restored": _json_spread(totals.restored),
            "no_go_items": [
                {"item": n.item, "text": n.text, "launches": n.launches, "times": n.times}
                for n in totals.no_go
            ],
            "overrides": [
                {"person": p.who, **{kind.value: count for kind, count in p.counts}} for p in totals.people
            ],
            "not_used_whole": [{"log": u.log, "why": u.why, "events_used": u.used} for u in totals.unused],
        },
        ensure_ascii=False,
        indent=1,
    )


def _json_spread(spread: Spread) -> dict[str, float | int | None]:
    return {
        "known": spread.known,
        "unknown": spread.unknown,
        "median_s": spread.median_s,
        "p90_s": spread.p90_s,
    }


def _json_launch(one: LaunchFigures) -> dict[str, object]:
    return {
        "log": one.log,
        "log_id": one.log_id,
        "events": one.events,
        "title": one.title,
        "version": one.version,
        "state": one.state.value,
        "opened": moment(one.opened_us).isoformat() if one.opened_us else None,
        "deploys": [change.value for change in one.changes],
        "incidents": [
            {
                "tripped": moment(i.tripped_us).isoformat(),
                "conditions": list(i.conditions),
                "restored": None if i.restored_us is None else moment(i.restored_us).isoformat(),
                "restored_s": None if i.restored_us is None else (i.restored_us - i.tripped_us) / SECOND_US,
            }
            for i in one.incidents
        ],
        "gates": [
            {
                "gate": g.number,
                "title": g.title,
                "lead_s": None if g.lead_us is None else g.lead_us / SECOND_US,
                "go_lost": g.lost,
            }
            for g in one.gates
        ],
        "no_go_items": [{"item": n.item, "times": n.times} for n in one.no_go],
        "overrides": [
            {"person": who, "what": kind.value, "times": times} for who, kind, times in one.overrides
        ],
    }


_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0 2rem; }
th, td { text-align: left; padding: .25rem .75rem; vertical-align: top; overflow-wrap: anywhere; }
th, td { border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
.wide { overflow-x: auto; }
@page { size: A4; margin: 15mm; }
@media print { body { margin: 0; max-width: none; font-size: 11px; } tr { break-inside: avoid; } }
"""


def as_html(totals: Totals) -> str:
    """Return the figures as one HTML file: no script, no request, every text of a log escaped."""
    body = [f"<p>{'<br>'.join(map(_html, headlines(totals)))}</p>"]
    body += [_html_table(table) for table in _tables(totals)]
    if totals.unused:
        rows = "".join(f"<li>{_html(one.log)}: {_html(one.why)}</li>" for one in totals.unused)
        body.append(f"<h2>Not used whole</h2><ul>{rows}</ul>")
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Delivery figures</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>Delivery figures</h1>{''.join(body)}</main></body></html>\n"
    )


def _html_table(table: _Table) -> str:
    title = f"<h2>{_html(table.title)}</h2>"
    if not table.rows:
        return f"{title}<p>{_html(table.empty)}</p>"
    heads = "".join(f'<th scope="col">{_html(head)}</th>' for head in table.heads)
    rows = "".join(f"<tr>{_html_cells(row)}</tr>" for row in table.rows)
    return (
        f'{title}<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _html_cells(cells: Sequence[str]) -> str:
    return "".join(f"<td>{_html(cell)}</td>" for cell in cells)


def _html(value: str) -> str:
    return escape(line(value, 2000))
