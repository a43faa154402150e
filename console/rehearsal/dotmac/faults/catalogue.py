"""The catalogue of faults: each names the item of the SOP, or the stage of its pipeline, that must notice it."""

from __future__ import annotations

from console.rehearsal.dotmac.faults import (
    alerting,
    blindness,
    browser,
    builds,
    data,
    given,
    infrastructure,
    kept,
    monitors,
    platform,
    release,
    security,
    setting,
    stand_ins,
)
from console.rehearsal.world.fault import Fault

FAULTS: tuple[Fault, ...] = (
    *setting.FAULTS,
    *platform.FAULTS,
    *monitors.FAULTS,
    *security.FAULTS,
    *infrastructure.FAULTS,
    *data.FAULTS,
    *builds.FAULTS,
    *release.FAULTS,
    *blindness.FAULTS,
    *browser.FAULTS,
    *given.FAULTS,
    *kept.FAULTS,
    *alerting.FAULTS,
    *stand_ins.FAULTS,
)
