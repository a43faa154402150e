"""Reads reports again, as whoever counts them would: which part tells which event, and with which words."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, TypeAlias

from state.base.text import line

Told: TypeAlias = "dict[str, list[tuple[int, str]]]"
"""By part of the report: (event, what is told of it)."""

_ENTRY = re.compile(r"( *)- \*\*#(\d+)\b")
_ROW = re.compile(r"\| #(\d+) \|")
_VOID = {"meta", "link", "br", "path", "rect", "circle"}
PARTS = {
    "Timeline": "timeline", "Gates": "gates", "Waivers": "waivers", "Holds": "holds", "Take-overs": "take-overs",
    "Notes": "notes", "Requests and grants": "requests", "Go/no-go polls": "polls", "Operations": "operations",
    "Stop conditions": "conditions", "Bake": "bake", "Blind": "blind", "Deviations": "deviations",
    "Changes of the runbook": "runbook", "Participants": "participants",
    "What the head proves, and what not": "head", "Pipeline": "pipeline",
    "What ran at the end": "running", "Curves": "curves",
}  # fmt: skip


def words(value: str) -> str:
    """Return a text as a report shows it, without what Markdown puts around it."""
    return " ".join(line(value, 20_000).split())


def of_markdown(page: str) -> Told:
    told: Told = defaultdict(list)
    part, fence, open_ = "", "", list[tuple[int, int, list[str]]]()

    def close(indent: int) -> None:
        while open_ and open_[-1][0] >= indent:
            _, seq, lines = open_.pop()
            told[part].append((seq, "\n".join(lines)))

    for raw in page.split("\n"):
        bare = raw.strip()
        ticks = re.match(r"`{3,}", bare)
        if ticks and (not fence or bare == fence):
            fence = "" if fence else ticks[0]
            continue
        if not fence and (head := re.match(r"#{2,6} (.*)", raw)):
            close(0)
            part = PARTS[unmarked(head[1])] if raw.startswith("## ") else part
        if not fence and (found := _ENTRY.match(raw)):
            close(len(found[1]))
            open_.append((len(found[1]), int(found[2]), []))
        elif not fence and (other := re.match(r"( *)- ", raw)):
            close(len(other[1]))
        if not fence and (row := _ROW.match(raw)):
            told[part].append((int(row[1]), unmarked(raw)))
        for _, _, lines in open_:
            lines.append(bare if fence else unmarked(bare))
    close(0)
    return told


def unmarked(value: str) -> str:
    """Return a line of Markdown as its reader sees it."""
    return re.sub(r"\\(.)|`|\*\*", lambda found: found[1] or "", value)


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.told: Told = defaultdict(list)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self._stack: list[tuple[str, str, int, list[str]]] = []
        self._parts: list[str] = []
        self.ids: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.attributes.append((tag, given))
        self.ids.update([one for one in [given.get("id")] if one])
        if tag in _VOID:
            return
        part = str(given["id"]) if tag == "section" else ""
        self._parts += [part] if part else []
        self._stack.append((tag, part, int(given.get("data-event") or 0), []))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        for _, _, _, told in self._stack:
            told.append(data)

    def handle_endtag(self, tag: str) -> None:
        opened, part, seq, told = self._stack.pop()
        assert opened == tag, f"<{opened}> is closed by </{tag}>"
        if seq:
            self.told[self._parts[0]].append((seq, " ".join("".join(told).split())))
        if part:
            self._parts.pop()


def parsed(page: str) -> _Html:
    reader = _Html()
    reader.feed(page)
    reader.close()
    return reader


def of_html(page: str) -> Told:
    return parsed(page).told


_JSON = {
    "timeline": ("timeline",), "holds": ("holds",), "take-overs": ("take_overs",), "notes": ("notes",),
    "waivers": ("waivers",), "operations": ("operations",), "requests": ("requests",), "polls": ("polls",),
    "deviations": ("deviations",), "runbook": ("runbook_changes",), "participants": ("consoles", "engines"),
    "head": ("anchored",), "gates": ("gate_changes", "recyclings"), "bake": ("bakes",), "blind": ("blindness",),
}  # fmt: skip


def of_json(page: str) -> Told:
    whole = json.loads(page)
    told: Told = defaultdict(list)
    for part, names in _JSON.items():
        told[part] += [(one["seq"], _texts(one)) for name in names for one in whole[name]]
    told["bake"] += [(m["seq"], _texts(m)) for bake in whole["bakes"] for m in bake["extensions"]]
    items = [item for gate in whole["gates"] for item in gate["items"]] + [whole["elsewhere"]]
    for item in items:
        for name in ("results", "words", "withdrawals"):
            told["gates"] += [(one["seq"], _texts(one)) for one in item[name]]
    for one in whole["conditions"]:
        told["conditions"] += [(each["seq"], _texts(each)) for each in (*one["history"], *one["deeds"])]
    return told


def _texts(value: object) -> str:
    return " ".join(_each(value))


def _each(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield words(value)
    elif isinstance(value, bool):
        yield "GO" if value else "NO-GO"
    elif isinstance(value, dict):
        for one in value.values():
            yield from _each(one)
    elif isinstance(value, list):
        for one in value:
            yield from _each(one)
