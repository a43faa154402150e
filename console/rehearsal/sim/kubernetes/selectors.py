"""Label and field selectors: the text of a query, and the selector inside an object."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from console.rehearsal.sim.kubernetes.objects import labels_of, strings
from console.rehearsal.sim.kubernetes.problems import bad_request
from console.rehearsal.sim.kubernetes.resources import Resource
from state.base.json import JsonObject, obj, objs, path, text, texts

Match = Callable[[JsonObject], bool]

_SETS = re.compile(r"\s*([\w./-]+)\s+(in|notin)\s*\(([^()]*)\)\s*$")
_EQUALS = re.compile(r"\s*([\w./-]+)\s*(==|=|!=)\s*([\w./-]*)\s*$")
_EXISTS = re.compile(r"\s*(!?)\s*([\w./-]+)\s*$")
_WORDS = re.compile(r"[\w./-]+|==|!=|[=!(),<>]|\S")
_COMMA = re.compile(r",(?![^()]*\))")


def _holds(labels: Mapping[str, str], key: str, operator: str, values: tuple[str, ...]) -> bool:
    if operator == "exists":
        return key in labels
    if operator == "absent":
        return key not in labels
    if operator == "in":
        return labels.get(key) in values
    return labels.get(key) not in values


def _requirement(part: str) -> tuple[str, str, tuple[str, ...]]:
    if found := _SETS.match(part):
        return found[1], found[2], tuple(one.strip() for one in found[3].split(","))
    if found := _EQUALS.match(part):
        return found[1], "notin" if found[2] == "!=" else "in", (found[3],)
    if found := _EXISTS.match(part):
        return found[2], "absent" if found[1] else "exists", ()
    raise bad_request(f"unable to parse requirement: {_misplaced(part)}")


def _misplaced(part: str) -> str:
    """Return what can't be read in a requirement, as the API server's parser tells it."""
    words = _WORDS.findall(part)
    if words[:1] and not re.fullmatch(r"!|[\w./-]+", words[0]):
        return f"found '{words[0]}', expected: !, identifier, or 'end of string'"
    if len(words) > 1 and words[1] in ("in", "notin"):
        return f"found '{''.join(words[2:3])}' expected: '('"
    told = "in, notin, =, ==, !=, gt, lt"
    return f"found '{''.join(words[1:2])}', expected: {told}"


def by_labels(selector: str) -> Match:
    """Return what a labelSelector asks of an object.

    Raises KubeError (400) where it cannot be read.
    """
    expected = [_requirement(part) for part in _COMMA.split(selector) if part.strip()]
    return lambda body: all(_holds(labels_of(body), *one) for one in expected)


def by_fields(selector: str, resource: Resource) -> Match:
    """Return what a fieldSelector asks of an object.

    Raises KubeError (400) for a field that the real API does not select this kind by.
    """
    expected: list[tuple[tuple[str, ...], bool, str]] = []
    for part in filter(None, selector.split(",")):
        found = re.fullmatch(r"\s*([\w.-]+)\s*(==|=|!=)(.*)", part)
        if found is None:
            raise bad_request(f"invalid selector: {part!r}; can't understand it")
        if not resource.selects_by(found[1]):
            raise bad_request(f"field label not supported: {found[1]}")
        expected.append((tuple(found[1].split(".")), found[2] == "!=", found[3].strip()))

    def match(body: JsonObject) -> bool:
        return all((_shown(body, keys) != value) == unequal for keys, unequal, value in expected)

    return match


def _shown(body: JsonObject, keys: tuple[str, ...]) -> str:
    value = path(body, ("source", "component") if keys == ("source",) else keys)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int) else ("false" if keys[-1] == "unschedulable" else "")


def selected(selector: JsonObject, labels: Mapping[str, str]) -> bool:
    """Return whether a LabelSelector object (matchLabels, matchExpressions) chooses these labels.

    An empty selector chooses everything, as in the API.
    """
    operators = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "absent"}
    if any(labels.get(key) != value for key, value in strings(selector.get("matchLabels")).items()):
        return False
    return all(
        _holds(
            labels,
            text(expression, "key"),
            operators.get(text(expression, "operator"), "in"),
            texts(expression.get("values")),
        )
        for expression in objs(selector.get("matchExpressions"))
    )


def chooses(service: JsonObject, pod: JsonObject) -> bool:
    """Return whether a Service's plain selector chooses a pod; a service without one chooses none."""
    expected = strings(path(service, ("spec", "selector")))
    labels = labels_of(pod)
    return bool(expected) and all(labels.get(key) == value for key, value in expected.items())


def selector_of(body: JsonObject) -> JsonObject:
    """Return spec.selector as an object."""
    return obj(path(body, ("spec", "selector")))
