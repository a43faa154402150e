"""What a namespace doesn't admit of pods: PodSecurity, quotas, accounts and classes that aren't there.

Whoever makes the pod is refused, and that is a controller: the reason stands in its events, not in a pod's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from console.rehearsal.sim.kubernetes.objects import labels_of, name_of
from state.base.json import JsonObject, flag, obj, objs, path, text, texts

_ENFORCE = "pod-security.kubernetes.io/enforce"
_WARN = "pod-security.kubernetes.io/warn"
_USUAL = (
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
)
_SECCOMP = ("RuntimeDefault", "Localhost")


def refused(pod: JsonObject, namespace: JsonObject, accounts: Sequence[str]) -> str:
    """Return why a pod may not be made, in the API server's words; "" where it may.

    ``accounts`` are the names of the namespace's service accounts.
    """
    spec, where = obj(pod.get("spec")), name_of(namespace)
    account = text(spec, "serviceAccountName")
    if account not in {"", "default", *accounts}:
        return f'error looking up service account {where}/{account}: serviceaccount "{account}" not found'
    wanted = text(spec, "priorityClassName")
    if wanted and not wanted.startswith("system-"):
        return f"no PriorityClass with name {wanted} was found"
    level = labels_of(namespace).get(_ENFORCE, "privileged")
    broken = _broken(spec, level)
    if broken:
        return f'violates PodSecurity "{level}:latest": {", ".join(broken)}'
    return ""


def warned(pod: JsonObject, namespace: JsonObject) -> str:
    """Return of what a namespace warns that is made of pods like this one; "" for nothing."""
    level = labels_of(namespace).get(_WARN, "privileged")
    broken = _broken(obj(pod.get("spec")), level)
    return f'would violate PodSecurity "{level}:latest": {", ".join(broken)}' if broken else ""


def _broken(spec: JsonObject, level: str) -> list[str]:
    if level not in {"baseline", "restricted"}:
        return []
    containers = [*objs(spec.get("initContainers")), *objs(spec.get("containers"))]
    found = list(_baseline(spec, containers))
    return found + list(_restricted(spec, containers)) if level == "restricted" else found


def _baseline(spec: JsonObject, containers: Sequence[JsonObject]) -> Iterator[str]:
    added = [
        (text(one, "name"), extra)
        for one in containers
        if (extra := [c for c in texts(path(_security(one), ("capabilities", "add"))) if c not in _USUAL])
    ]
    if added:
        told = ", ".join(f'"{one}"' for _, those in added for one in those)
        who = _named("container", [name for name, _ in added])
        yield f"non-default capabilities ({who} must not include {told} in securityContext.capabilities.add)"
    shared = [key for key in ("hostNetwork", "hostPID", "hostIPC") if flag(spec, key)]
    if shared:
        yield f"host namespaces ({', '.join(f'{key}=true' for key in shared)})"
    paths = [text(one, "name") for one in objs(spec.get("volumes")) if "hostPath" in one]
    if paths:
        yield f"hostPath volumes ({_named('volume', paths)})"
    ports = {
        text(one, "name"): [str(port["hostPort"]) for port in objs(one.get("ports")) if port.get("hostPort")]
        for one in containers
    }
    if used := [port for those in ports.values() for port in those]:
        who = _named("container", [name for name, those in ports.items() if those])
        yield f"hostPort ({who} uses hostPort{'s' if len(used) > 1 else ''} {', '.join(used)})"
    privileged = [text(one, "name") for one in containers if flag(_security(one), "privileged")]
    if privileged:
        yield f"privileged ({_named('container', privileged)} must not set securityContext.privileged=true)"


def _restricted(spec: JsonObject, containers: Sequence[JsonObject]) -> Iterator[str]:
    def those(wrong: Sequence[bool]) -> list[str]:
        return [text(one, "name") for one, bad in zip(containers, wrong, strict=True) if bad]

    own = [_security(one) for one in containers]
    whole = obj(spec.get("securityContext"))
    escalate = those([one.get("allowPrivilegeEscalation") is not False for one in own])
    if escalate:
        must = "must set securityContext.allowPrivilegeEscalation=false"
        yield f"allowPrivilegeEscalation != false ({_named('container', escalate)} {must})"
    kept = those(["ALL" not in texts(path(one, ("capabilities", "drop"))) for one in own])
    if kept:
        must = 'must set securityContext.capabilities.drop=["ALL"]'
        yield f"unrestricted capabilities ({_named('container', kept)} {must})"
    root = those([one.get("runAsNonRoot", whole.get("runAsNonRoot")) is not True for one in own])
    if root:
        must = "must set securityContext.runAsNonRoot=true"
        yield f"runAsNonRoot != true (pod or {_named('container', root)} {must})"
    profiles = [obj(one.get("seccompProfile")) or obj(whole.get("seccompProfile")) for one in own]
    open_ones = those([text(one, "type") not in _SECCOMP for one in profiles])
    if open_ones:
        must = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
        yield f"seccompProfile (pod or {_named('container', open_ones)} {must})"


def _security(container: JsonObject) -> JsonObject:
    return obj(container.get("securityContext"))


def _named(kind: str, names: Sequence[str]) -> str:
    told = ", ".join(f'"{name}"' for name in names)
    return f"{kind}{'s' if len(names) > 1 else ''} {told}"
