"""Letters of other scripts that look like Latin ones: names that look the same are told apart by a mark.

From the Unicode data's confusables (UTS 39), those of Latin letters that fonts draw alike, and what NFKC makes a
letter of (full width, mathematical). A word of one script is left as it is: that is how people write.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_LIKE: Final = dict(
    zip(
        "аеорсухіјѕԁԛԝһѵӏАВЕКМНОРСТУХІЈЅԚԜҮ" + "οѵνρΑΒΕΖΗΙΚΜΝΟΡΤΥΧϲϳ" + "օոսհցՕՍ" + "ıɑɡ",
        "aeopcyxijsdqwhvlABEKMHOPCTYXIJSQWY" + "ovvpABEZHIKMNOPTYXcj" + "onuhgOS" + "iag",
        strict=True,
    )
)
_WORD: Final = re.compile(r"\w+")
_ASCII_LETTER: Final = re.compile("[A-Za-z]")
_ALIKE: Final = str.maketrans({"0": "o", "1": "l", "i": "l", "|": "l", "5": "s", "-": "_", ".": "_"})


def latin(sign: str) -> str:
    """Return the Latin letter that a letter looks like and isn't; nothing where there is none."""
    if sign.isascii():
        return ""
    if sign in _LIKE:
        return _LIKE[sign]
    folded = unicodedata.normalize("NFKC", sign)
    category = unicodedata.category(sign)
    return folded if category in {"Ll", "Lu"} and folded.isascii() and folded.isalpha() else ""


def marked(text: str) -> str:
    """Return a text whose letters that pass for Latin ones are named (``<U+0430>``), in words that have those too."""
    return text if text.isascii() else _WORD.sub(_told, text)


def _told(found: re.Match[str]) -> str:
    word = found[0]
    if word.isascii() or not _ASCII_LETTER.search(word):
        return word
    return "".join(f"<U+{ord(sign):04X}>" if latin(sign) else sign for sign in word)


def skeleton(name: str) -> str:
    """Return what is the same of names that look alike: case, 0 and o, 1 and l and I, rn and m, foreign letters."""
    bare = "".join(latin(sign) or sign for sign in unicodedata.normalize("NFC", name))
    plain = "".join(c for c in unicodedata.normalize("NFKD", bare) if not unicodedata.combining(c))
    return plain.casefold().translate(_ALIKE).replace("rn", "m").replace("vv", "w")


def resembling(name: str, others: Iterable[str]) -> str:
    """Return the first of some names that another one may be taken for; nothing where there is none."""
    mine = skeleton(name)
    return next((one for one in sorted(set(others)) if one != name and skeleton(one) == mine), "")
