"""What the engine says of a command before it runs, and a console shows before it asks for it."""

from __future__ import annotations

from dataclasses import dataclass

from state.view.enums import Danger, Tier


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
    told: tuple[str, ...] = ()
    """What was found, a line each, by a command that only looks."""
    cautions: tuple[str, ...] = ()
    """What speaks against it, a line each: where there are any, it must be confirmed although nothing is typed."""
    phrase: str = ""
    """What must be typed; nothing where no typing is asked."""
    act: str = ""
    """What the button that does it says; nothing: what the command is called."""
    token: str = ""
    """Binds the confirmation to what was shown: a changed candidate voids it."""
    inputs: str = ""
    """What it would read, in words: chart and values, or the job of a migration."""
    inputs_sha: str = ""
    """The hash of what was read for this preview, and will be read if it is confirmed."""
    override_allowed: bool = False
    """Whether a reason and a second person can open the lock: it is requested, and somebody else grants it."""
    against: tuple[str, ...] = ()
    """What stands against it, one line each."""
    waits: str = ""
    """What the request for it waits for, or why its grant is worth nothing now."""
    granted: str = ""
    """Who granted the request for it, where somebody did: then it may run once."""
    request: int = 0
    """That request's sequence number; 0: none."""
