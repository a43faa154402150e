"""Evidence, objects as they are seen, and checks of a runbook: the pure parts."""

from __future__ import annotations

import pytest

from checks.clients.redact import Redactor
from console.engine.checks.evidence import LIMIT, fit
from console.engine.watch.kubernetes_events import ingress_body, pod_body
from state.base.canonical import encode
from state.base.codec import LOG
from state.base.frozen import remake
from state.base.json import Json, JsonObject
from state.events.event import Event
from state.events.world import PodChanged
from state.fold import apply
from state.view.launch import LaunchView
from tests.console.engine.outside import ingress, pod


@pytest.mark.parametrize(
    "evidence",
    [
        {"Body": "x" * 100_000},
        {"list": ["x" * 100] * 5000},
        {f"key {n}": n for n in range(3000)},
        {"deep": {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": {"j": {"k": 1}}}}}}}}}}}},
        {"mixed": [1.5, None, True, 2**60, "\x1b[31mred\x1b[0m", {"É": "ü"}]},
        {"lines": ["line\n" * 300] * 100},
    ],
)
def test_evidence_fits_an_event(evidence: JsonObject) -> None:
    text = encode(fit(evidence, Redactor()))
    assert len(text.encode()) <= LIMIT
    assert "\x1b" not in text


def test_evidence_holds_no_secret_and_no_float() -> None:
    redactor = Redactor()
    redactor.register("hunter2hunter2")
    told = fit({"header": "token hunter2hunter2", "share": 0.25}, redactor)
    assert told == {"header": "token [redacted]", "share": "0.25"}


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        ({"running": {}}, "Running"),
        ({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}, "CrashLoopBackOff"),
        ({"waiting": {"reason": "ContainerCreating"}}, "ContainerCreating"),
        ({"terminated": {"reason": "OOMKilled"}}, "OOMKilled"),
        ({"terminated": {"reason": "Completed"}}, "Running"),
    ],
)
def test_a_pod_as_kubectl_would_call_it(state: JsonObject, phase: str) -> None:
    one = pod("a")
    status: dict[str, Json] = {"phase": "Running", "containerStatuses": [{"state": state, "ready": False}]}
    assert pod_body("production", {**one, "status": status}).phase == phase


def test_a_pod_that_is_going_is_terminating() -> None:
    one = pod("a")
    meta: dict[str, Json] = {"name": "a", "deletionTimestamp": "2026-01-01T00:00:00Z"}
    assert pod_body("production", {**one, "metadata": meta}).phase == "Terminating"


def test_what_is_recorded_of_a_pod_is_what_is_compared() -> None:
    body = pod_body("production", pod("a[b]", restarts=2))
    event = Event(1, "e", "pod.changed", None, None, "engine", "s", "b", 5, 5, LOG.dump(body), "0" * 64)
    view = apply(LaunchView(), event)
    assert remake(PodChanged, view.pods["production/a[b]"]) == body


def test_hostile_names_are_cleaned() -> None:
    body = ingress_body("production", ingress("a", "x\x1b]0;title\x07.example", "\u202egpj.exe"))
    assert body.hosts == ("x.example", "<U+202E>gpj.exe")
