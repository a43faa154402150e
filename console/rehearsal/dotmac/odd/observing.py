"""What watches otherwise than one would expect, and rightly: receivers of every kind, silences, rules, CI, queues."""

from __future__ import annotations

from console.rehearsal.dotmac.faults.alerting import routes, ruled, silences
from console.rehearsal.dotmac.faults.changes import api_server_with, gone_from, switch
from console.rehearsal.dotmac.faults.monitors import lengths
from console.rehearsal.dotmac.names import Env
from console.rehearsal.sim.alertmanager import Config, Receiver, Route
from console.rehearsal.sim.alertmanager.routing import severity
from console.rehearsal.sim.prometheus.rules import AlertRule
from console.rehearsal.sim.prometheus.series import Matcher, MatchOp
from console.rehearsal.world.cluster_seed import KUBE_SYSTEM
from console.rehearsal.world.fault import Fault, odd
from console.rehearsal.world.world import World

_KINDS = (
    *("pagerduty", "opsgenie", "victorops", "pushover", "incidentio", "jira", "email", "slack", "telegram"),
    *("sns", "msteams", "msteamsv2", "discord", "webex", "wechat", "mattermost", "rocketchat"),
)

_FIRST_MINUTES, _LAST_MINUTES = 3, 8
"""Of the ten that queues are looked at for."""


def _closed(world: World) -> None:
    world.control.denials.append(lambda _user, _verb, _asked, namespace: namespace == KUBE_SYSTEM)


def _told_by(kind: str) -> Fault:
    config = Config(
        (Receiver("oncall", kind), Receiver("event-log")),
        Route("event-log", routes=(Route("oncall", (severity("critical"),), group_wait_s=10.0),)),
    )
    return odd(f"oncall-by-{kind}", "10.2", f"on-call is told by {kind}", routes(config))


ODD: tuple[Fault, ...] = (
    *(_told_by(kind) for kind in _KINDS),
    odd(
        "oncall-for-all",
        "10.2",
        "every alert goes to on-call, at once",
        routes(Config((Receiver("oncall", "pagerduty"),), Route("oncall", group_wait_s=0.0))),
    ),
    odd(
        "silence-of-one",
        "10.2",
        "an alert of somebody else is silenced",
        silences(Matcher("alertname", MatchOp.EQUAL, "BackupMissing")),
    ),
    odd(
        "silence-over",
        "10.2",
        "a silence of everything is over since an hour",
        silences(Matcher("alertname", MatchOp.REGEX, ".+"), hours=-1.0),
    ),
    odd(
        "rule-of-absence",
        "10.2",
        "a rule fires by a metric that is absent, which is right",
        ruled(AlertRule("BackupMissing", "absent(backup_failed_marker)", 3600, {"severity": "info"})),
    ),
    odd(
        "watchdog",
        "10.2",
        "a watchdog fires all the time",
        ruled(AlertRule("Watchdog", "vector(1)", 0, {"severity": "none"})),
    ),
    odd(
        "ci-again",
        "test",
        "the unit tests failed once, and succeeded when they were run again",
        switch("observers.ci_earlier", {"unit-tests": "failure"}, Env.STAGING),
    ),
    odd(
        "traces-late",
        "8.4",
        "traces come ten seconds late",
        switch("observers.trace_delay_s", 10.0, Env.STAGING),
    ),
    odd(
        "logs-late",
        "8.4",
        "log lines come ten seconds late",
        switch("observers.log_delay_s", 10.0, Env.STAGING),
    ),
    odd(
        "queue-burst",
        "6.3",
        "five thousand tasks waited for a minute, and are done",
        lengths(lambda n: 5000 if n == _FIRST_MINUTES else 0),
    ),
    odd(
        "queue-worked-off",
        "6.3",
        "many tasks wait, and get fewer",
        lengths(lambda n: 3000 - 250 * n),
    ),
    odd(
        "queue-batch",
        "6.3",
        "a batch of tasks was put in a minute ago",
        lengths(lambda n: 400 if n > _LAST_MINUTES else 0),
    ),
    odd(
        "hosted-control-plane",
        "4.3",
        "the cluster's control plane is hosted: no API server is seen",
        gone_from(KUBE_SYSTEM, "kube-apiserver-node-1"),
    ),
    odd("kube-system-closed", "4.3", "the console's account may not look into kube-system", _closed),
    odd(
        "audit-by-webhook",
        "4.3",
        "the API server sends its audit log to another system",
        api_server_with(
            1, "--audit-policy-file=/etc/kubernetes/audit.yaml", "--audit-webhook-config-file=/etc/audit.conf"
        ),
    ),
)
