"""Durations, shares and secrets as people write them in a runbook."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from state.base.json import obj, text
from state.base.text import line

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")
_SECONDS = (86_400.0, 3_600.0, 60.0, 1.0, 0.001)


def parse_duration(value: object) -> float:
    """Return seconds from ``5m``, ``1h30m``, ``500ms`` or a plain number of seconds.

    Raises ValueError for anything else, and for a negative number.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value < 0:
            raise ValueError(f"a duration is not negative: {value}")
        return float(value)
    if isinstance(value, str) and value and (match := _DURATION.fullmatch(value)):
        return sum(float(n) * unit for n, unit in zip(match.groups(), _SECONDS, strict=True) if n)
    raise ValueError(f"a duration such as 30s, 5m or 1h30m was expected, not {value!r}")


def parse_threshold(value: object) -> float:
    """Return a number from ``1%`` (0.01), ``500ms`` (0.5), ``2s`` or a plain number.

    Raises ValueError for anything else.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        try:
            if value.endswith("%"):
                return float(value[:-1]) / 100
            return parse_duration(value) if value[-1:] in {"s", "m", "h"} else float(value)
        except ValueError:
            pass
    raise ValueError(f"a threshold such as 1%, 500ms or 0.5 was expected, not {value!r}")


def _number_or(pattern: str, examples: list[str]) -> WithJsonSchema:
    """Return what an editor is told of a number that may be written with its unit."""
    return WithJsonSchema(
        {"anyOf": [{"type": "number"}, {"type": "string", "pattern": pattern}], "examples": examples}
    )


Seconds = Annotated[
    float,
    BeforeValidator(parse_duration),
    _number_or(r"^(?=.)(\d+d)?(\d+h)?(\d+m(?!s))?(\d+(\.\d+)?s)?(\d+ms)?$", ["30s", "5m"]),
]
Threshold = Annotated[
    float, BeforeValidator(parse_threshold), _number_or(r"^[0-9.]+(%|ms|[smh])?$", ["1%", "500ms"])
]


def _beside_the_runbook(value: Path, info: ValidationInfo) -> Path:
    value = value.expanduser()
    base = info.context.get("base") if isinstance(info.context, dict) else None
    return base / value if isinstance(base, Path) else value


FilePath = Annotated[Path, AfterValidator(_beside_the_runbook)]
"""A path that is relative to the runbook's folder."""


RoleName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
"""captain, operator, approver, observer, or a word of the runbook's own, such as ``security-lead``."""


class Model(BaseModel):
    """A part of a runbook: frozen, and an unknown key is an error."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )


class MissingSecretError(LookupError):
    """A secret that the runbook names is not there."""


_PROGRAM_S = 10.0


class SecretRef(Model):
    """Where a secret is found. A runbook never holds the secret itself."""

    env: str | None = None
    file: FilePath | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> SecretRef:
        if (self.env is None) == (self.file is None):
            raise ValueError("a secret is named by exactly one of env: and file:")
        return self

    def read(self) -> str:
        """Return the secret's value.

        Raises MissingSecretError, which names the variable or the file, never a value.
        """
        if self.env is not None:
            value = os.environ.get(self.env)
            if not value:
                raise MissingSecretError(f"environment variable {self.env} is not set")
            return value
        assert self.file is not None
        try:
            return self.file.read_text().rstrip("\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a text file"
            raise MissingSecretError(f"secret file {self.file}: {reason}") from None


class TokenRef(SecretRef):
    """Where a bearer token is found: as any secret, or told by a program."""

    exec: tuple[str, ...] = ()
    """A program and its arguments. It prints the token, or an ExecCredential as plugins of kubeconfigs do."""

    @field_validator("exec")
    @classmethod
    def _beside(cls, argv: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        # A bare name is looked for in PATH; with a slash in it, it is a path from the runbook's folder.
        return (str(_beside_the_runbook(Path(argv[0]), info)), *argv[1:]) if argv and "/" in argv[0] else argv

    @model_validator(mode="after")
    def _one_of_two(self) -> TokenRef:
        if (self.env is not None) + (self.file is not None) + bool(self.exec) != 1:
            raise ValueError("a token is named by exactly one of env:, file: and exec:")
        return self

    def read(self) -> str:
        """Return the token; its program gets ten seconds. Raises MissingSecretError with what it said last."""
        return _told_by(self.exec) if self.exec else super().read()


def _told_by(argv: tuple[str, ...]) -> str:
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PROGRAM_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise MissingSecretError(f"{argv[0]} told no token within {_PROGRAM_S:g} s") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no program"
        raise MissingSecretError(f"{argv[0]} cannot be run: {reason}") from None
    if done.returncode:
        last = next(
            (one for one in reversed(done.stderr.decode(errors="replace").splitlines()) if one.strip()), ""
        )
        raise MissingSecretError(
            f"{argv[0]} ended with {done.returncode}: {line(last, 200) or 'it says nothing'}"
        )
    said = done.stdout.decode(errors="replace").strip()
    if said.startswith("{"):
        try:
            said = text(obj(obj(json.loads(said)).get("status")), "token")
        except (ValueError, RecursionError):
            said = ""
    if not said or not said.isprintable() or " " in said:
        raise MissingSecretError(f"{argv[0]} told no token: expected it alone, or an ExecCredential with one")
    return said


def secret_refs(part: object, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], SecretRef]]:
    """Yield every secret that a part of a runbook names, with the keys that lead to it.

    Members of a list are numbered from 1.
    """
    if isinstance(part, SecretRef):
        yield keys, part
    elif isinstance(part, BaseModel):
        for name in type(part).model_fields:
            yield from secret_refs(getattr(part, name), keys if name == "root" else (*keys, name))
    elif isinstance(part, Mapping):
        for key, one in part.items():
            yield from secret_refs(one, (*keys, str(key)))
    elif isinstance(part, tuple | list):
        for number, one in enumerate(part, 1):
            yield from secret_refs(one, (*keys, str(number)))


def setting_of(keys: Sequence[str]) -> str:
    """Return the name of the setting to which keys lead: the last that numbers no member of a list."""
    return next((key for key in reversed(keys) if not key.isdecimal()), "")
