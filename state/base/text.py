"""The one door for text from outside: pod names, log lines, helm's errors, alerts.

It strips what a terminal would obey (ANSI and OSC sequences, C0 and C1 controls) and what deceives a
reader's eye (bidirectional overrides), and caps the length. Markup is not its business: widgets show such
text as plain content.
"""

from __future__ import annotations

import re

_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, closed or cut off
    r"|\x1b[PX^_][^\x1b\x9c]*(?:\x1b\\|\x9c)?"  # DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI
    r"|\x1b[ -/]*[0-~]?"  # two- and three-byte escapes
)
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_SURROGATES = re.compile("[\ud800-\udfff]")

LINE_LIMIT = 500


def plain(value: str, limit: int = LINE_LIMIT) -> str:
    """Return ``value`` without anything a terminal obeys, at most ``limit`` characters, newlines kept."""
    value = _ESCAPES.sub("", value[: limit * 8])
    value = _CONTROLS.sub("", value.replace("\r\n", "\n").replace("\t", " "))
    value = _SURROGATES.sub("\ufffd", value)
    return value if len(value) <= limit else value[: limit - 1] + "…"


def line(value: str, limit: int = LINE_LIMIT) -> str:
    """Return ``value`` cleaned as by ``plain``, on one line."""
    return " ".join(plain(value, limit).split())
