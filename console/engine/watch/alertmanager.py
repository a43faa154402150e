"""Alerts and silences of production's Alertmanager, beside the stop conditions: an event for each that changes."""

from __future__ import annotations

from collections.abc import Mapping

from checks.base import CouldNotLookError
from console.engine.ports import ClientsPort
from console.engine.record.journal import Journal
from console.engine.watch.source_health import record_source_health
from state.base.json import JsonObject, flag, items, obj, objs, text
from state.base.text import line
from state.base.times import micros_of
from state.events.event import Draft
from state.events.world import AlertChanged, AlertGone
from state.log.errors import LogError
from state.runbook.models import Runbook
from state.view.enums import AlertState, Tier

# Alerts that a check posts to prove routing: they must not stop a bake.
_OWN = "LaunchConsoleProbe"
# In an alert storm each one that comes or goes is told, but new words for more than this would only fill the log.
_MANY = 200
_SILENCE = "silence/"
"""How the names of silences begin: they stand beside the alerts."""


class AlertWatch:
    """Asks for the alerts at every interval, for ever."""

    def __init__(self, journal: Journal, runbook: Runbook, clients: ClientsPort) -> None:
        self._journal = journal
        self._clients = clients
        self._env = Tier.PRODUCTION
        self._ignored = runbook.bake.ignored_alerts
        self._step = max(1, round(runbook.bake.interval))

    async def run(self) -> None:
        """Look at every interval of the clock."""
        while True:
            try:
                await self.tick()
            except LogError:
                raise
            except Exception as error:
                reason = f"looking at them failed ({type(error).__name__}) and starts again"
                await record_source_health(self._journal, f"alertmanager/{self._env.value}", False, reason)
                raise
            await self._journal.clock.sleep(self._step)

    async def tick(self) -> None:
        """Record what differs from what the log knows."""
        name = f"alertmanager/{self._env.value}"
        try:
            found = await self._clients.alertmanager(self._env).alerts()
        except CouldNotLookError as error:
            await record_source_health(self._journal, name, False, str(error))
            return
        await record_source_health(self._journal, name, True)
        known = {a.name: a for a in self._journal.view.alerts.values() if a.env == self._env.value}
        now = {body.name: body for one in found if (body := self._body(one)) is not None}
        now |= await self._silences(known)
        turned = [alert for key, alert in now.items() if _turn(known.get(key)) != _turn(alert)]
        reworded = [alert for key, alert in now.items() if key in known and _only_words(known[key], alert)]
        drafts = [Draft(alert) for alert in (*turned, *reworded[:_MANY])]
        drafts += [Draft(AlertGone(self._env.value, key)) for key in known if key not in now]
        if drafts:
            await self._journal.record_many(drafts)

    async def _silences(self, known: Mapping[str, AlertChanged]) -> dict[str, AlertChanged]:
        """Return the active silences, or those that are known where an account may see the alerts only."""
        try:
            found = await self._clients.alertmanager(self._env).silences()
        except CouldNotLookError:
            return {name: body for name, body in known.items() if name.startswith(_SILENCE)}
        bodies = (silence_body(self._env.value, one) for one in found)
        return {body.name: body for body in bodies if body is not None}

    def _body(self, alert: JsonObject) -> AlertChanged | None:
        labels, status = obj(alert.get("labels")), obj(alert.get("status"))
        name = text(labels, "alertname")
        if name.startswith(_OWN) or self._says_nothing_bad(labels):
            return None
        words = obj(alert.get("annotations"))
        return AlertChanged(
            env=self._env.value,
            name=line(text(alert, "fingerprint"), 64),
            alert=line(name, 120),
            severity=line(text(labels, "severity"), 40),
            state=_state(status),
            summary=line(text(words, "summary") or text(words, "description"), 200),
            since_us=micros_of(text(alert, "startsAt")),
        )

    def _says_nothing_bad(self, labels: Mapping[str, object]) -> bool:
        return any(labels.get(key) == value for key, value in self._ignored.items())


def _turn(alert: AlertChanged | None) -> tuple[AlertState, int] | None:
    """Return what of an alert is never left out: whether it fires, and since when."""
    return None if alert is None else (alert.state, alert.since_us)


def _only_words(old: AlertChanged, new: AlertChanged) -> bool:
    return old != new and _turn(old) == _turn(new)


def silence_body(env: str, silence: JsonObject) -> AlertChanged | None:
    """Return the body of an active silence: what it hides, and who says why until when; None for others."""
    if text(obj(silence.get("status")), "state") != "active":
        return None
    hides = ", ".join(_matcher(matcher) for matcher in objs(silence.get("matchers")))
    until = text(silence, "endsAt")[:16].replace("T", " ")
    message = f"by {text(silence, 'createdBy') or 'nobody'} until {until}Z: {text(silence, 'comment')}"
    return AlertChanged(
        env=env,
        name=line(f"{_SILENCE}{text(silence, 'id')}", 64),
        alert=line(hides or "everything", 120),
        severity="",
        state=AlertState.SILENCE,
        summary=line(message, 200),
        since_us=micros_of(text(silence, "startsAt")),
    )


def _matcher(matcher: JsonObject) -> str:
    regex, equal = flag(matcher, "isRegex"), matcher.get("isEqual") is not False
    sign = {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}[regex, equal]
    return f"{text(matcher, 'name')}{sign}{text(matcher, 'value')}"


def _state(status: JsonObject) -> AlertState:
    if items(status.get("silencedBy")):
        return AlertState.SILENCED
    return AlertState.INHIBITED if items(status.get("inhibitedBy")) else AlertState.FIRING
