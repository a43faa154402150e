"""The samples of the simulated platform: a function of seed and time, nothing is stored."""

from __future__ import annotations

from console.rehearsal.traffic.behaviour import Behaviour
from console.rehearsal.traffic.source import Traffic
from console.rehearsal.traffic.together import Together

__all__ = ["Behaviour", "Together", "Traffic"]
