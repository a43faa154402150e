"""Files of allowed signers, line by line beside stock ``ssh-keygen -Y verify``: both let in the same."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from state.attest.sshsig import ATTESTATION, public_key
from state.base.times import micros
from state.log.allowed_signers import keys_for, read_allowed
from state.log.errors import LogError
from tests.state.attest.test_sshsig import MESSAGE, keygen, signed

pytestmark = pytest.mark.needs("ssh-keygen")
AT = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
NAMESPACE = f'namespaces="{ATTESTATION}"'

LINES = {
    "ann KEY": True,
    "eve KEY": False,
    "an? KEY": True,
    "a*n KEY": True,
    "[a]nn KEY": False,
    "ann,bob KEY": True,
    "bob,ann KEY": True,
    "!ann,* KEY": False,
    "*,!ann KEY": False,
    "!bob,* KEY": True,
    "!bob KEY": False,
    '"ann" KEY': True,
    '"ann,bob" KEY': True,
    '"bob KEY': False,
    "ANN KEY": False,
    f"ann {NAMESPACE} KEY": True,
    'ann namespaces="git" KEY': False,
    f'ann namespaces="git,{ATTESTATION}" KEY': True,
    'ann namespaces="*@launch-console" KEY': True,
    f'ann namespaces="*,!{ATTESTATION}" KEY': False,
    'ann valid-before="20200101" KEY': False,
    'ann valid-before="20400101" KEY': True,
    'ann valid-after="20400101" KEY': False,
    'ann valid-after="20200101",valid-before="20400101" KEY': True,
    'ann valid-before="20200101",valid-after="20400101" KEY': False,
    'ann valid-before="202611301200Z" KEY': True,
    'ann valid-before="20261130115959Z" KEY': False,
    'ann valid-after="20261130120001Z" KEY': False,
    'ann valid-after="20261130120000Z" KEY': True,
    'ann valid-before="yesterday" KEY': False,
    "ann cert-authority KEY": False,
    f"ann cert-authority,{NAMESPACE} KEY": False,
    'ann restrict="x" KEY': False,
    'ann namespaces="git",namespaces="*" KEY': False,
    "ann namespaces=git KEY": False,
    "ann KEY a comment, with words": True,
    "  ann\t KEY": True,
    "# ann KEY": False,
    "ann": False,
    "ann ssh-ed25519 !!!!": False,
    "ann sk-ssh-ed25519@openssh.com AAAA": False,
    "bob KEY\nann KEY": True,
    'ann namespaces="git" KEY\nann KEY': True,
    "ann KEY\r": True,
    "bob\x0bann KEY": False,
    "bob KEY\x0cann KEY": False,
    "bob KEY\u2028ann KEY": False,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    key = keygen(tmp_path_factory.mktemp("key"), "ed25519")
    return key, signed(key)


def _stock(folder: Path, armored: str) -> bool:
    (folder / "signature").write_text(armored)
    words = ["ssh-keygen", "-Y", "verify", "-f", "signers", "-I", "ann", "-n", ATTESTATION, "-s", "signature"]
    done = subprocess.run(
        [*words, "-O", f"verify-time={AT:%Y%m%d%H%M%S}"],
        input=MESSAGE,
        check=False,
        capture_output=True,
        cwd=folder,
        env={**os.environ, "TZ": "UTC"},
    )
    return done.returncode == 0


@pytest.mark.parametrize(("line", "lets"), LINES.items())
def test_a_line_lets_in_whom_ssh_keygen_lets_in(
    line: str, lets: bool, made: tuple[Path, str], tmp_path: Path
) -> None:
    key, armored = made
    public = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    signers = tmp_path / "signers"
    signers.write_bytes(line.replace("KEY", public).encode() + b"\n")
    try:
        allowed = read_allowed(signers)
    except LogError:  # a line that ssh-keygen can't read either
        allowed = []
    found = keys_for(allowed, "ann", ATTESTATION, micros(AT))
    assert (public_key(public) in found) is lets
    assert _stock(tmp_path, armored) is lets
