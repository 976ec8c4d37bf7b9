"""What a scene can be made of: the things, their words, and the combinations that training never sees.

Every word a caption can say about a thing is a key of one of the tables below, so that the drawing code,
the grammar and the judge share one vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

from palimpsest.errors import RequestError

Rgb = tuple[int, int, int]

COLOURS: dict[str, Rgb] = {
    "red": (215, 40, 40),
    "orange": (245, 140, 30),
    "yellow": (245, 220, 50),
    "green": (40, 160, 60),
    "blue": (40, 80, 215),
    "purple": (140, 50, 180),
    "pink": (248, 150, 195),
    "brown": (120, 72, 38),
    "white": (240, 240, 240),
    "black": (40, 40, 45),
}
SHAPES = ("ball", "cube", "cone", "cylinder", "ring", "star", "pyramid", "mug")
TEXTURES = ("plain", "striped", "dotted", "checked")
ANIMALS = ("cat", "dog", "bird", "tiger")
COATS = ("plain", "striped", "dotted")
PEOPLE = ("man", "woman")
SKINS: dict[str, Rgb] = {"light": (246, 210, 180), "tan": (208, 154, 108), "dark": (124, 80, 54)}
HAIRS: dict[str, Rgb] = {
    "black": (34, 30, 32),
    "brown": (98, 60, 34),
    "blond": (232, 196, 96),
    "red": (188, 72, 28),
    "white": (228, 228, 230),
}
GROUNDS = ("grass", "sand", "wood", "snow", "sea", "brick", "street")
STYLES = ("photo", "oil painting", "ink wash", "pixel mosaic", "sketch")
HELD_OUT_STYLES = ("blueprint", "poster", "embroidery")
FIGURES: dict[str, str] = {
    "robot": "thing",
    "tiger doll": "tiger",
    "friend": "man",
    "teapot": "mug",
    "owl": "bird",
}
"""Held-out figures and the trained noun nearest to each: what their learning starts from."""


def known(what: str, value: str, table: dict[str, Rgb] | dict[str, str] | tuple[str, ...]) -> None:
    """Refuse a word that the tables lack, and say which words there are."""
    if value not in table:
        raise RequestError(f"Unknown {what} {value!r}.", f"Use one of: {', '.join(table)}.")


@dataclass(frozen=True)
class Solid:
    """A geometric solid."""

    shape: str
    colour: str
    texture: str = "plain"

    def __post_init__(self) -> None:
        known("shape", self.shape, SHAPES)
        known("colour", self.colour, COLOURS)
        known("texture", self.texture, TEXTURES)


@dataclass(frozen=True)
class Person:
    """A standing person. A man has short hair, a woman long hair; captions never name the skin."""

    skin: str
    hair: str
    shirt: str
    trousers: str
    kind: str = "man"

    def __post_init__(self) -> None:
        known("skin", self.skin, SKINS)
        known("hair", self.hair, HAIRS)
        known("shirt", self.shirt, COLOURS)
        known("trousers", self.trousers, COLOURS)
        known("kind of person", self.kind, PEOPLE)


@dataclass(frozen=True)
class Animal:
    """A standing animal. A tiger is striped whatever its colour, and its stripes go without saying."""

    species: str
    colour: str
    texture: str = "plain"

    def __post_init__(self) -> None:
        known("animal", self.species, ANIMALS)
        known("colour", self.colour, COLOURS)
        known("texture", self.texture, ("striped",) if self.species == "tiger" else COATS)


@dataclass(frozen=True)
class Mirror:
    """A framed standing mirror, which shows a pale reflection of the thing nearest to it."""


@dataclass(frozen=True)
class Figure:
    """A little figure of several parts that no caption names and no training scene shows."""

    kind: str

    def __post_init__(self) -> None:
        known("figure", self.kind, FIGURES)


Thing = Solid | Person | Animal | Mirror | Figure


@dataclass(frozen=True)
class Placed:
    """A thing in a scene: `(x, y)` is its foot, `size` its nominal height, all in sides of the picture.

    `pose` in [-1, 1] turns, leans or faces it (negative faces left); `seed` is its own jitter of colour, so
    that changing one thing leaves every other thing's pixels as they were.
    """

    thing: Thing
    x: float
    y: float
    size: float
    pose: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Scene:
    """Things on a ground, the lower in the picture the nearer. `seed` drives horizon, noise and light."""

    placed: tuple[Placed, ...]
    ground: str
    style: str
    seed: int

    def __post_init__(self) -> None:
        known("ground", self.ground, GROUNDS)
        known("style", self.style, STYLES + HELD_OUT_STYLES)


HELD_OUT: frozenset[Thing] = frozenset(
    {
        Solid("star", "purple", "striped"),
        Solid("mug", "green", "dotted"),
        Solid("ring", "orange", "striped"),
        Solid("cone", "yellow", "dotted"),
        Solid("cube", "pink", "checked"),
        Solid("ball", "brown", "dotted"),
        Animal("dog", "blue", "dotted"),
        Animal("cat", "green", "striped"),
    }
)
"""Combinations of known words that are never sampled, so that learning one is learning something new."""
