"""From a scene to words: the canonical caption, or one of its other wordings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from palimpsest.builtin.language import GENERAL, NUMBERS, STYLE_PHRASES, GrammarError, kind_and_noun, plural
from palimpsest.scenes.things import STYLES, Animal, Person, Placed, Scene, Solid, Thing


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
    plain: float = 0.0
    undressed: float = 0.0


_CANONICAL = _Wording()
_VARIED = _Wording(
    no_style=0.15,
    no_colour=0.05,
    no_texture=0.07,
    general=0.05,
    short=0.4,
    relation=0.5,
    the=0.08,
    plain=0.06,
    undressed=0.08,
)
_LONG_FORMS = 2
"""With more things than this, people are described by one piece of clothing only."""


def caption(
    scene: Scene, rng: np.random.Generator | None = None, names: Mapping[Thing, str] | None = None
) -> str:
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
        self.undressed = self.chance(wording.undressed)

    def chance(self, share: float) -> bool:
        return self.rng is not None and bool(self.rng.random() < share)

    def caption(self) -> str:
        if self.scene.style not in STYLE_PHRASES:
            raise GrammarError(
                f"The style {self.scene.style!r} has no words.",
                f"Restyle the scene as one of: {', '.join(STYLES)}.",
            )
        bare = self.scene.style == "photo" and self.chance(self.wording.no_style)
        groups = _groups(self.scene, self.undressed)
        style = [] if bare else [STYLE_PHRASES[self.scene.style]]
        things = [self.things(groups), "on"] if groups else []
        the = ["the"] if self.chance(self.wording.the) else []
        return " ".join([*style, *things, *the, self.scene.ground])

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
        words = [*self.adjectives(thing), self.noun(group)]
        start = " ".join([self.names[thing]] if thing in self.names else words)
        phrase = with_article(start) if len(group) == 1 else f"{_NUMBER_WORDS[len(group)]} {start}"
        if self.undressed or not isinstance(thing, Person):
            return phrase
        return f"{phrase} {self.clothes(thing)}"

    def adjectives(self, thing: Thing) -> list[str]:
        if not isinstance(thing, Solid | Animal):
            return []
        words = [] if self.chance(self.wording.no_colour) else [thing.colour]
        unsaid = isinstance(thing, Animal) and (thing.species == "tiger" or thing.texture == "plain")
        if not unsaid and thing.texture == "plain":
            unsaid = not self.chance(self.wording.plain)
        return words if unsaid or self.chance(self.wording.no_texture) else [*words, thing.texture]

    def noun(self, group: list[Placed]) -> str:
        nouns = {kind_and_noun(placed.thing) for placed in group}
        kind, noun = next(iter(nouns))
        if len(nouns) > 1 or (kind in GENERAL and self.chance(self.wording.general)):
            noun = GENERAL[kind]
        return noun if len(group) == 1 else plural(noun)

    def clothes(self, person: Person) -> str:
        shirt = f"in {with_article(f'{person.shirt} shirt')}"
        both = f"{shirt} and {person.trousers} trousers"
        if len(self.scene.placed) > _LONG_FORMS:
            return f"in {person.trousers} trousers" if self.chance(self.wording.short / 2) else shirt
        if not self.chance(self.wording.short):
            return f"with {person.hair} hair {both}"
        assert self.rng is not None, "only varied wordings are short"
        return (shirt, both, f"with {person.hair} hair {shirt}", f"in {person.trousers} trousers")[
            int(self.rng.integers(4))
        ]


_NUMBER_WORDS = {number: word for word, number in NUMBERS.items()}


def with_article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def in_depth(a: Placed, b: Placed) -> bool:
    """Whether one of two things clearly stands behind the other."""
    return abs(a.y - b.y) > 0.12 and abs(a.x - b.x) < 0.29


def _groups(scene: Scene, undressed: bool) -> list[list[Placed]]:
    """Things from left to right; neighbours that the caption describes alike are one group.

    People are alike only where their clothes go unsaid.
    """
    ordered = sorted(scene.placed, key=lambda placed: placed.x)

    def alike(placed: Placed) -> object:
        if isinstance(placed.thing, Person):
            return "person" if undressed else ordered.index(placed)
        return placed.thing

    return [list(run) for _, run in groupby(ordered, key=alike)]
