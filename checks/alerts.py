"""Whether an alert would reach a person."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from checks.base import CheckContext, CouldNotLookError, Outcome, Settings, check
from checks.clients.alertmanager import receivers_of, routed_receivers
from checks.clients.errors import NotFoundError, WrongContentError
from checks.guides import watching
from checks.judging import STEADY, Findings, whole
from checks.rules import dead_among, metrics_by_rule, without_series
from state.base.json import JsonObject, flag, obj, objs, text, texts
from state.base.text import line
from state.base.times import SECOND_US
from state.runbook.units import Seconds

if TYPE_CHECKING:
    from checks.clients.alertmanager import AlertmanagerClient, Receiver


class RoutedSettings(Settings):
    """The synthetic alert and what must become of it."""

    labels: dict[str, str] = {"severity": "critical"}
    """Besides its unique name: choose them so that it goes where a real one would."""
    human: tuple[str, ...] = (
        *("pagerduty", "opsgenie", "victorops", "pushover", "incidentio", "jira"),
        *("email", "slack", "telegram", "sns", "msteams", "msteamsv2", "discord", "webex", "wechat"),
        *("mattermost", "rocketchat"),
    )
    """Integrations that reach people: all that Alertmanager has (its configuration's ``…_configs``) but webhook."""
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


@check(
    "alerts.routed",
    RoutedSettings,
    guide=watching.ROUTED,
    ttl=STEADY,
    leaves="a synthetic alert, and its notification",
)
async def routed(settings: RoutedSettings, context: CheckContext) -> Outcome:
    """Judge by a synthetic alert that notifications leave for a person.

    And that the rules can fire at all.
    """
    findings = Findings()
    client = context.clients.alertmanager(context.tier)
    receivers = await findings.look(_receivers(client))
    if receivers is not None:
        _reaches_somebody(settings, receivers, context, findings)
    name = f"LaunchConsoleProbe{secrets.token_hex(4)}"
    labels = {"alertname": name, "environment": str(context.tier), **settings.labels}
    sent = await findings.look(_send(client, labels, context))
    if sent is not None:
        await _notified(settings, client, labels, context, findings, sent, receivers or [])
    await _connected(client, context, findings)
    if settings.rules:
        await _rules(settings, context, findings)
    rules = "; every rule's metrics exist" if settings.rules else ""
    return findings.outcome(f"a synthetic alert was routed to people{rules}")


async def _receivers(client: AlertmanagerClient) -> list[Receiver]:
    config = await client.config()
    routed_names = routed_receivers(config)
    return [receiver for receiver in receivers_of(config) if receiver.name in routed_names]


def _reaches_somebody(
    settings: RoutedSettings, receivers: list[Receiver], context: CheckContext, findings: Findings
) -> None:
    findings.saw("receivers", [_shown(receiver) for receiver in receivers])
    if not receivers:
        findings.wrong("no route of Alertmanager leads to a receiver")
    elif not _of_people(settings, receivers, context):
        findings.wrong(f"alerts reach nobody: {'; '.join(map(_shown, receivers))}")


def _shown(receiver: Receiver) -> str:
    return f"{receiver.name}: {', '.join(receiver.kinds) or 'drops everything'}"


def _of_people(settings: RoutedSettings, receivers: list[Receiver], context: CheckContext) -> list[Receiver]:
    """Return the receivers that tell somebody: not those that drop everything, nor the platform's own webhook."""
    hosts = (domain.host for domain in context.environment.domains.all())
    own = {*hosts, "localhost", *settings.own_hosts}
    return [
        receiver
        for receiver in receivers
        if receiver.name not in settings.own_receivers
        and (
            set(receiver.kinds) & set(settings.human)
            or any((urlsplit(url).hostname or "") not in own for url in receiver.urls)
        )
    ]


async def _counts(client: AlertmanagerClient, context: CheckContext) -> dict[str, tuple[float, float]]:
    """Return the notifications sent and failed by integration, from Alertmanager or else from Prometheus."""
    try:
        return await client.notifications()
    except NotFoundError:
        prometheus = context.clients.prometheus(context.tier)
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
    client: AlertmanagerClient, labels: dict[str, str], context: CheckContext
) -> dict[str, tuple[float, float]]:
    before = await _counts(client, context)
    now = context.clock.wall_us()
    words = {"summary": "launch-console: a test of alert routing, nothing is wrong"}
    await client.post_alert(labels, words, starts_us=now, ends_us=now + 600 * SECOND_US)
    return before


async def _notified(
    settings: RoutedSettings,
    client: AlertmanagerClient,
    labels: dict[str, str],
    context: CheckContext,
    findings: Findings,
    before: dict[str, tuple[float, float]],
    receivers: list[Receiver],
) -> None:
    findings.saw("alert", labels["alertname"])
    hopeless = findings.failed  # where nobody is told anyway, there is nothing to wait for
    try:
        within = 0.0 if hopeless else settings.within
        alert, sent, failed, waited = await _wait(within, client, labels, context, before)
    except CouldNotLookError as error:
        findings.blind(str(error))
        return
    finally:
        await _resolve(client, labels, context, findings)
    names = [text(receiver, "name") for receiver in objs(alert.get("receivers"))]
    findings.saw("routed_to", list(names))
    findings.saw("notifications_sent", {kind: whole(count) for kind, count in sent.items() if count})
    findings.saw("notifications_failed", {kind: whole(count) for kind, count in failed.items() if count})
    findings.saw("waited_s", waited)
    findings.need(bool(alert), "the synthetic alert does not appear in Alertmanager")
    findings.need(not alert or bool(names), "the synthetic alert is routed to no receiver")
    muted = obj(alert.get("status"))
    by = [word for word in ("silencedBy", "inhibitedBy", "mutedBy") if texts(muted.get(word))]
    findings.need(
        not by and text(muted, "state") != "suppressed",
        f"the synthetic alert is suppressed ({', '.join(by) or 'Alertmanager does not say by what'}): nobody is told",
    )
    # Only by what its own receivers notify: others' alerts go on meanwhile. And only by those of people: the platform
    # itself may be told of it too.
    routed_to = [receiver for receiver in receivers if receiver.name in names]
    people = _of_people(settings, routed_to, context)
    if routed_to and not people and not hopeless:
        hopeless = True
        findings.wrong(f"an alert like this one reaches nobody: {'; '.join(map(_shown, routed_to))}")
    kinds = {kind for receiver in people for kind in receiver.kinds} if receivers else None
    left = sum(
        count
        for kind, count in sent.items()
        if (kind in settings.human or kind == "webhook") and (kinds is None or kind in kinds)
    )
    findings.need(hopeless or left > 0, f"no notification left Alertmanager within {waited}s")
    bad = sorted(kind for kind, count in failed.items() if count > 0)
    findings.need(not bad, f"notifications by {', '.join(bad)} failed")


async def _wait(
    within: float,
    client: AlertmanagerClient,
    labels: dict[str, str],
    context: CheckContext,
    before: dict[str, tuple[float, float]],
) -> tuple[JsonObject, dict[str, float], dict[str, float], int]:
    started = context.clock.mono_us()
    settled = False
    while True:
        listed = await client.alerts({"alertname": labels["alertname"]})
        counts = await _counts(client, context)
        sent = {kind: count[0] - before.get(kind, (0.0, 0.0))[0] for kind, count in counts.items()}
        failed = {kind: count[1] - before.get(kind, (0.0, 0.0))[1] for kind, count in counts.items()}
        waited = (context.clock.mono_us() - started) // SECOND_US
        if settled or waited >= within:
            return next(iter(listed), {}), sent, failed, waited
        # A notification is counted when it begins, and its failure when it ends: one more look tells them apart.
        settled = bool(listed) and sum(sent.values()) > 0
        await context.clock.sleep(3.0)


async def _resolve(
    client: AlertmanagerClient, labels: dict[str, str], context: CheckContext, findings: Findings
) -> None:
    now = context.clock.wall_us()
    try:
        await client.post_alert(labels, {}, starts_us=now - SECOND_US, ends_us=now)
        findings.saw("resolved", value=True)
    except CouldNotLookError as error:
        findings.saw("resolved", value=False)
        findings.blind(f"the synthetic alert could not be resolved again: {error}")


def silences_everything(silence: JsonObject) -> bool:
    """Return whether an active silence matches whatever alert there is."""
    matchers = objs(silence.get("matchers"))
    every = all(
        flag(one, "isRegex") and one.get("isEqual") is not False and text(one, "value") in {".*", ".+"}
        for one in matchers
    )
    return bool(matchers) and every and text(obj(silence.get("status")), "state") == "active"


async def _connected(client: AlertmanagerClient, context: CheckContext, findings: Findings) -> None:
    """Judge that Prometheus sends to an Alertmanager, and that all of its peers are there."""
    await _senders(context, findings)
    for silence in await findings.look(client.silences()) or ():
        if silences_everything(silence):
            who = line(text(silence, "createdBy") or "somebody", 60)
            findings.wrong(f"a silence of {who} until {text(silence, 'endsAt')} hides every alert")
    status = await findings.look(client.status())
    cluster = text(obj((status or {}).get("cluster")), "status")
    findings.saw("alertmanager_cluster", cluster or "not told")
    findings.need(
        cluster in {"", "ready", "disabled"},
        f"Alertmanager's cluster is {cluster}: a peer is missing or just came",
    )


async def _senders(context: CheckContext, findings: Findings) -> None:
    """Judge that what evaluates the rules knows an Alertmanager."""
    prometheus = context.clients.prometheus(context.tier)
    try:
        known = len(await prometheus.alertmanagers())
    except (NotFoundError, WrongContentError):
        # A store that only speaks Prometheus' API: its ruler's own count, where it is scraped.
        counted = await findings.look(
            prometheus.query("sum(prometheus_notifications_alertmanagers_discovered)")
        )
        known = round(sum(sample.value for sample in counted or ()))
        if not known:
            findings.blind("the store doesn't tell which Alertmanager its rules' alerts go to")
            return
    except CouldNotLookError as error:
        findings.blind(str(error))
        return
    findings.saw("alertmanagers", known)
    findings.need(known > 0, "Prometheus is connected to no Alertmanager: no real alert ever arrives")


async def _rules(settings: RoutedSettings, context: CheckContext, findings: Findings) -> None:
    prometheus = context.clients.prometheus(context.tier)
    rules = await findings.look(prometheus.rules())
    if rules is None:
        return
    expected = metrics_by_rule(rules)
    findings.saw("alert_rules", len(expected))
    findings.need(bool(expected), "Prometheus has no alert rule")
    dead = await findings.look(without_series(prometheus, rules, settings.ignored_metrics))
    if dead is None:
        return
    findings.saw("metrics_without_series", sorted(dead))
    for rule in rules:
        if text(rule, "health") == "err":
            findings.wrong(
                f"rule {text(rule, 'name')} fails: {line(text(rule, 'lastError') or 'no reason given', 160)}"
            )
    for name, lacking in sorted(dead_among(rules, dead).items()):
        findings.wrong(f"alert {name} can never fire: {', '.join(lacking)} does not exist")
