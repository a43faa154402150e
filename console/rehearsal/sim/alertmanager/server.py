"""The HTTP API of Alertmanager, version 2."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

from aiohttp import web

from console.rehearsal.sim.alertmanager.alerts import (
    Alert,
    Groups,
    Notification,
    Silence,
    fingerprint,
    read_matcher,
)
from console.rehearsal.sim.alertmanager.routing import Config
from console.rehearsal.sim.hooks import Before, guarded
from console.rehearsal.sim.prometheus.answers import read_time, stamp
from console.rehearsal.sim.prometheus.series import Labels, Matcher, MatchOp, label, labels_of
from console.rehearsal.sim.prometheus.tree import QueryError
from state.base.clock import Clock
from state.base.json import FieldError, Json, JsonObject, flag, items, need_text, obj, objs, opt_text, text

_RESOLVE_TIMEOUT_MS = 300_000


class Alertmanager:
    """An Alertmanager that notifies into ``inbox``.

    Receivers named in ``failing`` cannot be reached. ``on_notification(integration, failed)`` is called for
    every attempt. Alerts are told at their time by the clock, while the application runs or when ``flush``
    is called.
    """

    def __init__(
        self,
        clock: Clock,
        config: Config | None = None,
        *,
        on_notification: Callable[[str, bool], None] | None = None,
        seed: int | str = 0,
    ) -> None:
        self.hooks: list[Before] = []
        self.inbox: list[Notification] = []
        self.failing: set[str] = set()
        self.cluster_status = "ready"
        self.external_url = "http://alertmanager.example"
        self._clock = clock
        self._groups = Groups(config or Config())
        self._alerts: dict[Labels, Alert] = {}
        self._silences: dict[str, Silence] = {}
        self._on_notification = on_notification
        self._ids = random.Random(f"alertmanager/{seed}")
        self._started_ms = self._now()

    @property
    def config(self) -> Config:
        """Return the configuration."""
        return self._groups.config

    def set_config(self, config: Config) -> None:
        """Load another configuration: groups are made anew, as a reload does."""
        self._groups = Groups(config)
        now = self._now()
        for alert in self._alerts.values():
            self._groups.add(alert, now)

    def application(self) -> web.Application:
        """Return the server as an application of aiohttp."""
        app = guarded(self.hooks)
        app.add_routes(
            [
                web.get("/api/v2/status", self._status),
                web.get("/api/v2/receivers", self._receivers),
                web.get("/api/v2/alerts", self._list_alerts),
                web.post("/api/v2/alerts", self._post_alerts),
                web.get("/api/v2/alerts/groups", self._list_groups),
                web.get("/api/v2/silences", self._list_silences),
                web.post("/api/v2/silences", self._post_silence),
                web.get("/api/v2/silence/{id}", self._one_silence),
                web.delete("/api/v2/silence/{id}", self._end_silence),
                web.get("/-/ready", _ok),
                web.get("/-/healthy", _ok),
            ]
        )
        app.cleanup_ctx.append(self._telling)
        return app

    async def _telling(self, _: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(self._tell_for_ever())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def _tell_for_ever(self) -> None:
        while True:
            await self._clock.sleep(max(1.0, self._clock.rate() * 0.1))
            self.flush()

    def _now(self) -> int:
        return self._clock.wall_us() // 1000

    def flush(self) -> None:
        """Tell every group that is due, each as of its own time."""
        now = self._now()
        while (group := self._groups.due(now)) is not None:
            at_ms = group.due_ms
            news = group.news(at_ms, list(self._silences.values()))
            receiver = self.config.receiver(group.route.receiver)
            if news and receiver.integration:
                delivered = receiver.name not in self.failing
                body = group.webhook(at_ms, news, self.external_url)
                self.inbox.append(Notification(receiver, at_ms, delivered, body))
                if self._on_notification is not None:
                    self._on_notification(receiver.integration, not delivered)
                if delivered:
                    group.note_sent(at_ms, news)
            elif news:
                group.note_sent(at_ms, news)
            self._groups.settle(group)

    def post(self, alerts: Iterable[JsonObject]) -> None:
        """Take alerts in, as a POST to ``/api/v2/alerts`` does: all of them or none.

        Raises ValueError with the message of the API.
        """
        self.flush()
        now = self._now()
        read = [_read_alert(one, now) for one in alerts]
        for alert in read:
            known = self._alerts.get(alert.labels)
            if known is not None and known.ends_ms > now and alert.starts_ms > known.starts_ms:
                alert.starts_ms = known.starts_ms
            self._alerts[alert.labels] = alert
            self._groups.add(alert, now)

    def _active(self) -> list[Alert]:
        now = self._now()
        self._alerts = {key: one for key, one in self._alerts.items() if one.ends_ms + 900_000 > now}
        return [alert for alert in self._alerts.values() if alert.ends_ms > now]

    def _silenced_by(self, alert: Alert) -> list[str]:
        now = self._now()
        return [silence.id for silence in self._silences.values() if silence.covers(alert.labels, now)]

    def _shown(self, alerts: Iterable[Alert], request: web.Request) -> list[Json]:
        matchers = [read_matcher(one) for one in request.query.getall("filter", [])]
        expected = request.query.get("receiver", "")
        receivers = Matcher("", MatchOp.REGEX, expected or ".*")
        shown: list[Json] = []
        for alert in sorted(alerts, key=lambda one: fingerprint(one.labels)):
            silences = self._silenced_by(alert)
            hidden = request.query.get("silenced" if silences else "active") == "false"
            receiver = self.config.route.find(alert.labels).receiver
            matching = all(matcher.matches(label(alert.labels, matcher.name)) for matcher in matchers)
            if matching and not hidden and receivers.matches(receiver):
                shown.append(alert.to_json(receiver, silences))
        return shown

    async def _list_alerts(self, request: web.Request) -> web.Response:
        self.flush()
        try:
            return _json(self._shown(self._active(), request))
        except ValueError as problem:
            return _json(str(problem), 400)

    async def _list_groups(self, request: web.Request) -> web.Response:
        self.flush()
        now = self._now()
        shown: list[Json] = []
        for group in self._groups.groups.values():
            firing = [alert for alert in group.alerts.values() if alert.ends_ms > now]
            try:
                alerts = self._shown(firing, request)
            except ValueError as problem:
                return _json(str(problem), 400)
            if alerts:
                receiver: Json = {"name": group.route.receiver}
                shown.append({"alerts": alerts, "labels": dict(group.labels), "receiver": receiver})
        return _json(shown)

    async def _post_alerts(self, request: web.Request) -> web.Response:
        try:
            body: Json = json.loads(await request.text())
            if not isinstance(body, Sequence) or isinstance(body, str):
                return _json("a list of alerts was expected", 400)
            self.post([obj(one) for one in items(body)])
        except ValueError as problem:
            return _json(str(problem), 400)
        return web.Response()

    async def _status(self, _: web.Request) -> web.Response:
        return _json(
            {
                "cluster": {"name": "01JREHEARSAL0000000000000", "peers": [], "status": self.cluster_status},
                "config": {"original": self.config.original()},
                "uptime": stamp(self._started_ms),
                "versionInfo": {
                    "branch": "HEAD",
                    "buildDate": "20250307-15:05:18",
                    "buildUser": "root@rehearsal",
                    "goVersion": "go1.23.7",
                    "revision": "0" * 40,
                    "version": "0.28.1",
                },
            }
        )

    async def _receivers(self, _: web.Request) -> web.Response:
        return _json([{"name": receiver.name} for receiver in self.config.receivers])

    async def _list_silences(self, request: web.Request) -> web.Response:
        now = self._now()
        try:
            matchers = [read_matcher(one) for one in request.query.getall("filter", [])]
        except ValueError as problem:
            return _json(str(problem), 400)
        shown = [
            silence.to_json(now)
            for silence in self._silences.values()
            if all(
                any(own.name == m.name and m.matches(own.value) for own in silence.matchers) for m in matchers
            )
        ]
        return _json(shown)

    def silence(self, *matchers: Matcher, hours: float = 24.0, by: str = "somebody") -> Silence:
        """Silence alerts from a minute ago on, for some hours; below zero: until then, long ago."""
        now, identity = self._now(), str(uuid.UUID(int=self._ids.getrandbits(128), version=4))
        ends = now + round(hours * 3_600_000)
        made = Silence(identity, matchers, min(now - 60_000, ends - 60_000), ends, now, by, "rehearsal")
        self._silences[identity] = made
        return made

    async def _post_silence(self, request: web.Request) -> web.Response:
        try:
            body = obj(json.loads(await request.text()))
            silence = self._read_silence(body)
        except ValueError as problem:
            return _json(str(problem), 400)
        known = text(body, "id")
        if known and known not in self._silences:
            return _json(f"silence {known} not found", 404)
        self._silences[silence.id] = silence
        return _json({"silenceID": silence.id})

    def _read_silence(self, body: JsonObject) -> Silence:
        now = self._now()
        matchers = tuple(_read_silence_matcher(matcher) for matcher in objs(body.get("matchers")))
        if not matchers:
            raise ValueError("silence invalid: at least one matcher required")
        starts, ends = (_moment(need_text(body, key)) for key in ("startsAt", "endsAt"))
        if ends <= max(now, starts):
            raise ValueError("end time must be in the future, and after the start time")
        name = text(body, "id") or str(uuid.UUID(int=self._ids.getrandbits(128), version=4))
        by, comment = need_text(body, "createdBy"), need_text(body, "comment")
        return Silence(name, matchers, max(starts, now), ends, now, by, comment)

    async def _one_silence(self, request: web.Request) -> web.Response:
        silence = self._silences.get(request.match_info["id"])
        return web.Response(status=404) if silence is None else _json(silence.to_json(self._now()))

    async def _end_silence(self, request: web.Request) -> web.Response:
        silence = self._silences.get(request.match_info["id"])
        if silence is None:
            return web.Response(status=404)
        silence.ends_ms = silence.updated_ms = self._now()
        return web.Response()


async def _ok(_: web.Request) -> web.Response:
    return web.Response(text="OK")


def _json(body: Json, status: int = 200) -> web.Response:
    return web.json_response(body, status=status)


def _moment(value: str) -> int:
    try:
        return read_time(value, "time")
    except QueryError:
        raise ValueError(f"parsing time {value!r} failed") from None


def _read_silence_matcher(body: JsonObject) -> Matcher:
    equal, regex = body.get("isEqual") is not False, flag(body, "isRegex")
    op = {
        (True, False): MatchOp.EQUAL,
        (False, False): MatchOp.NOT_EQUAL,
        (True, True): MatchOp.REGEX,
        (False, True): MatchOp.NOT_REGEX,
    }[equal, regex]
    return Matcher(need_text(body, "name"), op, need_text(body, "value"))


def _strings(body: JsonObject, key: str) -> dict[str, str]:
    out: dict[str, str] = {}
    for name, value in obj(body.get(key)).items():
        if not isinstance(value, str):
            raise FieldError(f"{key}.{name} in body must be of type string")
        out[name] = value
    return out


def _read_alert(body: JsonObject, now_ms: int) -> Alert:
    """Read a posted alert; where times are missing they are set as Alertmanager sets them."""
    labels = labels_of(_strings(body, "labels").items())
    if not labels:
        raise ValueError("at least one label pair required")
    starts, ends = (_optional(opt_text(body, key)) for key in ("startsAt", "endsAt"))
    if starts is None:
        starts = now_ms if ends is None else min(now_ms, ends)
    if ends is None:
        ends = now_ms + _RESOLVE_TIMEOUT_MS
    if ends < starts:
        raise ValueError("start time must be before end time")
    return Alert(labels, _strings(body, "annotations"), starts, ends, now_ms, text(body, "generatorURL"))


def _optional(value: str | None) -> int | None:
    if not value or value.startswith("0001-01-01T00:00:00"):
        return None
    return _moment(value)
