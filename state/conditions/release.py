"""From a launch as it is known to the judgement of one stop condition: what the engine and a re-judge share."""

from __future__ import annotations

from dataclasses import dataclass, replace

from state.base.times import clock
from state.conditions.evaluate import SECOND_US, Baseline, ConditionSpec, Judgement, Source, evaluate
from state.events.bake import ConditionChanged
from state.runbook.conditions import StopCondition
from state.runbook.rate_windows import counts_events
from state.view.enums import ConditionState, OperationState
from state.view.first_launch import is_first
from state.view.launch import ConditionView, LaunchView
from state.view.rollbacks import newest_deploy, newest_release
from state.view.watch import UNTRUSTED

MONITORS = "monitors"
"""The source that says whether an environment's Prometheus can be trusted: ``monitors/production``."""


@dataclass(frozen=True, slots=True)
class Release:
    """Since when conditions count for an environment."""

    at_us: int
    active: bool
    before_us: int = 0
    """When the launch began to change the environment; before that lies what it is compared with."""
    seq: int = 0
    """The deploy that trips belong to, by the sequence number of its intent; 0: none yet."""


def release_of(view: LaunchView, env: str, now_us: int) -> Release:
    """Return since when an environment's conditions count: from the newest release, or what runs there.

    In a first launch not before its deploy has succeeded.
    """
    there = [o for o in view.operations if o.env == env]
    before = there[0].intended_us if there else now_us
    newest, deploy = newest_release(view, env), newest_deploy(view, env)
    seq = deploy.seq if deploy is not None else 0
    if is_first(view, env):
        # Nothing of it ever ran: there is nobody to be harmed and no series to be judged by.
        return Release(now_us, active=False, before_us=before, seq=seq)
    if newest is not None:
        done = newest.state is OperationState.SUCCEEDED
        at_us = newest.finished_us if done else newest.intended_us
        return Release(at_us, active=True, before_us=before, seq=seq)
    if there and not there[-1].state.ended:
        return Release(there[-1].intended_us, active=True, before_us=before, seq=seq)
    return Release(now_us, active=False, before_us=before)


def spec_of(condition: StopCondition, step_s: float) -> ConditionSpec:
    """Return a condition's settings as the evaluator takes them."""
    baseline = condition.baseline
    offset = None if baseline is None or isinstance(baseline.offset, str) else float(baseline.offset)
    return ConditionSpec(
        id=condition.id,
        ratio=condition.value is None,
        threshold=condition.limit,
        below=condition.below is not None,
        for_s=condition.for_,
        step_s=step_s,
        window_s=condition.window,
        counts=condition.total is not None and bool(counts_events(condition.total)),
        min_events=condition.min_events,
        bad_absent_is_zero=condition.bad_absent_is_zero,
        reduce=condition.reduce,
        max_age_s=condition.max_age,
        warmup_s=condition.warmup,
        min_coverage=condition.min_coverage,
        factor=None if baseline is None else baseline.factor,
        offset_s=offset,
        span_s=1800.0 if baseline is None else baseline.span,
    )


def counted_from(spec: ConditionSpec, old: ConditionView | None, release: Release, now_us: int) -> int:
    """Return the time that stands for the release: samples count from there plus the warm-up on.

    What was before an acknowledgement no longer counts, but for the two newest samples of that moment.
    """
    if not release.active:
        return now_us - int(spec.for_s * SECOND_US)
    if old is None or not old.acknowledged_us:
        return release.at_us
    return max(release.at_us, old.acknowledged_us - int((spec.warmup_s + 2 * spec.step_s) * SECOND_US))


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the queries of a condition gave."""

    source: Source
    second: Source | None = None
    baseline: Baseline | None = None
    since_us: int = 0
    """From here on it was not judged yet: what was over before doesn't trip."""


def distrust(view: LaunchView, env: str) -> str:
    """Return why what an environment's Prometheus says can't be trusted, or nothing."""
    source = view.sources.get(f"{MONITORS}/{env}")
    return "" if source is None or source.ok else source.reason or "they fail"


def judge(
    spec: ConditionSpec,
    old: ConditionView | None,
    release: Release,
    gathered: Gathered,
    now_us: int,
    *,
    doubt: str = "",
    lame: str = "",
) -> Judgement:
    """Judge a condition in its place in the launch: before the release, latched, muted, in the shadow.

    With a ``doubt`` (see ``distrust``) it is never OK, nor where it is ``lame``: why it can't trip as it is written.
    A breach that is seen nevertheless stays one.
    """
    from_us = counted_from(spec, old, release, now_us)
    if not release.active:
        from_us -= int(spec.warmup_s * SECOND_US)
    latched = _latched(old, release) if release.active else None
    # What was over when a mute ended was muted in its time.
    muted_us = 0 if old is None or old.muted_until_us > now_us else old.muted_until_us
    judged = evaluate(
        spec,
        gathered.source.main,
        gathered.source.total,
        now_us,
        from_us,
        latched,
        second=gathered.second,
        baseline=gathered.baseline,
        since_us=max(gathered.since_us, muted_us),
    )
    if doubt and judged.state is ConditionState.OK:
        judged = Judgement(ConditionState.ERROR, judged.value, reason=f"{UNTRUSTED}: {doubt}")
    if lame and judged.state is ConditionState.OK:
        judged = Judgement(ConditionState.ERROR, judged.value, reason=f"it could never trip: {lame}")
    if not release.active:
        reason = f"armed after the deploy (currently {_words(judged)})"
        return Judgement(ConditionState.WARMUP, judged.value, reason=reason)
    if old is not None and old.shadow and judged.state is ConditionState.TRIPPED:
        return replace(judged, state=ConditionState.BREACHING, reason="shadow: it would have tripped")
    if old is not None and now_us < old.muted_until_us and latched is None:
        until = clock(old.muted_until_us, seconds=False)
        reason = f"muted by {old.muted_by} until {until} ({old.muted_why}); now {_words(judged)}"
        return Judgement(ConditionState.MUTED, judged.value, reason=reason)
    return judged


def _words(judged: Judgement) -> str:
    return f"{judged.state}" + (f": {judged.reason}" if judged.reason else "")


def _latched(old: ConditionView | None, release: Release) -> Judgement | None:
    """Return the trip that nobody acknowledged; one of an earlier release holds nothing of this one."""
    if old is None or old.state is not ConditionState.TRIPPED or old.release != release.seq:
        return None
    return Judgement(ConditionState.TRIPPED, old.value, old.elapsed_s, old.since_us)


def changed_body(
    condition_id: str,
    old: ConditionView | None,
    judged: Judgement,
    now_us: int,
    release: Release,
    *,
    judged_us: int | None = None,
) -> ConditionChanged:
    """Return the body of ``condition.changed`` for a judgement; ``judged_us`` where it didn't see all until now."""
    return ConditionChanged(
        id=condition_id,
        state=judged.state,
        value=judged.value,
        elapsed_s=int(judged.elapsed_s),
        since_us=_since(old, judged, now_us),
        reason=judged.reason[:400],
        at_us=now_us,
        active=release.active,
        release=release.seq,
        judged_us=0 if judged_us is None or judged_us >= now_us else judged_us,
    )


def _since(old: ConditionView | None, judged: Judgement, now_us: int) -> int:
    """Return when the breach began, or else when this state (for blind ones: blindness) was entered."""
    if judged.state in {ConditionState.BREACHING, ConditionState.TRIPPED} and judged.since_us:
        return judged.since_us
    if old is None or not old.since_us:
        return now_us
    same = old.state is judged.state or (old.state.blind and judged.state.blind)
    return old.since_us if same else now_us


def replaced(old: ConditionView, body: ConditionChanged) -> ConditionView:
    """Return a condition as it is after a judgement."""
    return replace(
        old,
        state=body.state,
        value=body.value,
        elapsed_s=body.elapsed_s,
        reason=body.reason,
        since_us=body.since_us,
        active=body.active,
        judged_us=body.judged_us,
    )
