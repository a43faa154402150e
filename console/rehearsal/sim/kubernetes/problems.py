"""What the API answers when it refuses: Kubernetes' own Status bodies, codes and reasons."""

from __future__ import annotations

from collections.abc import Sequence

from console.rehearsal.sim.kubernetes.objects import Obj, Value
from console.rehearsal.sim.kubernetes.resources import Resource


class KubeError(Exception):
    """A refusal with its HTTP code, its reason (a CamelCase word clients test for) and its details."""

    def __init__(self, code: int, reason: str, message: str, details: Obj | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def status(self) -> Obj:
        """Return the Status object that is the answer's body."""
        body: Obj = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        if self.details is not None:
            body["details"] = self.details
        return body


def qualified(resource: Resource) -> str:
    """Return the plural with its group, as messages write it: ``pods`` or ``deployments.apps``."""
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


def _details(resource: Resource, name: str, kind: str | None = None) -> Obj:
    details: Obj = {"kind": kind or resource.plural}
    if name:
        details["name"] = name
    if resource.group:
        details["group"] = resource.group
    return details


def not_found(resource: Resource, name: str) -> KubeError:
    """Return 404 for an object that is not there."""
    return KubeError(404, "NotFound", f'{qualified(resource)} "{name}" not found', _details(resource, name))


def no_such_path() -> KubeError:
    """Return 404 for a path that the server does not serve."""
    return KubeError(404, "NotFound", "the server could not find the requested resource", {})


class NoRouteError(Exception):
    """A path of no group that is served: the one answer that is plain text."""


def already_exists(resource: Resource, name: str) -> KubeError:
    """Return 409 for a name that is taken."""
    message = f'{qualified(resource)} "{name}" already exists'
    return KubeError(409, "AlreadyExists", message, _details(resource, name))


def conflict(resource: Resource, name: str, why: str = "") -> KubeError:
    """Return 409 for a write that is based on an old version of the object."""
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {qualified(resource)} "{name}": {why}'
    return KubeError(409, "Conflict", message, _details(resource, name))


def unmet(resource: Resource, name: str, key: str, asked: str, have: str) -> KubeError:
    """Return 409 for a precondition of a deletion that doesn't hold; ``key`` is UID or ResourceVersion."""
    why = f"the {key} in the precondition ({asked}) does not match the {key} in record ({have})"
    why += ". The object might have been " + ("deleted and then recreated" if key == "UID" else "modified")
    message = f'Operation cannot be fulfilled on {resource.kind} "{name}": {why}'
    return KubeError(409, "Conflict", message, {"name": name, "kind": resource.kind})


def invalid(resource: Resource, name: str, causes: Sequence[tuple[str, str, str]]) -> KubeError:
    """Return 422 for an object that breaks rules; each cause is a reason, a message and a field's path."""
    return _invalid(resource.kind, resource.group, name, causes)


def invalid_options(kind: str, cause: tuple[str, str, str]) -> KubeError:
    """Return 422 for a query that breaks a rule; ``kind`` is CreateOptions and its like."""
    return _invalid(kind, "meta.k8s.io", "", [cause])


def _invalid(kind: str, group: str, name: str, causes: Sequence[tuple[str, str, str]]) -> KubeError:
    lines = [f"{field}: {message}" for _, message, field in causes]
    all_told = lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"
    listed: list[Value] = [{"reason": r, "message": m, "field": f} for r, m, f in causes]
    details: Obj = {"kind": kind, **({"name": name} if name else {}), **({"group": group} if group else {})}
    message = f'{kind}{"." + group if group else ""} "{name}" is invalid: {all_told}'
    return KubeError(422, "Invalid", message, {**details, "causes": listed})


def rejected() -> KubeError:
    """Return 422 for a patch of JSON that doesn't apply: the server says no more of it."""
    return KubeError(422, "Invalid", "the server rejected our request due to an error in our request", {})


def too_large(limit: int) -> KubeError:
    """Return 413."""
    message = f"Request entity too large: limit is {limit}"
    return KubeError(413, "RequestEntityTooLarge", message, {})


def bad_request(message: str) -> KubeError:
    """Return 400."""
    return KubeError(400, "BadRequest", message)


def expired(requested: int, oldest: int) -> KubeError:
    """Return 410 for a resourceVersion whose changes are no longer kept."""
    return KubeError(410, "Expired", f"too old resource version: {requested} ({oldest})")


def unauthorized() -> KubeError:
    """Return 401 for a token that nobody has."""
    return KubeError(401, "Unauthorized", "Unauthorized")


def forbidden(resource: Resource, name: str, why: str) -> KubeError:
    """Return 403."""
    shown = f'{qualified(resource)} "{name}"' if name else qualified(resource)
    return KubeError(403, "Forbidden", f"{shown} is forbidden: {why}", _details(resource, name))


def not_allowed() -> KubeError:
    """Return 405."""
    return KubeError(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {}
    )


def unsupported_media(taken: Sequence[str]) -> KubeError:
    """Return 415 for a body that the server doesn't read; ``taken`` are the types that it does."""
    told = ", ".join(taken)
    message = f"the body of the request was in an unknown format - accepted media types include: {told}"
    return KubeError(415, "UnsupportedMediaType", message)
