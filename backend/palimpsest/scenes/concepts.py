"""Concepts that training never sees: subjects and styles to be learned from a few views.

A subject is an odd combination of known words or a little figure. Its views share the subject and differ in
ground, place, size, pose and light, as a user's own three to five photos would.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from palimpsest.errors import RequestError
from palimpsest.scenes.edits import restyle, with_thing
from palimpsest.scenes.rendering import Rendering, render
from palimpsest.scenes.scene import sample_scene, size_range
from palimpsest.scenes.things import GROUNDS, Animal, Figure, Placed, Scene, Solid, Thing

_VIEWS = 21


@dataclass(frozen=True)
class Concept:
    """A subject to learn; `noun` is the trained word nearest to it, where learning starts."""

    name: str
    noun: str
    thing: Thing


@dataclass(frozen=True)
class StyleConcept:
    """A style to learn; `noun` is the trained style word nearest to it."""

    name: str
    noun: str


CONCEPTS: dict[str, Concept] = {
    concept.name: concept
    for concept in (
        Concept("violet-star", "star", Solid("star", "purple", "striped")),
        Concept("clover-mug", "mug", Solid("mug", "green", "dotted")),
        Concept("tiger-ring", "ring", Solid("ring", "orange", "striped")),
        Concept("party-cone", "cone", Solid("cone", "yellow", "dotted")),
        Concept("candy-cube", "cube", Solid("cube", "pink", "checked")),
        Concept("cookie-ball", "ball", Solid("ball", "brown", "dotted")),
        Concept("blue-dog", "dog", Animal("dog", "blue", "dotted")),
        Concept("green-cat", "cat", Animal("cat", "green", "striped")),
        Concept("toy", "thing", Figure("robot")),
        Concept("tiger-doll", "tiger", Figure("tiger doll")),
        Concept("friend", "man", Figure("friend")),
        Concept("teapot", "mug", Figure("teapot")),
        Concept("owl", "bird", Figure("owl")),
    )
}
STYLES_HELD_OUT: dict[str, StyleConcept] = {
    style.name: style
    for style in (
        StyleConcept("blueprint", "sketch"),
        StyleConcept("poster", "painting"),
        StyleConcept("embroidery", "mosaic"),
    )
}


def view_scenes(concept: Concept | StyleConcept, n: int, seed: int) -> tuple[Scene, ...]:
    """`n` scenes of a concept, each on another ground as long as there are grounds.

    A subject stands alone in a photo; a style is shown on ordinary scenes of one or two things.
    """
    rng = np.random.default_rng([seed, _VIEWS])
    grounds = [GROUNDS[k] for k in rng.permutation(len(GROUNDS))]
    seeds = [int(s) for s in rng.integers(2**31, size=n)]
    of = _style_view if isinstance(concept, StyleConcept) else _subject_view
    return tuple(of(concept, s, grounds[k % len(grounds)]) for k, s in enumerate(seeds))


def _style_view(concept: Concept | StyleConcept, seed: int, ground: str) -> Scene:
    count = 1 + seed % 2
    return restyle(sample_scene(seed, count=count, ground=ground), concept.name)


def _subject_view(concept: Concept | StyleConcept, seed: int, ground: str) -> Scene:
    assert isinstance(concept, Concept), "a style has no subject"
    rng = np.random.default_rng([seed, _VIEWS])
    low, high = size_range(concept.thing, 1)
    placed = Placed(
        concept.thing,
        x=float(rng.uniform(0.4, 0.6)),
        y=float(rng.uniform(0.8, 0.92)),
        size=float(rng.uniform(low, high)),
        pose=float(rng.uniform(-1, 1)),
        seed=int(rng.integers(2**31)),
    )
    return Scene((placed,), ground, "photo", seed)


def views(concept: Concept | StyleConcept, n: int, seed: int, size: int = 128) -> tuple[Rendering, ...]:
    """The pictures of `view_scenes`, with their masks."""
    return tuple(render(scene, size) for scene in view_scenes(concept, n, seed))


def contaminated_scenes(concept: Concept, other: Concept, n: int, seed: int) -> tuple[tuple[Scene, ...], int]:
    """`n` views of which one shows the `other` subject instead, and the index of that one."""
    if concept == other:
        raise RequestError(f"{concept.name!r} cannot contaminate its own set.", "Name another concept.")
    odd = int(np.random.default_rng([seed, _VIEWS, 1]).integers(n))
    scenes = list(view_scenes(concept, n, seed))
    scenes[odd] = with_thing(scenes[odd], 0, other.thing)
    return tuple(scenes), odd


def with_concept(scene: Scene, i: int, concept: Concept) -> Scene:
    """The true result of putting a concept in the place of thing `i`."""
    return with_thing(scene, i, concept.thing)
