"""Whether an alert would reach a person."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from checks.base import Around, CouldNotLookError, Outcome, Settings, check
from checks.clients.alertmanager import receivers_of, routed_receivers
from checks.clients.errors import NotFoundError
from checks.judging import STEADY, Findings, whole
from checks.rules import wanted_by, without_series
from state.base.json import JsonObject, objs, text
from state.base.times import SECOND_US
from state.runbook.units import Seconds

if TYPE_CHECKING:
    from checks.clients.alertmanager import AlertmanagerClient, Receiver


class RoutedSettings(Settings):
    """The synthetic alert and what must become of it."""

    labels: dict[str, str] = {"severity": "critical"}
    """Besides its unique name: choose them so that it goes where a real one would."""
    human: tuple[str, ...] = (
        "pagerduty",
        "opsgenie",
        "victorops",
        "email",
        "slack",
        "telegram",
        "sns",
        "msteams",
    )
    """Integrations that reach people."""
    own_hosts: tuple[str, ...] = ()
    """Hosts of the platform itself, besides its domains: its webhook reaches nobody when it is down."""
    own_receivers: tuple[str, ...] = ()
    """Receivers that are the platform's own webhook.

    Alertmanager hides URLs, so a name is all that there is.
    """
    within: Seconds = 120.0
    """Seconds of the launch's clock until a notification is sent."""
    rules: bool = True
    """Every metric of every alert rule must exist."""
    ignored_metrics: tuple[str, ...] = ()
    """Metrics that exist only after their first event, such as an error."""


@check("alerts.routed", RoutedSettings, ttl=STEADY, leaves="a synthetic alert, and its notification")
async def routed(settings: RoutedSettings, around: Around) -> Outcome:
    """Judge by a synthetic alert that notifications leave for a person.

    And that the rules can fire at all.
    """
    found = Findings()
    client = around.systems.alertmanager(around.tier)
    receivers = await found.look(_receivers(client))
    if receivers is not None:
        _reaches_somebody(settings, receivers, around, found)
    name = f"LaunchConsoleProbe{secrets.token_hex(4)}"
    labels = {"alertname": name, "environment": str(around.tier), **settings.labels}
    sent = await found.look(_send(client, labels, around))
    if sent is not None:
        await _notified(settings, client, labels, around, found, sent)
    if settings.rules:
        await _rules(settings, around, found)
    return found.outcome("a synthetic alert was routed to people; every rule's metrics exist")


async def _receivers(client: AlertmanagerClient) -> list[Receiver]:
    config = await client.config()
    routed_names = routed_receivers(config)
    return [one for one in receivers_of(config) if one.name in routed_names]


def _reaches_somebody(
    settings: RoutedSettings, receivers: list[Receiver], around: Around, found: Findings
) -> None:
    hosts = (domain.host for domain in around.environment.domains.all())
    own = {*hosts, "localhost", *settings.own_hosts}
    shown, useful = [], False
    for one in receivers:
        outside = [url for url in one.urls if (urlsplit(url).hostname or "") not in own]
        useful |= one.name not in settings.own_receivers and bool(
            set(one.kinds) & set(settings.human) or outside
        )
        shown.append(f"{one.name}: {', '.join(one.kinds) or 'drops everything'}")
    found.saw("receivers", list(shown))
    if not receivers:
        found.wrong("no route of Alertmanager leads to a receiver")
    elif not useful:
        found.wrong(f"alerts reach nobody: {'; '.join(shown)}")


async def _counts(client: AlertmanagerClient, around: Around) -> dict[str, tuple[float, float]]:
    """Return the notifications sent and failed by integration, from Alertmanager or else from Prometheus."""
    try:
        return await client.notifications()
    except NotFoundError:
        prometheus = around.systems.prometheus(around.tier)
        sent, failed = [
            {
                sample.labels.get("integration", ""): sample.value
                for sample in await prometheus.query(
                    f"sum by (integration) (alertmanager_notifications_{which}total)"
                )
            }
            for which in ("", "failed_")
        ]
        return {kind: (sent.get(kind, 0.0), failed.get(kind, 0.0)) for kind in sent.keys() | failed.keys()}


async def _send(
    client: AlertmanagerClient, labels: dict[str, str], around: Around
) -> dict[str, tuple[float, float]]:
    before = await _counts(client, around)
    now = around.clock.wall_us()
    words = {"summary": "launch-console: a test of alert routing, nothing is wrong"}
    await client.post_alert(labels, words, starts_us=now, ends_us=now + 600 * SECOND_US)
    return before


async def _notified(
    settings: RoutedSettings,
    client: AlertmanagerClient,
    labels: dict[str, str],
    around: Around,
    found: Findings,
    before: dict[str, tuple[float, float]],
) -> None:
    found.saw("alert", labels["alertname"])
    hopeless = found.failed  # where nobody is told anyway, there is nothing to wait for
    try:
        within = 0.0 if hopeless else settings.within
        alert, sent, failed, waited = await _wait(within, client, labels, around, before)
    except CouldNotLookError as error:
        found.blind(str(error))
        return
    finally:
        await _resolve(client, labels, around, found)
    names = [text(one, "name") for one in objs(alert.get("receivers"))]
    found.saw("routed_to", list(names))
    found.saw("notifications_sent", {kind: whole(count) for kind, count in sent.items() if count})
    found.saw("notifications_failed", {kind: whole(count) for kind, count in failed.items() if count})
    found.saw("waited_s", waited)
    found.need(bool(alert), "the synthetic alert does not appear in Alertmanager")
    found.need(not alert or bool(names), "the synthetic alert is routed to no receiver")
    left = sum(count for kind, count in sent.items() if kind in settings.human or kind == "webhook")
    found.need(hopeless or left > 0, f"no notification left Alertmanager within {waited}s")
    bad = sorted(kind for kind, count in failed.items() if count > 0)
    found.need(not bad, f"notifications by {', '.join(bad)} failed")


async def _wait(
    within: float,
    client: AlertmanagerClient,
    labels: dict[str, str],
    around: Around,
    before: dict[str, tuple[float, float]],
) -> tuple[JsonObject, dict[str, float], dict[str, float], int]:
    started = around.clock.mono_us()
    settled = False
    while True:
        listed = await client.alerts({"alertname": labels["alertname"]})
        counts = await _counts(client, around)
        sent = {kind: count[0] - before.get(kind, (0.0, 0.0))[0] for kind, count in counts.items()}
        failed = {kind: count[1] - before.get(kind, (0.0, 0.0))[1] for kind, count in counts.items()}
        waited = (around.clock.mono_us() - started) // SECOND_US
        if settled or waited >= within:
            return next(iter(listed), {}), sent, failed, waited
        # A notification is counted when it begins, and its failure when it ends: one more look tells them apart.
        settled = bool(listed) and sum(sent.values()) > 0
        await around.clock.sleep(3.0)


async def _resolve(
    client: AlertmanagerClient, labels: dict[str, str], around: Around, found: Findings
) -> None:
    now = around.clock.wall_us()
    try:
        await client.post_alert(labels, {}, starts_us=now - SECOND_US, ends_us=now)
        found.saw("resolved", value=True)
    except CouldNotLookError as error:
        found.saw("resolved", value=False)
        found.blind(f"the synthetic alert could not be resolved again: {error}")


async def _rules(settings: RoutedSettings, around: Around, found: Findings) -> None:
    prometheus = around.systems.prometheus(around.tier)
    rules = await found.look(prometheus.rules())
    if rules is None:
        return
    wanted = wanted_by(rules)
    found.saw("alert_rules", len(wanted))
    found.need(bool(wanted), "Prometheus has no alert rule")
    dead = await found.look(without_series(prometheus, rules, settings.ignored_metrics))
    if dead is None:
        return
    found.saw("metrics_without_series", sorted(dead))
    for name, used in sorted(wanted.items()):
        if used & dead:
            found.wrong(f"alert {name} can never fire: {', '.join(sorted(used & dead))} does not exist")
