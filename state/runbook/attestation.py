"""What a runbook asks of people: the question of an item, and what a GO on it takes."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from state.runbook.units import Model, RoleName, parse_duration
from state.view.enums import Need

_WHO = re.compile(r"the one who (ran|signed) (\S+)")


def _need(given: object) -> Need:
    if isinstance(given, str) and given in {Need.COMMENT, Need.LINK}:
        return Need(str(given))
    raise ValueError("comment or link was expected")


Required = Annotated[
    Need,
    BeforeValidator(_need),
    WithJsonSchema({"type": "string", "enum": [Need.COMMENT.value, Need.LINK.value]}),
]


class Excluded(Model):
    """Who may not sign: whoever ran an operation in this launch, or signed an item."""

    ran: str | None = None
    """An operation: ``production.migrate``."""
    signed: str | None = None
    """An item: ``3.2``."""

    @model_validator(mode="after")
    def _one_of_two(self) -> Excluded:
        if (self.ran is None) == (self.signed is None):
            raise ValueError("exactly one of ran: and signed: was expected")
        return self

    @property
    def deed(self) -> str:
        """What keeps somebody from signing, as the log holds it: ``ran production.migrate``."""
        return f"ran {self.ran}" if self.ran is not None else f"signed {self.signed}"


def _in_words(given: object) -> object:
    if not isinstance(given, str):
        return given
    match = _WHO.fullmatch(given.strip())
    if match is None:
        raise ValueError("ran: OPERATION, signed: ITEM or `the one who ran OPERATION` was expected")
    return {match[1]: match[2]}


SomebodyElse = Annotated[Excluded, BeforeValidator(_in_words, json_schema_input_type=str | Excluded)]


def _asked(given: object) -> object:
    return {"question": given} if isinstance(given, str) else given


class AttestSpec(Model):
    """The question that people answer, and what a GO takes."""

    question: str = Field(min_length=1)
    requires: tuple[Required, ...] = ()
    """What a GO must bring: ``comment``, where the question asks for names, and ``link``."""
    role: RoleName | None = None
    """The role that who gives a GO must have; None: captain, operator or approver."""
    people: int = Field(default=1, ge=1, le=9)
    """How many different people's GO it takes."""
    excluded: tuple[SomebodyElse, ...] = Field(default=(), alias="not")
    """Whose GO doesn't count: ``- ran: production.migrate``, or ``the one who ran production.migrate``."""


Attest = Annotated[AttestSpec, BeforeValidator(_asked, json_schema_input_type=str | AttestSpec)]
"""A question alone, or with what a GO on it takes."""


def _due(given: object) -> float:
    if isinstance(given, str) and given[:2] == "T-" and given[2:]:
        seconds = parse_duration(given[2:])
        if seconds >= 1:
            return seconds
    raise ValueError("how long before the launch window, as T-1d or T-2h, was expected")


Due = Annotated[
    float,
    BeforeValidator(_due),
    WithJsonSchema(
        {"type": "string", "pattern": r"^T-(?=.)(\d+d)?(\d+h)?(\d+m)?(\d+s)?$", "examples": ["T-1d", "T-2h"]}
    ),
]
"""How long before the window opens something is to be done, in seconds."""
