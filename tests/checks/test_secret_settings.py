"""Secrets of values files, whatever their type, wherever they stand, and however a program prints them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from checks.clients.redact import MARK, Redactor
from console.engine.operations.run.program import LONGEST_LINE, shown_line, tail
from state.base import kube_yaml

VALUES = """
image: {repository: ghcr.io/shop/web, tag: "1.2.3"}
replicas: 3
database: {password: 83649275123456, port: 5432, host: db.internal}
token: 0777123456
rotation: {secret: 2027-03-25, tokenTTL: 3600}
apiKey: 0xDEADBEEF99
secrets:
  stripe: sk-live-hunter22
  nested: {deep: [{a: first-canary}, second-canary]}
  existingSecret: regcred-of-the-cluster
  word: correcthorse
encryptionKey: kms-canary-1
licenseKey: lic-canary-2
fernet: fern-canary-3
cookie: cook-canary-4
connectionString: Server=x;canary-5
slackWebhook: https://hooks.example.org/services/canary-6
authorization: auth-canary-7
pin: 4711
adminPassword: true
spaced: {password: "two  blanks inside"}
aliased: &it {value: alias-canary-8}
credentials: *it
imagePullSecrets: [{name: regcred}]
webhook: {enabled: true, image: ghcr.io/shop/hook}
env: [{name: A, valueFrom: {secretKeyRef: {name: shop, key: username}}}]
"""
SECRET = (
    *("83649275123456", "0777123456", "2027-03-25", "0xDEADBEEF99", "sk-live-hunter22", "first-canary"),
    *("second-canary", "correcthorse", "kms-canary-1", "lic-canary-2", "fern-canary-3", "cook-canary-4"),
    *(
        "Server=x;canary-5",
        "https://hooks.example.org/services/canary-6",
        "auth-canary-7",
        "two  blanks inside",
        "two blanks inside",
    ),
    "alias-canary-8",
)
BESIDE = ("pin: 4711", "pin=4711", '"pin":4711', "adminPassword: true", '"adminPassword": "true"')
PLAIN = (
    *("ghcr.io/shop/web", "1.2.3", "replicas: 3", "5432", "db.internal", "3600", "regcred-of-the-cluster"),
    *("regcred", "ghcr.io/shop/hook", "enabled: true", "username", "4711 pods", "true"),
)


@pytest.fixture
def knows() -> Redactor:
    redactor = Redactor()
    for keys, value in kube_yaml.settings(VALUES):
        redactor.register_setting(keys, value)
    return redactor


@pytest.mark.parametrize("secret", [*SECRET, *BESIDE])
def test_a_secret_is_known_by_its_path_in_its_own_spelling(knows: Redactor, secret: str) -> None:
    assert secret not in knows.clean(f"helm said {secret} here")


@pytest.mark.parametrize("plain", PLAIN)
def test_what_only_stands_near_a_secret_stays(knows: Redactor, plain: str) -> None:
    assert knows.clean(f"helm said {plain} here") == f"helm said {plain} here"


@pytest.mark.parametrize("secret", [one for one in SECRET if "  " not in one])
def test_a_secret_that_a_terminal_takes_apart_goes(knows: Redactor, secret: str) -> None:
    for gap in ("\x1b[31m", "\x1b]0;x\x07", "\x00", "\u200e", "\x9b1m"):
        raw = f"x {secret[:4]}{gap}{secret[4:]} y"
        assert secret not in shown_line(raw, knows.clean)
        assert MARK in shown_line(raw, knows.clean)


@pytest.mark.parametrize("before", [480, 492, 499, LONGEST_LINE - 6, LONGEST_LINE - 1])
def test_a_secret_at_a_cut_goes_whole(knows: Redactor, before: int) -> None:
    shown = shown_line("a" * before + " sk-live-hunter22 " + "b" * 30_000, knows.clean)
    assert "sk-live" not in shown
    assert len(shown) <= 500


def test_a_bomb_of_aliases_costs_no_more_than_its_length() -> None:
    rows = ["a0: &a0 {password: canary-in-a-bomb}"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    began = time.process_time()
    found = {value for _, value in kube_yaml.settings("\n".join(rows))}
    assert found == {"canary-in-a-bomb"}
    assert time.process_time() - began < 1


def test_settings_nested_three_thousand_deep_are_read() -> None:
    text = "{a: " * 3000 + "{password: canary-deep}" + "}" * 3000
    redactor = Redactor()
    for keys, value in kube_yaml.settings(text):
        redactor.register_setting(keys, value)
    assert redactor.clean("canary-deep") == MARK


async def test_a_line_of_thirty_megabytes_holds_nobody_up(tmp_path: Path) -> None:
    path, ended = tmp_path / "out", asyncio.Event()
    path.write_bytes(b"first\n" + b"http://x" * 4_000_000 + b"\nlast\n")
    ended.set()
    redactor, late = Redactor(), [0.0]

    async def beat() -> None:
        while True:
            due = time.monotonic() + 0.02
            await asyncio.sleep(0.02)
            late[0] = max(late[0], time.monotonic() - due)

    beating = asyncio.create_task(beat())
    began = time.process_time()
    found = [one async for lines in tail(path, ended, redactor.clean) for one in lines]
    beating.cancel()
    assert [found[0], found[-1]] == ["first", "last"]
    assert len(found) == 3
    assert len(found[1]) <= 500
    assert time.process_time() - began < 5


def test_cleaning_a_megabyte_takes_no_time_to_speak_of() -> None:
    redactor = Redactor()
    redactor.register("hunter22-of-the-database")
    for text in ("a" * 1_000_000, "a:" * 500_000, "http://a" * 125_000, "://" * 300_000):
        began = time.process_time()
        redactor.clean(text)
        assert time.process_time() - began < 1, text[:8]
