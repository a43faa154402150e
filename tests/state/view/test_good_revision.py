"""What is known of a revision to come back to."""

from __future__ import annotations

from state.view.launch import GoodRevision


def test_containers_of_one_name_with_two_images_are_not_held_against_one_of_them() -> None:
    images = (("c", "sha256:" + "1" * 64), ("c", "sha256:" + "2" * 64), ("web", "sha256:" + "3" * 64))
    assert GoodRevision(1, "deployed", "", images).by_container == {"web": "sha256:" + "3" * 64}
