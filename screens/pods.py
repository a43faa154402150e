"""Every pod and ingress of both environments, as the watches told it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.containers import Container, Vertical
from textual.widget import Widget

from screens.base import STYLES, LaunchScreen
from screens.kit import formats
from screens.kit.lines import LineView
from screens.kit.messages import PodAsked
from screens.kit.pane import Pane
from screens.kit.plain import Line, Role, Span, crop, cut, heading, row, wrap
from screens.kit.screen_state import ScreenState
from screens.kit.table import Column, Row, Table
from screens.sections.cluster import every_pod_of, image_words, lost_since, pod_sign
from state.view.launch import PodView
from state.view.pods import is_done, is_fine, is_starting


class PodsScreen(LaunchScreen):
    """Pods, those in trouble first, and ingresses."""

    NAME = "pods"
    CSS_PATH: ClassVar = [STYLES / "base.tcss", STYLES / "pods.tcss"]
    KEYS = (
        ("enter", "describe, logs"),
        ("tab", "scroll"),
        ("d", "operations"),
        ("l", "log"),
        ("esc", "back"),
    )
    LIST = "pods"

    def __init__(self) -> None:
        super().__init__()
        self._asked = ""
        """The pod that was asked for, as ``production/api-1``."""
        self._told: tuple[str, ...] = ()
        """What was answered of it."""

    def body(self) -> Iterable[Widget]:
        """Return the sources' state, the pods and the ingresses."""
        yield Pane(sources, id="sources")
        pods = Table(
            (
                Column("env", 10),
                Column("pod", 0),
                Column("state", 18),
                Column("ready", 5),
                Column("↻", 3, right=True),
                Column("image", 20, wanted=110),
                Column("since", 9, wanted=80),
            ),
            id="pods",
        )
        ingresses = Table(
            (Column("env", 10), Column("hosts", 0), Column("address", 24, wanted=60), Column("TLS", 6)),
            id="ingresses",
        )
        yield Container(
            Vertical(pods, ingresses, id="pods-list"),
            Vertical(LineView(id="detail"), id="detail-box"),
            id="pods-box",
        )

    def on_screen_resume(self) -> None:
        """Put the keys where the pods are."""
        self.query_one("#pods", Table).focus()

    def refresh_body(self, shown: ScreenState) -> None:
        """Show pods and ingresses."""
        view = shown.view
        envs = [e.tier for e in view.environments] or sorted({p.env for p in view.pods.values()})
        now = shown.now_us
        pods = [pod for env in reversed(envs) for pod in every_pod_of(view, env, now)]
        pods.sort(key=lambda pod: is_fine(pod, now))
        self.query_one("#pods", Table).show_rows([pod_row(p, now) for p in pods])
        rows = [
            Row(
                key,
                (
                    i.env,
                    ", ".join(i.hosts),
                    i.address or "none",
                    Span("yes", Role.GOOD) if i.tls else Span("no", Role.WARN),
                ),
            )
            for key, i in sorted(view.ingresses.items())
        ]
        self.query_one("#ingresses", Table).show_rows(rows)
        self.query_one("#ingresses", Table).styles.height = min(len(rows) + 1, 8)
        self._detail()

    def _pod(self) -> PodView | None:
        return self.shown.view.pods.get(self.query_one("#pods", Table).key)

    def _detail(self) -> None:
        pod, shown = self._pod(), self.shown
        key = self.query_one("#pods", Table).key
        told = self._told if key == self._asked else ()
        asked = key == self._asked and not told
        self.query_one("#detail", LineView).show_lines(
            lambda width: pod_lines(pod, shown, width, told, asked=asked) if pod is not None else [],
            about=key,
        )

    def described(self, env: str, pod: str, told: tuple[str, ...]) -> None:
        """Show what was answered of a pod that was asked for."""
        if self._asked == f"{env}/{pod}":
            self._told = told
            self._detail()

    def on_table_moved(self, event: Table.Moved) -> None:
        """Show what is known of the pod that the cursor stands on."""
        event.stop()
        if event.table.id == "pods":
            self._detail()

    def on_table_chosen(self, event: Table.Chosen) -> None:
        """Ask for the pod's containers, events and logs."""
        event.stop()
        pod = self._pod()
        if event.table.id == "pods" and pod is not None:
            self._asked, self._told = event.key, ()
            self.set_class(True, "-opened")
            self._detail()
            self.post_message(PodAsked(pod.env, pod.name))


def sources(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return every source with what it last said."""
    spans: list[Span] = []
    for name in sorted(shown.view.sources):
        lost = lost_since(shown, name)
        spans += [Span(f"{name} ", Role.STRONG), lost or Span("✔ answers", Role.GOOD), Span("   ")]
    return [crop(row(*spans), width)] if spans else [row(Span("no source is watched yet", Role.DIM))]


def pod_row(pod: PodView, now_us: int) -> Row:
    """Return a pod as a row."""
    glyph, role = pod_sign(pod, now_us)
    reason = pod.unready or pod.reason
    word = f"{glyph} {pod.phase}" + (f" {reason}" if reason and reason != pod.phase else "")
    return Row(
        f"{pod.env}/{pod.name}",
        (
            pod.env,
            pod.name,
            Span(word, role),
            "-" if is_done(pod) else f"{pod.ready}/{pod.containers}",
            Span(str(pod.restarts), Role.WARN if pod.restarts else Role.DIM),
            Span(image_words(pod), Role.DIM),
            Span(formats.clock(pod.changed_us), Role.DIM),
        ),
        bad=not is_fine(pod, now_us) and not is_starting(pod, now_us),
    )


def pod_lines(
    pod: PodView, shown: ScreenState, width: int, told: tuple[str, ...], *, asked: bool
) -> list[Line]:
    """Return what is known of a pod: what the watch saw, then what was answered when it was asked for."""
    now = shown.now_us
    sign = pod_sign(pod, now)
    why = pod.unready or pod.reason
    lines = [heading(cut(pod.name, width - 24), width, Span(f"{sign.text} {pod.phase}", sign.role))]
    if why and not told:
        lines += [row(Span(part, sign.role)) for part in wrap(f"not ready: {why}", width)]
    seen = {
        "ready": "-" if is_done(pod) else f"{pod.ready} of {pod.containers} containers",
        "restarts": str(pod.restarts),
        "image": pod.image or "pending",
        "digest": pod.digest or "pending",
        "node": pod.node or "none yet",
        "made": formats.ago(pod.created_us, now),
    }
    for name, value in seen.items():
        parts = wrap(value, max(8, width - 10)) or [""]
        lines.append(row(Span(f"{name:<10}", Role.DIM), parts[0]))
        lines += [row(" " * 10, part) for part in parts[1:]]
    lines.append(row())
    if told:
        return lines + [line for one in told for line in _told_line(one, width)]
    word = "asking the cluster…" if asked else "enter: containers, events and the end of the logs"
    return [*lines, row(Span(word, Role.DIM))]


def _told_line(told: str, width: int) -> list[Line]:
    if told.startswith("# "):
        return [heading(cut(told[2:], width), width)]
    role = {"!": Role.BAD, "✖": Role.BAD, "✔": Role.GOOD, "?": Role.BLIND}.get(told[:1], Role.PLAIN)
    return [row(Span(part, role)) for part in wrap(told, width)] or [row()]
