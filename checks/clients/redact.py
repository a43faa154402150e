"""The one place that knows secret values, so that none leaves memory.

A value is registered when it is read; ``clean`` then removes it from any text in plain, base64, hex, URL
and JSON form. Shapes that are secret whoever wrote them (bearer tokens, passwords in URLs, private keys)
are removed always.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import quote, quote_plus, urlsplit

from state.base.json import Json, JsonObject

MARK: Final = "[redacted]"

_SECRETISH: Final = re.compile(
    r"pass(?:word|wd|phrase)?|secret|token|credential|api[_-]?key|access[_-]?key|private[_-]?key|dsn|_key$|^key$",
    re.IGNORECASE,
)
_WEAK: Final = re.compile(
    r"(?i:cookie|webhook|salt$|fernet|hmac|jwt|passcode|conn(?:ection)?[._-]?str(?:ing)?$)"
    r"|(?i:(?:^|[._-])(?:auth|authorization|pwd?|pin|otp|psk|pat)$)"
    r"|[a-z0-9](?:Auth|Pwd?|Pin|Otp|Psk|Pat)$"
    r"|(?i:signing|encryption|license|master|account|shared|storage|ssh|ssl|tls|aes|rsa|session)[._-]?(?i:key)$|[a-z0-9]Key$"
)
"""Keys that hold a secret where they hold a text, and are everyday names of whole sections of a chart's values."""
_NAMES: Final = re.compile(
    r"name$|ref$|^existing|pullsecret|^external|^sealed|(?:ttl|expiry|lifetime|seconds|enabled|length|policy)$",
    re.IGNORECASE,
)
"""Keys that name a secret, or tell of one, rather than hold one."""
_HARMLESS: Final = re.compile(r"(?:true|false|yes|no|on|off|null|~|none|enabled|disabled)?", re.IGNORECASE)
_SHORT_NUMBER: Final = re.compile(r"[-+]?\d{0,6}(?:\.\d{0,2})?")
# Shorter lines of a secret (a brace, a word) would blank out everyday text.
_LONG_LINE: Final = 16
_PLAIN_WORD: Final = re.compile(r"(?:[A-Za-z_ -]{1,14}|\d{1,6}|true|false)")
_GO: Final = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&"}
_SEPARATORS: Final = re.compile(r"""[\s,;"'\[\]]+""")
_SHAPES: Final = (
    (
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
        ),
        MARK,
    ),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*"), MARK),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{12,}"), rf"\1 {MARK}"),
    (
        # From its slashes on: looking for a scheme at every letter took 0.7 s for a line of 1 MB.
        re.compile(r"(://[^\s/:@]{0,250}):[^\s/@]{1,1000}@"),
        rf"\1:{MARK}@",
    ),
)


def secretish(key: str) -> bool:
    """Return whether a key's name says that its value is secret, and not only names a secret."""
    return bool(_SECRETISH.search(key)) and not _NAMES.search(key)


def below_secret(path: Sequence[str]) -> bool:
    """Return whether a setting is secret by its own key, or by that of a section in which it stands."""
    if any(_NAMES.search(key) for key in path):
        return False
    return any(_SECRETISH.search(key) for key in path) or bool(path and _WEAK.search(path[-1]))


class Redactor:
    """Removes registered values from text. One for each ``Clients``."""

    def __init__(self, public: Iterable[str] = ()) -> None:
        self._public = {text.strip() for text in public}
        self._values: set[str] = set()
        self._unread: set[str] = set()
        self._needles: tuple[str, ...] = ()
        self._pairs: set[tuple[str, str]] = set()

    def register_setting(self, path: Sequence[str], value: str) -> None:
        """Remember a setting's value, in its file's own spelling, where its path says that it is secret.

        What is too short or too common to be looked for by itself (a flag, a small number) is remembered beside its
        key.
        """
        value = value.strip()
        if not value or not below_secret(path):
            return
        if _HARMLESS.fullmatch(value) or _SHORT_NUMBER.fullmatch(value) or len(value) < 4:
            if _SECRETISH.search(path[-1]) or _WEAK.search(path[-1]):
                self._pairs.add((path[-1], value))
                self._needles = ()
        elif _SECRETISH.search(path[-1]):
            self.register(value)
        elif not self._is_public(value):
            for part in value.split(";"):  # of a connection string: its password by itself too
                name, _, inner = part.partition("=")
                if secretish(name):
                    self.register(inner)
            self.register_pair("secret", value)

    def register(self, value: str) -> None:
        """Remember a value that is secret whatever it looks like.

        Fewer than 4 characters are not kept apart. A long line of several is remembered by itself too, because
        what programs print is read by lines.
        """
        value = value.strip()
        if "\n" in value:
            for part in value.splitlines():
                if len(part.strip()) >= _LONG_LINE:
                    self.register(part)
        if len(value) >= 4 and value not in self._values and value not in self._public:
            self._values.add(value)
            self._needles = ()

    def register_pair(self, key: str, value: str) -> None:
        """Remember the value of a setting that came with secrets.

        Unless it is an everyday word or public anyway.

        A URL's password is remembered by itself too.
        """
        if "://" in value:
            password = _password_of(value)
            if password:
                self.register(password)
        if not secretish(key) and (len(value) < 6 or _PLAIN_WORD.fullmatch(value) or self._is_public(value)):
            return
        self.register(value)

    def _is_public(self, value: str) -> bool:
        """Return whether a value says only what the runbook says too, such as a list of its domains."""
        words = [word for word in _SEPARATORS.split(value) if word]
        return bool(words) and all(word in self._public for word in words)

    @property
    def unread(self) -> str:
        """What may hold secrets that are not known, because it could not be read: nothing that may tell them is kept.

        Empty where there is no such thing.
        """
        return min(self._unread, default="")

    def blind(self, source: str) -> None:
        """Remember that what a source holds of secrets is not known."""
        self._unread.add(source)

    def sees(self, source: str) -> None:
        """Remember that a source can be read (again)."""
        self._unread.discard(source)

    def clean(self, text: str) -> str:
        """Return ``text`` without anything secret."""
        for needle in self._all_needles():
            if needle in text:
                text = text.replace(needle, MARK)
        for shape, mark in _SHAPES:
            text = shape.sub(mark, text)
        return text

    def clean_json(self, value: Json) -> Json:
        """Return a JSON value with every text in it cleaned, keys included."""
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, Mapping):
            return {self.clean(key): self.clean_json(one) for key, one in value.items()}
        if isinstance(value, Iterable):
            return [self.clean_json(one) for one in value]
        return value

    def clean_object(self, value: JsonObject) -> JsonObject:
        """Return a JSON object with every text in it cleaned."""
        return {self.clean(key): self.clean_json(one) for key, one in value.items()}

    def holds(self, text: str) -> bool:
        """Return whether ``text`` has a registered value in any of its forms."""
        return any(needle in text for needle in self._all_needles())

    def _all_needles(self) -> tuple[str, ...]:
        if not self._needles and (self._values or self._pairs):
            forms = {form for value in self._values for form in _forms(value)}
            forms |= {form for key, value in self._pairs for form in _pair_forms(key, value)}
            # Longest first: otherwise a short value would cut a longer one that contains it.
            self._needles = tuple(sorted(forms, key=lambda form: (-len(form), form)))
        return self._needles


def _password_of(url: str) -> str | None:
    try:
        return urlsplit(url).password
    except ValueError:
        return None


def _pair_forms(key: str, value: str) -> Iterator[str]:
    """Yield how a setting can look that is secret only beside its key."""
    for quote_ in ("", '"', "'"):
        for between in (": ", ":", "=", " = "):
            yield f"{key}{between}{quote_}{value}{quote_}"
            yield f'"{key}"{between}{quote_}{value}{quote_}'


def _forms(value: str) -> Iterator[str]:
    """Yield how a value can look: as it is, in URLs, JSON, YAML, hex, and in base64 wherever it starts.

    Programs written in Go write ``<``, ``>`` and ``&`` in JSON as numbers.
    """
    raw = value.encode()
    yield value
    yield " ".join(value.split())  # what is shown on one line has single blanks
    yield value.replace("'", "''")
    yield from (quote(value), quote(value, safe=""), quote_plus(value))
    for told in (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]):
        yield from (told, told.translate(_GO))
    # Too short: the hex or base64 of a few bytes turns up by chance.
    if len(raw) < 6:
        return
    yield from (raw.hex(), raw.hex().upper())
    # The base64 of a value depends on its offset modulo 3, and its edge characters on the neighbours.
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw).decode()
        inner = coded[(0, 2, 3)[shift] : len(coded.rstrip("=")) - (1 if (shift + len(raw)) % 3 else 0)]
        if len(inner) >= 8:
            yield inner
            yield inner.replace("+", "-").replace("/", "_")
