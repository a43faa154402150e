"""An object as the API server decodes and stores it: zeros that its types leave out, quantities in one spelling.

So it differs from what was sent, though nobody changed it: ``hostNetwork: false`` is gone, ``1024Mi`` is ``1Gi``.
"""

from __future__ import annotations

import base64
import re
from decimal import Decimal

from console.rehearsal.sim.kubernetes.objects import Obj, Value, child
from console.rehearsal.sim.kubernetes.problems import KubeError, bad_request
from console.rehearsal.sim.kubernetes.resources import Resource
from state.base.json import obj

_LEFT_OUT_WHEN_FALSE = {
    "paused",
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "stdin",
    "stdinOnce",
    "tty",
    "readOnly",
    "publishNotReadyAddresses",
}
_LEFT_OUT_WHEN_ZERO = {
    "minReadySeconds",
    "hostPort",
    "nodePort",
    "healthCheckNodePort",
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
}
_LEFT_OUT_WHEN_EMPTY = {
    "value",
    "subPath",
    "workingDir",
    "hostname",
    "subdomain",
    "nodeName",
    "priorityClassName",
    "serviceAccountName",
    "hostIP",
    "loadBalancerIP",
    "clusterIP",
}
"""Fields whose Go types are plain values with omitempty. Pointers (replicas, suspend, optional) keep their zero."""
_TEXTS = {
    "labels",
    "annotations",
    "matchLabels",
    "nodeSelector",
    "data",
    "stringData",
    "binaryData",
    "parameters",
}
"""Maps of people's own keys: nothing in them is a field."""
_QUANTITIES = {
    "requests",
    "limits",
    "hard",
    "capacity",
    "allocatable",
    "default",
    "defaultRequest",
    "overhead",
}
_QUANTITY = {"sizeLimit", "averageValue", "divisor"}
_SUFFIX = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_WRITTEN = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([KMGTPE]i|[numkMGTPE])|[eE]([+-]?\d+))?")


def as_stored(resource: Resource, body: Obj) -> None:
    """Turn an object that was sent into the form in which it is kept.

    Raises KubeError (400) for a value of another type than its field's, where the simulated API knows it.
    """
    if resource.plural in {"configmaps", "secrets"}:
        for key in ("data", "stringData", "binaryData"):
            for value in obj(body.get(key)).values():
                if not isinstance(value, str):
                    raise _unlike(resource, value, key)
            if body.get(key) == {}:
                del body[key]
        if resource.plural == "secrets":
            _need_base64(resource, body)
    if isinstance(body.get("spec"), dict):
        spec = child(body, "spec")
        for key in ("replicas", "minReadySeconds", "backoffLimit", "parallelism", "completions"):
            if isinstance(spec.get(key), str | float):
                raise _unlike(resource, spec[key], f"spec.{key}")
        _tidy(spec)


def _need_base64(resource: Resource, body: Obj) -> None:
    for value in obj(body.get("data")).values():
        try:
            base64.b64decode(str(value).replace("\n", ""), validate=True)
        except ValueError:
            raise bad_request(
                f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: '
                "illegal base64 data at input byte 0"
            ) from None


def _unlike(resource: Resource, value: object, field: str) -> KubeError:
    kind = "bool" if isinstance(value, bool) else "string" if isinstance(value, str) else "number"
    wanted = "int32" if field.startswith("spec.") else "string"
    return bad_request(
        f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: '
        f"json: cannot unmarshal {kind} into Go struct field {resource.kind}.{field} of type {wanted}"
    )


def _tidy(body: Obj) -> None:
    for key, value in list(body.items()):
        if key in _TEXTS:
            if value == {}:
                del body[key]
        elif _left_out(key, value):
            del body[key]
        elif key in _QUANTITIES and isinstance(value, dict):
            body[key] = {name: quantity(one) for name, one in value.items()}
        elif key in _QUANTITY or (key == "value" and "type" in body and body["type"] == "Value"):
            body[key] = quantity(value)
        elif isinstance(value, dict):
            _tidy(value)
        elif isinstance(value, list):
            for one in value:
                if isinstance(one, dict):
                    _tidy(one)


def _left_out(key: str, value: Value) -> bool:
    if value is False:
        return key in _LEFT_OUT_WHEN_FALSE
    if value == 0 and not isinstance(value, bool):
        return key in _LEFT_OUT_WHEN_ZERO
    return value == "" and key in _LEFT_OUT_WHEN_EMPTY


def amount(value: object) -> Decimal:
    """Return how much a quantity is, 0 for what is none."""
    match = _WRITTEN.fullmatch(str(value).strip())
    if match is None:
        return Decimal(0)
    number, suffix, exponent = Decimal(match[1]), match[2] or "", match[3]
    if exponent is not None:
        return number.scaleb(int(exponent))
    if suffix in _BINARY[1:]:
        return number * Decimal(1024 ** _BINARY.index(suffix))
    return number.scaleb(_SUFFIX[suffix])


def quantity(value: Value) -> Value:
    """Return a quantity as Kubernetes writes it; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    match = _WRITTEN.fullmatch(str(value).strip())
    if match is None:
        return value
    number, suffix, exponent = Decimal(match[1]), match[2] or "", match[3]
    if exponent is not None:
        mantissa, step = _in_thousands(number.scaleb(int(exponent)))
        return f"{mantissa}e{step}" if step else str(mantissa)
    if suffix in _BINARY[1:]:
        whole = number * 1024 ** _BINARY.index(suffix)
        if abs(whole) >= 1024:
            return _in_bytes(whole)
        number, suffix = whole, ""
    mantissa, step = _in_thousands(number.scaleb(_SUFFIX[suffix]))
    return f"{mantissa}{next(name for name, at in _SUFFIX.items() if at == step)}"


def _in_bytes(whole: Decimal) -> str:
    left, step = int(whole.to_integral_value(rounding="ROUND_CEILING")), 0
    while left % 1024 == 0 and step < len(_BINARY) - 1:
        left, step = left // 1024, step + 1
    return f"{left}{_BINARY[step]}"


def _in_thousands(number: Decimal) -> tuple[int, int]:
    """Return a whole number and the largest power of a thousand that give ``number``, to nine places."""
    left = int(number.scaleb(9).to_integral_value(rounding="ROUND_CEILING"))
    step = -9
    while left and left % 1000 == 0 and step < 18:
        left, step = left // 1000, step + 3
    return left, step if left else 0
