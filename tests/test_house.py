"""The house rules that no linter knows: rooms, sizes, reasons, what a commit may name, who opens a log."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import ROOT
from tests.programs import path

CODE = [p for top in ("state", "checks", "screens", "console") for p in sorted((ROOT / top).rglob("*.py"))]
FILE_LINES = 420
FUNCTION_LINES = 70


def tracked() -> list[Path]:
    listed = subprocess.run([path("git"), "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_a_file_has_one_subject() -> None:
    long = {str(p.relative_to(ROOT)): n for p in CODE if (n := len(p.read_text().splitlines())) > FILE_LINES}
    assert long == {}


def test_a_function_fits_a_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in CODE
        for node in functions(path)
        if (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES
    ]
    assert long == []


def test_every_ignored_rule_has_its_reason() -> None:
    bare = re.compile(r"#\s*(?:noqa: [A-Z0-9, ]+|type: ignore(?:\[[a-z0-9-, ]+\])?|noqa)\s*$", re.MULTILINE)
    found = [str(p.relative_to(ROOT)) for p in CODE if bare.search(p.read_text())]
    assert found == []


@pytest.mark.needs("git")
def test_nothing_names_a_package_index_or_this_machine() -> None:
    hosts = (
        "pypi" + ".org",
        "pythonhosted" + ".org",
        "registry." + "npmjs",
        "/work" + "/main",
        "/opt" + "/wheels",
    )
    named = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.suffix not in {".png", ".svg"} and any(h in path.read_text(errors="replace") for h in hosts)
    ]
    assert named == []


@pytest.mark.needs("git")
def test_no_lock_file_that_names_an_index() -> None:
    names = {path.name for path in tracked()}
    assert not {n for n in names if n == "uv.lock" or re.fullmatch(r"pylock.*\.toml", n)}
    assert "requirements.lock" in names


def test_only_the_clock_tells_the_time() -> None:
    """Domain time is injected; measuring how long a call took (``perf_counter``) is not domain time."""
    told = re.compile(r"\b(?:time\.time|time\.time_ns|datetime\.now|datetime\.utcnow|time\.sleep)\(")
    allowed = {"state/base/clock.py"}
    found = [
        str(path.relative_to(ROOT))
        for path in CODE
        if told.search(path.read_text()) and str(path.relative_to(ROOT)) not in allowed
    ]
    assert found == []


def test_only_the_store_and_the_reader_open_a_log() -> None:
    opened = re.compile(r"\b(?:sqlite3\.connect|create_engine)\(")
    allowed = ("state/log/", "checks/clients/sql", "console/rehearsal/")
    found = [
        name
        for path in CODE
        if opened.search(path.read_text()) and not (name := str(path.relative_to(ROOT))).startswith(allowed)
    ]
    assert found == []


ROOMS = {
    "checks": "kinds of checks, a family each, and what they judge with",
    "checks/guides": "what each kind tells of itself: what it proves, and the way out of its fails",
    "checks/clients": "a client for each outside system",
    "checks/clients/ci": "a client for each system that builds and tests commits",
    "checks/clients/kubeconfig": "where a cluster is and as whom it is asked, as kubectl and helm read it",
    "console": "the program's entry, and its exit codes",
    "console/cli": "a module for each command of the command line, and their one table",
    "console/cli/check": "checks run without a screen",
    "console/cli/doctor": "what a launch would miss, on this machine and in its clusters",
    "console/cli/kinds": "the kinds of checks and the schema of runbooks, in words",
    "console/cli/saved": "what saved logs tell to other programs: figures over many, one in other formats",
    "console/cli/scan": "secrets that a runbook knows, looked for in what a launch left",
    "console/cli/runbook": "a runbook: written, judged by itself, and against what is on this machine",
    "console/cli/watching": "commands that show a launch and change nothing",
    "console/client": "a console's side of the socket, and where screens get their moments from",
    "console/engine": "the process that keeps the log; the ports between its rooms",
    "console/engine/bake": "stop conditions, trips and the bake's clock",
    "console/engine/checks": "runs checks, and turns verdicts into the status of gates",
    "console/engine/commands": "who may do what, and what a command does",
    "console/engine/operations": "deploy, migrate, rollback: the rooms below",
    "console/engine/operations/access": "what the cluster serves, and allows our account",
    "console/engine/operations/compare": "live objects against a manifest, and who changed them",
    "console/engine/operations/helm": "helm's command line and charts",
    "console/engine/operations/preview": "what an operation would do, and what locks it",
    "console/engine/operations/run": "an operation under way",
    "console/engine/operations/verdict": "what came of it",
    "console/engine/process": "start, socket, consoles, end",
    "console/engine/record": "the one door to the log",
    "console/engine/watch": "what is watched while a launch lasts",
    "console/rehearsal": "a whole launch in a simulated world; the list of its products",
    "console/rehearsal/autopilot": "a launch that drives itself",
    "console/rehearsal/cli": "the rehearsal's commands",
    "console/rehearsal/dotmac": "the SOP's product",
    "console/rehearsal/dotmac/faults": "what can go wrong with it",
    "console/rehearsal/dotmac/odd": "good worlds of it, unlike what one would expect",
    "console/rehearsal/dotmac/platform": "its servers",
    "console/rehearsal/dotmac/platform/routes": "their pages",
    "console/rehearsal/sim": "simulators that know no product",
    "console/rehearsal/sim/alertmanager": "Alertmanager",
    "console/rehearsal/sim/helm": "helm",
    "console/rehearsal/sim/kubernetes": "the Kubernetes API and its store",
    "console/rehearsal/sim/kubernetes/admission": "what it makes of an object before it stores it",
    "console/rehearsal/sim/kubernetes/controllers": "what moves the objects in it",
    "console/rehearsal/sim/kubernetes/kubectl": "what kubectl asks for beside plain objects",
    "console/rehearsal/sim/prometheus": "Prometheus",
    "console/rehearsal/sim/s3": "an object store",
    "console/rehearsal/web_service": "the second product",
    "console/rehearsal/world": "a product, its cluster and its faults on one clock",
    "console/rehearsal/world/traffic": "what its users do, as metrics",
    "console/ui/keys": "what each key does, keys of one's own, and the order in which they arrive",
    "console/ui": "the app: keys, palette, theme, terminal",
    "screens": "a screen in each file",
    "screens/dialogs": "questions and forms over a screen",
    "screens/kit": "what sections are drawn with",
    "screens/sections": "what a dashboard is made of",
    "state": "what a launch is; the registry of commands",
    "state/attest": "signed attestations",
    "state/base": "clock, text, numbers, JSON: knows nothing of launches",
    "state/conditions": "when a stop condition trips",
    "state/events": "events, a file for each subject",
    "state/exports": "a launch in formats of other programs, and what is left out of one for others",
    "state/figures": "figures of delivery over launches",
    "state/fold": "from an event to the view, and to words",
    "state/log": "the file on disk; the one room of state/ with threads and files",
    "state/report": "the launch as facts, and as a page that knows no format",
    "state/report/formats": "that page as Markdown, HTML and JSON",
    "state/runbook": "what a runbook may say",
    "state/view": "what is known of a launch, and the rules of the domain",
}
"""Every folder of the four packages, and what is in it."""
ROOM_MODULES = 16
LARGE = {
    "checks": "one module a family of checks: all are found in one list",
    "checks/clients": "one module an outside system: all are found in one list",
    "state/view": "one module a rule of the domain, each its one home: they are looked for by name",
    "state/runbook": "one module a part of the file that people write: all are read in one go",
    "state/log": "one subject, the file on disk; whoever changes one module of it reads the others",
}
"""Rooms of more modules than that, with the reason."""

_SUBJECT = "a subject: its events, its steps"
_JUDGED = "a family of checks, and the part of the rehearsal's platform that it judges"
TWICE = {
    "access": (2, "what a kubeconfig gives; who may do what in the simulated API"),
    "alertmanager": (2, "checks/clients asks it; engine/watch records what it says"),
    "alerts": (3, "a family of checks; a section of the dashboard; Alertmanager's own in its simulator"),
    "answers": (2, "checks/clients judges an answer; the simulated Prometheus makes one"),
    "api": (2, "the simulated Kubernetes API; the API of the SOP's product"),
    "apply": (2, "the simulated helm's; the simulated API's, as kubectl asks for it"),
    "archive": (2, "state/log does it; console/cli is its command"),
    "arguments": (2, "of launch-console; of the simulated helm"),
    "attestations": (2, "the words that the view keeps; their commands"),
    "auth": (2, _JUDGED),
    "bake": (4, f"{_SUBJECT}, its commands; and its screen"),
    "base": (2, "what every check is; what every screen has"),
    "chart": (2, "a graph on the screen; a chart of helm"),
    "cluster": (
        4,
        "a family of checks; a section; a way to the API for helm's simulator, and one for the controllers",
    ),
    "commands": (2, "the registry of what can be done to a launch; the table of the command line"),
    "conditions": (2, "as a runbook states them; as a section shows them"),
    "cookies": (2, _JUDGED),
    "credentials": (2, "of a kubeconfig, renewed; those of the SOP's product"),
    "data": (2, "a family of checks; the faults that it must notice"),
    "deploy": (2, "the screen; the operation"),
    "dispatch": (2, "of the command line; of commands to the engine"),
    "engine": (2, "the engine; the command that lists and stops engines"),
    "errors": (3, "of the log; that nothing could be observed; and for which reason, a class each"),
    "evaluate": (2, "stop conditions; queries of the simulated Prometheus"),
    "faults": (2, "the command that lists them; those of the web service"),
    "first_launch": (3, f"{_SUBJECT}, the view; and how checks are judged in one"),
    "flows": (2, _JUDGED),
    "full_verify": (2, "state/log: the check itself; engine/record: what it finds becomes an event"),
    "gates": (3, f"{_SUBJECT}, what the view keeps of it"),
    "health": (2, _JUDGED),
    "helm": (2, "a family of checks; the program"),
    "journal": (2, "the engine's door to the log; the file of the simulated Kubernetes API"),
    "judged": (2, "the newest results, for exports; all of them, for the report"),
    "launch": (5, f"{_SUBJECT}, the view, its commands; and a family of checks"),
    "locks": (2, "on files; on operations"),
    "log": (2, "events of the log itself; the screen"),
    "metrics": (3, "watched by the engine; what each product of the rehearsal exports"),
    "moments": (2, "which events are worth jumping to; what the view says of one"),
    "monitors": (2, "a family of checks; the faults that it must notice"),
    "names": (2, "each product of the rehearsal has its own"),
    "operations": (3, f"{_SUBJECT}, its commands"),
    "output": (2, "of an operation; of the simulated helm"),
    "pods": (2, "the rules, when one is ready; the screen"),
    "product": (3, "what a product is to a world; and each of the two"),
    "redact": (3, "in the log; before something gets there; the command"),
    "registry": (2, "of the kinds of checks; of images, a client"),
    "release": (2, "a condition of a launch, judged; faults of a release"),
    "releases": (2, "which of them are there, seen by the engine; those of the simulated helm"),
    "replay": (2, "its command; the source that plays it"),
    "polls": (4, f"{_SUBJECT}, what the view keeps of it, its commands: everybody says GO or NO-GO"),
    "requests": (4, f"{_SUBJECT}, what the view keeps of it, its commands: what takes two people"),
    "rules": (2, "alert rules, judged by checks; alert rules, evaluated by the simulator"),
    "runbook": (3, "its command; what a world makes of one; the SOP's product's side of it"),
    "samples": (2, "of one moment, an event; those that a condition was judged by"),
    "schema": (2, "of runbooks; of the SOP's product's database"),
    "secrets": (2, "judged by checks; applied by a deploy"),
    "server": (3, "one in each simulator"),
    "service": (2, "operations, one at a time; the SOP's product's servers as a whole"),
    "settings": (2, "of a kind of check, in words; the switches of the SOP's product"),
    "source": (2, "a runbook's text with its lines; where a world's samples come from"),
    "stages": (2, "what a stage of the pipeline adds up to; its line on a screen"),
    "stop_conditions": (2, "looked at once by a check; evaluated at every interval by the engine"),
    "store": (2, "of the log; of the simulated cluster"),
    "table": (2, "of the database; on the screen"),
    "telemetry": (2, "a client; the checks that ask with it"),
    "timeline": (2, "of a replay, on the screen; of a product's traffic"),
    "tls": (2, "a client; the checks that ask with it"),
    "verify": (2, "state/log does it; console/cli is its command"),
    "watch": (2, "what the view knows of it; the simulated API's streams"),
    "witness": (2, "the file that remembers a log's head; the console that writes it"),
    "workloads": (3, "asked about by checks; judged after an operation; moved by the simulator"),
    "world": (3, f"{_SUBJECT} (what is seen outside); the rehearsal's"),
}
"""Names of modules that stand in several rooms: in how many, and which is which. A name of its own is better."""


def rooms() -> dict[str, list[str]]:
    """Return the modules of every folder."""
    found: dict[str, list[str]] = {}
    for module in CODE:
        room = found.setdefault(str(module.parent.relative_to(ROOT)), [])
        if module.stem not in {"__init__", "__main__"}:
            room.append(module.stem)
    return found


def test_the_rooms() -> None:
    assert set(rooms()) == set(ROOMS), "a folder that is new, or gone: say in ROOMS what is in it"
    assert {name for name, modules in rooms().items() if len(modules) > ROOM_MODULES} == set(LARGE)


def test_a_name_of_a_module_stands_once_or_says_which_is_which() -> None:
    counted = Counter(name for modules in rooms().values() for name in modules)
    twice = {name: times for name, times in counted.items() if times > 1}
    assert twice == {name: times for name, (times, _) in TWICE.items()}


def test_what_screens_are_made_of_knows_no_screen() -> None:
    """The import linter can't say "the modules of screens/ itself"; ``screens.base`` it forbids already."""
    screens = {f"screens.{name}" for name in rooms()["screens"]}
    parts = [p for room in ("kit", "sections", "dialogs") for p in (ROOT / "screens" / room).glob("*.py")]
    known = {
        f"{part.relative_to(ROOT)} imports {name}"
        for part in parts
        for node in ast.walk(ast.parse(part.read_text()))
        for name in imported(node)
        if name in screens
    }
    assert known == set()


def imported(node: ast.AST) -> list[str]:
    """Return what an import names: modules, and members that may be modules."""
    if isinstance(node, ast.Import):
        return [one.name for one in node.names]
    if isinstance(node, ast.ImportFrom):
        return [str(node.module), *(f"{node.module}.{one.name}" for one in node.names)]
    return []
