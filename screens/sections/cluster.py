"""Pods and ingresses of every environment, and the sources that see them."""

from __future__ import annotations

from screens.kit import formats
from screens.kit.plain import Line, Role, Span, crop, cut, fit, heading, row
from screens.kit.screen_state import ScreenState
from state.view.launch import EnvironmentView, LaunchView, PodView
from state.view.pods import is_ending, is_fine, is_ready, is_starting, serves


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
    glyph, role = _sign_of(pods, fine, shown.now_us)
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


def _sign_of(pods: list[PodView], fine: int, now_us: int) -> tuple[str, Role]:
    """Return how an environment's pods stand: amber where those that aren't ready only start."""
    if not pods:
        return "·", Role.DIM
    if fine == len(pods):
        return "✔", Role.GOOD
    young = all(is_ready(pod, now_us) or is_starting(pod, now_us) for pod in pods)
    return ("…", Role.WARN) if young else ("✖", Role.BAD)


def pod_sign(pod: PodView, now_us: int) -> Span:
    """Return a pod's sign: ✔ nobody need look, … it starts, · it ends, ✖ trouble."""
    if is_ending(pod):
        return Span("·", Role.DIM)
    if is_fine(pod, now_us):
        return Span("✔", Role.GOOD)
    return Span("…", Role.WARN) if is_starting(pod, now_us) else Span("✖", Role.BAD)


def _images(pods: list[PodView], width: int) -> Line:
    counts: dict[str, int] = {}
    for pod in pods:
        told = f"{pod.app.rpartition('-')[2] or pod.name} {image_words(pod)}"
        counts[told] = counts.get(told, 0) + 1
    shown = ", ".join(f"{n}× {told}" for told, n in sorted(counts.items()))
    return row(Span(cut(f"  {shown or 'no pods seen'}", width), Role.DIM))


def image_words(pod: PodView) -> str:
    """Return an image's tag, or the first seven digits of its digest; ``pending`` until the node has told it."""
    name = pod.image.rpartition("/")[2]
    if "@" not in name and ":" in name:
        return name.rpartition(":")[2]
    return pod.digest.rpartition(":")[2][:7] or "pending"


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
    sign = Span("✔", Role.GOOD) if fine else pod_sign(pod, now_us)
    room = width - len(indent) - 2
    name_room = room if fine and room < 50 else max(12, room - len(word) - len(tail) - 2)
    line = row(
        indent,
        sign,
        " ",
        fit(pod.name, min(name_room, 44)),
        " ",
        Span(f"{cut(word, 40)} {tail}", Role.DIM if fine else sign.role),
    )
    return crop(line, width)
