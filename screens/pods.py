"""Every pod and ingress of both environments, as the watches told it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.widget import Widget

from screens.base import STYLES, LaunchScreen
from screens.kit import formats
from screens.kit.pane import Pane
from screens.kit.plain import Line, Role, Span, crop, row
from screens.kit.screen_state import ScreenState
from screens.kit.table import Column, Row, Table
from screens.sections.cluster import every_pod_of, image_words, lost_since, pod_sign
from state.view.launch import PodView
from state.view.pods import is_done, is_fine


class PodsScreen(LaunchScreen):
    """Pods, those in trouble first, and ingresses."""

    NAME = "pods"
    CSS_PATH: ClassVar = [STYLES / "base.tcss", STYLES / "pods.tcss"]
    KEYS = (("↑↓", "move"), ("d", "deploy"), ("l", "log"), ("esc", "back"))

    def body(self) -> Iterable[Widget]:
        """Return the sources' state, the pods and the ingresses."""
        yield Pane(sources, id="sources")
        yield Table(
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
        yield Table(
            (Column("env", 10), Column("hosts", 0), Column("address", 24), Column("TLS", 6)), id="ingresses"
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
    )
