"""Scenes at random: what training, validation and tests draw from, each in its own range of seeds.

A scene follows from its seed alone, in any process. Held-out combinations and figures are never sampled.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from palimpsest.errors import RequestError
from palimpsest.scenes.rendering import Rendering, render
from palimpsest.scenes.things import (
    ANIMALS,
    COATS,
    COLOURS,
    GROUNDS,
    HAIRS,
    HELD_OUT,
    PEOPLE,
    SHAPES,
    SKINS,
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

__all__ = [
    "ANIMALS",
    "COLOURS",
    "GROUNDS",
    "HAIRS",
    "HELD_OUT",
    "KINDS",
    "SHAPES",
    "SKINS",
    "STYLES",
    "TEST_SEEDS",
    "TEXTURES",
    "TRAINING_SEEDS",
    "VALIDATION_SEEDS",
    "Animal",
    "Figure",
    "Mirror",
    "Person",
    "Placed",
    "Rendering",
    "Scene",
    "Solid",
    "Thing",
    "kind_of",
    "render",
    "sample_scene",
    "sample_thing",
    "size_range",
]

TRAINING_SEEDS = range(0, 1_000_000)
VALIDATION_SEEDS = range(1_000_000, 1_100_000)
TEST_SEEDS = range(2_000_000, 2_100_000)

_SAMPLING, _EMPTINESS = 10, 15
_EMPTY_SHARE = 0.03
"""Empty grounds teach what is left when the only thing is removed."""
_COUNT_SHARES = (0.45, 0.35, 0.15, 0.05)
_STYLE_SHARES = (0.64, 0.09, 0.09, 0.09, 0.09)
_KIND_SHARES = (0.60, 0.20, 0.16, 0.04)
KINDS = ("solid", "person", "animal", "mirror")
_TEXTURE_SHARES = (0.55, 0.15, 0.15, 0.15)
_COAT_SHARES = (0.8, 0.1, 0.1)
_TWINS, _TRIPLETS = 0.18, 0.6
"""How often a thing is like its neighbour, and how often the row of like things then goes on."""
_PAIRS_IN_DEPTH = 0.12

_COLUMNS: dict[int, tuple[float, ...]] = {
    0: (),
    1: (0.5,),
    2: (0.28, 0.72),
    3: (0.19, 0.5, 0.81),
    4: (0.14, 0.38, 0.62, 0.86),
}
_SWAY = {1: 0.12, 2: 0.05, 3: 0.04, 4: 0.025}
_SIZES: dict[str, dict[int, tuple[float, float]]] = {
    "solid": {1: (0.38, 0.50), 2: (0.29, 0.38), 3: (0.24, 0.29), 4: (0.19, 0.22)},
    "person": {1: (0.56, 0.66), 2: (0.50, 0.60), 3: (0.44, 0.52), 4: (0.40, 0.46)},
    "animal": {1: (0.40, 0.52), 2: (0.31, 0.38), 3: (0.23, 0.27), 4: (0.18, 0.21)},
    "mirror": {1: (0.50, 0.60), 2: (0.46, 0.54), 3: (0.38, 0.46), 4: (0.32, 0.38)},
}
"""Nominal heights by kind and by how many things share the picture."""


def sample_scene(
    seed: int,
    *,
    count: int | None = None,
    style: str | None = None,
    ground: str | None = None,
    kinds: Sequence[str] = KINDS,
) -> Scene:
    """The scene of `seed`, things from left to right; what is given is not drawn by lot.

    A `count` left to the lot is 1 to 4, or now and then 0.
    """
    rng = np.random.default_rng([seed, _SAMPLING])
    drawn_count = int(rng.choice(4, p=_COUNT_SHARES)) + 1
    if np.random.default_rng([seed, _EMPTINESS]).random() < _EMPTY_SHARE:
        drawn_count = 0
    drawn_style = STYLES[rng.choice(len(STYLES), p=_STYLE_SHARES)]
    drawn_ground = GROUNDS[rng.integers(len(GROUNDS))]
    things = _sample_things(rng, drawn_count if count is None else count, kinds)
    return Scene(
        placed=_place(rng, things),
        ground=drawn_ground if ground is None else ground,
        style=drawn_style if style is None else style,
        seed=seed,
    )


def sample_thing(rng: np.random.Generator, kinds: Sequence[str] = KINDS) -> Thing:
    """A thing of one of `kinds`, never a held-out one."""
    shares = np.asarray([_KIND_SHARES[KINDS.index(kind)] for kind in kinds])
    while True:
        thing = _SAMPLERS[kinds[rng.choice(len(kinds), p=shares / shares.sum())]](rng)
        if thing not in HELD_OUT:
            return thing


def _sample_things(rng: np.random.Generator, count: int, kinds: Sequence[str]) -> list[Thing]:
    """`count` things; now and then neighbours alike, so that captions can count."""
    things = [sample_thing(rng, kinds) for _ in range(count)]
    for i in range(1, count):
        share = _TRIPLETS if i > 1 and things[i - 1] == things[i - 2] else _TWINS
        if rng.random() < share and isinstance(things[i - 1], Solid | Animal):
            things[i] = things[i - 1]
        elif isinstance(things[i], Mirror) and Mirror() in things[:i]:
            things[i] = _sample_solid(rng)
            while things[i] in HELD_OUT:
                things[i] = _sample_solid(rng)
    return things


def _pick(rng: np.random.Generator, words: Sequence[str]) -> str:
    return words[int(rng.integers(len(words)))]


def _sample_solid(rng: np.random.Generator) -> Thing:
    texture = TEXTURES[rng.choice(len(TEXTURES), p=_TEXTURE_SHARES)]
    return Solid(_pick(rng, SHAPES), _pick(rng, tuple(COLOURS)), texture)


def _sample_person(rng: np.random.Generator) -> Thing:
    colours = tuple(COLOURS)
    return Person(
        skin=_pick(rng, tuple(SKINS)),
        hair=_pick(rng, tuple(HAIRS)),
        shirt=_pick(rng, colours),
        trousers=_pick(rng, colours),
        kind=_pick(rng, PEOPLE),
    )


def _sample_animal(rng: np.random.Generator) -> Thing:
    """Mostly in natural colours; an orange striped cat is left to the tiger."""
    species = _pick(rng, ANIMALS)
    natural = ("white", "black", "brown", "orange") if species in ("cat", "dog") else tuple(COLOURS)
    colour = _pick(rng, natural if rng.random() < 0.6 else tuple(COLOURS))
    if species == "tiger":
        return Animal("tiger", "orange" if rng.random() < 0.8 else colour, "striped")
    texture = COATS[rng.choice(len(COATS), p=_COAT_SHARES)]
    plain = species == "cat" and colour == "orange" and texture == "striped"
    return Animal(species, colour, "plain" if plain else texture)


def _sample_mirror(rng: np.random.Generator) -> Thing:
    return Mirror()


_SAMPLERS = {
    "solid": _sample_solid,
    "person": _sample_person,
    "animal": _sample_animal,
    "mirror": _sample_mirror,
}


def kind_of(thing: Thing) -> str:
    """The kind whose sizes suit `thing`."""
    match thing:
        case Person() | Figure(kind="friend"):
            return "person"
        case Animal():
            return "animal"
        case Mirror():
            return "mirror"
        case Solid() | Figure():
            return "solid"


def size_range(thing: Thing, count: int) -> tuple[float, float]:
    """Least and greatest nominal height of `thing` among `count` things."""
    return _SIZES[kind_of(thing)][count]


def _place(rng: np.random.Generator, things: list[Thing]) -> tuple[Placed, ...]:
    """Side by side with some sway, at free depths; two things may also stand one behind the other."""
    n = len(things)
    if n not in _COLUMNS:
        raise RequestError(f"A scene holds 0 to {max(_COLUMNS)} things, not {n}.", "Ask for another count.")
    columns = list(_COLUMNS[n])
    feet = rng.uniform(0.72, 0.92, n)
    if n == 2 and rng.random() < _PAIRS_IN_DEPTH:
        columns = [0.41, 0.59]
        feet = np.asarray([0.70, 0.90] if rng.random() < 0.5 else [0.90, 0.70]) + rng.uniform(-0.02, 0.02, 2)
    placed = []
    for thing, column, foot in zip(things, columns, feet, strict=True):
        low, high = size_range(thing, n)
        placed.append(
            Placed(
                thing,
                x=float(column + rng.uniform(-_SWAY[n], _SWAY[n])),
                y=float(max(foot, 0.80) if kind_of(thing) in ("person", "mirror") else foot),
                size=float(rng.uniform(low, high)),
                pose=float(rng.uniform(-1, 1)),
                seed=int(rng.integers(2**31)),
            )
        )
    return tuple(placed)
