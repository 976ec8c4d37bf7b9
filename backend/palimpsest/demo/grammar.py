"""The small language of captions: from a scene to words, and from words to what they claim.

    caption  = [style] group {relation group} ["on" ["the"] ground]
    style    = "a photo of" | "an oil painting of" | "an ink wash of" | "a pixel mosaic of" | "a sketch of"
    relation = "and" | "next to" | "left of" | "right of" | "behind"
    group    = ("a" | "an" | "the" | number) {colour | texture} noun [hair] [clothes]
    hair     = "with" colour "hair"
    clothes  = "in a" colour "shirt" ["and" colour "trousers"] | "in" colour "trousers"

Things are named from left to right, save that "right of" turns the order round and "behind" names the farther
first. Everything is lower case, and every word is meant to be one token of the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby, permutations

import numpy as np

from palimpsest.demo.things import (
    ANIMALS,
    COLOURS,
    FIGURES,
    GROUNDS,
    HAIRS,
    PEOPLE,
    SHAPES,
    STYLES,
    TEXTURES,
    Animal,
    Figure,
    Mirror,
    Person,
    Placed,
    Scene,
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
_KIND_NOUNS: dict[str, tuple[str, ...]] = {"solid": SHAPES, "animal": ANIMALS, "person": PEOPLE, "mirror": ("mirror",)}
_IRREGULAR = {"man": "men", "woman": "women", "person": "people"}


class GrammarError(ValueError):
    """A caption outside the language, or one that does not fit the scene it is held against."""


@dataclass(frozen=True)
class Mention:
    """One group of a caption. What is `None` was not said; `words` are the positions that describe it."""

    noun: str
    count: int = 1
    colour: str | None = None
    texture: str | None = None
    hair: str | None = None
    shirt: str | None = None
    trousers: str | None = None
    words: tuple[int, ...] = ()


@dataclass(frozen=True)
class Description:
    """What a caption claims. `relations[k]` stands between `mentions[k]` and the next."""

    mentions: tuple[Mention, ...]
    relations: tuple[str, ...] = ()
    style: str | None = None
    ground: str | None = None
    ground_word: int | None = None

    @property
    def count(self) -> int:
        return sum(mention.count for mention in self.mentions)


def plural(noun: str) -> str:
    return _IRREGULAR.get(noun, noun + "s")


def _nouns() -> dict[str, tuple[str, int]]:
    """Every noun form → its singular, and 1 or 2 for one or several."""
    singulars = [noun for nouns in _KIND_NOUNS.values() for noun in nouns] + list(GENERAL.values())
    return {noun: (noun, 1) for noun in singulars} | {plural(noun): (noun, 2) for noun in singulars}


def vocabulary() -> tuple[str, ...]:
    """Every word of the language, each once, sorted."""
    glue = "a an the with in on hair shirt trousers".split()
    styles = " ".join(STYLE_PHRASES.values()).split()
    tables = [*COLOURS, *HAIRS, *TEXTURES, *GROUNDS, *NUMBERS, *_nouns()]
    return tuple(sorted({*glue, *styles, *" ".join(RELATIONS).split(), *tables}))


# --- writing --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Wording:
    """The chances of saying less or saying it otherwise; all 0 is the canonical wording."""

    no_style: float = 0.0
    no_colour: float = 0.0
    no_texture: float = 0.0
    general: float = 0.0
    short: float = 0.0
    relation: float = 0.0
    the: float = 0.0


_CANONICAL = _Wording()
_VARIED = _Wording(no_style=0.15, no_colour=0.05, no_texture=0.07, general=0.03, short=0.4, relation=0.5, the=0.08)
_LONG_FORMS = 2
"""With more things than this, people are described by one piece of clothing only."""


def caption(scene: Scene, rng: np.random.Generator | None = None, names: Mapping[Thing, str] | None = None) -> str:
    """The canonical caption, or with `rng` one of its wordings. `names` gives learned things their own words.

    Raises GrammarError for a style that has no words.
    """
    writer = _Writer(scene, rng, _CANONICAL if rng is None else _VARIED, {} if names is None else names)
    return writer.caption()


class _Writer:
    """One wording of one scene."""

    def __init__(
        self, scene: Scene, rng: np.random.Generator | None, wording: _Wording, names: Mapping[Thing, str]
    ) -> None:
        self.scene = scene
        self.rng = rng
        self.wording = wording
        self.names = names

    def chance(self, share: float) -> bool:
        return self.rng is not None and bool(self.rng.random() < share)

    def caption(self) -> str:
        if self.scene.style not in STYLE_PHRASES:
            raise GrammarError(
                f"The style {self.scene.style!r} has no words; restyle the scene as one of: {', '.join(STYLES)}."
            )
        bare = self.scene.style == "photo" and self.chance(self.wording.no_style)
        groups = _groups(self.scene)
        words = [] if bare else [STYLE_PHRASES[self.scene.style]]
        if groups:
            words.append(self.things(groups))
        words += ["on", *(["the"] if self.chance(self.wording.the) else []), self.scene.ground]
        return " ".join(words)

    def things(self, groups: list[list[Placed]]) -> str:
        relation = "and"
        if len(groups) > 1 and self.chance(self.wording.relation):
            relation = self.relation(groups)
        if relation == "right of" or (relation == "behind" and groups[0][0].y > groups[1][0].y):
            groups = groups[::-1]
        phrases = [self.group(group) for group in groups]
        return " and ".join([f" {relation} ".join(phrases[:2]), *phrases[2:]])

    def relation(self, groups: list[list[Placed]]) -> str:
        assert self.rng is not None, "only varied wordings draw relations"
        if len(groups) > 2:
            return ("next to", "left of")[int(self.rng.integers(2))]
        if self.scene.placed and in_depth(groups[0][0], groups[1][0]) and len(self.scene.placed) == 2:
            return "behind"
        return ("next to", "left of", "right of")[int(self.rng.integers(3))]

    def group(self, group: list[Placed]) -> str:
        thing = group[0].thing
        if thing in self.names:
            return with_article(self.names[thing])
        words = [*self.adjectives(thing), self.noun(thing, len(group))]
        number = {2: "two", 3: "three", 4: "four"}.get(len(group))
        start = " ".join(words) if number is None else f"{number} {' '.join(words)}"
        phrase = with_article(start) if number is None else start
        return f"{phrase} {self.clothes(thing)}" if isinstance(thing, Person) else phrase

    def adjectives(self, thing: Thing) -> list[str]:
        if not isinstance(thing, Solid | Animal):
            return []
        words = [] if self.chance(self.wording.no_colour) else [thing.colour]
        unsaid = thing.texture == "plain" or (isinstance(thing, Animal) and thing.species == "tiger")
        return words if unsaid or self.chance(self.wording.no_texture) else [*words, thing.texture]

    def noun(self, thing: Thing, count: int) -> str:
        kind, noun = _kind_and_noun(thing)
        if kind in GENERAL and self.chance(self.wording.general):
            noun = GENERAL[kind]
        return noun if count == 1 else plural(noun)

    def clothes(self, person: Person) -> str:
        shirt, both = f"in a {person.shirt} shirt", f"in a {person.shirt} shirt and {person.trousers} trousers"
        if person.shirt == "orange":
            shirt, both = shirt.replace("in a", "in an"), both.replace("in a", "in an")
        if len(self.scene.placed) > _LONG_FORMS:
            return f"in {person.trousers} trousers" if self.chance(self.wording.short / 2) else shirt
        if not self.chance(self.wording.short):
            return f"with {person.hair} hair {both}"
        assert self.rng is not None, "only varied wordings are short"
        return (shirt, both, f"with {person.hair} hair {shirt}", f"in {person.trousers} trousers")[
            int(self.rng.integers(4))
        ]


def with_article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def in_depth(a: Placed, b: Placed) -> bool:
    """Whether one of two things clearly stands behind the other."""
    return abs(a.y - b.y) > 0.12 and abs(a.x - b.x) < 0.29


def _groups(scene: Scene) -> list[list[Placed]]:
    """Things from left to right; neighbours that a caption describes alike are one group."""
    ordered = sorted(scene.placed, key=lambda placed: placed.x)
    return [list(run) for _, run in groupby(ordered, key=lambda placed: _groupable(placed, ordered))]


def _groupable(placed: Placed, ordered: list[Placed]) -> object:
    return placed.thing if isinstance(placed.thing, Solid | Animal) else ordered.index(placed)


def _kind_and_noun(thing: Thing) -> tuple[str, str]:
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


# --- reading --------------------------------------------------------------------------------------------


def parse(text: str) -> Description:
    """What `text` claims. Raises GrammarError that names the word where it leaves the language."""
    return _Reader(text.split()).description()


class _Reader:
    """Recursive descent over the words of one caption."""

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.at = 0

    def description(self) -> Description:
        style = self.style()
        mentions, relations = [self.group()], []
        while (relation := self.relation()) is not None:
            relations.append(relation)
            mentions.append(self.group())
        ground, ground_word = self.ground()
        if self.at < len(self.words):
            raise self.unexpected("a relation, 'on' or the end")
        return Description(tuple(mentions), tuple(relations), style, ground, ground_word)

    def accept(self, *phrase: str) -> bool:
        found = self.words[self.at : self.at + len(phrase)] == list(phrase)
        self.at += len(phrase) if found else 0
        return found

    def accept_from(self, table: Mapping[str, object] | tuple[str, ...]) -> str | None:
        if self.at < len(self.words) and self.words[self.at] in table:
            self.at += 1
            return self.words[self.at - 1]
        return None

    def expect_from(self, what: str, table: Mapping[str, object] | tuple[str, ...]) -> str:
        word = self.accept_from(table)
        if word is None:
            raise self.unexpected(f"{what} ({', '.join(table)})")
        return word

    def unexpected(self, wanted: str) -> GrammarError:
        found = f"{self.words[self.at]!r} (word {self.at + 1})" if self.at < len(self.words) else "the end"
        return GrammarError(f"In {' '.join(self.words)!r}: found {found}, expected {wanted}.")

    def style(self) -> str | None:
        return next((style for style, phrase in STYLE_PHRASES.items() if self.accept(*phrase.split())), None)

    def relation(self) -> str | None:
        return next((relation for relation in RELATIONS if self.accept(*relation.split())), None)

    def ground(self) -> tuple[str | None, int | None]:
        if not self.accept("on"):
            return None, None
        self.accept("the")
        return self.expect_from("a ground", GROUNDS), self.at - 1

    def group(self) -> Mention:
        number = self.accept_from(NUMBERS)
        if number is None and not any(self.accept(article) for article in ("a", "an", "the")):
            raise self.unexpected("'a', 'an', 'the' or a number")
        start = self.at
        colour = texture = None
        while (word := self.accept_from((*COLOURS, *TEXTURES))) is not None:
            colour, texture = (word, texture) if word in COLOURS else (colour, word)
        noun, form = _nouns()[self.expect_from("a noun", _nouns())]
        if (form == 1) != (number is None):
            raise GrammarError(f"In {' '.join(self.words)!r}: {self.words[self.at - 1]!r} does not fit its number.")
        words = list(range(start, self.at))
        hair, shirt, trousers = self.looks(words) if noun in (*PEOPLE, "person") else (None, None, None)
        count = 1 if number is None else NUMBERS[number]
        return Mention(noun, count, colour, texture, hair, shirt, trousers, tuple(words))

    def looks(self, words: list[int]) -> tuple[str | None, str | None, str | None]:
        hair = shirt = trousers = None
        if self.accept("with"):
            hair = self.coloured("hair", HAIRS, words)
        if self.accept("in"):
            if self.accept("a") or self.accept("an"):
                shirt = self.coloured("shirt", COLOURS, words)
                if self.words[self.at : self.at + 1] == ["and"] and self.words[self.at + 2 : self.at + 3] == ["trousers"]:
                    self.at += 1
                    trousers = self.coloured("trousers", COLOURS, words)
            else:
                trousers = self.coloured("trousers", COLOURS, words)
        return hair, shirt, trousers

    def coloured(self, noun: str, table: Mapping[str, object], words: list[int]) -> str:
        colour = self.expect_from(f"a colour of {noun}", table)
        self.expect_from(noun, (noun,))
        words += [self.at - 2, self.at - 1]
        return colour


# --- words and things -----------------------------------------------------------------------------------


def fits(mention: Mention, thing: Thing) -> bool:
    """Whether all that `mention` says is true of `thing`."""
    kind, noun = _kind_and_noun(thing)
    if mention.noun not in (noun, GENERAL.get(kind)):
        return False
    return all(
        said is None or said == getattr(thing, attribute, None)
        for attribute, said in (
            ("colour", mention.colour),
            ("texture", mention.texture),
            ("hair", mention.hair),
            ("shirt", mention.shirt),
            ("trousers", mention.trousers),
        )
    )


def assign(description: Description, scene: Scene) -> tuple[tuple[int, ...], ...] | None:
    """Which things of `scene` each mention means, or None where the description is not true of the scene.

    Of several readings the one most nearly named from left to right is taken.
    """
    owners = [k for k, mention in enumerate(description.mentions) for _ in range(mention.count)]
    if len(owners) != len(scene.placed):
        return None
    best, fewest = None, None
    for order in permutations(range(len(owners))):
        if not all(fits(description.mentions[k], scene.placed[i].thing) for k, i in zip(owners, order, strict=True)):
            continue
        parts = tuple(
            tuple(i for j, i in zip(owners, order, strict=True) if j == k) for k in range(len(description.mentions))
        )
        if not all(_holds(r, parts[k], parts[k + 1], scene) for k, r in enumerate(description.relations)):
            continue
        misplaced = sum(scene.placed[a].x > scene.placed[b].x for a, b in zip(order, order[1:], strict=False))
        if fewest is None or misplaced < fewest:
            best, fewest = parts, misplaced
    return best


def _holds(relation: str, first: tuple[int, ...], second: tuple[int, ...], scene: Scene) -> bool:
    pairs = [(scene.placed[a], scene.placed[b]) for a in first for b in second]
    match relation:
        case "left of":
            return all(a.x < b.x for a, b in pairs)
        case "right of":
            return all(a.x > b.x for a, b in pairs)
        case "behind":
            return all(a.y < b.y for a, b in pairs)
        case _:
            return True


def describes(description: Description, scene: Scene) -> bool:
    """Whether everything the description says is true of the scene, and nothing in the scene is left out."""
    return (
        description.style in (None, scene.style)
        and description.ground in (None, scene.ground)
        and assign(description, scene) is not None
    )


def referents(text: str, scene: Scene) -> tuple[tuple[int, ...], ...]:
    """For each word of a caption of `scene`, the things it describes; `len(scene.placed)` is the ground.

    Articles, relations and style words describe nothing. Raises GrammarError if the caption is not true.
    """
    description = parse(text)
    parts = assign(description, scene)
    if parts is None:
        raise GrammarError(f"{text!r} does not describe the scene {caption(scene)!r}.")
    of: list[tuple[int, ...]] = [()] * len(text.split())
    for mention, things in zip(description.mentions, parts, strict=True):
        for word in mention.words:
            of[word] = things
    if description.ground_word is not None:
        of[description.ground_word] = (len(scene.placed),)
    return tuple(of)


def roles(text: str, scene: Scene) -> tuple[int, ...]:
    """Like `referents`, one number per word: -1 where a word describes nothing or several things at once."""
    return tuple(things[0] if len(things) == 1 else -1 for things in referents(text, scene))
