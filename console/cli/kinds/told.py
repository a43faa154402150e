"""What a kind of check tells of itself, from its docstrings and its guide: as text, and as a page of all kinds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap

from checks.base import REGISTRY, CheckKind, Settings
from checks.guide import BEFORE, COMMON
from console.cli.kinds.example import example
from console.cli.kinds.schema import doc, settings_schema
from console.cli.kinds.settings import described
from state.view.enums import Judges

_JUDGES = {
    Judges.CANDIDATE: "judges the candidate: in staging before the promotion, and again live after it",
    Judges.ENVIRONMENT: "judges an environment, where the runbook says",
    Judges.LAUNCH: "judges the launch itself",
}
_HOUR, _MINUTE = 3600, 60
_WIDTH = 96
_HEAD = """# What each kind of check asks, proves and needs

This page is made from the kinds themselves, by `make kinds`. `launch-console checks show KIND`, and `i` on a gate's
screen, tell the same of one kind, with its settings. A fail says its way out beside it: on the screen, in what
`launch-console check` prints, in JUnit and in the report. It is the first line below "To mend" whose words stand in
its reason, `…` for any; else that of the last chapter, which holds of every system; else "anything else".
"""


def shown(name: str) -> list[str]:
    """Return the lines that tell of a kind: what it judges, asks and proves, its ways out, settings, an example."""
    kind, schema = REGISTRY[name], settings_schema(name)
    lines = [f"{name} (family {family(name)})", ""]
    lines += [f"  {row}".rstrip() for row in doc(name).splitlines()]
    lines += [
        "",
        f"  It {_JUDGES[kind.judges]}.",
        f"  Its evidence stays fresh for {spell(kind.ttl)}. It {_leaves(kind)}.",
        "",
    ]
    for title, text in _parts(kind):
        lines += [title.upper(), *(f"  {row}" for row in _wrapped(text, _WIDTH))]
    lines += ["", "TO MEND, where a reason has these words:"]
    for words, way in _mends(kind):
        lines += [f"  {words.strip()}", *(f"      {row}" for row in _wrapped(way, _WIDTH - 6))]
    lines += ["", "SETTINGS, below with:", *(f"  {row}".rstrip() for row in described(schema))]
    return [*lines, "", "EXAMPLE", *(f"  {row}" for row in example(name, schema, kind.judges).splitlines())]


def page(kinds: Iterable[str]) -> str:
    """Return what kinds tell as Markdown, a chapter each."""
    shared = [
        f"- *{_escaped(words.strip())}*: {_escaped(way)}" for words, way in {**BEFORE, **COMMON}.items()
    ]
    chapters = [row for name in kinds for row in _chapter(name)]
    return "\n".join([_HEAD, *chapters, "## Whatever the kind\n", *shared, ""])


def _chapter(name: str) -> Iterator[str]:
    kind = REGISTRY[name]
    yield f"## {name}\n"
    fresh = f"its evidence stays fresh for {spell(kind.ttl)}"
    yield f"{' '.join(doc(name).split())} It {_JUDGES[kind.judges]}; {fresh}.\n"
    yield from (f"- **{title}**: {text}" for title, text in _parts(kind))
    yield f"- **leaves behind**: it {_leaves(kind)}."
    properties = settings_schema(name).get("properties")
    settings = [f"`{one}`" for one in properties] if isinstance(properties, dict) else []
    yield f"- **settings**: {', '.join(settings) or 'none'}"
    yield "\nTo mend:\n"
    yield from (f"- *{_escaped(words.strip())}*: {_escaped(way)}" for words, way in _mends(kind))
    yield ""


def _parts(kind: CheckKind[Settings]) -> Iterator[tuple[str, str]]:
    guide = kind.guide
    yield "asks", guide.asks
    yield "a pass proves", guide.proves
    yield "it can't see", guide.unseen
    yield "needs", guide.rights


def _leaves(kind: CheckKind[Settings]) -> str:
    return f"leaves {kind.leaves or 'traces'}: in production it is asked for" if kind.writes else "only looks"


def _mends(kind: CheckKind[Settings]) -> Iterator[tuple[str, str]]:
    yield from kind.guide.mends.items()
    yield "anything else", kind.guide.otherwise


def _wrapped(text: str, width: int) -> list[str]:
    return wrap(text, width, break_on_hyphens=False)


def _escaped(text: str) -> str:
    return text.replace("*", "\\*").replace("_", "\\_").replace("<", "\\<")


def family(name: str) -> str:
    """Return the module that a kind is defined in, without our own package."""
    return REGISTRY[name].judge.__module__.removeprefix("checks.")


def spell(seconds: float) -> str:
    """Return a time to live as a runbook writes it: ``4h``, ``90m``, ``45s``."""
    whole = round(seconds)
    for unit, letter in ((_HOUR, "h"), (_MINUTE, "m")):
        if whole and whole % unit == 0:
            return f"{whole // unit}{letter}"
    return f"{whole}s"
