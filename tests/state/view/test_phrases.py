"""What is typed to confirm names what is at stake: staging's is never production's, and no act's is another's."""

from __future__ import annotations

from state.view.enums import OperationKind, Tier
from state.view.phrases import operation_act, operation_phrase


def test_every_operation_of_every_environment_has_a_phrase_of_its_own() -> None:
    # What is prepared and what is deployed never wait for the same hand: the one makes the place of the other.
    kinds = [kind for kind in OperationKind if kind is not OperationKind.PREPARE]
    found = {
        (kind, tier): operation_phrase(kind, tier, f"shop-{tier}")
        for kind in kinds
        for tier in (Tier.STAGING, Tier.PRODUCTION)
    }
    assert len(set(found.values())) == len(found)
    assert found[OperationKind.DEPLOY, Tier.PRODUCTION] == "shop-production"
    assert found[OperationKind.ROLLBACK, Tier.PRODUCTION] == "roll back"
    assert operation_phrase("of a newer version", Tier.PRODUCTION, "shop") == "shop"


def test_the_button_names_the_act_and_where() -> None:
    acts = {operation_act(kind, "PRODUCTION") for kind in OperationKind}
    assert len(acts) == len(OperationKind)
    assert operation_act(OperationKind.DEPLOY, "PRODUCTION") == "Deploy to PRODUCTION"
