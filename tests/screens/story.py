"""A whole launch as a deterministic list of events: what every test of the screens looks at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import yaml

from state.base.json import Json, JsonObject, decimal_text, integer, obj, objs, opt_text, text, texts
from state.events.bake import BakeProgress, BakeStarted, ConditionChanged
from state.events.declared import (
    ConditionDeclared,
    EnvironmentDeclared,
    GateDeclared,
    GraphDeclared,
    OperationDeclared,
    StageDeclared,
)
from state.events.event import Event, gate_key
from state.events.gates import AttestSigned, CheckFinished, CheckStarted, GateChanged
from state.events.launch import ConsoleOpened, EngineStarted, LaunchHeld, LaunchOpened
from state.events.log import LogOpened, NoteAdded
from state.events.operations import (
    OperationFinished,
    OperationIntended,
    OperationOutput,
    OperationStarted,
    OperationStep,
)
from state.events.world import IngressChanged, MetricBatch, MetricGap, PodChanged, SourceChanged
from state.fold import fold
from state.view.launch import LaunchView

START_US = 1_796_155_200_000_000
"""2026-12-01T20:00:00Z, when the window opens."""
SECOND_US = 1_000_000
RUNBOOK = Path(__file__).with_name("story.yaml")
CHECKED = {"2.1": "openapi", "3.2": "csp", "3.4": "cookies", "4.1": "stores", "5.2": "cors", "5.3": "reach",
           "6.1": "tls", "6.2": "health", "6.5": "namespace", "6.7": "values", "7.2": "alembic", "7.3": "sql",
           "8.3": "smoke", "9.1": "digests", "9.3": "health", "10.2": "alerts"}  # fmt: skip


@dataclass
class Story:
    """Writes events one after another; the clock moves only when it is told to."""

    events: list[Event] = field(default_factory=list)
    now_us: int = START_US

    def wait(self, seconds: float) -> None:
        self.now_us += int(seconds * SECOND_US)

    def tell(
        self,
        kind: str,
        body: JsonObject,
        *,
        gate: int | None = None,
        ref: int | None = None,
        actor: str = "engine",
    ) -> int:
        """Append an event and return its sequence number."""
        seq = len(self.events) + 1
        self.events.append(
            Event(
                seq=seq,
                eid=f"e{seq:06d}",
                kind=kind,
                gate=None if gate is None else gate_key(gate),
                ref=ref,
                actor=actor,
                session="s1",
                boot="0" * 16,
                wall_us=self.now_us,
                mono_us=self.now_us - START_US,
                body=body,
                hash=sha256(f"{seq}{kind}".encode()).hexdigest(),
            )
        )
        return seq

    def view(self) -> LaunchView:
        return fold(self.events)

    # -- what the engine declares ------------------------------------------------------------------

    def declare(self, *, title: str = "PRODUCTION (rehearsal)") -> None:
        runbook = obj(yaml.safe_load(RUNBOOK.read_text()))
        scope, candidate = obj(runbook["scope"]), obj(runbook["candidate"])
        images = [[name, str(ref)] for name, ref in obj(candidate["images"]).items()]
        self.tell(LogOpened.KIND, {"log_id": "5f3a9c01" * 4})
        self.tell(EngineStarted.KIND, {"pid": 4242, "resumed": False})
        self.tell(
            LaunchOpened.KIND,
            {
                "launch_id": "launch-1",
                "title": text(scope, "title"),
                "window_start_us": START_US,
                "window_end_us": START_US + 6 * 3600 * SECOND_US,
                "modules": list(texts(scope.get("modules"))),
                "regions": list(texts(scope.get("regions"))),
                "runbook_digest": "sha256:77",
                "candidate": {
                    "version": text(candidate, "version"),
                    "commit": text(candidate, "commit"),
                    "chart": "dotmac-platform 0.1.0",
                    "images": images,
                    "migration_head": "create_licensing_enums",
                    "backward_compatible": True,
                },
                "people": [dict(p) for p in objs(runbook["people"])],
            },
        )
        for tier in ("staging", "production"):
            self.tell(
                EnvironmentDeclared.KIND,
                {
                    "tier": tier,
                    "title": title if tier == "production" else "staging (rehearsal)",
                    "namespace": f"dotmac-{tier}",
                    "release": "dotmac",
                    "context": tier,
                    "api": f"api.{tier}.example.com",
                    "admin": f"admin.{tier}.example.com",
                },
            )
        self._conditions(objs(runbook["conditions"]))
        self._graphs(objs(runbook["graphs"]))
        for one in objs(runbook["operations"]):
            needs = obj(one.get("requires"))
            self.tell(
                OperationDeclared.KIND,
                {
                    "id": text(one, "id"),
                    "kind": text(one, "kind"),
                    "env": text(one, "env"),
                    "title": text(one, "title"),
                    "gate": integer(one, "gate"),
                    "gates": needs.get("gates") or [],
                    "items": needs.get("items") or [],
                },
            )
        self._gates(objs(runbook["gates"]))
        self.tell(ConsoleOpened.KIND, {"id": "c1", "tty": "/dev/pts/3", "drives": True}, actor="ann")

    def _conditions(self, conditions: Sequence[JsonObject]) -> None:
        limits = {"error-rate": "0.01", "auth-errors": "0.01", "latency-p95": "1"}
        for condition in conditions:
            self.tell(
                ConditionDeclared.KIND,
                {
                    "id": text(condition, "id"),
                    "title": text(condition, "title"),
                    "env": "production",
                    "unit": text(condition, "unit", "ratio"),
                    "threshold": limits[text(condition, "id")],
                    "for_s": 300,
                    "on_trip": "ask",
                    "query": text(condition, "bad") or text(condition, "value"),
                },
            )

    def _graphs(self, graphs: Sequence[JsonObject]) -> None:
        for graph in graphs:
            series: list[Json] = [
                {"id": text(s, "id"), "label": text(s, "label")} for s in objs(graph["series"])
            ]
            self.tell(
                GraphDeclared.KIND,
                {
                    "id": text(graph, "id"),
                    "title": text(graph, "title"),
                    "env": "production",
                    "unit": text(graph, "unit"),
                    "condition": opt_text(graph, "condition"),
                    "series": series,
                },
            )

    def _gates(self, gates: Sequence[JsonObject]) -> None:
        for gate in gates:
            items: list[Json] = []
            for item in objs(gate["items"]):
                name = text(item, "id")
                checks: list[Json] = []
                if name in CHECKED:
                    checks = [
                        {
                            "id": f"{name}/{n}",
                            "kind": CHECKED[name],
                            "env": env,
                            "ttl_s": 86_400,
                            "writes": False,
                        }
                        for n, env in enumerate(("staging", "production"))
                    ]
                items.append(
                    {
                        "id": name,
                        "text": text(item, "text"),
                        "question": None if name in CHECKED else opt_text(item, "attest") or "Is it done?",
                        "checks": checks,
                    }
                )
            number = integer(gate, "number")
            self.tell(
                GateDeclared.KIND,
                {"number": number, "title": text(gate, "title"), "items": items},
                gate=number,
            )

    # -- the world -----------------------------------------------------------------------------------

    def world(self, *, version: str = "v1.3.9") -> None:
        for env in ("staging", "production"):
            self.tell(SourceChanged.KIND, {"name": f"kubernetes/{env}", "ok": True, "reason": ""})
            self.tell(SourceChanged.KIND, {"name": f"prometheus/{env}", "ok": True, "reason": ""})
            for app, count in (("api", 3), ("worker", 2), ("frontend", 2)):
                for n in range(count):
                    self.pod(env, f"dotmac-{app}-{7_001_000 + n:x}-{n}aq{n}z", app, version=version)
            for host in ("api", "admin"):
                self.tell(
                    IngressChanged.KIND,
                    {
                        "env": env,
                        "name": f"dotmac-{host}",
                        "hosts": [f"{host}.{env}.example.com"],
                        "address": "10.0.0.7",
                        "tls": True,
                    },
                )

    def pod(
        self,
        env: str,
        name: str,
        app: str,
        *,
        phase: str = "Running",
        ready: int = 1,
        restarts: int = 0,
        version: str = "v1.3.9",
        reason: str = "",
    ) -> None:
        self.tell(
            PodChanged.KIND,
            {
                "env": env,
                "name": name,
                "app": app,
                "phase": phase,
                "ready": ready,
                "containers": 1,
                "restarts": restarts,
                "image": f"ghcr.io/dotmactech/dotmac-platform-{app}:{version}",
                "digest": "sha256:" + sha256(f"{app}{version}".encode(errors="replace")).hexdigest(),
                "node": "node-1",
                "created_us": self.now_us,
                "reason": reason,
            },
        )

    def samples(self, seconds: int, *, errors: float = 0.001, p95: float = 0.21, step: int = 15) -> None:
        """Let time pass with a batch of samples every ``step`` seconds."""
        for n in range(seconds // step):
            self.wait(step)
            wave = 1 + 0.3 * math.sin((self.now_us // SECOND_US + n) / 40)
            row = [
                ["errors", "5xx", decimal_text(errors * wave)],
                ["latency", "p50", decimal_text(p95 * 0.4 * wave)],
                ["latency", "p95", decimal_text(p95 * wave)],
                ["latency", "p99", decimal_text(p95 * 1.9 * wave)],
                ["requests", "rps", decimal_text(42 * wave)],
            ]
            self.tell(MetricBatch.KIND, {"at_us": self.now_us, "values": row})

    def condition(
        self,
        name: str,
        state: str,
        *,
        value: str | None = None,
        elapsed: int = 0,
        reason: str = "",
    ) -> None:
        self.tell(
            ConditionChanged.KIND,
            {
                "id": name,
                "state": state,
                "value": value,
                "elapsed_s": elapsed,
                "reason": reason,
                "since_us": self.now_us - elapsed * SECOND_US,
                "at_us": self.now_us,
                "active": True,
            },
        )

    # -- gates ---------------------------------------------------------------------------------------

    def check(
        self, item: str, verdict: str, summary: str, *, n: int = 0, evidence: JsonObject | None = None
    ) -> None:
        gate = int(item.split(".", maxsplit=1)[0])
        self.tell(CheckStarted.KIND, {"item": item, "check": f"{item}/{n}"}, gate=gate)
        self.wait(0.4)
        self.tell(
            CheckFinished.KIND,
            {
                "item": item,
                "check": f"{item}/{n}",
                "verdict": verdict,
                "summary": summary,
                "evidence": evidence
                or {"url": f"https://api.example.com/{CHECKED.get(item, 'x')}", "status": 200, "took_ms": 31},
            },
            gate=gate,
        )

    def check_of_stage(self, stage: str, verdict: str, summary: str, evidence: JsonObject) -> None:
        """Run a stage's own check."""
        self.tell(CheckStarted.KIND, {"item": stage, "check": f"{stage}/0"})
        self.wait(0.4)
        body: JsonObject = {"item": stage, "check": f"{stage}/0", "verdict": verdict, "summary": summary}
        self.tell(CheckFinished.KIND, {**body, "evidence": evidence})

    def attest(self, item: str, *, go: bool = True, comment: str = "seen in the change request") -> None:
        self.wait(4)
        self.tell(
            AttestSigned.KIND,
            {"item": item, "go": go, "comment": comment, "link": "", "how_known": "socket peer uid 1000"},
            gate=int(item.split(".", maxsplit=1)[0]),
            actor="ann",
        )

    def gate_go(self, number: int) -> None:
        """Let a gate's checks pass and its questions be answered with GO."""
        gate = self.view().gate(number)
        assert gate is not None
        for item in gate.items:
            for n, _ in enumerate(item.checks):
                self.check(item.id, "pass", "as the runbook wants it", n=n)
            if item.question is not None:
                self.attest(item.id)
        self.tell(GateChanged.KIND, {"from": "OPEN", "to": "GO"}, gate=number)

    # -- operations ----------------------------------------------------------------------------------

    def intend(self, operation: str, kind: str, env: str, *, to: str = "v1.4.0") -> int:
        values = f"--namespace dotmac-{env} -f values/{env}.yaml --version 0.1.0"
        command = f"helm upgrade --install dotmac deploy/helm/dotmac-platform {values}"
        if kind == "rollback":
            command = f"helm rollback dotmac 7 --namespace dotmac-{env} --wait --timeout 10m"
        seq = self.tell(
            OperationIntended.KIND,
            {
                "id": operation,
                "kind": kind,
                "env": env,
                "title": {"rollback": "Roll production back to the recorded good revision"}.get(
                    kind, f"Promote the candidate to {env}"
                ),
                "commands": [command],
                "from": "revision 7, v1.3.9" if kind != "rollback" else "revision 8, v1.4.0",
                "to": to,
                "timeout_s": 900,
                "good": {
                    "number": 7,
                    "status": "deployed",
                    "manifest_sha": "ab" * 32,
                    "images": [["api", "sha256:" + "1" * 64]],
                },
            },
            gate=9,
            actor="ann",
        )
        self.wait(1)
        self.tell(OperationStarted.KIND, {"id": operation, "pid": 5151}, ref=seq, gate=9)
        return seq

    def step(self, seq: int, name: str, state: str, detail: str = "") -> None:
        self.tell(OperationStep.KIND, {"name": name, "state": state, "detail": detail}, ref=seq, gate=9)

    def finish(
        self, seq: int, operation: str, state: str, verdict: str, *, offers: Sequence[str] = ()
    ) -> None:
        self.tell(
            OperationFinished.KIND,
            {"id": operation, "state": state, "verdict": verdict, "revision": 8, "offers": list(offers)},
            ref=seq,
            gate=9,
        )


def opened() -> Story:
    """A launch that was just opened: the world is seen, nothing is judged."""
    story = Story()
    story.declare()
    story.world()
    return story


def ready() -> Story:
    """Gates 1 to 8 are GO, but for one waived item; the deploy is unlocked."""
    story = opened()
    story.samples(900)
    for number in range(1, 9):
        story.gate_go(number)
    return story


def piped() -> Story:
    """As ready, with a pipeline: its build passed, its tests fail, its package is not looked at yet."""
    story = ready()
    stages = {"build": "Build", "test": "Test", "package": "Package"}
    for stage, title in stages.items():
        check: JsonObject = {
            "id": f"{stage}/0", "kind": "ci.passed", "env": "production", "ttl_s": 3600, "writes": False,
        }  # fmt: skip
        told: JsonObject = {"id": stage, "title": title, "steps": [f"What is done in {title}."]}
        story.tell(StageDeclared.KIND, {**told, "parts": [f"check:{stage}/0"], "checks": [check]})
    staging: JsonObject = {
        "id": "staging-deploy",
        "title": "Staging deploy",
        "steps": ["Deploy, migrate, smoke."],
    }
    story.tell(StageDeclared.KIND, {**staging, "parts": ["operation:staging.deploy", "item:8.3"]})
    story.check_of_stage(
        "build", "pass", "3 CI jobs of commit 9dd485de0c1f passed", {"build_worker": "success"}
    )
    story.check_of_stage("test", "fail", "CI job unit-tests is failure", {"unit_tests": {"attempts": 2}})
    return story


def deploying() -> Story:
    """The production deploy is under way: one pod doesn't come up yet."""
    story = ready()
    seq = story.intend("production.deploy", "deploy", "production")
    story.step(seq, "record good revision", "done", "revision 7, 3 images")
    story.step(seq, "helm upgrade", "running", "pid 5151")
    story.wait(20)
    story.tell(
        OperationOutput.KIND,
        {
            "lines": [
                'Release "dotmac" has been upgraded.',
                "STATUS: pending-upgrade",
                "waiting for 2 of 3 replicas",
            ]
        },
        ref=seq,
        gate=9,
    )
    story.pod(
        "production", "dotmac-api-6ad368-0aq0z", "api", phase="ContainerCreating", ready=0, version="v1.4.0"
    )
    return story


def baking() -> Story:
    """The deploy has ended, and the candidate is watched."""
    story = deploying()
    seq = story.view().operations[-1].seq
    story.pod("production", "dotmac-api-6ad368-0aq0z", "api", version="v1.4.0")
    story.step(seq, "helm upgrade", "done", "exit 0")
    story.step(seq, "verify live objects", "done", "3 digests as wanted")
    story.finish(
        seq,
        "production.deploy",
        "succeeded",
        "revision 8 is deployed and live",
        offers=("production.rollback",),
    )
    story.tell(BakeStarted.KIND, {"minimum_s": 1800}, gate=9)
    for name in ("error-rate", "auth-errors", "latency-p95"):
        story.condition(name, "OK", value="0.001")
    story.samples(600)
    story.tell(MetricGap.KIND, {"from_us": story.now_us + SECOND_US})
    story.tell(
        SourceChanged.KIND, {"name": "prometheus/production", "ok": False, "reason": "timed out after 5 s"}
    )
    story.wait(120)
    story.tell(SourceChanged.KIND, {"name": "prometheus/production", "ok": True, "reason": ""})
    story.samples(180)
    story.tell(BakeProgress.KIND, {"good_s": 780, "state": "running", "why": ""}, gate=9)
    return story


def tripped() -> Story:
    """Errors have risen for five minutes: a stop condition is tripped, and the bake stands still."""
    story = baking()
    story.samples(150, errors=0.031, p95=0.8)
    story.condition("error-rate", "BREACHING", value="0.031", elapsed=150)
    story.samples(165, errors=0.042, p95=1.3)
    story.condition("error-rate", "TRIPPED", value="0.042", elapsed=315)
    story.condition("latency-p95", "BREACHING", value="1.3", elapsed=165)
    why = "error-rate is TRIPPED"
    story.tell(BakeProgress.KIND, {"good_s": 780, "state": "tripped", "why": why}, gate=9)
    return story


def rolled_back() -> Story:
    """The rollback to the recorded good revision has ended."""
    story = tripped()
    story.wait(30)
    seq = story.intend("production.rollback", "rollback", "production", to="revision 7, v1.3.9")
    story.step(seq, "helm rollback", "done", "exit 0")
    story.samples(60, errors=0.02)
    story.step(seq, "verify live objects", "done", "as recorded good")
    story.finish(seq, "production.rollback", "succeeded", "revision 9 runs what revision 7 ran")
    story.samples(300)
    story.tell(NoteAdded.KIND, {"text": "the candidate goes back to the team"}, actor="ann")
    return story


HOSTILE = (
    "[@click=app.quit]x[/]",
    "[/",
    "[/x]",
    "{'a[0]'}: [type=x, v={'a[0]'}]",
    "\x1b[2J\x1b[31mred\x1b]52;c;aGk=\x07",
    "a\x9b2Kb\u202egnp",
    "宽宽宽 wide",
)


def hostile(texts: Sequence[str] = HOSTILE) -> Story:
    """Every text from outside is an attack."""
    story = tripped()
    for n, text_ in enumerate(texts):
        story.pod("production", f"{text_}-{n}", text_, phase="CrashLoopBackOff", ready=0, reason=text_)
        story.tell(
            IngressChanged.KIND,
            {"env": "staging", "name": text_, "hosts": [text_], "address": text_, "tls": False},
        )
        story.tell(SourceChanged.KIND, {"name": f"kubernetes/{text_}", "ok": False, "reason": text_})
        story.check("3.2", "fail", text_, evidence={"header": text_, "list": [text_, text_]})
        story.attest("1.1", go=False, comment=text_)
        story.tell(NoteAdded.KIND, {"text": text_}, actor=text_)
        story.condition("auth-errors", "ERROR", reason=text_)
        story.tell(LaunchHeld.KIND, {"reason": text_}, actor=text_)
    seq = story.intend("production.deploy", "deploy", "production", to=texts[0])
    for text_ in texts:
        story.step(seq, text_, "running", text_)
        story.tell(OperationOutput.KIND, {"lines": [text_]}, ref=seq, gate=9)
    return story
