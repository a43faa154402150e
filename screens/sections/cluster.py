"""Pods, ingresses, sources, stop conditions, the running operation and the tail of the log."""

from __future__ import annotations

from screens.kit import formats
from screens.kit.plain import Line, Role, Span, crop, cut, fill, fit, heading, row
from screens.kit.screen_state import ScreenState
from state.base.times import SECOND_US
from state.view.enums import ConditionState, OperationState
from state.view.launch import ConditionView, EnvironmentView, LaunchView, LogLine, OperationView, PodView
from state.view.pods import is_fine, is_ready, serves
from state.view.watch import UNTRUSTED


def pods_of(view: LaunchView, env: str, now_us: int) -> list[PodView]:
    """Return an environment's pods that work or should, those in trouble first."""
    return [p for p in every_pod_of(view, env, now_us) if serves(p)]


def every_pod_of(view: LaunchView, env: str, now_us: int) -> list[PodView]:
    """Return all pods of an environment, over and ending ones too, those in trouble first."""
    pods = [p for p in view.pods.values() if p.env == env]
    return sorted(pods, key=lambda p: (is_fine(p, now_us), p.app, p.name))


def cluster(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return pods and ingresses of every environment, the ones in trouble by name."""
    view = shown.view
    lines: list[Line] = [heading("PODS AND INGRESSES", width)]
    room = height - 1 - 2 * len(view.environments)
    now = shown.now_us
    troubled = {
        e.tier: [p for p in every_pod_of(view, e.tier, now) if not is_fine(p, now)] for e in view.environments
    }
    share = max(1, room // max(1, sum(1 for t in troubled.values() if t)))
    for env in view.environments:
        lines += _environment(shown, env, width)
        bad = troubled[env.tier]
        most = share if len(bad) <= share else share - 1
        lines += [pod_line(p, width, now, indent="  ") for p in bad[: max(0, most)]]
        if len(bad) > most:
            lines.append(row(Span(f"  and {len(bad) - max(0, most)} more in trouble", Role.BAD)))
    left = height - len(lines)
    if left >= 3:
        lines += _healthy(shown, width, left)
    return lines


def _environment(shown: ScreenState, env: EnvironmentView, width: int) -> list[Line]:
    view = shown.view
    pods = pods_of(view, env.tier, shown.now_us)
    fine = sum(1 for p in pods if is_ready(p, shown.now_us))
    role = Role.GOOD if pods and fine == len(pods) else Role.DIM if not pods else Role.BAD
    glyph = "✔" if role is Role.GOOD else "·" if not pods else "✖"
    hosts = [i for i in view.ingresses.values() if i.env == env.tier]
    bare = sum(1 for i in hosts if not i.tls or not i.address)
    narrow = width < 48
    counted = f"{len(hosts)} ingr" if narrow else formats.plural(len(hosts), "ingress", "ingresses")
    ingress = Span(counted, Role.PLAIN if hosts else Role.DIM)
    if bare:
        ingress = Span(
            f"{counted}, {bare} bare" if narrow else f"{counted}, {bare} without TLS or address", Role.WARN
        )
    lost = lost_since(shown, f"kubernetes/{env.tier}")
    name = fit(env.title, 23)
    if lost is not None:
        return [row(Span(name, Role.STRONG), " ", lost), _images(pods, width)]
    first = row(
        Span(name, Role.STRONG),
        " ",
        Span(f"{glyph} {fine}/{len(pods)}{'' if narrow else ' ready'}", role),
        "  ",
        ingress,
    )
    return [crop(first, width), _images(pods, width)]


def _images(pods: list[PodView], width: int) -> Line:
    counts: dict[str, int] = {}
    for pod in pods:
        told = f"{pod.app.rpartition('-')[2] or pod.name} {image_words(pod)}"
        counts[told] = counts.get(told, 0) + 1
    shown = ", ".join(f"{n}× {told}" for told, n in sorted(counts.items()))
    return row(Span(cut(f"  {shown or 'no pods seen'}", width), Role.DIM))


def image_words(pod: PodView) -> str:
    """Return an image's tag, or the first seven digits of its digest."""
    name = pod.image.rpartition("/")[2]
    if "@" not in name and ":" in name:
        return name.rpartition(":")[2]
    return pod.digest.rpartition(":")[2][:7]


def lost_since(shown: ScreenState, source: str) -> Span | None:
    """Return ``lost since 20:14Z: reason`` for a source that doesn't answer, else None."""
    seen = shown.view.sources.get(source)
    if seen is None:
        return Span("? not watched yet", Role.BLIND)
    if seen.ok:
        return None
    return Span(f"? lost since {formats.clock(seen.since_us)}: {seen.reason}", Role.BLIND)


def _healthy(shown: ScreenState, width: int, room: int) -> list[Line]:
    lines: list[Line] = []
    view, now = shown.view, shown.now_us
    for env in view.environments:
        fine = [p for p in pods_of(view, env.tier, now) if is_ready(p, now)]
        hosts = [i for i in view.ingresses.values() if i.env == env.tier]
        if not fine and not hosts:
            continue
        lines.append(row(Span(cut(env.title, width), Role.DIM)))
        for host in sorted(hosts, key=lambda i: i.name):
            tls = Span("TLS", Role.GOOD) if host.tls else Span("no TLS", Role.WARN)
            address = host.address or "no address"
            lines.append(crop(row("  ", tls, f" {', '.join(host.hosts)} → {address}"), width))
        lines += [pod_line(p, width, now, indent="  ") for p in fine]
    return lines[:room]


def pod_line(pod: PodView, width: int, now_us: int, *, indent: str = "") -> Line:
    """Return a pod in a line: glyph, name, phase, ready, restarts, reason."""
    fine = is_fine(pod, now_us)
    reason = pod.unready or pod.reason
    word = pod.phase + (f" ({reason})" if reason and reason != pod.phase else "")
    tail = f"{pod.ready}/{pod.containers}" + (f" ↻{pod.restarts}" if pod.restarts else "")
    sign = Span("✔", Role.GOOD) if fine else Span("✖", Role.BAD)
    room = width - len(indent) - 2
    name_room = room if fine and room < 50 else max(12, room - len(word) - len(tail) - 2)
    line = row(
        indent,
        sign,
        " ",
        fit(pod.name, min(name_room, 44)),
        " ",
        Span(f"{cut(word, 40)} {tail}", Role.DIM if fine else Role.BAD),
    )
    return crop(line, width)


def conditions(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return the stop conditions with value, limit and ``elapsed / for``, below what makes them doubtful."""
    messages = [c for c in shown.view.conditions if c.state is ConditionState.TRIPPED]
    right = [Span(f"{len(messages)} TRIPPED", Role.BAD)] if messages else []
    if width >= 60 or not messages:
        right += [Span("  "), watched(shown)] if right else [watched(shown)]
    lines = [heading("STOP CONDITIONS", width, *right), *doubts(shown, width)]
    beside = [*alerts(shown, width), *dead_rules(shown, width)]
    told_why = {c.id: _why(c, width) for c in shown.view.conditions}
    needed = len(lines) + len(beside) + sum(1 + len(why) for why in told_why.values())
    for condition in shown.view.conditions:
        lines.append(condition_line(condition, width, shown.now_us))
        lines += told_why[condition.id] if needed <= height else []
    room = max(0, height - len(lines))
    firing = sum(alert.state == "firing" for alert in shown.view.alerts.values())
    if firing and len(beside) > room:
        some = Span(f"{firing} ALERT{'S' * (firing > 1)}", Role.BAD)
        lines[0] = heading("STOP CONDITIONS", width, some, *([Span("  "), *right] if right else []))
    return lines + beside[:room]


def _why(condition: ConditionView, width: int) -> list[Line]:
    """Return what is told below a condition where there is room: its reason, and why it won't roll back by itself."""
    lines = []
    if condition.reason and not condition.reason.startswith(UNTRUSTED):  # that stands above them all
        lines.append(row(Span(cut(f"    {condition.reason}", width), Role.DIM)))
    if condition.disarmed:
        lines.append(row(Span(cut(f"    no rollback by itself: {condition.disarmed}", width), Role.WARN)))
    return lines


def watched(shown: ScreenState) -> Span:
    """Return whether the monitors themselves can be trusted; a question mark where nothing was heard of them."""
    source = shown.view.sources.get("monitors/production")
    if source is None:
        return Span("monitors ?", Role.BLIND)
    return Span("monitors ✔", Role.GOOD) if source.ok else Span("monitors BLIND", Role.BLIND)


def doubts(shown: ScreenState, width: int) -> list[Line]:
    """Return why the monitors can't be trusted, where they can't."""
    source = shown.view.sources.get("monitors/production")
    if source is None or source.ok:
        return []
    since = formats.clock(source.since_us)
    return [row(Span("? MONITORS  ", Role.BLIND), cut(f"since {since}: {source.reason}", max(0, width - 12)))]


def dead_rules(shown: ScreenState, width: int) -> list[Line]:
    """Return which alert rules can never fire, where there are some."""
    source = shown.view.sources.get("alert rules/production")
    if source is None or source.ok:
        return []
    return [row(Span("! DEAD RULE ", Role.WARN), cut(source.reason, max(0, width - 12)))]


def alerts(shown: ScreenState, width: int) -> list[Line]:
    """Return Alertmanager's alerts, the firing ones first; those that are new since the bake began are marked."""
    bake = shown.view.bake
    before = bake.alerts if bake is not None else ()
    found = sorted(shown.view.alerts.items(), key=lambda pair: (pair[1].state != "firing", pair[1].since_us))
    lines = []
    for key, alert in found:
        new = alert.state == "firing" and bake is not None and key not in before
        role = Role.BAD if new else Role.WARN if alert.state == "firing" else Role.DIM
        glyph = "✖ NEW ALERT" if new else "! ALERT" if alert.state == "firing" else f"- {alert.state.upper()}"
        lines.append(
            row(Span(f"{glyph.ljust(11)} ", role), cut(f"{alert.alert}: {alert.summary}", max(0, width - 13)))
        )
    return lines


def condition_line(condition: ConditionView, width: int, now_us: int) -> Line:
    """Return a stop condition in a line: ``! BREACHING  HTTP 5xx share  3.10 % / 1.00 %  150/300 s``.

    One that is blind says for how long it has been.
    """
    glyph, word, role = formats.CONDITION[condition.state]
    if not condition.active and condition.state is ConditionState.WARMUP:
        word = "WAITS"
    elapsed = f"{condition.elapsed_s}/{condition.for_s} s"
    if condition.state.blind and condition.since_us:
        elapsed = f"for {formats.span((now_us - condition.since_us) / SECOND_US)}"
    if condition.state is ConditionState.TRIPPED and condition.tripped_us:
        elapsed = f"tripped {formats.clock(condition.tripped_us, seconds=False)}"
    value = formats.number(condition.value, condition.unit) if condition.evaluated_us else "-"
    limit = f" / {formats.number(condition.threshold, condition.unit)}" if width >= 60 else ""
    left = row(Span(f"{glyph} {word}".ljust(11), role), " ", condition.title)
    right = row(
        Span(value, role if condition.state is not ConditionState.OK else Role.PLAIN),
        Span(f"{limit}  ", Role.DIM),
        Span(elapsed, role if condition.elapsed_s else Role.DIM),
    )
    return fill(left, right, width)


def operation(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return the operation under way, or the newest one, and the bake; what next where there is none."""
    view = shown.view
    lines = [heading("OPERATION", width)]
    newest = view.running() or (view.operations[-1] if view.operations else None)
    if newest is None:
        lines.append(row(Span("none yet · d: what may be run", Role.DIM)))
    else:
        lines += operation_lines(newest, shown.now_us, width)
    if view.bake is not None:
        lines.append(bake_line(shown, width))
    return lines[:height]


def operation_lines(one: OperationView, now_us: int, width: int) -> list[Line]:
    """Return an operation in two lines: state and time, then what it does at the moment."""
    end = one.finished_us or now_us
    took = (end - (one.started_us or one.intended_us)) / SECOND_US
    time = (
        f"{formats.stopwatch(took)} / {formats.stopwatch(one.timeout_s)}"
        if not one.state.ended
        else formats.stopwatch(took)
    )
    first = fill(
        row(formats.sign(formats.OPERATION[one.state]), " ", Span(one.id, Role.STRONG)), row(time), width
    )
    if one.state.ended:
        role = Role.PLAIN if one.state is OperationState.SUCCEEDED else Role.BAD
        return [first, row(Span(cut(f"  {one.verdict}", width), role))]
    step = one.steps[-1] if one.steps else None
    doing = f"  {step.name}: {step.state} {step.detail}" if step else "  about to begin"
    return [first, row(Span(cut(doing, width), Role.DIM))]


def bake_line(shown: ScreenState, width: int) -> Line:
    """Return the bake in a line: a bar, time seen good of the time wanted, why it stands still."""
    bake = shown.view.bake
    if bake is None:
        return ()
    role = {"running": Role.ACCENT, "done": Role.GOOD, "tripped": Role.BAD}.get(bake.state, Role.WARN)
    message = f" {formats.stopwatch(bake.good_s)} / {formats.stopwatch(bake.minimum_s)} good"
    why = f"  {bake.state}" + (f": {bake.why}" if bake.why else "")
    size = max(6, min(30, width - len(message) - len(why) - 6))
    return crop(
        row(
            Span("bake ", Role.STRONG),
            *bar(bake.good_s, bake.minimum_s, size, role),
            message,
            Span(why, role),
        ),
        width,
    )


def bar(part: float, whole: float, width: int, role: Role) -> tuple[Span, Span]:
    """Return how far something is as a bar of ``width`` cells."""
    done = 0 if whole <= 0 else min(width, int(width * part / whole))
    return Span("━" * done, role), Span("╌" * (width - done), Role.DIM)


def tail(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return the newest events in words, the newest last."""
    lines = [heading("LOG", width, Span(formats.plural(shown.view.seq, "event"), Role.DIM))]
    return lines + [log_line(one, width) for one in shown.view.tail[-max(0, height - 1) :]]


def log_line(one: LogLine, width: int) -> Line:
    """Return an event in a line: time, who, what."""
    actor = "" if one.actor == "engine" else f"{cut(one.actor, 12)}: "
    return crop(
        row(
            Span(formats.clock(one.wall_us)[:8] + " ", Role.DIM),
            Span(actor, Role.ACCENT),
            Span(cut(one.words or one.kind, width), formats.SEVERITY[one.severity]),
        ),
        width,
    )
