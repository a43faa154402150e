"""Bodies as kubectl and helm send them; the field numbers were compared with Kubernetes' own encoder."""

from __future__ import annotations

import base64

import pytest

from console.rehearsal.sim.kubernetes.kubectl.protobuf import decode
from console.rehearsal.sim.kubernetes.problems import KubeError

# A ConfigMap and a Pod that k8s.io/api 0.32 encoded, in base64.
CONFIG_MAP = (
    "azhzAAoPCgJ2MRIJQ29uZmlnTWFwEjcKIAoIc2V0dGluZ3MSABoAIgAqADIAOABCAFoGCgFhEgFiEgYKAWsSAXYaCQoDcmF3"
    "EgIA/yAAGgAiAA=="
)
POD = (
    "azhzAAoJCgJ2MRIDUG9kEuIBChsKA3dlYhIAGgAiACoAMgA4AEIICIDr9NcGEAASsAEKFAoBdhIPmgEMCgoKCHNldHRpbmdz"
    "EnwKA3dlYhIKc2hvcC93ZWI6MSoAOhQKAUsSABoNIgsKBAoCZGISA1VSTEIPCg0KA2NwdRIGCgQyNTBtUjAKGxIZCgcvaGVh"
    "bHRoEgoIARAAGgRodHRwGgAiABD///////////8BGAAgACgAMABqAHIAgAEAiAEAkAEAogEAGgAyAEIASgBSAFgAYABoAIIB"
    "AIoBAJoBAMIBABoQCgAaACIAKgAyAEoAWgByABoAIgA="
)


def test_a_config_map() -> None:
    assert decode(base64.b64decode(CONFIG_MAP)) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "labels": {"a": "b"}},
        "immutable": False,
        "data": {"k": "v"},
        "binaryData": {"raw": "AP8="},
    }


def test_a_pod_with_inlined_messages_quantities_times_and_ports() -> None:
    body = decode(base64.b64decode(POD))
    spec = body["spec"]
    assert isinstance(spec, dict)
    assert body["metadata"] == {"name": "web", "creationTimestamp": "2026-11-18T05:20:00Z"}
    assert spec["volumes"] == [{"name": "v", "configMap": {"name": "settings"}}]
    assert spec["containers"] == [
        {
            "name": "web",
            "image": "shop/web:1",
            "resources": {"limits": {"cpu": "250m"}},
            "livenessProbe": {
                "httpGet": {"path": "/health", "port": "http"},
                "initialDelaySeconds": -1,
            },
            "env": [{"name": "K", "valueFrom": {"secretKeyRef": {"name": "db", "key": "URL"}}}],
        }
    ]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", 400),
        (b"{}", 400),
        (b"k8s\x00\xff\xff", 400),
        (b"k8s\x00\x0a\x08\x0a\x02v1\x12\x02No\x12\x00", 415),
        (base64.b64decode(CONFIG_MAP)[:-9], 400),
    ],
)
def test_what_is_no_such_body(data: bytes, code: int) -> None:
    with pytest.raises(KubeError) as refused:
        decode(data)
    assert refused.value.code == code
