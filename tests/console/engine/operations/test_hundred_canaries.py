"""A hundred secrets of all types and names, and a helm that echoes all that it is given: they are nowhere.

They stand in values files, in the chart's defaults, in the environment, in a file of settings and in the kubeconfig;
helm prints them plain, in base64 of 76 columns, cut at 20 columns, coloured, and as Go prints numbers, on both
streams, when it succeeds and when it fails.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from console.rehearsal.dotmac.names import Env
from state.base.json import Json
from state.view.enums import OperationState as State
from tests.console.engine.operations.helms import both_helms, find
from tests.console.engine.operations.screen import asked, told
from tests.console.engine.operations.stand import ANN, launch, section, wrapped_helm
from tests.console.rehearsal.dotmac.test_canaries import command_lines

NAMES = (
    *("htpasswd", "kubeconfig", "netrc", "masterKey", "sharedKey", "sessionKey", "tlsKey"),
    *(
        "password",
        "passwd",
        "passphrase",
        "dbPassword",
        "adminPass",
        "secret",
        "clientSecret",
        "secretKey",
        "token",
    ),
    *(
        "apiToken",
        "access_token",
        "refreshToken",
        "bearer",
        "apiKey",
        "api_key",
        "accessKey",
        "privateKey",
        "dsn",
    ),
    *("signingKey", "encryptionKey", "licenseKey", "storageKey", "sshKey", "fernet", "hmac", "jwt", "cookie"),
    *(
        "webhook",
        "slackWebhook",
        "connectionString",
        "conn_str",
        "auth",
        "authorization",
        "pwd",
        "otp",
        "psk",
        "pat",
    ),
    *(
        "salt",
        "sas",
        "jaas",
        "pepper",
        "mnemonic",
        "seedPhrase",
        "recoveryCodes",
        "licence",
        "credential",
        "pgpass",
    ),
)


def planted(place: str) -> dict[str, tuple[str, str]]:
    """Return key to (what YAML has, what is looked for): texts, numbers, dates, hexadecimals, words with blanks."""
    made: dict[str, tuple[str, str]] = {}
    for at, name in enumerate(NAMES):
        number = str(73_190_000_000_000 + at * 7_919 + len(place))
        text = f"{place}-canary-{at:02d}-{name[::-1]}-q8Zx"
        kinds = [
            text,
            f'"{text} two  blanks"',
            number,
            f"20{at + 30}-03-{10 + len(place)}",
            hex(int(number)),
            f"'it''s<{text}>&'",
        ]
        raw = kinds[at % len(kinds)]
        made[name] = (raw, str(yaml.load(raw, yaml.BaseLoader)))
    return made


VALUES, DEFAULTS = planted("values"), planted("defaults")
BESIDE = {"TOKEN_OF_ENV": "env-canary-7fQ2xK9d", "API_PASSWORD": "file-canary-x83Ls0wP"}
EVERY = [one for kind in (VALUES, DEFAULTS) for _, one in kind.values()] + list(BESIDE.values())
ECHO = """
told() {
  for one in "$@"; do
    if [ -f "$one" ]; then cat "$one"; base64 "$one"; fold -w 20 "$one"
      sed 's/-canary/\\x1b[31m&\\x1b[0m/' "$one"; fi
    if [ -d "$one" ]; then cat "$one"/values.yaml; base64 "$one"/values.yaml; fi
  done
  env; cat "$KUBECONFIG" 2>/dev/null; echo "$@"; cat NUMBERS FILE
}
told "$@" >&2
case "$*" in *--dry-run*) exec "$HELM" "$@" ;; upgrade*|rollback*) told "$@" ;; *) exec "$HELM" "$@" ;; esac
if [ -e FAILS ]; then echo "Error: cannot use $(head -1 NUMBERS) nor $(cat FILE)" >&2; exit 1; fi
"""


def go(number: int) -> str:
    """Return a number as Go prints a float64."""
    mantissa, _, power = f"{number:.13e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{power}"


NUMBERS = [
    int(one, 0)
    for kind in (VALUES, DEFAULTS)
    for raw, one in kind.values()
    if raw[0].isdigit() and "-" not in raw
]
PRINTED = [told for one in NUMBERS for told in (str(one), go(one))]


def found(told: dict[str, bytes]) -> list[str]:
    """Return which canary is in what: plain, in base64, or cut by the ends of lines."""
    hits = []
    for name, raw in told.items():
        flat = re.sub(rb"\s*\n\s*", b"", re.sub(rb"\x1b\[[0-9;]*m", b"", raw))
        for value in (*EVERY, *PRINTED):
            core = base64.b64encode(b"==" + value.encode())[4:-4]
            if any(form in text for form in (value.encode(), core) for text in (raw, flat)):
                hits.append(f"{value[:4]}…{value[-4:]} in {name}")
    return sorted(set(hits))


def files(log: Path) -> Iterator[tuple[str, bytes]]:
    for top in log.parent.glob(f"{log.stem}*"):
        for path in top.rglob("*") if top.is_dir() else (top,):
            # A private copy is what helm reads; it goes when its operation ends.
            if path.is_file():
                yield str(path), path.read_bytes()


def test_there_are_a_hundred_of_them() -> None:
    assert len(set(EVERY)) >= 100


async def test_they_are_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await _planted_and_looked_for(tmp_path, monkeypatch, "")


@pytest.mark.wire
@both_helms
async def test_they_are_nowhere_with_helm_itself(
    tmp_path: Path, major: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _planted_and_looked_for(tmp_path, monkeypatch, find(major))


async def _planted_and_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, real: str) -> None:
    monkeypatch.setenv("TOKEN_OF_ENV", BESIDE["TOKEN_OF_ENV"])
    (tmp_path / "app.env").write_text(f"API_PASSWORD={BESIDE['API_PASSWORD']}\n")
    (tmp_path / "numbers").write_text("\n".join(PRINTED))
    script = ECHO.replace("NUMBERS", str(tmp_path / "numbers")).replace("FAILS", str(tmp_path / "fails"))
    script = script.replace("FILE", str(tmp_path / "app.env"))

    def change(body: dict[str, Json]) -> None:
        helm = body["helm"] = real or str(body["helm"])  # also for what the script hands on at its end
        staging = section(body, "environments", "staging")
        staging["apply_secrets"] = [
            {"name": "of-env", "data": {"token": {"env": "TOKEN_OF_ENV"}}},
            {"name": "of-file", "env_file": str(tmp_path / "app.env")},
        ]
        wrapped_helm(tmp_path, script.replace('"$HELM"', f'"{helm}"'))(body)

    async with launch(tmp_path, change=change) as stand:
        watching = asyncio.create_task(command_lines())
        with stand.world.folder.values(Env.STAGING).open("a") as file:
            file.write("".join(f"{name}: {raw}\n" for name, (raw, _) in VALUES.items()))
        with (stand.platform.chart / "values.yaml").open("a") as file:
            file.write(
                "".join(
                    f"of{name[0].upper()}{name[1:]}:\n  {name}: {raw}\n"
                    for name, (raw, _) in DEFAULTS.items()
                )
            )
        shown = [asked(await stand.operations.preview("staging.deploy", ANN))]
        assert (await stand.run("staging.deploy")).state is State.SUCCEEDED, stand.last().verdict
        shown += [told(stand), repr(stand.last())]
        (tmp_path / "fails").touch()
        shown.append(asked(await stand.operations.preview("staging.deploy", ANN)))
        assert (await stand.run("staging.deploy")).state is State.FAILED
        shown += [told(stand), repr(stand.last()), repr(stand.journal.view)]
        watching.cancel()
        lines = await watching
        left = dict(files(stand.store.path))
        assert any(b"[redacted]" in raw for raw in left.values())
        assert found({"what was shown": "\n".join(shown).encode(), **left}) == []
        assert found({"a command line": b"\n".join(lines)}) == []
