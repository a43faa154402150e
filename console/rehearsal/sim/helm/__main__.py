"""``helm``, the stand-in: reads arguments, asks the cluster, prints, and ends with helm's exit code."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import yaml

from console.rehearsal.sim.helm import output
from console.rehearsal.sim.helm.actions import Helm, ReleaseRequest
from console.rehearsal.sim.helm.arguments import UsageError, parse
from console.rehearsal.sim.helm.cluster import ApiError, Cluster, HelmError, read_access
from console.rehearsal.sim.helm.releases import Release, Status
from console.rehearsal.sim.helm.render import Names, load_chart, merged, read_values, render, set_value
from state.base.clock import Clock, SharedClock, SystemClock
from state.base.json import Json, JsonObject, obj

VERSION = "v3.17.2"
CLOCK = "REHEARSAL_CLOCK"
_COMMIT = "rehearsal"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one helm command and return its exit code."""
    try:
        args = parse(sys.argv[1:] if arguments is None else arguments)
        _run(args)
    except (HelmError, ApiError, UsageError) as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


def _run(args: Namespace) -> None:
    if args.verb == "version":
        output.write(_version(args))
    elif args.verb == "template":
        chart = load_chart(args.chart)
        names = Names(args.name, args.namespace or "default", 1)
        sys.stdout.write(render(chart, _values(args), names)[0])
    else:
        _ask_cluster(args)


def _ask_cluster(args: Namespace) -> None:
    try:
        helm = _connect(args)
        try:
            _VERBS[args.verb](helm, args)
        finally:
            helm.cluster.close()
    except HelmError as error:
        plain_upgrade = args.verb == "upgrade" and not getattr(args, "install", False)
        if plain_upgrade and str(error).startswith("Kubernetes cluster unreachable"):
            raise HelmError(f"UPGRADE FAILED: {error}") from None
        raise


def _version(args: Namespace) -> str:
    if args.template:
        return re.sub(r"\{\{\s*\.Version\s*\}\}", VERSION, args.template)
    if args.short:
        return f"{VERSION}+g{_COMMIT}"
    return f'version.BuildInfo{{Version:"{VERSION}", GitCommit:"{_COMMIT}", GitTreeState:"clean"}}'


def _clock() -> Clock:
    file = os.environ.get(CLOCK)
    return SharedClock(Path(file)) if file else SystemClock()


def _connect(args: Namespace) -> Helm:
    config = args.kubeconfig or os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    access = read_access(Path(config), args.kube_context)
    clock = _clock()

    def pause() -> None:
        # never more often than ten times in a real second, however fast the clock runs
        asyncio.run(clock.sleep(max(0.5, 0.1 * clock.rate())))

    quiet = args.output != "table"
    return Helm(
        Cluster(access),
        args.namespace or access.namespace,
        clock.wall_us,
        pause,
        say=lambda words: None if quiet else output.write(words),
    )


def _values(args: Namespace) -> JsonObject:
    values: dict[str, Json] = {}
    for file in args.values:
        values = merged(values, read_values(Path(file)))
    for kind, assignment in args.assignments:
        set_value(values, assignment, as_text=kind == "text")
    return values


def _release_request(args: Namespace, config: JsonObject | None = None) -> ReleaseRequest:
    chart = getattr(args, "chart", None)
    return ReleaseRequest(
        name=args.name,
        chart=load_chart(chart) if chart else None,
        config=config or {},
        description=getattr(args, "description", ""),
        wait=args.wait,
        wait_for_jobs=args.wait_for_jobs,
        timeout=args.timeout,
        dry_run=args.dry_run not in {"", "none", "false"},
        install=getattr(args, "install", False),
        create_namespace=getattr(args, "create_namespace", False),
        history_max=args.history_max,
        revision=getattr(args, "revision", 0),
    )


def _upgrade(helm: Helm, args: Namespace) -> None:
    def cancel(_signal: int, _frame: object) -> None:
        if not helm.cancelled.is_set():
            helm.cancelled.set()
            os.write(1, f"Release {args.name} has been cancelled.\n".encode())

    signal.signal(signal.SIGTERM, cancel)
    signal.signal(signal.SIGINT, cancel)
    values = _values(args)
    if getattr(args, "reuse_values", False) and (history := helm.store.history(args.name)):
        values = merged(history[-1].config, values)
    request = _release_request(args, values)
    release = helm.install(request) if args.verb == "install" else helm.upgrade(request)
    if args.output != "table":
        output.write(_document(release.document(), args.output))
        return
    if args.verb == "upgrade" and release.version > 1:
        output.write(f'Release "{args.name}" has been upgraded. Happy Helming!')
    output.write(output.release_text(release))
    if request.dry_run:
        output.write(f"HOOKS:\nMANIFEST:\n{release.manifest}")


def _rollback(helm: Helm, args: Namespace) -> None:
    # a rollback that is told to stop dies as helm does, and leaves pending-rollback
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    helm.rollback(_release_request(args))
    output.write("Rollback was a success! Happy Helming!")


def _uninstall(helm: Helm, args: Namespace) -> None:
    helm.uninstall(args.name)
    output.write(f'release "{args.name}" uninstalled')


def _list(helm: Helm, args: Namespace) -> None:
    shown = set(Status) if args.all else {Status.DEPLOYED, Status.FAILED}
    if args.pending:
        shown = {s for s in Status if s.value.startswith("pending-")}
    rows = output.list_rows([r for r in helm.store.every() if r.status in shown])
    if args.filter:
        rows = [r for r in rows if re.search(args.filter, str(r["name"]))]
    output.write(_document(list(rows), args.output) if args.output != "table" else output.rows_text(rows))


def _status(helm: Helm, args: Namespace) -> None:
    release = helm.store.revision(args.name, args.revision)
    shown = release.document(chart=False)
    output.write(_document(shown, args.output) if args.output != "table" else output.release_text(release))


def _history(helm: Helm, args: Namespace) -> None:
    releases = helm.store.history(args.name)
    if not releases:
        raise HelmError("release: not found")
    releases = releases[-args.max :]
    rows = output.history_rows(releases)
    if args.output == "table":
        rows = [
            {**row, "updated": output.ansic(r.last_deployed_us)}
            for row, r in zip(rows, releases, strict=True)
        ]
    output.write(_document(list(rows), args.output) if args.output != "table" else output.rows_text(rows))


def _get(helm: Helm, args: Namespace) -> None:
    release = helm.store.revision(args.name, args.revision)
    if args.part == "manifest":
        output.write(release.manifest)
    elif args.part == "metadata":
        shown = output.metadata(release)
        if args.output == "table":
            output.write(output.metadata_text(release))
        else:
            output.write(_document(shown, args.output))
    else:
        _get_values(release, args)


def _get_values(release: Release, args: Namespace) -> None:
    values: JsonObject | None = release.config or None
    if args.all:
        values = merged(obj(release.chart.get("values")), release.config)
    if args.output == "table":
        output.write("COMPUTED VALUES:" if args.all else "USER-SUPPLIED VALUES:")
    output.write(_document(values, "yaml" if args.output == "table" else args.output))


def _document(value: Json, form: str) -> str:
    return output.as_json(value) if form == "json" else str(yaml.safe_dump(value)).rstrip("\n")


_VERBS = {
    "upgrade": _upgrade,
    "install": _upgrade,
    "rollback": _rollback,
    "uninstall": _uninstall,
    "list": _list,
    "status": _status,
    "history": _history,
    "get": _get,
}


if __name__ == "__main__":
    sys.exit(main())
