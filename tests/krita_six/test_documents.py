"""Which layer is the active one after a new one came, whatever Krita and people do meanwhile."""

from __future__ import annotations

import pytest

from krita_six import six


class Layer:
    def __init__(self, name: str) -> None:
        self.name = name

    def uniqueId(self) -> Layer:  # noqa: N802 (Krita's name)
        return self

    def toString(self) -> str:  # noqa: N802
        return self.name


class Document:
    """``chosen``: what Krita or people make the active layer before each turn; None = nothing."""

    def __init__(self, active: Layer, chosen: list[Layer | None], deaf: int = 0) -> None:
        self.active, self.chosen, self.deaf, self.asked = active, chosen, deaf, 0

    def activeNode(self) -> Layer:  # noqa: N802
        return self.active

    def setActiveNode(self, layer: Layer) -> None:  # noqa: N802
        self.asked += 1
        if self.asked > self.deaf:
            self.active = layer


OLD, NEW, OTHER = Layer("old"), Layer("new"), Layer("other")


@pytest.mark.parametrize(
    ("chosen", "deaf", "last"),
    [
        ([NEW], 0, OLD),
        ([None] * 60 + [NEW], 0, OLD),
        ([NEW, None, None, None], 3, OLD),
        ([NEW, OTHER, None], 1, OTHER),
        ([None, OTHER, NEW], 0, OLD),
    ],
    ids=["at once", "late", "Krita takes no notice at first", "people choose", "both"],
)
def test_the_wanted_layer_is_active_in_the_place_of_a_new_one(chosen, deaf, last) -> None:
    six.load()
    documents = six.part("documents").Documents(lambda _: True, lambda: None)
    document = Document(OLD, chosen, deaf)
    turns = documents.activated(documents.key_of(document), NEW, OLD)
    for choice in chosen:
        document.active = choice or document.active
        next(turns, None)
    assert document.active is last
    next(turns, None)
    assert document.active is last, "it stays so"
