"""The one table of the command line: a row is a command with its words, its arguments and the function that answers.

A function is named, not imported: only the command that is given loads its module.
"""

from __future__ import annotations

from argparse import SUPPRESS
from pathlib import Path

from console.cli.command import Argument, Command, arg, times
from console.cli.saved.saved_commands import SAVED

_LOG = arg("log", type=Path)
_BOOK = arg("runbook", nargs="?", type=Path, default=Path("runbook.yaml"))
_CLOCK = arg("--clock", type=Path, help=SUPPRESS)
_DAMAGED = arg("--damaged", action="store_true", help="show a log that doesn't verify, too")

_PLAIN = arg(
    "--plain", action="store_true", help="one line an event, without a screen: for a pipe or a dumb terminal"
)


def _json(message: str = "print JSON") -> Argument:
    return arg("--json", dest="as_json", action="store_true", help=message)


_WORLD = (
    arg(
        *("--fault",), dest="faults", action="append", default=[], metavar="NAME",
        help="see `launch-console faults`",
    ),
    arg("--seed", type=int, default=1, help="another one makes another world"),
    arg("--rate", type=times, default=0.0, help="how fast its clock runs: 60 is 60 times real time"),
    arg("--runbook", type=Path, metavar="FILE", help="launch this one's service in it; left out: the SOP's"),
    arg("--first", action="store_true", help="a first launch: in production nothing is installed yet"),
)  # fmt: skip

_WORD = (
    arg("--log", type=Path, help="the launch's log; else that of this account's only engine"),
    arg("--comment", default="", help="what the others should know"),
)
COMMANDS = (
    Command(
        name="open",
        help="open the console on a runbook (the default)",
        run="console.cli.open:run",
        arguments=(
            _BOOK,
            arg("--log", type=Path, help="the launch's log; a new one where it does not exist"),
            _CLOCK,
            _PLAIN,
        ),
        examples=(
            "runbook.yaml",
            "open runbook.yaml --log launches/1.4.0.lclog",
            "open runbook.yaml --plain",
        ),
    ),
    Command(
        name="rehearse",
        help="drive a whole launch in a simulated world",
        run="console.rehearsal.cli.rehearse:run",
        arguments=(
            *_WORLD,
            arg("--headless", action="store_true", help="the launch drives itself, without a screen"),
            _PLAIN,
            arg("--tour", action="store_true", help="first a tour of the screens, which Esc leaves"),
            _json("one JSON object for each event, last a summary"),
            arg("--log", type=Path, help="the launch's log; an existing one goes on where it was"),
        ),
        examples=(
            "rehearse --fault bad-candidate",
            "rehearse --tour",
            "rehearse --headless --json --runbook examples/web-service.yaml",
        ),
    ),
    Command(
        name="range",
        help="serve the simulated world alone, for kubectl, curl and others",
        run="console.rehearsal.cli.range:run",
        arguments=(
            *_WORLD,
            arg("--folder", type=Path, help="where the world is kept; a temporary one where left out"),
        ),
        examples=("range", "range --fault csp-missing --folder /tmp/world"),
    ),
    Command(
        name="faults",
        help="list what can be made to go wrong in a rehearsal",
        run="console.rehearsal.cli.faults:run",
        arguments=(_json(),),
        examples=("faults", "faults --json"),
    ),
    Command(
        name="check",
        help="run checks without a screen, in a pipeline for example",
        run="console.cli.check.check:run",
        arguments=(
            arg(
                *("names",),
                nargs="*",
                metavar="GATE|ITEM",
                help="3 is a gate, 3.2 an item, build a stage of the pipeline; all where none is named",
            ),
            arg("--runbook", type=Path, default=Path("runbook.yaml")),
            arg("--log", type=Path, help="judge by what this launch has seen; it is only read"),
            arg("--probes", action="store_true", help="also run the checks that leave traces in production"),
            arg(
                "--live",
                action="store_true",
                help="what judges the candidate in staging looks at production, at whatever runs there",
            ),
            _CLOCK,
        ),
        choices=(
            (
                _json("print one JSON document"),
                arg("--junit", type=Path, metavar="FILE", help="write a JUnit XML file too"),
            ),
        ),
        examples=("check 3 6.1", "check --runbook launch.yaml --junit checks.xml", "check 8 --probes --json"),
    ),
    Command(name="checks", help="list the kinds of checks, or show one with its settings"),
    Command(
        name="checks list",
        help="every kind, and what it judges",
        run="console.cli.kinds.kinds:run_list",
        arguments=(_json(),),
        examples=("checks list",),
    ),
    Command(
        name="checks show",
        help="what a kind asks and proves, how its fails are mended, every setting, an example",
        run="console.cli.kinds.kinds:run_show",
        arguments=(arg("name", metavar="KIND"),),
        examples=("checks show web.csp",),
    ),
    Command(
        name="checks page",
        help="what all kinds ask, prove and need, as Markdown",
        run="console.cli.kinds.kinds:run_page",
        examples=("checks page",),
    ),
    Command(
        name="init",
        help="write a runbook for your service, from what this machine and its clusters tell",
        run="console.cli.runbook.init:run",
        arguments=(
            arg("target", nargs="?", type=Path, default=Path("runbook.yaml"), help="the file to write"),
            arg(
                *("--template",),
                choices=("web-service", "sop"),
                default="web-service",
                help="five gates for a web service, or the ten of the Production Launch SOP",
            ),
            arg("--kubeconfig", type=Path, metavar="FILE", help="else KUBECONFIG, then ~/.kube/config"),
            arg("--staging", metavar="CONTEXT[/NAMESPACE]", help="where staging is"),
            arg("--production", metavar="CONTEXT[/NAMESPACE]", help="where production is"),
            arg("--release", metavar="NAME", help="the helm release"),
            arg(*("--candidate",), dest="version_of", metavar="VERSION", help="the version that is launched"),
            arg("--commit", metavar="SHA", help="its commit; else the one that is checked out here"),
            arg("--chart", metavar="PATH", help="a folder, an archive, or repository/chart"),
            arg("--staging-values", type=Path, action="append", metavar="FILE", help="of the chart"),
            arg("--production-values", type=Path, action="append", metavar="FILE", help="of the chart"),
            arg("--staging-domain", metavar="HOST", help="else the first of its ingresses"),
            arg("--production-domain", metavar="HOST", help="else the first of its ingresses"),
            arg("--staging-pin", metavar="ADDRESS[:PORT]", help="ask the domain there, whatever DNS says"),
            arg("--production-pin", metavar="ADDRESS[:PORT]", help="ask the domain there, whatever DNS says"),
            arg("--prometheus", metavar="URL"),
            arg("--alertmanager", metavar="URL"),
            arg("--registry", metavar="URL"),
            arg("--ca-file", type=Path, metavar="FILE", help="certificates to trust for the domains"),
            arg("--helm", metavar="PROGRAM", help="a name on PATH, or a path"),
            arg("--force", action="store_true", help="write over a file that is there"),
        ),
        examples=(
            "init",
            "init launch.yaml --staging shop-staging/shop --production shop-prod/shop --chart deploy/shop",
        ),
    ),
    Command(
        name="doctor",
        help="say what a launch would miss on this machine and in its clusters, a line each, with the fix",
        run="console.cli.doctor.doctor:run",
        arguments=(
            _BOOK,
            arg("--env", choices=("staging", "production"), help="of this environment alone"),
            _json(),
            _CLOCK,
        ),
        examples=("doctor runbook.yaml", "doctor runbook.yaml --env production --json"),
    ),
    Command(name="runbook", help="check a runbook, or print the schema of runbooks"),
    Command(
        name="runbook check",
        help="name every problem of a runbook, and of what it names on this machine, without opening it",
        run="console.cli.runbook.runbook:run_check",
        arguments=(
            _BOOK,
            arg(
                "--offline",
                action="store_true",
                help="look at the runbook alone: not at charts, values, kubeconfigs, helm, nor for placeholders",
            ),
        ),
        examples=("runbook check runbook.yaml", "runbook check --offline runbook.yaml"),
    ),
    Command(
        name="runbook schema",
        help="print the JSON Schema of a runbook, for editors",
        run="console.cli.runbook.runbook:run_schema",
        examples=("runbook schema > runbook.schema.json",),
    ),
    Command(
        name="rbac",
        help="print the least roles for the account that an engine uses, as YAML",
        run="console.cli.rbac:run",
        arguments=(
            _BOOK,
            arg(
                "--operations",
                action="store_true",
                help="to deploy, migrate and roll back too, not only to look",
            ),
            arg("--env", help="of this environment alone"),
            arg(
                *("--account",),
                default="launch-console",
                metavar="NAME",
                help="the service account in the release's namespace; user:NAME is a user",
            ),
        ),
        examples=("rbac runbook.yaml > read-only.yaml", "rbac runbook.yaml --operations --env staging"),
    ),
    Command(
        name="verify",
        help="check that a log is whole and unaltered",
        run="console.cli.verify:run",
        arguments=(
            _LOG,
            arg("--anchor", action="append", default=[], help="a head that was noted elsewhere: lc1:…"),
            arg(
                *("--allowed-signers",),
                type=Path,
                help="whose SSH keys count, as ssh-keygen reads it; else the log's own",
            ),
            arg(
                *("--revoked-keys",),
                type=Path,
                help="keys that count no more: a KRL, or public keys, one a line",
            ),
            arg(
                "--no-witness", action="store_true", help="leave out what this account saw of the log before"
            ),
            _json(),
        ),
        examples=(
            "verify launch.lclog",
            "verify launch.lclog --anchor lc1:0193b0c4:3:eda12c648deebfa15b6be8d09c5ea31c",
        ),
    ),
    Command(
        name="archive",
        help="copy a log into one clean file that verifies to the same head",
        run="console.cli.archive:run",
        arguments=(_LOG, arg("target", nargs="?", type=Path, help="the file to write; else one beside it")),
        examples=("archive launch.lclog", "archive launch.lclog /srv/launches/1.4.0.lclog"),
    ),
    Command(
        name="report",
        help="tell a launch as a page to keep, in Markdown, HTML or JSON",
        run="console.cli.report:run",
        arguments=(
            _LOG,
            arg("target", nargs="?", type=Path, help="the file to write; else the standard output"),
            arg(
                "--format",
                dest="form",
                choices=("md", "html", "json"),
                help="else as the file's name ends, or md",
            ),
        ),
        examples=("report launch.lclog launch.html", "report launch.lclog --format json"),
    ),
    *SAVED,
    Command(
        name="redact",
        help="take the body of an event out of a log for good, after a leak",
        run="console.cli.redact:run",
        arguments=(
            _LOG,
            arg("seq", type=int, help="the event's number"),
            arg("--reason", required=True, help="why, for the log; never the secret itself"),
        ),
        examples=('redact launch.lclog 214 --reason "a password in a note"',),
    ),
    Command(
        name="scan",
        help="look a log, its files, report and archive over for secrets that its runbook knows",
        run="console.cli.scan.scan:run",
        arguments=(
            _LOG,
            arg("also", nargs="*", type=Path, help="more files or folders to look over"),
            arg("--runbook", type=Path, default=Path("runbook.yaml"), help="whose secrets are looked for"),
            arg(
                "--cluster", action="store_true", help="ask the clusters for the Secrets of the releases, too"
            ),
            _json(),
        ),
        examples=(
            "scan launch.lclog",
            "scan launch.lclog launch.md /srv/launches --runbook launch.yaml --cluster",
        ),
    ),
    Command(
        name="replay",
        help="replay a saved log on the same screens",
        run="console.cli.watching.replay:run",
        arguments=(
            arg("log", type=Path, help="its file, or a pointer to a moment: lc1:0193b0c4:1204"),
            arg("--speed", type=times, default=1.0, help="how many times as fast as it was"),
            _DAMAGED,
            _PLAIN,
            arg(
                "--at",
                default="",
                help="where to begin: T+12m, 14:03, 'gate 6', 'first breach', deploy, or a number",
            ),
        ),
        examples=(
            "replay launch.lclog --speed 10",
            "replay launch.lclog --at 'first breach'",
            "replay lc1:0193b0c4:1204",
        ),
    ),
    Command(
        name="follow",
        help="watch a log that an engine is writing, read-only",
        run="console.cli.watching.follow:run",
        arguments=(_LOG, _DAMAGED, _PLAIN),
        examples=("follow launch.lclog", "follow launch.lclog --plain"),
    ),
    Command(
        name="serve",
        help="show a launch in a browser of this machine, read-only",
        run="console.cli.watching.serve:run",
        arguments=(
            arg(
                "target",
                type=Path,
                metavar="RUNBOOK|LOG",
                help="of a launch whose engine runs, or a saved log",
            ),
            arg("--port", type=int, default=8000, help="on 127.0.0.1; 0 is any that is free"),
            arg("--drive", action="store_true", help="whoever has the address acts as you"),
        ),
        examples=("serve launch.lclog", "serve launch.yaml --port 0", "serve launch.yaml --drive"),
    ),
    Command(
        name="grant",
        help="grant what somebody else requests, as the second person",
        run="console.cli.word:run_grant",
        arguments=(
            arg("request", help="the request's number"),
            *_WORD,
            arg("--sign", action="store_true", help="with your SSH key, where you share the other's account"),
            arg("--phrase", default="", help="the name that granting wants typed; else it is asked for"),
        ),
        examples=("grant 214 --log launch.lclog", 'grant 214 --sign --comment "I looked at it"'),
    ),
    Command(
        name="attest",
        help="say GO or NO-GO on an item from where you sit",
        run="console.cli.word:run_attest",
        arguments=(
            arg("item", help="its number: 3.2"),
            arg("--go", action="store_true", help="it is as its question asks"),
            arg("--no-go", action="store_true", help="it isn't: wants a comment"),
            arg("--link", default="", help="where the proof is"),
            arg("--sign", action="store_true", help="refuse to say it unsigned"),
            *_WORD,
        ),
        examples=('attest 3.2 --go --comment "seen in staging"', 'attest 8.1 --no-go --comment "no backup"'),
    ),
    Command(
        name="poll",
        help="open a go/no-go poll, or answer the one that is open from where you sit",
        run="console.cli.word:run_poll",
        arguments=(
            arg("--open", dest="about", default="", metavar="WHAT", help="ask everybody: what is asked"),
            arg("--go", action="store_true", help="your seat says GO"),
            arg(
                "--no-go",
                action="store_true",
                help="your seat says NO-GO: wants a comment, and holds the launch",
            ),
            *_WORD,
        ),
        examples=('poll --open "promote v1.4.0"', "poll --go", 'poll --no-go --comment "the queue grows"'),
    ),
    Command(name="engine", help="list or stop engines"),
    Command(
        name="engine list",
        help="the engines of this account",
        run="console.cli.engine:run_list",
        arguments=(_json(),),
        examples=("engine list",),
    ),
    Command(
        name="engine stop",
        help="stop an engine",
        run="console.cli.engine:run_stop",
        arguments=(arg("target", help="its log or its pid"),),
        examples=("engine stop launch.lclog", "engine stop 4711"),
    ),
)
