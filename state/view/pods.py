"""What a pod is: one observation of the Kubernetes object, and every rule that judges it.

Ready is what the kubelet's Ready condition says, which takes readiness gates in, and not the number of containers
alone. A container that crashed again and again and runs just now is in its crash loop still, until it has run for
longer than the kubelet would make it wait the next time: 10 s, doubled with every restart, 5 minutes at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from state.base.images import digest_of, is_loaded, short
from state.base.json import JsonObject, flag, integer, obj, objs, path, text
from state.base.text import line
from state.base.times import SECOND_US, micros_of
from state.view.launch import PodView

JOB = "Job"
HOOK = "helm.sh/hook"
"""The annotation of what helm runs beside a release: it is no part of it."""
_APP_LABELS = ("app.kubernetes.io/component", "app", "app.kubernetes.io/name", "k8s-app", "job-name")
_DONE = frozenset({"Succeeded", "Completed"})
_OVER = _DONE | {"Failed"}
_ENDING = "Terminating"
_LOOPING = "CrashLoopBackOff"
_STARTING = frozenset({"Running", "Pending", "ContainerCreating", "PodInitializing"})
_FIRST_WAIT_S, _LONGEST_WAIT_S = 10, 300
_START_S = 120
"""What a container may take to start after its wait, a pull included."""
_LOOP = 2
"""Restarts from which on the kubelet waits: the first one comes at once."""

_DAY_US = 86_400 * SECOND_US
_LATELY_US = 600 * SECOND_US


STARTING_S = 120
"""How long a pod may start before it is trouble: a surge of a roll-out is none."""

# what the rules are


def is_done(pod: PodView) -> bool:
    """Return whether a pod has done its work and ended, as a migration's: it is no trouble."""
    return pod.phase in _DONE


def is_over(pod: PodView) -> bool:
    """Return whether a pod has ended for good, done or failed (evicted, say): another one takes its place."""
    return pod.ended or pod.phase in _OVER


def is_ending(pod: PodView) -> bool:
    """Return whether a pod is being deleted: it is not ready any more, and that is no trouble."""
    return pod.phase == _ENDING


def serves(pod: PodView) -> bool:
    """Return whether a pod works or should: it is neither over nor ending, and no job's."""
    return not (is_over(pod) or is_ending(pod) or pod.of_job)


def is_looping(pod: PodView, now_us: int) -> bool:
    """Return whether a pod is in a crash loop, waiting or between two crashes."""
    return pod.phase == _LOOPING or now_us < pod.loops_until_us


def is_ready(pod: PodView, now_us: int) -> bool:
    """Return whether a pod does its work."""
    whole = pod.phase == "Running" and pod.ready >= pod.containers > 0
    return whole and not pod.unready and not is_looping(pod, now_us)


def is_starting(pod: PodView, now_us: int) -> bool:
    """Return whether a pod that isn't ready is too young to be in trouble: it starts, and never restarted.

    A phase that says what is wrong (an image that can't be pulled, say) is trouble however young the pod is.
    """
    if is_ready(pod, now_us) or pod.phase not in _STARTING or pod.restarts or is_looping(pod, now_us):
        return False
    return serves(pod) and pod.created_us > 0 and now_us - pod.created_us < STARTING_S * SECOND_US


def is_fine(pod: PodView, now_us: int) -> bool:
    """Return whether nobody need look at a pod: ready, done, ending, or a job's that is at work."""
    if is_done(pod) or is_ending(pod):
        return True
    if pod.of_job:
        return pod.phase in _STARTING and not is_over(pod) and not is_looping(pod, now_us)
    return is_ready(pod, now_us)


def unready(pods: Iterable[PodView], env: str, now_us: int) -> list[str]:
    """Return the names of an environment's pods that should be ready and aren't, sorted."""
    return sorted(p.name for p in pods if p.env == env and serves(p) and not is_ready(p, now_us))


def other_version(running: Iterable[tuple[str, str]], release: Mapping[str, str]) -> str:
    """Return the first container that doesn't run a release's digest, in words; nothing where all of them do.

    ``running`` is (container, digest), each pair once: two digests of one container are two versions side by side.
    ``release`` is (container, reference by digest). Containers that it doesn't name don't count: something else
    brought them, as a service mesh does.
    """
    there: dict[str, list[str]] = {}
    for name, digest in running:
        there.setdefault(name, []).append(digest)
    for name, reference in release.items():
        expected = digest_of(reference)
        if there.get(name) != [expected]:
            now = " and ".join(short(one) for one in there.get(name, [])) or "nothing"
            return f"{name} runs {now} instead of {short(expected)}"
    return ""


# what is seen of the object


def observe(env: str, pod: JsonObject) -> PodView:
    """Return a pod as the API server gave it."""
    meta, spec, status = obj(pod.get("metadata")), obj(pod.get("spec")), obj(pod.get("status"))
    containers, states = objs(spec.get("containers")), objs(status.get("containerStatuses"))
    first = containers[0] if containers else {}
    phase, reason = _phase(meta, status, states)
    labels = obj(meta.get("labels"))
    return PodView(
        env=env,
        name=line(text(meta, "name"), 253),
        app=line(next((text(labels, key) for key in _APP_LABELS if text(labels, key)), ""), 63),
        phase=line(phase, 60),
        ready=sum(flag(state, "ready") for state in states),
        containers=len(containers),
        restarts=restarts_of(pod),
        image=line(text(first, "image"), 300),
        digest=line(digest_of(text(states[0], "imageID")), 100) if states else "",
        node=line(text(spec, "nodeName"), 253),
        created_us=micros_of(text(meta, "creationTimestamp")),
        reason=line(reason, 200),
        unready=_unready(spec, pod, states),
        of_job=_for_a_while(meta),
        ended=text(status, "phase") in _OVER and phase not in _OVER,
        loops_until_us=max((loops_until_us(state) for state in states), default=0),
    )


def running_digests(pod: JsonObject) -> dict[str, str]:
    """Return the digest that each container of a pod really runs; empty where the kubelet doesn't say."""
    states = objs(path(pod, ("status", "containerStatuses")))
    return {text(state, "name"): digest_of(text(state, "imageID")) for state in states}


def unnamed_digests(pod: JsonObject) -> set[tuple[str, str]]:
    """Return (container, digest) where the runtime names no repository, as of an image that was loaded by hand.

    That digest is another than the image's: what it stands for only the registry can say.
    """
    states = objs(path(pod, ("status", "containerStatuses")))
    ids = ((text(state, "name"), text(state, "imageID")) for state in states)
    return {(name, digest_of(image)) for name, image in ids if is_loaded(image)}


def restarts_of(pod: JsonObject) -> int:
    """Return how often a pod's containers were restarted, together."""
    return sum(integer(state, "restartCount") for state in objs(path(pod, ("status", "containerStatuses"))))


def restarts_lately(pod: JsonObject, now_us: int) -> int:
    """Return how often a pod's containers were restarted, of those whose last end was within a day or isn't told.

    A restart weeks ago says nothing of today; Kubernetes keeps no other time than that of the last one.
    """
    counted = 0
    for state in objs(path(pod, ("status", "containerStatuses"))):
        ended_us = micros_of(text(obj(path(state, ("lastState", "terminated"))), "finishedAt"))
        if not ended_us or now_us - ended_us < _DAY_US:
            counted += integer(state, "restartCount")
    return counted


def crashed_lately(pod: JsonObject, now_us: int) -> str:
    """Return why a container of a pod ended in the last ten minutes, if not as intended; or nothing."""
    for state in objs(path(pod, ("status", "containerStatuses"))):
        last = obj(path(state, ("lastState", "terminated")))
        ended_us = micros_of(text(last, "finishedAt"))
        bad = text(last, "reason") not in {"", "Completed"} or integer(last, "exitCode") != 0
        if ended_us and now_us - ended_us < _LATELY_US and bad:
            return line(text(last, "reason") or f"exit code {integer(last, 'exitCode')}", 60)
    return ""


def loops_until_us(state: JsonObject) -> int:
    """Return until when a container that runs again counts as crashing, or 0 where it doesn't.

    ``state``: its status. Where it ran again only long after its end, no crash loop's wait was between the two: the
    node was down, say.
    """
    restarts = integer(state, "restartCount")
    since_us = micros_of(text(obj(path(state, ("state", "running"))), "startedAt"))
    last = obj(path(state, ("lastState", "terminated")))
    if restarts < _LOOP or not since_us or not last:
        return 0
    ended_us = micros_of(text(last, "finishedAt"))
    if ended_us and since_us - ended_us > (_LONGEST_WAIT_S + _START_S) * SECOND_US:
        return 0
    wait_s = min(_FIRST_WAIT_S << min(restarts - 1, 5), _LONGEST_WAIT_S)
    return since_us + wait_s * SECOND_US


def condition_of(thing: JsonObject, name: str) -> JsonObject:
    """Return a condition of an object's status by its type, or an empty object where it has none."""
    conditions = objs(path(thing, ("status", "conditions")))
    return next((c for c in conditions if text(c, "type") == name), {})


def _for_a_while(meta: JsonObject) -> bool:
    """Return whether a pod is there for its work's sake: a job's, or a hook of helm's, such as a chart's test."""
    return HOOK in obj(meta.get("annotations")) or any(
        text(owner, "kind") == JOB for owner in objs(meta.get("ownerReferences"))
    )


def _true(condition: JsonObject) -> bool:
    return text(condition, "status") == "True"


def _unready(spec: JsonObject, pod: JsonObject, states: list[JsonObject]) -> str:
    """Return why a pod isn't ready though all its containers are, or nothing: then their number says it."""
    if not states or not all(flag(state, "ready") for state in states):
        return ""
    gates = (text(gate, "conditionType") for gate in objs(spec.get("readinessGates")))
    closed = next((gate for gate in gates if not _true(condition_of(pod, gate))), "")
    if closed:
        return line(f"readiness gate {closed}", 200)
    ready = condition_of(pod, "Ready")
    return "" if _true(ready) else line(text(ready, "reason") or "not Ready", 200)


def _phase(meta: JsonObject, status: JsonObject, states: list[JsonObject]) -> tuple[str, str]:
    """Return what kubectl would print as STATUS, and why."""
    if meta.get("deletionTimestamp"):
        return _ENDING, ""
    every = [*objs(status.get("initContainerStatuses")), *states]
    for state in every:
        waiting = obj(path(state, ("state", "waiting")))
        if text(waiting, "reason") not in {"", "PodInitializing", "ContainerCreating"}:
            return text(waiting, "reason"), text(waiting, "message")
    for state in every:
        ended = obj(path(state, ("state", "terminated")))
        if text(ended, "reason") not in {"", "Completed"}:
            return text(ended, "reason"), text(ended, "message")
    for state in states:
        waiting = obj(path(state, ("state", "waiting")))
        if text(waiting, "reason"):
            return text(waiting, "reason"), text(waiting, "message")
    return text(status, "phase") or "Unknown", text(status, "message") or text(status, "reason") or _ended(
        states
    )


def _ended(states: list[JsonObject]) -> str:
    """Return why a container that runs again had ended: it may have been killed between two looks."""
    last = (obj(path(state, ("lastState", "terminated"))) for state in states)
    reason = next((text(one, "reason") for one in last if text(one, "reason") not in {"", "Completed"}), "")
    return f"after {reason}" if reason else ""
