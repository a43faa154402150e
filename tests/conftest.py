from __future__ import annotations

from console.engine.door import Door

Door.strict = True
