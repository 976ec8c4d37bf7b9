"""What the judge says: about a region, about a thing it found, about a whole picture."""

from __future__ import annotations

from dataclasses import dataclass

from palimpsest.scenes.concepts import CONCEPTS
from palimpsest.scenes.things import (
    ANIMALS,
    FIGURES,
    PEOPLE,
    SHAPES,
    Animal,
    Figure,
    Mirror,
    Person,
    Placed,
    Scene,
    Solid,
    Thing,
)
from palimpsest.scenes.truth import Box

NOTHING = "nothing"


@dataclass(frozen=True)
class Answer:
    """A word, and the network's probability for it."""

    word: str
    confidence: float

    def __str__(self) -> str:
        return self.word


@dataclass(frozen=True)
class Reading:
    """What one region shows. What its kind of thing doesn't have is None."""

    kind: Answer
    colour: Answer | None = None
    texture: Answer | None = None
    hair: Answer | None = None
    shirt: Answer | None = None
    trousers: Answer | None = None
    skin: Answer | None = None

    @property
    def thing(self) -> Thing | None:
        """The thing as the scene generator would call it; None for nothing."""
        kind = self.kind.word
        if kind == NOTHING:
            return None
        if kind == "mirror":
            return Mirror()
        if kind in FIGURES:
            return Figure(kind)
        if kind in PEOPLE:
            return Person(_word(self.skin), _word(self.hair), _word(self.shirt), _word(self.trousers), kind)
        make = Solid if kind in SHAPES else Animal
        return make(kind, _word(self.colour), _word(self.texture))

    @property
    def concept(self) -> str | None:
        """The name of the held-out concept that this is, if it is one."""
        thing = self.thing
        return next((concept.name for concept in CONCEPTS.values() if concept.thing == thing), None)


@dataclass(frozen=True)
class Found:
    """A thing that the judge found by itself. ``box`` is in the picture's own pixels."""

    box: Box
    score: float
    reading: Reading


@dataclass(frozen=True)
class View:
    """What a whole picture shows; ``found`` from left to right."""

    ground: Answer
    style: Answer
    count: Answer
    found: tuple[Found, ...]
    size: tuple[int, int]  # height and width of the picture in pixels

    @property
    def scene(self) -> Scene:
        """The picture as a scene: things at their places, so that a caption can be held against it."""
        height, width = self.size
        placed = []
        for thing, (left, top, right, bottom) in ((found.reading.thing, found.box) for found in self.found):
            assert thing is not None, "nothing is never found"
            placed.append(Placed(thing, (left + right) / 2 / width, bottom / height, (bottom - top) / height))
        return Scene(tuple(placed), self.ground.word, self.style.word, seed=0)


def heads_of(kind: str) -> tuple[str, ...]:
    """The questions that make sense for a kind of thing."""
    if kind in SHAPES or kind in ANIMALS:
        return ("colour", "texture")
    return ("hair", "shirt", "trousers", "skin") if kind in PEOPLE else ()


def _word(answer: Answer | None) -> str:
    assert answer is not None, "a reading has the answers of its kind"
    return answer.word
