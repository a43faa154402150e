"""Docs, docstrings and comments name what exists: a room that moves takes its mentions along."""

from __future__ import annotations

import io
import re
import shlex
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.cli import arguments
from console.cli.commands import COMMANDS
from tests.paths import ROOT
from tests.pictures import FOLDER, NAMES
from tests.test_house import ROOMS, tracked

pytestmark = pytest.mark.needs("git")

DECISIONS = ROOT / "docs" / "decisions.md"
TOPS = "checks|console|docs|examples|screens|state|tests"
PLACE = re.compile(rf"(?<![\w/.<>-])((?:{TOPS})/[\w/.-]*\w)")
MODULE = re.compile(r"``((?:checks|console|screens|state|tests)(?:\.[a-z_]\w*)+)(?:\.[A-Z]\w*)*``")
MADE_BY_THE_BUILD = {"state/runbook/sop.yaml"}
NOT_HERE = re.compile(r"\b(?:design section|delivery|evidence|facts) \d+(?:\.\d+)?\b")
"""Citations of notes that a reader of this repository doesn't have."""


def told(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a document, or of a module's comments and docstrings, with their numbers."""
    text = path.read_text()
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), 1)
        return
    if not any(sought.search(text) for sought in (PLACE, MODULE, NOT_HERE)):
        return  # taking every module apart takes ten seconds
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and '"""' in token.string[:5]):
            yield from enumerate(token.string.splitlines(), token.start[0])


@pytest.fixture(scope="module")
def lines() -> list[tuple[str, str]]:
    files = [path for path in tracked() if path.suffix in {".md", ".py", ".toml", ".sql", ".tcss"}]
    return [(f"{path.relative_to(ROOT)}:{number}", line) for path in files for number, line in told(path)]


def is_module(name: str) -> bool:
    """Return whether a dotted name leads to a module, or to something that a module defines."""
    path = ROOT.joinpath(*name.split("."))
    if path.is_dir() or path.with_suffix(".py").is_file():
        return True
    module, _, member = name.rpartition(".")
    homes = (
        ROOT.joinpath(*module.split(".")).with_suffix(".py"),
        ROOT.joinpath(*module.split("."), "__init__.py"),
    )
    return any(re.search(rf"\b{member}\b", home.read_text()) for home in homes if home.is_file())


def test_every_place_that_is_named_exists(lines: list[tuple[str, str]]) -> None:
    named = [(at, place) for at, line in lines for place in PLACE.findall(line)]
    assert len(named) > 100
    lost = [f"{at} {p}" for at, p in named if not (ROOT / p).exists() and p not in MADE_BY_THE_BUILD]
    assert lost == []


def test_every_module_that_is_named_exists(lines: list[tuple[str, str]]) -> None:
    named = [(at, name) for at, line in lines for name in MODULE.findall(line)]
    assert len(named) >= 10
    assert [f"{at} {name}" for at, name in named if not is_module(name)] == []


def test_a_test_that_a_document_names_without_its_folder_is_named_once(lines: list[tuple[str, str]]) -> None:
    """In docs/log-durability.md such a name lies in tests/state/log, as that page says."""
    bare = re.compile(r"`(test_\w+\.py)")
    wrong = [
        f"{at} {name}"
        for at, line in lines
        if at.startswith("docs/log-durability.md")
        for name in bare.findall(line)
        if not (ROOT / "tests/state/log" / name).is_file() and f"{name}` there" not in line
    ]
    assert wrong == []


def test_what_is_said_of_security_is_held_by_tests_that_exist() -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    there = {
        name
        for path in tracked()
        if path.name.startswith("test_") and path.suffix == ".py"
        for name in re.findall(r"^ *(?:async )?def (test_\w+)\(", path.read_text(), re.MULTILINE)
    }
    assert set(re.findall(r"`(test_\w+)`", page)) - there == set()
    said = re.split(r"\n(?=- |#)", page.partition("## ")[2])
    assert [one for one in said if one.startswith("- ") and "`test_" not in one] == []


def test_nothing_cites_what_a_reader_does_not_have(lines: list[tuple[str, str]]) -> None:
    assert [
        at for at, line in lines if NOT_HERE.search(line) and not at.startswith("tests/test_docs.py")
    ] == []


def test_every_decision_says_where_it_lives_and_is_found_from_the_readme() -> None:
    entries = DECISIONS.read_text().split("\n### ")[1:]
    assert len(entries) >= 30
    homeless = [entry.splitlines()[0] for entry in entries if not re.search(r"Lives in\s+`", entry)]
    assert homeless == []
    for page in ("README.md", "CONTRIBUTING.md"):
        assert "(docs/decisions.md)" in (ROOT / page).read_text()


def test_every_room_is_in_the_table_of_where_a_change_goes() -> None:
    table = (
        (ROOT / "CONTRIBUTING.md").read_text().partition("## Where a change goes")[2].partition("\n## ")[0]
    )
    for row in table.splitlines():
        first, *rest = re.findall(r"`([\w/.]+)`", row) or [""]
        table += "".join(f" {first.rstrip('/').rpartition('/')[0]}/{name}" for name in rest)
    named = {name.strip("`").rstrip("/") for name in re.findall(rf"(?:{TOPS})/[\w/]+", table)}
    parents = {room.rpartition("/")[0] for room in ROOMS}
    homeless = [r for r in ROOMS if r not in parents and not any(f"{r}/".startswith(f"{n}/") for n in named)]
    assert homeless == []


PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMED = {command.name.partition(" ")[0] for command in COMMANDS}
READERS = ("captain", "operator", "reviewer", "developer")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_COMMAND = re.compile(
    r"(?m)^(?: {4,}|`)(?:\$ )?(?:\.venv/bin/)?(launch-console [^#`\n]+)|`(launch-console [^`\n]+)`"
)


def anchors(page: Path) -> set[str]:
    """Return what a link may name after its # in a page, as GitHub makes it of headings."""
    titles = re.findall(r"(?m)^#+ (.+)$", page.read_text())
    plain = [re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", title).lower()) for title in titles]
    return {title.strip().replace(" ", "-") for title in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    lost = []
    for link in _LINK.findall(page.read_text()):
        path, _, anchor = link.partition("#")
        if path.startswith(("http:", "https:")):
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_is_one(page: Path) -> None:
    """It parses as it stands there; what is a placeholder (``LOG``, ``NAME``) is any word."""
    for found in _COMMAND.findall(page.read_text()):
        said = (found[0] or found[1]).strip().replace("…", "x")
        words = shlex.split(re.split(r" [|>] ", said)[0])[1:]
        if words in (["COMMAND", "--help"], ["--help"], ["init", "--help"]) or "|" in said:
            continue
        if found[1] and len(words) == 1 and words[0] in NAMED:
            continue  # a sentence that names a command
        words = ["1" if word == "SEQ" else word for word in words]
        try:
            arguments.parse(words)
        except SystemExit:
            pytest.fail(f"{page.name}: {said}")


def test_every_target_of_make_that_a_page_names_is_one() -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text()))
    for page in PAGES:
        named = re.findall(r"(?:`|^ {4})make ([a-z-]+)", page.read_text(), re.MULTILINE)
        assert set(named) <= targets, page.name


def test_every_picture_is_made_by_the_program_and_shown() -> None:
    shown = {
        name
        for page in PAGES
        for name in re.findall(r"!\[[^\]]+\]\((?:docs/)?pictures/([\w-]+)\.svg\)", page.read_text())
    }
    assert shown == set(NAMES) == {path.stem for path in FOLDER.glob("*.svg")}
    assert len(shown) >= 12
    assert not list((ROOT / "docs").glob("*.svg"))


def test_the_readme_goes_from_what_it_is_for_to_a_page_for_each_reader() -> None:
    text = (ROOT / "README.md").read_text()
    order = [
        "a release captain",
        "![",
        "pipx install",
        "uv tool install",
        "make demo",
        "make test",
        "Five-minute tour",
    ]
    places = [text.index(one) for one in [*order, "## A real launch", "## Where to read on"]]
    assert places == sorted(places)
    for reader in READERS:
        assert f"(docs/{reader}.md)" in text
        assert (ROOT / "docs" / f"{reader}.md").is_file()
