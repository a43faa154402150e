from __future__ import annotations

import json
import string
from hashlib import sha256

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from state.base import canonical
from state.base.canonical import CanonicalError
from state.base.json import Json, JsonObject

LOG = "0193b0c4-7d3e-7c51-9a52-5f0c1d2e3a4b"
HASH_1 = "ee413be99bdf418634f33de2cf2f31189d750281f58a6ab1981d99c373c63fc1"
HASH_2 = "ab8a09c23ca9af2eb45fd944658177b4741bc2f164d5b136b29d2f3a546ab52f"
HASH_3 = "eda12c648deebfa15b6be8d09c5ea31c6162f23f2e5100f82b43449e561f1676"

keys = st.text(string.ascii_lowercase + string.digits + "_", min_size=1, max_size=8)
whole = st.integers(-(2**53) + 1, 2**53 - 1)
valid_text = st.text(st.characters(codec="utf-8"), max_size=20)
values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | whole | valid_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)

bodies = st.dictionaries(keys, values, max_size=6)


def test_the_vectors_of_the_format() -> None:
    assert canonical.genesis(LOG).hex() == "f1be08aca188cb122975f7dc25aa80ca4a87cfeff128039c641aefa531c0d6b3"
    body = canonical.encode({"title": "Übergabe ✓"})
    assert body == '{"title":"Übergabe ✓"}'
    digest = canonical.body_sha(b"\x02" * 16, body)
    assert digest.hex() == "8b3d04b4ee34340c35a6d9f7d4b7b7cb65c5edeec218d8c33f2f0b769ba6a964"
    header = canonical.header(
        LOG,
        2,
        "00000000-0000-4000-8000-000000000002",
        "gate.opened",
        "g01",
        None,
        "captain@example.com",
        "s-1",
        "b0",
        1795000000000002,
        1002,
        digest,
        bytes.fromhex(HASH_1),
    )
    assert header == (
        '{"actor":"captain@example.com","body":"8b3d04b4ee34340c35a6d9f7d4b7b7cb65c5edeec218d8c33f2f0b769ba6a964",'
        '"boot":"b0","eid":"00000000-0000-4000-8000-000000000002","gate":"g01",'
        f'"log":"{LOG}","mono_us":1002,"prev":"{HASH_1}","ref":null,"seq":2,"session":"s-1",'
        '"type":"gate.opened","v":1,"wall_us":1795000000000002}'
    )
    assert canonical.event_hash(header).hex() == HASH_2
    assert canonical.anchor(LOG, 3, HASH_3) == "lc1:0193b0c4:3:eda12c648deebfa15b6be8d09c5ea31c"


def test_event_hashes_are_the_leaves_of_a_merkle_tree_of_rfc_6962() -> None:
    one, two, three = (bytes.fromhex(leaf) for leaf in (HASH_1, HASH_2, HASH_3))
    left = sha256(b"\x01" + one + two).digest()
    root = sha256(b"\x01" + left + three).hexdigest()
    assert root == "d0a9b39b9d6c7f146fe5c235824b79ca40ac441d91386f83242bce375b4bf2d1"


@given(bodies)
def test_a_body_is_spelled_as_rfc_8785_spells_it(body: JsonObject) -> None:
    text = canonical.encode(body)
    assert text.encode() == rfc8785.dumps(body)
    assert json.loads(text) == body
    assert canonical.spell(json.loads(text)) == text


@given(
    actor=valid_text,
    gate=st.none() | valid_text,
    ref=st.none() | whole,
    seq=whole,
    wall_us=whole,
    digest=st.binary(min_size=32, max_size=32),
)
def test_a_header_is_canonical_json(
    actor: str, gate: str | None, ref: int | None, seq: int, wall_us: int, digest: bytes
) -> None:
    header = canonical.header(
        LOG, seq, "eid", "note.added", gate, ref, actor, actor, "b0", wall_us, 7, digest, digest[::-1]
    )
    fields = {
        "log": LOG,
        "seq": seq,
        "eid": "eid",
        "type": "note.added",
        "gate": gate,
        "ref": ref,
        "actor": actor,
        "session": actor,
        "boot": "b0",
        "wall_us": wall_us,
        "mono_us": 7,
        "v": 1,
        "body": digest.hex(),
        "prev": digest[::-1].hex(),
    }
    assert header.encode() == rfc8785.dumps(fields)


@given(st.text(st.characters(codec=None), max_size=20))
def test_a_lone_surrogate_becomes_a_replacement_character(text: str) -> None:
    canonical.encode({"text": text}).encode("utf-8")
    assert canonical.encode({"t": "a\ud800b"}) == '{"t":"a\ufffdb"}'


def deep(levels: int) -> JsonObject:
    inner: JsonObject = {}
    for _ in range(levels - 1):
        inner = {"a": inner}
    return inner


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"a": {"b": [1, 1.5]}}, "body.a.b[1]: a float"),
        ({"a": float("nan")}, "body.a: a float"),
        ({"a": 2**53}, "body.a: a whole number beyond"),
        ({"a": -(2**53)}, "body.a: a whole number beyond"),
        ({"a": [{"Key": 1}]}, "body.a[0]: a key"),
        ({"1.2": 1}, "body: a key"),
        ({"": 1}, "body: a key"),
        ({"ä": 1}, "body: a key"),
        ({"a\n": 1}, "body: a key"),
        ({"a": b"raw"}, "body.a: a bytes"),
        ({"a": {1, 2}}, "body.a: a set"),
        (deep(17), "nested deeper than 16"),
        ({"a": "x" * 16_384}, "body: 16392 bytes"),
    ],
)
def test_what_is_outside_the_domain_is_refused_by_name(body: JsonObject, message: str) -> None:
    with pytest.raises(CanonicalError) as caught:
        canonical.encode(body)
    assert message in str(caught.value)


def test_the_edges_of_the_domain_are_inside() -> None:
    canonical.encode(deep(16))
    canonical.encode({"a": 2**53 - 1, "b": -(2**53) + 1})
    canonical.encode({"a": "x" * (16_384 - 8)})


def test_an_error_never_shows_a_value() -> None:
    with pytest.raises(CanonicalError) as caught:
        canonical.encode({"password": {"hunter2"}})  # type: ignore[dict-item]  # what a caller might get wrong
    assert "hunter2" not in str(caught.value)


def test_anchors_are_read_back() -> None:
    anchor = canonical.parse_anchor(" lc1:0193b0c4:3:eda12c648deebfa15b6be8d09c5ea31c\n")
    assert (anchor.log, anchor.seq, anchor.hash) == ("0193b0c4", 3, "eda12c648deebfa15b6be8d09c5ea31c")
    assert str(anchor) == "lc1:0193b0c4:3:eda12c648deebfa15b6be8d09c5ea31c"


@pytest.mark.parametrize("text", ["", "lc1", f"lc2:0193b0c4:3:{'a' * 32}", f"lc1:0193b0c4:0:{'a' * 32}"])
def test_what_is_no_anchor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="an anchor looks like"):
        canonical.parse_anchor(text)
