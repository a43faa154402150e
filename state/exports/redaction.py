"""What an export leaves out of a launch that is handed to others. The log itself is never changed.

``people``: names, ids, accounts, keys and addresses (mail, IP) become pseudonyms, the same one everywhere in a log.
``strict``: of texts only those stay that this list knows to be words of the program, numbers or ids of the runbook's
items, checks, conditions, graphs and operations; everything else (titles, comments, reasons, hosts, commands, output,
evidence) is gone, so that a new field is gone too. What this version doesn't know is left out at both levels.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from state.base.codec import LOG
from state.base.frozen import replace
from state.base.images import digest_of
from state.base.json import Json, JsonObject
from state.events.bodies import body_of
from state.events.event import REDACTED_BODY, Event, Unlisted
from state.events.launch import Candidate, LaunchOpened, Person
from state.events.world import AlertChanged, AlertGone, IngressChanged, IngressGone, PodChanged, PodGone
from state.view.rollbacks import ENGINE

GONE = "[redacted]"


class Level(StrEnum):
    """How much is left out."""

    NONE = "none"
    PEOPLE = "people"
    STRICT = "strict"


_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")
_IPV6 = re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){2,7}(?::?[0-9A-Fa-f]{1,4}){1,7}(?![\w:])")
_KEY = re.compile(r"SHA256:[A-Za-z0-9+/]{20,}=*|(?:ssh|ecdsa|sk)-[\w@.-]+ [A-Za-z0-9+/=]{20,}(?: \S+)?")
_UID = re.compile(r"\b(uid|gid|pid) \d+")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")
_SIGNED = frozenset({"statement", "signature", "key"})
"""A signature is of the words as they were, and says whose they are."""
_MACHINE = frozenset({"tty", "account", "boot", "folder"})
_KEPT = frozenset(
    {
        # Ids and words of the runbook and of the program.
        *(
            "item",
            "check",
            "items",
            "gates",
            "env",
            "tier",
            "kind",
            "unit",
            "condition",
            "on_trip",
            "command",
        ),
        *("ttl_s", "stages", "role", "roles", "needs", "outcome", "answer", "occasion", "offers"),
        *("values", "head", "anchor", "schema_sha256", "app", "version", "sqlite", "log_id", "launch_id"),
        *("runbook_digest", "digest", "before", "manifest_sha", "diff_sha", "inputs_sha", "shown", "commit"),
        *("severity", "phase", "presence", "status", "stream", "sha256"),
    }
)
_IDS = frozenset(
    {
        *("condition.declared", "condition.changed", "condition.acknowledged", "condition.answered"),
        *("condition.muted", "condition.countdown", "graph.declared", "operation.declared", "stage.declared"),
        *(
            "operation.intended",
            "operation.started",
            "operation.step",
            "operation.output",
            "operation.aborted",
        ),
        *("operation.finished", "operation.unknown", "gate.declared", "source.changed"),
    }
)
"""Kinds whose ``id`` and ``name`` are the runbook's or the program's, not a person's or an object's."""

_OBJECTS = frozenset(
    one.KIND for one in (PodChanged, PodGone, IngressChanged, IngressGone, AlertChanged, AlertGone)
)
"""Kinds whose ``name`` is what ties a later event to an earlier one: it is replaced, not left out."""


class Redaction:
    """Makes events of a log fit for others, by a level; pseudonyms are numbered as they first appear."""

    def __init__(self, level: Level, events: Iterable[Event]) -> None:
        """``events``: all of the log, from which the people are learnt."""
        self._level = level
        self._names: dict[str, str] = {}
        self._found: dict[str, dict[str, str]] = {}
        parts: dict[str, set[str]] = {}
        others: list[str] = []
        for event in events:
            body = body_of(event) if event.kind == LaunchOpened.KIND else None
            for person in body.people if isinstance(body, LaunchOpened) else ():
                called = self._learn(
                    (person.id, person.name, *(one for one in person.accounts if one != "*"))
                )
                # Parts of a name, too: "ann said so". Two letters would be found in any sentence.
                for part in re.split(r"[\s,]+", person.name):
                    parts.setdefault(part, set()).add(called)
            account = event.body.get("account")
            others += [event.actor, *([account] if isinstance(account, str) else [])]
        for other in others:
            self._learn((other,))
        for part, whose in parts.items():
            if len(part) > 2:
                self._names.setdefault(part, whose.pop() if len(whose) == 1 else "person")
        longest = sorted(self._names, key=len, reverse=True)
        words = "|".join(map(re.escape, longest))
        self._words = re.compile(rf"(?<!\w)(?:{words})(?!\w)") if words else None

    def __call__(self, event: Event) -> Event:
        """Return what may be told of an event."""
        if self._level is Level.NONE:
            return event
        body = body_of(event)
        if isinstance(body, Unlisted) or event.body == REDACTED_BODY:
            told: JsonObject = REDACTED_BODY
        else:
            told = LOG.dump(self._fields(body, event.kind))
        actor = event.actor if event.actor == ENGINE else self._people(event.actor)
        if self._level is Level.STRICT and actor != ENGINE and not actor.startswith("person-"):
            actor = GONE
        return replace(event, actor=actor, session="", boot="", body=told)

    def _learn(self, names: Iterable[str]) -> str:
        """Give a person's names one pseudonym, that of the first of them which has one; an account may be shared."""
        own = [name for name in dict.fromkeys(names) if name.strip() and name != ENGINE]
        if not own:
            return ENGINE
        called = self._names.get(own[0]) or self._called("person", own[0])
        for name in own:
            self._names.setdefault(name, called)
        return called

    def _fields(self, value: object, kind: str) -> object:
        """Return a dataclass with each of its fields as the level wants it."""
        changes = {
            field.name: self._value(getattr(value, field.name), field.name, kind)
            for field in dataclasses.fields(value)  # type: ignore[arg-type]  # only dataclasses come here
        }
        if isinstance(value, Person):
            changes["roles"] = value.roles
            changes["signing_keys"] = ()
        if isinstance(value, Candidate) and self._level is Level.STRICT:
            changes["images"] = tuple((name, digest_of(ref) or GONE) for name, ref in value.images)
            changes["version"] = value.version
        return dataclasses.replace(value, **changes)  # type: ignore[type-var]  # the same

    def _value(self, value: object, name: str, kind: str) -> object:
        if isinstance(value, StrEnum) or value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return self._text(value, name, kind)
        if isinstance(value, tuple):
            return tuple(self._value(one, name, kind) for one in value)
        if isinstance(value, Mapping):
            return {} if self._level is Level.STRICT else self._json(value, name, kind)
        if dataclasses.is_dataclass(value):
            return self._fields(value, kind)
        if isinstance(value, list):
            return [self._value(one, name, kind) for one in value]
        return value

    def _json(self, value: Mapping[str, Json], name: str, kind: str) -> dict[str, object]:
        return {self._people(key): self._value(one, name, kind) for key, one in value.items()}

    def _text(self, value: str, name: str, kind: str) -> str:
        if not value:
            return value
        if name in _SIGNED:
            return ""
        structural = name in _KEPT or (name in {"id", "name"} and kind in _IDS)
        if structural:
            return value
        told = self._people(value)
        if self._level is Level.PEOPLE:
            return GONE if name in _MACHINE and told == value else told
        if kind in _OBJECTS:
            return self._called("object", value) if name == "name" else GONE
        return told if re.fullmatch(r"person-\d+", told) else GONE

    def _people(self, value: str) -> str:
        """Return a text with a pseudonym for each person, key and address in it."""
        value = _KEY.sub(lambda found: self._called("key", found[0]), value)
        value = _MAIL.sub(self._address, value)
        if self._words is not None:
            value = self._words.sub(lambda found: self._names[found[0]], value)
        value = _IPV4.sub(self._address, value)
        value = _IPV6.sub(
            lambda found: found[0] if _CLOCK.fullmatch(found[0]) else self._address(found), value
        )
        return _UID.sub(r"\1", value)

    def _address(self, found: re.Match[str]) -> str:
        if found[0] in self._names:
            return self._names[found[0]]
        return self._called("address", found[0])

    def _called(self, what: str, value: str) -> str:
        kept = self._found.setdefault(what, {})
        return kept.setdefault(value, f"{what}-{len(kept) + 1}")
