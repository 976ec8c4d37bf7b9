"""Edits whose true result can be drawn: scenes that no training has seen, before and after.

Every case follows from its number alone. The selection is what a person would draw around the change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from palimpsest.contract import Operation
from palimpsest.demo import edits
from palimpsest.demo.rendering import Rendering, render
from palimpsest.demo.scenes import TEST_SEEDS, sample_scene
from palimpsest.demo.things import COLOURS, SHAPES, STYLES, Scene, Solid
from palimpsest.demo.wording import caption
from palimpsest.tour.make_pictures import MARGIN, loosely

SEEDS = TEST_SEEDS[20_000:25_000]
TRIES = 40  # the ranges of seeds after this one are kept for tests too
_CHOICE = 41  # a stream of randomness of its own


@dataclass(frozen=True)
class Case:
    """One edit. ``thing`` is its index in ``after``, or in ``before`` where it is removed."""

    kind: str  # one of KINDS
    operation: Operation
    before: Scene
    after: Scene
    thing: int | None
    shows: str
    should_show: str
    pairs: tuple[tuple[str, str], ...] = ()

    def drawn(self, size: int) -> tuple[Rendering, Rendering]:
        return render(self.before, size), render(self.after, size)

    def selection(self, size: int, margin: int = MARGIN) -> NDArray[np.uint8] | None:
        """(size, size), 255 = may change; None for a change of everything.

        ``margin``: pixels around the change; 0 = exactly what changes.
        """
        if self.thing is None:
            return None
        before, after = self.drawn(size)
        changed = (before.image != after.image).any(axis=-1)
        return loosely(changed, margin)


def make_case(kind: str, number: int) -> Case:
    """The ``number``-th case of a kind."""
    seed = SEEDS[number]
    return KINDS[kind](seed, np.random.default_rng([seed, _CHOICE]))


def _solids(seed: int, count: int) -> Scene:
    """Solids of different shapes, so that a caption names each by itself."""
    for attempt in range(seed, seed + len(SEEDS) * TRIES, len(SEEDS)):
        scene = sample_scene(attempt, count=count, style="photo", kinds=("solid",))
        if len(set(_shapes(scene))) == count:
            return scene
    raise AssertionError(f"no scene of {count} different solids near seed {seed}")


def _shapes(scene: Scene) -> list[str]:
    return [_solid(scene, i).shape for i in range(len(scene.placed))]


def _replace(seed: int, rng: np.random.Generator) -> Case:
    before = _solids(seed, 1 + seed % 2)
    i = int(rng.integers(len(before.placed)))
    old = _solid(before, i)
    after = edits.reshape(before, i, str(rng.choice([s for s in SHAPES if s not in _shapes(before)])))
    pair = ((old.shape, _solid(after, i).shape),)
    return Case("replace", "replace", before, after, i, caption(before), caption(after), pair)


def _recolour(seed: int, rng: np.random.Generator) -> Case:
    before = _solids(seed, 1 + seed % 2)
    i = int(rng.integers(len(before.placed)))
    old = _solid(before, i)
    after = edits.recolour(before, i, str(rng.choice([c for c in COLOURS if c != old.colour])))
    return Case("recolour", "replace", before, after, i, caption(before), caption(after))


def _restyle(seed: int, rng: np.random.Generator) -> Case:
    before = _solids(seed, 1)
    after = edits.restyle(before, str(rng.choice([s for s in STYLES if s != "photo"])))
    return Case("restyle", "restyle", before, after, None, caption(before), caption(after))


def _remove(seed: int, rng: np.random.Generator) -> Case:
    before = _solids(seed, 1 + seed % 2)
    i = int(rng.integers(len(before.placed)))
    after = edits.remove(before, i)
    return Case("remove", "remove", before, after, i, caption(before), caption(after))


def _insert(seed: int, rng: np.random.Generator) -> Case:
    """The reverse of a removal: the thing that was there is the true result. It has the last index."""
    full = _solids(seed, 2)
    i = int(rng.integers(2))
    before = edits.remove(full, i)
    after = edits.insert(before, full.placed[i])
    return Case("insert", "insert", before, after, 1, caption(before), caption(after))


def _solid(scene: Scene, i: int) -> Solid:
    thing = scene.placed[i].thing
    assert isinstance(thing, Solid)
    return thing


KINDS: dict[str, Callable[[int, np.random.Generator], Case]] = {
    "replace": _replace,
    "recolour": _recolour,
    "restyle": _restyle,
    "remove": _remove,
    "insert": _insert,
}
