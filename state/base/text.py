"""The one door for text from outside: pod names, log lines, helm's errors, alerts.

It strips what a terminal would obey (ANSI and OSC sequences, C0 and C1 controls), names what no eye sees or what
turns text around or passes for a Latin letter (``<U+202E>``: two names that look the same are told apart), and caps
the length. Markup is not its
business: widgets show such text as plain content.
"""

from __future__ import annotations

import re

from state.base.lookalikes import marked

_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, closed or cut off
    r"|\x1b[PX^_][^\x1b\x9c]*(?:\x1b\\|\x9c)?"  # DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI
    r"|\x1b[ -/]*[0-~]?"  # two- and three-byte escapes
)
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_UNSEEN = re.compile(
    # Default_Ignorable_Code_Point and Bidi_Control of the Unicode data (DerivedCoreProperties 15.0), line and
    # paragraph separators, interlinear marks, and letters that are blank (Hangul fillers, the empty Braille cell).
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")

LINE_LIMIT = 500
CUT = "…"
"""Stands where a text was cut."""


def plain(value: str, limit: int = LINE_LIMIT) -> str:
    """Return ``value`` without anything a terminal obeys, at most ``limit`` characters, newlines kept."""
    whole = len(value) <= limit * 8
    value = _ESCAPES.sub("", value[: limit * 8])
    value = _CONTROLS.sub("", value.replace("\r\n", "\n").replace("\t", " "))
    value = marked(_UNSEEN.sub(_named, _SURROGATES.sub("\ufffd", value)))
    return value if whole and len(value) <= limit else value[: limit - 1] + CUT


def _named(found: re.Match[str]) -> str:
    return f"<U+{ord(found[0]):04X}>"


def bare(value: str) -> str:
    """Return ``value`` without anything that is obeyed or unseen: what is left of it for a reader."""
    return _UNSEEN.sub("", _CONTROLS.sub("", _ESCAPES.sub("", value)))


def line(value: str, limit: int = LINE_LIMIT) -> str:
    """Return ``value`` cleaned as by ``plain``, on one line."""
    return " ".join(plain(value, limit).split())
