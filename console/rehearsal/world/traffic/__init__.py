"""The samples of simulated programs: a function of seed and time, nothing is stored."""

from __future__ import annotations

from console.rehearsal.world.traffic.behaviour import Behaviour
from console.rehearsal.world.traffic.source import Traffic
from console.rehearsal.world.traffic.together import Together

__all__ = ["Behaviour", "Together", "Traffic"]
