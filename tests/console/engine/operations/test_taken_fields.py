"""What the API server says of a conflict, as a preview tells it."""

from __future__ import annotations

import pytest

from console.engine.operations.access.taken_fields import conflicts

_HEAD = "Kubernetes (staging) answered 409 (Apply failed with"
_TAIL = "); expected JSON from PATCH /apis/apps/v1/namespaces/shop/deployments/web"


_SCALE = 'with subresource "scale" using apps/v1: .spec.replicas'
_CA = '.webhooks[name="v.shop.example"].clientConfig.caBundle'


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            f'1 conflict: conflict with "kubectl" {_SCALE}',
            ".spec.replicas is set back, which kubectl (scale) has taken",
        ),
        (
            f'1 conflict: conflict with "kube-controller-manager" {_SCALE}',
            ".spec.replicas is set back, which kube-controller-manager (scale) has taken, "  # noqa: ISC004  one value
            "whose autoscaler sets it again",
        ),
        (
            f'1 conflict: conflict with "cainjector" using admissionregistration.k8s.io/v1: {_CA}',
            f"{_CA} is set back, which cainjector has taken",
        ),
        (
            '2 conflicts: conflicts with "edit" using v1: - .data.b - .data.a conflict with "x" using v1: .data.c',
            ".data.b, .data.a is set back, which edit has taken; .data.c is set back, which x has taken",
        ),
        # helm 3 wrote it as "helm" too: it is nobody else
        ('1 conflict: conflict with "helm" using apps/v1: .spec.replicas', ""),
        ("no conflict at all", ""),
    ],
)
def test_who_has_taken_which_field(words: str, told: str) -> None:
    assert conflicts(f"{_HEAD} {words}{_TAIL}") == told
