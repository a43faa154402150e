"""YAML as Kubernetes reads it: every case is one that kubectl was asked, and is asked again where there is one."""

from __future__ import annotations

import json
import random
import subprocess

import pytest

from state.base import kube_yaml
from state.base.json import Json
from tests.programs import path

HEAD = "apiVersion: v1\nkind: X\nmetadata: {name: x}\nspec:\n"
_WORDS = """
= y Y yes Yes YES yES n N no No NO on On ON off Off OFF true True TRUE tRUE false ~ null Null NULL nULL
2027-03-25 2001-12-14t21:59:43.10-05:00 22:30 1:20:30 190:20:30.15 0o444 0O17 0444 0o8 08 09 00 007 0x1F 0X1f
0x 0b101 0B1 0b2 -0b1 -0x1f +0x1f -0o17 -017 1e3 1E3 6e2 1e+3 1e-3 1e 1.0 1. .5 -.5 +.5 5. 1.5e3
1_000 1_0.5 1__0 _1 0_7 0x_1F 1_e3 +1 -1 -0 +0 0 12345678901234567890 18446744073709551615
18446744073709551616 +18446744073709551615 -9223372036854775808 -9223372036854775809 9223372036854775807
9223372036854775808 Infinity inf NaN nan <<x 1.2.3 1.2.3.4 10.0.0.0/8 1Gi 100m 0.7 0.1 1e21 1e22
123456789.123 0.00001 1e-7 2147483648 ._5 .5_0 1,000 + . .. ..5 -.e3 1e3.5 0.0 -0.0 0e0 0x1p3 0x1.8 1_
1_000_ 1d 0. 00.5 01.5 0b 0o 0xg true1 2027-3-5 2027-03-25T10:00:00Z 20270325 a: -a it's
0.30000000000000004 100000000000000000000 1e17 123e-2 12e03 1e400 -1e400
"""
WORDS = _WORDS.split()
KEYS = [word for word in WORDS if word.lower() not in {"~", "null", "a:"} and "234567890" not in word]
KEYS = [word for word in KEYS if not word.startswith(("1844", "922337203685477580"))]
VALUES = (
    "!!str 123", '!!int "3"', "!!float 3", '!!float "3.5"', '!!bool "yes"', '!!null ""', "!!timestamp 2001-01-01",
    "!!binary YWJj", "!foo 12", "! 12", '"a\\x41b"', '"\\u263a"', "'it''s'", '"1"', "'='", "|\n    a\n    b\n",
    ">-\n    a\n    b\n\n    c\n", "|+\n    a\n\n", "[a, =, 1e3, 22:30, 2027-03-25, y]", "{a: b, a: c}", "{? a : b}",
    "{a, b}", "[a: 1]", '"a\n    b"', "a\n    b", "a # c", "a#c", "a\tb", "[a,]", "{a: 1,}", "&a x", "[&a x, *a]",
    "[&a {b: 1}, {<<: *a, c: 2}, {c: 2, <<: *a}, {b: 3, <<: *a}, {<<: *a, b: 3}]", "{'<<': {a: 1}}",
    "[&a {b: 1}, &c {b: 2, d: 1}, {<<: [*a, *c]}]", "[&a {b: 1}, {<<: [*a], <<: {b: 4}}]", "{<<: {a: 1}}",
    "[&a 1, &a 2, *a]", '{1: a, "2": b}', '{true: a, "false": b}', "{1e3: a, 1e6: b, 100000.5: c, 0.0001: d}",
    "{2027-01-01: a}", "😀", "!!str ~", "!!int 0o17", "!!float 1e3", "[1.0, 1.50, 1e2, 100e-2]",
)  # fmt: skip
STREAMS = (
    f"{HEAD}  v: 1\n--- # c\n{HEAD}  v: 2\n",
    f"\ufeff{HEAD}  v: a\n",
    f"\ufeff{HEAD}  v: |\n    a\n    b\n".replace("\n", "\r\n"),
    f"{HEAD}  v: a\n...\n{HEAD}  v: b\n",
    f"---\n---\n{HEAD}  v: 1\n---\n\n---\n# x\n",
    f"{HEAD}  v: |\n    a\n    ---\n    b\n",
    '{"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}, "spec": {"v": 1e3, "w": 12345678901234567890}}',
)
REFUSED = (
    *(f"{HEAD}  v: {one}\n" for one in (
        ".inf", "-.INF", ".NaN", "!!int 3.5", "!!bool x", "!!null x", "!!timestamp x", '!!binary "Y W"', "@x", "`x",
        "*a", "&a [*a]", "{<<: 3}", "{null: a}", "{[a]: b}", "a\u2028b", "{{a: 1}: b}", "{12345678901234567890: a}",
        "[a",
        "}",
        '"unterminated', '{a: "\\q"}',
    )),
    f"{HEAD}  v: 1\n--- {{a: 1}}\n",
    f"%YAML 1.1\n---\n{HEAD}  v: a\n",
    f"{HEAD}  a: &x {{q: 1}}\n---\n{HEAD}  b: *x\n",
)  # fmt: skip


def asked(text: str) -> list[Json]:
    """Return what kubectl makes of a text, object by object."""
    process = subprocess.run(
        [path("kubectl"), "label", "--local", "-f", "-", "-o", "json", "zz=zz"],
        input=text.encode(),
        capture_output=True,
        check=False,
    )
    if process.returncode:
        raise ValueError(process.stderr.decode())
    # A number past 64 bits is a float to Kubernetes.
    reader = json.JSONDecoder(parse_int=lambda s: int(s) if -(2**63) <= int(s) < 2**63 else float(s))
    told, found = process.stdout.decode().strip(), []
    while told:
        one, end = reader.raw_decode(told)
        told = told[end:].strip()
        for member in one["items"] if one["kind"] == "List" else [one]:
            del member["metadata"]["labels"]
            found.append(member)
    return found


def compared(texts: list[str]) -> None:
    """Ask kubectl for all at once: each is a document of its own."""
    found = [one for text in texts for one in kube_yaml.load_all(text)]
    assert json.dumps(found, sort_keys=True) == json.dumps(asked("---\n".join(texts)), sort_keys=True)


@pytest.mark.needs("kubectl")
def test_scalars_are_what_kubectl_reads() -> None:
    compared([f"{HEAD}  v: {word}\n  w: [{word}]\n" for word in WORDS if word not in {"a:", "1,000"}])


@pytest.mark.needs("kubectl")
def test_keys_are_what_kubectl_reads() -> None:
    compared([f"{HEAD}  {word}: 1\n" for word in KEYS])


@pytest.mark.needs("kubectl")
def test_values_are_what_kubectl_reads() -> None:
    compared([f"{HEAD}  v: {value}\n" for value in VALUES])


@pytest.mark.needs("kubectl")
def test_random_scalars_are_what_kubectl_reads() -> None:
    draw = random.Random(11)
    letters = "0123456789" * 3 + "eE.-+_:xobXOBaFTZynYN=~"
    drawn = {"".join(draw.choices(letters, k=draw.randint(1, 9))) for _ in range(1500)}
    fit = [one for one in sorted(drawn) if not one.startswith(("-", "=", ":", "~")) and not one.endswith(":")]
    compared([f"{HEAD}  v{at}: {one}\n" for at, one in enumerate(fit)])


@pytest.mark.needs("kubectl")
@pytest.mark.parametrize("stream", STREAMS)
def test_streams_are_what_kubectl_reads(stream: str) -> None:
    assert list(kube_yaml.load_all(stream)) == asked(stream)


@pytest.mark.needs("kubectl")
@pytest.mark.parametrize("text", REFUSED)
def test_what_kubectl_refuses_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        asked(text)
    with pytest.raises(kube_yaml.KubeYamlError):
        list(kube_yaml.load_all(text))


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("=", "="), ("22:30", "22:30"), ("2027-03-25", "2027-03-25"), ("0o444", 292), ("0444", 292), ("1e3", 1000),
        ("6e2", 600), ("y", True), ("off", False), ("08", 8), ("1_000", 1000), ("~", None), ("0.7", 0.7),
    ],
)  # fmt: skip
def test_what_stands_in_charts(word: str, value: Json) -> None:
    found = kube_yaml.load(word)
    assert (found, type(found)) == (value, type(value))


def test_a_bomb_of_aliases_is_refused_and_a_deep_nest_too() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(kube_yaml.KubeYamlError, match="aliasing"):
        kube_yaml.load("\n".join(rows))
    with pytest.raises(kube_yaml.KubeYamlError):
        kube_yaml.load("[" * 100_000)


def test_an_error_tells_nothing_of_the_values() -> None:
    with pytest.raises(kube_yaml.KubeYamlError) as caught:
        kube_yaml.load('password: "geheim\nx: [')
    assert "geheim" not in str(caught.value)
