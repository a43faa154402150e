"""Texts from outside that attack a terminal, or who reads it: each of another kind."""

from __future__ import annotations

ESC, BEL, ST = "\x1b", "\x07", "\x1b\\"

PAYLOADS: dict[str, str] = {
    # sequences of a terminal
    "clear the screen": f"{ESC}[2J{ESC}[H",
    "colour": f"{ESC}[31mred{ESC}[0m",
    "another screen": f"{ESC}[?1049l",
    "mouse on": f"{ESC}[?1003h",
    "paste ends": f"{ESC}[201~rm -rf /",
    "ask the cursor": f"{ESC}[6n",
    "ask the terminal": f"{ESC}[c",
    "reset": f"{ESC}c",
    "title by OSC 0": f"{ESC}]0;owned{BEL}",
    "link by OSC 8": f"{ESC}]8;;https://evil.test{ST}click{ESC}]8;;{ST}",
    "clipboard by OSC 52": f"{ESC}]52;c;aGk={BEL}",
    "notification by OSC 9": f"{ESC}]9;hello{BEL}",
    "file by OSC 1337": f"{ESC}]1337;File=name=eA==:eA=={BEL}",
    "unended OSC": f"{ESC}]0;never ends",
    "DCS": f"{ESC}P1$r0m{ST}",
    "tmux passthrough": f"{ESC}Ptmux;{ESC}{ESC}]52;c;aGk={BEL}{ST}",
    "sixel": f"{ESC}Pq#0;2;0;0;0#0!9~{ST}",
    "APC of kitty": f"{ESC}_Gf=100;AAAA{ST}",
    "privacy message": f"{ESC}^secret{ST}",
    "start of string": f"{ESC}Xtext{ST}",
    "CSI in eight bits": "a\x9b2Kb",
    "OSC in eight bits": "a\x9d0;owned\x9cb",
    "DCS in eight bits": "a\x90q\x9cb",
    "other character set": "a\x0eb\x0fc",
    "lone escape": f"end{ESC}",
    # control characters
    "bell": f"ding{BEL}",
    "backspaces": "GO\x08\x08NO",
    "carriage return": "✖ FAIL\r✔ PASS",
    "line feeds": "one\ntwo\n\n✔ GO by the captain",
    "vertical tab and form feed": "a\x0bb\x0cc",
    "tabs": "a\tb\t\tc",
    "null": "a\x00b",
    "delete": "a\x7fb",
    "next line": "a\x85b",
    "line separators": "a\u2028b\u2029c",
    # markup
    "action of a click": "[@click=app.quit]x[/]",
    "closes what isn't open": "[/",
    "closes another": "[/x]",
    "style": "[bold red]x[/bold red]",
    "link as markup": "[link=https://evil.test]x[/link]",
    "emoji by name": ":skull: :warning:",
    "brackets of an error": "{'a[0]'}: [type=x, v={'a[0]'}]",
    "template": "{0} %s ${HOME} {{x}}",
    # letters
    "right to left": "a\u202egnp.exe",
    "isolate": "a\u2066b\u2069c",
    "zero width": "pro\u200bduc\u200dtion\ufeff",
    "tags": "GO\U000e0041\U000e0042",
    "many accents": "e" + "\u0301" * 200,
    "joined emoji": "👩\u200d👩\u200d👧\u200d👦",
    "emoji by variation": "⚠\ufe0f✔\ufe0f",
    "wide": "宽宽宽 wide",
    "lone surrogate": "a\udc9bb",
    "replacement": "a\ufffdb",
    "soft hyphen": "no\u00adgo",
    "long": "x" * 5000,
    "empty": "",
    "blank": "   ",
}
FORBIDDEN = tuple(
    chr(n)
    for n in (
        *range(32), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029, 0xFEFF,
        *range(0xDC80, 0xDD00),
    )
)  # fmt: skip
"""What may stand in no cell: it would move, hide or reorder what is around it."""
