"""What every CI system is asked for: the runs of a commit's jobs, every attempt of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol
from urllib.parse import parse_qsl, urlsplit

from checks.clients.errors import PartialError, Where, WrongContentError
from checks.clients.wire import Headers, Reply, Wire
from state.base.json import Json, JsonObject, items, objs

PAGES: Final = 40
"""Pages that are read of one list: a commit with more has no answer, rather than a part of one."""
NOT_YET: Final = 1 << 62
"""The time of a run that hasn't begun: it is newer than every one that has."""


class JobState(StrEnum):
    """How a run of a job stands."""

    PASSED = "passed"
    FAILED = "failed"
    RUNNING = "running"
    """It runs, or waits for its turn or for a person."""
    SKIPPED = "skipped"
    NEUTRAL = "neutral"
    UNKNOWN = "unknown"
    """The system said something that this version doesn't know, or two runs contradict each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run of a job of a commit."""

    name: str
    state: JobState
    word: str
    """The system's own word for the state."""
    commit: str
    """The commit that it ran for; empty where the system doesn't say."""
    order: tuple[int, int] = (0, 0)
    """The newest run of a name has the largest; runs with the same are equally new."""
    source: str = ""
    """Who told it, where one system has several tellers, as GitHub's apps: each has a newest run of its own."""
    at_us: int = 0
    """When it ended, or began; 0 where that isn't told."""
    url: str = ""


class CiClient(Protocol):
    """A system that ran the jobs of commits."""

    @property
    def where(self) -> Where:
        """Which system that is."""
        ...

    async def jobs(self, commit: str, names: Collection[str]) -> tuple[Job, ...]:
        """Return every run of a commit's jobs, those of ``names`` at least.

        Raises an error of ``checks.clients.errors`` where not all of them can be told.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


def newest(runs: Iterable[Job]) -> list[Job]:
    """Return the newest run of each name and source.

    Where several are equally new and not alike, which of them counts isn't known: its state is UNKNOWN.
    """
    known: dict[tuple[str, str], Job] = {}
    for run in runs:
        place = (run.name, run.source)
        other = known.get(place)
        if other is None or run.order > other.order:
            known[place] = run
        elif run.order == other.order and run.state is not other.state:
            word = f"{other.word} and {run.word}, and not which of them is newer"
            known[place] = Job(
                name=run.name, state=JobState.UNKNOWN, word=word, commit=run.commit, order=run.order,
                source=run.source,
            )  # fmt: skip
    return list(known.values())


async def pages(
    wire: Wire,
    path: str,
    params: Iterable[tuple[str, str]],
    *,
    expected: str,
    permission: str,
    headers: Headers | None = None,
) -> AsyncIterator[Json]:
    """Yield the JSON of each page of a list, as the Link header or GitLab's x-next-page names the next.

    Only the query of that address is taken: the credentials never follow it to another place.
    Raises PartialError where the list doesn't end.
    """
    asked, seen = list(params), set[tuple[tuple[str, str], ...]]()
    while tuple(asked) not in seen and len(seen) < PAGES:
        seen.add(tuple(asked))
        reply = await wire.send("GET", path, params=asked, headers=headers, expected=expected)
        yield reply.need_success(expected=expected, permission=permission).json(expected)
        following = _next(reply, asked)
        if following is None:
            return
        asked = following
    raise PartialError(f"{wire.where}: the list didn't end after {len(seen)} pages; expected {expected}")


def listed(where: Where, value: Json, expected: str) -> list[JsonObject]:
    """Return the objects of a list. Raises WrongContentError where it is none, or has something else in it."""
    found = objs(value)
    if not isinstance(value, list) or len(found) != len(items(value)):
        raise WrongContentError(f"{where} answered JSON that is not a list of objects; expected {expected}")
    return found


def _next(reply: Reply, asked: list[tuple[str, str]]) -> list[tuple[str, str]] | None:
    for part in ",".join(reply.all("link")).split(","):
        target, _, told = part.strip().partition(";")
        if "rel=next" in told.replace('"', "").replace(" ", "") and target.startswith("<"):
            query = parse_qsl(urlsplit(target.strip("<> ")).query, keep_blank_values=True)
            named = {key for key, _ in query}
            # A cursor may stand alone in the address: what it leaves out stays as it was asked for.
            return [*(one for one in asked if one[0] not in named), *query]
    number = (reply.header("x-next-page") or "").strip()
    return [*(one for one in asked if one[0] != "page"), ("page", number)] if number else None
