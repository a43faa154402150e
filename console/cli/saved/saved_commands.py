"""The rows of the command line's table for what saved logs tell to other programs."""

from __future__ import annotations

from pathlib import Path

from console.cli.command import Command, arg

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
)
