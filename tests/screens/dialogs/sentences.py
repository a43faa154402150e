"""Two hundred sentences that captains write: every letter, digits, signs, other scripts."""

from __future__ import annotations

_WHO = ("I", "we", "ops", "QA", "Zoë", "the DBA", "Jürgen", "nobody", "x", "billing")
_WHAT = (
    "see a bug here: going back, no",
    "agreed GO in CHG-2291 (window 20:00-22:00)",
    "quickly fixed the vexing jazz widget, then waved it through",
    "will not sign: 5xx at 8.2 %, q = 14",
    "kept y/n for later; see https://wiki.example.com/x?id=7&y=n#c",
    "BACK it out NOW, hold + scrub",
    "typed 1 2 3 4 5 6 7 8 9 0",
    "grant, refuse, withdraw, quit, leave, abort",
    "said: «naïve» – 日本 ok",
    "ran `helm rollback dotmac 3` [/red] [@click=app.quit]x[/] \\ | ~",
    "no",
    "yes go",
    "c g N n y q k B h R r a w u t d x",
    "found the pangram: The five boxing wizards jump quickly!",
    "SPHINX OF BLACK QUARTZ, JUDGE MY VOW",
    "waits for the pager of e-mail@example.com",
    "checked *.staging $HOME {json: true} <b>",
    "isn't sure; it's 50/50, \"maybe\"",
    "moved ^up and_down, then %50",
    "left",
)
SENTENCES = tuple(f"{who} {what}" for what in _WHAT for who in _WHO)
