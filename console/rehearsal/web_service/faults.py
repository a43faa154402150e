"""What can be wrong with a release of the service. Items are those of examples/web-service.yaml."""

from __future__ import annotations

from console.rehearsal.world.fault import Fault, fails, misbehaves
from state.runbook.environment import Tier

FAULTS: tuple[Fault, ...] = (
    fails(
        "bad-candidate",
        "6.1",
        "the candidate fails 8 % of production's requests and is slow",
        misbehaves(Tier.PRODUCTION, error_ratio=0.08, p95_s=2.5),
    ),
    fails(
        "slow-candidate",
        "6.1",
        "the candidate answers slowly in production",
        misbehaves(Tier.PRODUCTION, p95_s=2.2),
    ),
)
