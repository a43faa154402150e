"""Quantities, exactly, as k8s.io/apimachinery reads them: 0.7 is 700m, 1024Mi is 1Gi, 1e3 is 1k."""

from __future__ import annotations

import re
from decimal import Context, Decimal

from state.base.json import Json

_QUANTITY = re.compile(
    r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(n|u|m|k|[KMGTPE]i|[MGTPE]|[eE][+-]?[0-9]{1,3})?"
)
_SCALES = {
    "": Decimal(1),
    **{suffix: Decimal(10) ** power for suffix, power in zip("num", (-9, -6, -3), strict=True)},
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", 1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", 1)},
}
_NANO = Decimal("1e-9")
# Wide enough for any number that the pattern takes within the bound of its exponent.
_EXACT = Context(prec=400, rounding="ROUND_UP")


def quantity(value: Json) -> Decimal | None:
    """Return what a number or a text is as a quantity, None where it is none.

    What is finer than a billionth is rounded up, as Kubernetes does.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    told = value if isinstance(value, str) else repr(value)
    match = _QUANTITY.fullmatch(told) if len(told) < 100 else None
    if match is None:
        return None
    number, suffix = Decimal(match[1]), match[2] or ""
    scale = _SCALES.get(suffix)
    found = _EXACT.multiply(number, scale if scale is not None else Decimal(f"1{suffix}"))
    return found.quantize(_NANO, context=_EXACT)
