"""The one place that knows secret values, so that none leaves memory.

A value is registered when it is read; ``clean`` then removes it from any text in plain, base64, hex, URL
and JSON form. Shapes that are secret whoever wrote them (bearer tokens, passwords in URLs, private keys)
are removed always.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Final
from urllib.parse import quote, quote_plus, unquote, unquote_plus, urlsplit

from state.base import kube_yaml
from state.base.json import Json, JsonObject
from state.base.text import CUT

MARK: Final = "[redacted]"

_SECRETISH: Final = re.compile(
    r"pass(?:word|wd|phrase)?|secret|token|credential|api[_-]?key|access[_-]?key|private[_-]?key|dsn|_key$|^key$",
    re.IGNORECASE,
)
_WEAK: Final = re.compile(
    r"(?i:cookie|webhook|salt$|fernet|hmac|jwt|passcode|conn(?:ection)?[._-]?str(?:ing)?$)"
    r"|(?i:(?:^|[._-])(?:auth|authorization|pwd?|pass|pin|otp|totp|psk|pat|sas|jaas|pepper|bearer|licen[cs]e)$)"
    r"|[a-z0-9](?:Auth|Pwd?|Pass|Pin|Otp|Totp|Psk|Pat|Sas|Jaas|Pepper|Bearer|Licen[cs]e)$"
    r"|(?i:mnemonic|seed[._-]?phrase|recovery[._-]?codes?$|kubeconfig|dockerconfig|netrc|pgpass|jdbc)"
    r"|(?i:signing|encryption|license|master|account|shared|storage|ssh|ssl|tls|aes|rsa|session)[._-]?(?i:key)$|[a-z0-9]Key$"
)
"""Keys that hold a secret where they hold a text, and are everyday names of whole sections of a chart's values."""
_NAMES: Final = re.compile(
    r"name$|ref$|^existing|pullsecret|^external.*secret|^sealed|(?:ttl|expiry|lifetime|seconds|enabled|length|policy)$",
    re.IGNORECASE,
)
"""Keys that name a secret, or tell of one, rather than hold one."""
_NAMING_SECTIONS: Final = re.compile(
    r"ref$|^existing.*secret|pullsecret|^external[._-]?secret|^sealed", re.IGNORECASE
)
"""Sections in which secrets are named only; below ``externalDatabase`` stands a password as anywhere else."""
_EVERYDAY: Final = re.compile(
    r"(?:^|[._-])(?:port|host|user|username|name|db|database|env|environment|level|region|scheme|url|mode|workers|debug)$",
    re.IGNORECASE,
)
"""Keys of a Secret whose short value is told of everywhere, and opens nothing."""
_HARMLESS: Final = re.compile(r"(?:true|false|yes|no|on|off|null|~|none|enabled|disabled)?", re.IGNORECASE)
_SHORT_NUMBER: Final = re.compile(r"[-+]?\d{0,6}(?:\.\d{0,2})?")
# Shorter lines of a secret (a brace, a word) would blank out everyday text.
_LONG_LINE: Final = 16
_PLAIN_WORD: Final = re.compile(r"(?:[A-Za-z_ -]{1,14}|\d{1,6}|true|false)")
_GO: Final = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&"}
_SEPARATORS: Final = re.compile(r"""[\s,;"'\[\]]+""")
_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
_SHAPES: Final = (
    (re.compile(r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*"), MARK),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{12,}"), rf"\1 {MARK}"),
    (
        # From its slashes on: looking for a scheme at every letter took 0.7 s for a line of 1 MB.
        re.compile(r"(://[^\s/:@]{0,250}):[^\s/@]{1,1000}@"),
        rf"\1:{MARK}@",
    ),
    (re.compile(r"://[A-Za-z0-9_.~%-]{20,500}@"), f"://{MARK}@"),  # a token for a user's name
    (
        re.compile(
            r"(?i)([?&][\w.-]{0,40}(?:token|secret|passw(?:or)?d|api[_-]?key|signature|credential|sig)=)[^\s&#\"'<>]{4,4000}"
        ),
        rf"\1{MARK}",
    ),
    (re.compile(r"(?i)\b(passw(?:or)?d|pwd)=(?!\[redacted\])[^\s&;,'\"]{1,1000}"), rf"\1={MARK}"),
)
# Where a program breaks a long value: blanks around the end of a line, or a mark of its own before it or after it.
_BREAKS: Final = (
    re.compile(r"([ \t\r]*\n[ \t]*)"),
    re.compile(r"([ \t\r]*\\[ \t\r]*\n[ \t]*)"),
    re.compile(r"([ \t\r]*\n[ \t]*[>|+-][ \t]*)"),
)
_VARIABLE: Final = re.compile(r"[A-Za-z_][\w.-]{0,100}")
_CONNECTION: Final = re.compile(
    r"(?:^|(?<=[\s;,]))([\w.-]{1,60})\s*=\s*('[^']{1,1000}'|\"[^\"]{1,1000}\"|[^\s;,]{1,1000})"
)
_HOOK: Final = re.compile(r"web_?hook", re.IGNORECASE)
_SHORTEST: Final = 4
"""Characters of a value that is looked for, and of a beginning of one."""
_TOKEN: Final = 20
"""Characters from which on a URL's user without a password, or the path of a webhook, is taken for a token."""
_LARGEST_FILE: Final = 256 * 1024
_BROKEN: Final = 8
"""Characters of a value that is also looked for across the ends of lines."""


def secretish(key: str) -> bool:
    """Return whether a key's name says that its value is secret, and not only names a secret."""
    return bool(_SECRETISH.search(key)) and not _NAMES.search(key)


def below_secret(path: Sequence[str]) -> bool:
    """Return whether a setting is secret by its own key, or by that of a section in which it stands."""
    if any(_NAMING_SECTIONS.search(key) for key in path) or (path and _NAMES.search(path[-1])):
        return False
    return any(_SECRETISH.search(key) for key in path) or bool(path and _WEAK.search(path[-1]))


class Redactor:
    """Removes registered values from text. One for each ``Clients``."""

    def __init__(self, public: Iterable[str] = ()) -> None:
        self._public = {text.strip() for text in public}
        self._values: set[str] = set()
        self._unread: set[str] = set()
        self._needles: tuple[str, ...] = ()
        self._formed: dict[str, tuple[str, ...]] = {}
        self._pairs: set[tuple[str, str]] = set()

    def register_setting(self, path: Sequence[str], value: str) -> None:
        """Remember a setting's value, in its file's own spelling, where its path says that it is secret.

        What is too short or too common to be looked for by itself (a flag, a small number) is remembered beside its
        key.
        """
        value = value.strip()
        if not value or not below_secret(path):
            return
        for spelled in spellings(value):
            self._register_spelled(path, spelled)

    def _register_spelled(self, path: Sequence[str], value: str) -> None:
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

        Unless it is an everyday word or public anyway; a short one is remembered beside its key.

        What opens something in a URL or in the words of a connection is remembered by itself too, and so is what
        stands under secret names in a whole file of settings, as a Secret may hold one.
        """
        for inner in inner_secrets(value, hook=bool(_HOOK.search(key))):
            self.register(inner)
        for path, inner in _settings_in(value):
            self.register_setting(path, inner)
        if secretish(key) and len(value.strip()) >= 4:
            self.register(value)
        elif len(value) < 6 or _PLAIN_WORD.fullmatch(value):
            if value.strip() and not _HARMLESS.fullmatch(value) and not _EVERYDAY.search(key):
                self._pairs.add((key, value.strip()))
                self._needles = ()
        elif not self._is_public(value):
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
                text = text.replace(needle, _marked(needle))
        if "\n" in text:
            text = self._across(text)
        if CUT in text:
            text = self._at_cuts(text)
        text = _PRIVATE_KEY.sub(lambda found: _marked(found[0]), text)
        for shape, mark in _SHAPES:
            text = shape.sub(mark, text)
        return text

    def _at_cuts(self, text: str) -> str:
        """Return a text without the beginnings of values at which it was cut: errors are cut where they are made."""
        at = text.find(CUT)
        while at >= 0:
            begins = [_begin_of(needle, text, at) for needle in self._all_needles()]
            if (begin := min(begins, default=at)) < at:
                text = f"{text[:begin]}{MARK}{text[at:]}"
                at = begin + len(MARK)
            at = text.find(CUT, at + 1)
        return text

    def _across(self, text: str) -> str:
        """Return a text without values that the ends of its lines cut; it keeps its lines."""
        for break_ in _BREAKS:
            text = self._joined(text, break_)
        return text

    def _joined(self, text: str, break_: re.Pattern[str]) -> str:
        pieces = break_.split(text)
        flat = "".join(pieces[::2])
        secret = bytearray(len(flat))
        for needle in self._all_needles():
            at = flat.find(needle) if len(needle) >= _BROKEN else -1
            while at >= 0:
                secret[at : at + len(needle)] = b"\1" * len(needle)
                at = flat.find(needle, at + 1)
        if not any(secret):
            return text
        start = 0
        for number in range(0, len(pieces), 2):
            piece = pieces[number]
            flags = secret[start : start + len(piece)]
            start += len(piece)
            if any(flags):
                pieces[number] = "".join(
                    MARK if hidden else "".join(char for _, char in run)
                    for hidden, run in groupby(zip(flags, piece, strict=True), key=lambda one: one[0])
                )
        return "".join(pieces)

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

    def knows_any(self) -> bool:
        """Return whether any value is registered."""
        return bool(self._values or self._pairs)

    def finds_across(self, text: str) -> bool:
        """Return whether the ends of lines cut a registered value in a text of several."""
        return "\n" in text and self._across(text) != text

    def holds(self, text: str) -> bool:
        """Return whether ``text`` has a registered value in any of its forms."""
        return any(needle in text for needle in self._all_needles())

    def _all_needles(self) -> tuple[str, ...]:
        if not self._needles and (self._values or self._pairs):
            for value in self._values - self._formed.keys():
                self._formed[value] = tuple(_forms(value))
            forms = {form for value in self._values for form in self._formed[value]}
            forms |= {form for key, value in self._pairs for form in _pair_forms(key, value)}
            # Longest first: otherwise a short value would cut a longer one that contains it.
            self._needles = tuple(sorted(forms, key=lambda form: (-len(form), form)))
        return self._needles


def spellings(value: str) -> Iterator[str]:
    """Yield a setting's value as its file has it, and as helm prints it where YAML takes it for a number.

    To helm every number is a float64: 83649275123456 comes out as 8.3649275123456e+13, 0777 as 511.
    """
    yield value
    try:
        number = kube_yaml.scalar(value)
    except kube_yaml.KubeYamlError:
        return
    if isinstance(number, bool) or not isinstance(number, int | float):
        return
    if isinstance(number, float) and not math.isfinite(number):
        return
    mantissa, _, power = f"{Decimal(repr(float(number))).normalize():e}".partition("e")
    yield from {str(number), f"{mantissa}e{power[:1]}{power[1:]:0>2}"} - {value}


def _settings_in(value: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the settings of a value that is a file of them: JSON, YAML, or lines of KEY=VALUE."""
    if not ("\n" in value.strip() or value.lstrip().startswith(("{", "["))) or len(value) > _LARGEST_FILE:
        return
    if "PRIVATE KEY-----" in value or "BEGIN CERTIFICATE" in value:
        return
    for row in value.splitlines():
        name, equals, inner = row.removeprefix("export ").partition("=")
        if equals and _VARIABLE.fullmatch(name.strip()):
            yield (name.strip(),), inner.strip().strip("\"'")
    try:
        yield from (one for one in kube_yaml.settings(value) if one[0])
    except kube_yaml.KubeYamlError:
        return


def _marked(needle: str) -> str:
    """Return what stands for a value: a mark for each of its lines, so that a text keeps its lines."""
    return "\n".join([MARK] * (needle.count("\n") + 1))


def inner_secrets(value: str, *, hook: bool = False) -> Iterator[str]:
    """Yield what opens something in a URL or a line of ``name=value``: as written, and as a server reads it.

    ``hook``: the URL's path is secret too, as that of a webhook is.
    """
    if "://" not in value:
        if "\n" not in value.strip():
            yield from (one.strip("'\"") for name, one in _CONNECTION.findall(value) if secretish(name))
        return
    try:
        url = urlsplit(value)
        found = (
            [url.password or url.username or ""] if url.password or len(url.username or "") >= _TOKEN else []
        )
    except ValueError:
        return
    # What is written with blanks or a plus is cut out of the text, so that both spellings of a blank are known.
    pairs = [one.partition("=") for one in url.query.split("&")]
    found += [
        one for name, _, one in pairs if below_secret((unquote_plus(name),)) or (hook and len(one) >= _BROKEN)
    ]
    found += (
        [url.path, *([f"{url.path}?{url.query}"] if url.query else [])]
        if hook and len(url.path) >= _TOKEN
        else []
    )
    for one in found:
        yield from dict.fromkeys((one, unquote(one), unquote_plus(one)))


def _begin_of(needle: str, text: str, end: int) -> int:
    """Return where a beginning of a value begins that ends at a place of a text; the place itself where none does."""
    begin = text.find(needle[:_SHORTEST], max(0, end - len(needle) + 1), end)
    while begin >= 0:
        if needle.startswith(text[begin:end]):
            return begin
        begin = text.find(needle[:_SHORTEST], begin + 1, end)
    return end


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
