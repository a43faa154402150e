"""The rows of the command line's table for what saved logs tell: figures, other formats, other judgements."""

from __future__ import annotations

from pathlib import Path

from console.cli.command import Command, arg, times

_OUTPUT = arg("-o", "--output", type=Path, metavar="FILE", help="the file to write; else the standard output")

SAVED = (
    Command(
        name="stats",
        help="figures of delivery over saved launches: lead times, failed changes, time to restore",
        run="console.cli.saved.stats:run",
        arguments=(
            arg("logs", nargs="+", type=Path, help="logs, or folders of them"),
            arg(
                *("--format",),
                dest="style",
                choices=("table", "json", "html"),
                default="table",
                help="for a terminal, a program or a browser",
            ),
            _OUTPUT,
        ),
        examples=(
            "stats launches/",
            "stats launches/ --format html -o figures.html",
            "stats a.lclog b.lclog --format json",
        ),
    ),
    Command(
        name="export",
        help="a saved launch in a format of another program",
        run="console.cli.saved.export:run",
        arguments=(
            arg("log", type=Path),
            arg(
                *("--format",),
                dest="style",
                choices=("jsonl", "csv", "junit", "asciicast", "intoto", "ical"),
                required=True,
                help="events, samples, checks, the screen, statements, the window with what is due",
            ),
            arg(
                *("--redact",),
                choices=("none", "people", "strict"),
                default="none",
                help="people: pseudonyms and no addresses; strict: no free text, hosts, commands, evidence either",
            ),
            _OUTPUT,
            arg("--size", default="120x36", metavar="COLSxROWS", help="of the screen of an asciicast"),
            arg(
                "--speed", type=times, default=60.0, help="of an asciicast: how many times as fast as it was"
            ),
        ),
        examples=(
            "export launch.lclog --format jsonl --redact people -o launch.jsonl",
            "export launch.lclog --format junit -o checks.xml",
            "export launch.lclog --format asciicast --size 100x30 --speed 120 -o launch.cast",
        ),
    ),
    Command(
        name="judge",
        help="judge a recorded launch again by other stop conditions",
        run="console.cli.judge:run",
        arguments=(
            arg("log", type=Path),
            arg("--runbook", type=Path, required=True, help="whose stop conditions are tried"),
            arg("--json", dest="as_json", action="store_true", help="print JSON"),
        ),
        examples=("judge launch.lclog --runbook stricter.yaml",),
    ),
)
