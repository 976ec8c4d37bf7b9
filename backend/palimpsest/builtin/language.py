"""The words of captions, and what a caption claims once it is read."""

from __future__ import annotations

from dataclasses import dataclass

from palimpsest.errors import RequestError
from palimpsest.scenes.things import (
    ANIMALS,
    COLOURS,
    FIGURES,
    GROUNDS,
    HAIRS,
    PEOPLE,
    SHAPES,
    TEXTURES,
    Animal,
    Figure,
    Mirror,
    Person,
    Solid,
    Thing,
)

STYLE_PHRASES: dict[str, str] = {
    "photo": "a photo of",
    "oil painting": "an oil painting of",
    "ink wash": "an ink wash of",
    "pixel mosaic": "a pixel mosaic of",
    "sketch": "a sketch of",
}
RELATIONS = ("and", "next to", "left of", "right of", "behind")
NUMBERS: dict[str, int] = {"two": 2, "three": 3, "four": 4}
GENERAL: dict[str, str] = {"solid": "thing", "animal": "animal", "person": "person"}
_KIND_NOUNS: dict[str, tuple[str, ...]] = {
    "solid": SHAPES,
    "animal": ANIMALS,
    "person": PEOPLE,
    "mirror": ("mirror",),
}
_IRREGULAR = {"man": "men", "woman": "women", "person": "people"}


class GrammarError(RequestError):
    """A caption outside the language, or one that is not true of the scene it is held against."""

    code = "caption_invalid"


@dataclass(frozen=True)
class Mention:
    """One group of a caption. What is `None` was not said."""

    noun: str
    count: int = 1
    colour: str | None = None
    texture: str | None = None
    hair: str | None = None
    shirt: str | None = None
    trousers: str | None = None


@dataclass(frozen=True)
class Description:
    """What a caption claims. `relations[k]` stands between `mentions[k]` and the next."""

    mentions: tuple[Mention, ...]
    relations: tuple[str, ...] = ()
    style: str | None = None
    ground: str | None = None

    @property
    def count(self) -> int:
        return sum(mention.count for mention in self.mentions)


def plural(noun: str) -> str:
    return _IRREGULAR.get(noun, noun + "s")


def nouns() -> dict[str, tuple[str, int]]:
    """Every noun form → its singular, and 1 or 2 for one or several."""
    singulars = [noun for words in _KIND_NOUNS.values() for noun in words] + list(GENERAL.values())
    return {noun: (noun, 1) for noun in singulars} | {plural(noun): (noun, 2) for noun in singulars}


def vocabulary() -> tuple[str, ...]:
    """Every word of the language, each once, sorted."""
    glue = "a an the with in on hair shirt trousers".split()
    styles = " ".join(STYLE_PHRASES.values()).split()
    tables = [*COLOURS, *HAIRS, *TEXTURES, *GROUNDS, *NUMBERS, *nouns()]
    return tuple(sorted({*glue, *styles, *" ".join(RELATIONS).split(), *tables}))


def kind_and_noun(thing: Thing) -> tuple[str, str]:
    """What sort of thing it is, and the noun that captions call it by."""
    match thing:
        case Solid():
            return "solid", thing.shape
        case Animal():
            return "animal", thing.species
        case Person():
            return "person", thing.kind
        case Mirror():
            return "mirror", "mirror"
        case Figure():
            return "figure", FIGURES[thing.kind]
