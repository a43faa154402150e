"""Good but odd worlds, by what is odd in them: no item may be red or unknown for one."""

from __future__ import annotations

from console.rehearsal.dotmac.odd import around, observing, seen, told_images, working
from console.rehearsal.world.fault import Fault

ODD: tuple[Fault, ...] = (*seen.ODD, *around.ODD, *observing.ODD, *working.ODD, *told_images.ODD)
