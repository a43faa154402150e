"""What the engine says of a command before it runs, and a console shows before it asks for it."""

from __future__ import annotations

from dataclasses import dataclass

from state.base.json import JsonObject, flag, text, texts
from state.view.enums import Danger, Tier, tier_of


@dataclass(frozen=True, slots=True)
class Preview:
    """What the engine says of a command before it runs: may it, and what exactly would happen."""

    name: str
    title: str
    danger: Danger
    allowed: bool
    reason: str = ""
    """Why not, where it may not."""
    environment: str = ""
    tier: Tier | None = None
    """What that environment is for, where it is one."""
    from_what: str = ""
    to_what: str = ""
    commands: tuple[str, ...] = ()
    """The exact command lines."""
    blast: tuple[str, ...] = ()
    """Whom it touches: pods, hosts, traffic."""
    checks: tuple[str, ...] = ()
    """The preflight, a line each."""
    diff: tuple[str, ...] = ()
    """What would change in the cluster, object by object and field by field; secrets as fingerprints."""
    phrase: str = ""
    """What must be typed; nothing where no typing is asked."""
    token: str = ""
    """Binds the confirmation to what was shown: a changed candidate voids it."""
    override_allowed: bool = False
    """Whether a reason and a second person can open the lock."""
    seconds: tuple[str, ...] = ()
    """What may be typed for the second person: ids of people and their accounts; empty where none is asked."""

    def dump(self) -> JsonObject:
        """Return the preview as a JSON object."""
        return {
            "name": self.name,
            "title": self.title,
            "danger": self.danger.value,
            "allowed": self.allowed,
            "reason": self.reason,
            "environment": self.environment,
            "tier": self.tier,
            "from_what": self.from_what,
            "to_what": self.to_what,
            "commands": list(self.commands),
            "blast": list(self.blast),
            "checks": list(self.checks),
            "diff": list(self.diff),
            "phrase": self.phrase,
            "token": self.token,
            "override_allowed": self.override_allowed,
            "seconds": list(self.seconds),
        }

    @classmethod
    def load(cls, body: JsonObject) -> Preview:
        """Return the preview that ``dump`` made."""
        return cls(
            name=text(body, "name"),
            title=text(body, "title"),
            danger=Danger(text(body, "danger", "danger")),
            allowed=flag(body, "allowed"),
            reason=text(body, "reason"),
            environment=text(body, "environment"),
            tier=tier_of(text(body, "tier")),
            from_what=text(body, "from_what"),
            to_what=text(body, "to_what"),
            commands=texts(body.get("commands")),
            blast=texts(body.get("blast")),
            checks=texts(body.get("checks")),
            diff=texts(body.get("diff")),
            phrase=text(body, "phrase"),
            token=text(body, "token"),
            override_allowed=flag(body, "override_allowed"),
            seconds=texts(body.get("seconds")),
        )
