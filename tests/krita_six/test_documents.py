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
    turns = documents.activate(documents.key_of(document), NEW, OLD)
    for choice in chosen:
        document.active = choice or document.active
        next(turns, None)
    assert document.active is last
    next(turns, None)
    assert document.active is last, "it stays so"


class Application:
    """Krita with one action that takes a step, which others listen to."""

    def __init__(self, document: Document | None) -> None:
        self.document, self.undo = document, six.Action("Undo")

    def instance(self) -> Application:
        return self

    def action(self, name: str) -> six.Action | None:
        return self.undo if name == "edit_undo" else None

    def activeDocument(self) -> Document | None:  # noqa: N802
        return self.document


@pytest.mark.parametrize(
    ("active", "later", "followed"),
    [("mine", "mine", 1), ("mine", "other", 0), ("other", "mine", 0), ("", "mine", 0)],
)
def test_a_step_is_followed_in_the_document_in_which_people_took_it(
    monkeypatch, active: str, later: str, followed: int
) -> None:
    """Krita has its turn before it is: another document may be in front by then, or none."""
    six.load()
    part, begun, taken = six.part("pairs"), [], []
    named = {"mine": Document(OLD, []), "other": Document(OTHER, []), "": None}
    krita = Application(named[active])
    documents = six.part("documents").Documents(lambda _: True, lambda: None)
    monkeypatch.setattr(documents, "quiet", lambda key: iter(()))
    monkeypatch.setattr(part, "Krita", krita)
    monkeypatch.setattr(part, "is_open", lambda document: True)
    monkeypatch.setattr(part, "halfway", lambda document, *pair: True)
    pairs = part.Pairs(documents, begun.append)
    pairs.add(named["mine"], "old", "new")
    krita.undo.trigger()
    krita.document = named[later]
    krita.undo.calls.append(taken.append)
    for steps in list(begun):
        for _ in steps:
            pass
    assert len(taken) == followed


def test_of_a_document_that_was_just_closed_nothing_is_told_and_nothing_done():
    """The panel sees only at its next look that it was closed."""
    six.application()
    six.load()
    editor, opened = six.part("host").KritaEditor(), [True]
    editor._documents = six.part("documents").Documents(lambda _: opened[0], lambda: None)
    key = editor._documents.key_of(Document(OLD, []))
    opened[0] = False
    assert editor.recipe(key) is None
    assert editor.layers(key) == []
    editor.remedy(key)
    assert not editor.holds(key, "old")
