"""From a rough map of where a thing is to its outline: a random walk over the picture's pixels.

    (L + γ I) x = γ u                      (Grady 2006, "Random Walks for Image Segmentation")

x is the chance that a pixel is the thing's. L is the Laplacian of the grid of pixels, whose edges weigh
little where colours differ. u is what each pixel says for itself: the rough map, and how much more often its
colour occurs in the thing than around it, counted anew a few times (as in GrabCut, Rother et al. 2004).
Around it a colour counts darker, too: the shadow that a thing casts is ground, and no part of it. Where
several pictures show the thing, its colours are mostly those that it has in the others (as in cosegmentation,
Rother et al. 2006): the ground that is seen through a ring is green in one of them alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from palimpsest.core.steps import Step, Steps

Plane = NDArray[np.float64]  # (height, width)
Index = NDArray[np.int_]
Bins = tuple[Index, Index, Index]  # of red, green and blue; each (height, width)


@dataclass(frozen=True)
class OutlineSettings:
    """Chosen on twelve views of each of the built-in model's thirteen concepts (docs/algorithms.md)."""

    contrast: float = 2.0  # β of an edge's weight e^(-β d² / mean d²), d the difference of two colours
    trust: float = 0.02  # γ: of what a pixel says for itself, against its neighbours
    steepness: float = 10.0  # of the map's own chance, in units of the map, at its threshold
    stray: float = 0.5  # of the threshold, that the map of a piece that lies apart is somewhere above
    most_certain: float = 2.0  # that a map is of a pixel of the thing, as a logarithm of the odds
    rounds: int = 8  # of counting colours
    bins: int = 16  # of each colour
    most_evidence: float = 5.0  # of a colour, as a logarithm of how much more often it occurs in the thing
    shadow: float = 0.1  # how much the ground's colours in ``SHADES`` say of what is around the thing, of 1
    others: float = 0.9  # how much the other pictures say of the thing's colours, of 1


FAINTEST = 1e-4  # weight of an edge between two colours that have nothing in common
RAREST = 1e-6  # share of a colour that doesn't occur
SOLVER_STEPS, SOLVED = 150, 1e-10
SHADES = (0.5, 0.6, 0.7, 0.8, 0.9)  # of a colour in a shadow, to itself in the light
LARGEST_GAP = 0.01  # of a thing, that is none of its own holes but a gap in what was found: a pupil, a stripe


def outlines(
    pictures: Sequence[NDArray[np.floating]],
    roughs: Sequence[NDArray[np.floating]],
    thresholds: Sequence[float],
    how: OutlineSettings,
) -> Steps[tuple[Plane, ...]]:
    """Of pictures that show the same thing, for each: the chance in [0, 1] that a pixel is the thing's.

    ``pictures``: sRGB in [0, 1], (height, width, 3), of any sizes. ``roughs``: their maps, (height, width) in
    [0, 1], more likely the thing's where above ``thresholds``.
    """
    walks = [_Walk(*seen, how) for seen in zip(pictures, roughs, thresholds, strict=True)]
    for number in range(1, how.rounds + 1):
        inside = [walk.colours(np.maximum(walk.chance - 0.5, 0)) for walk in walks]
        for i, walk in enumerate(walks):
            own, others = inside[i], inside[:i] + inside[i + 1 :]
            walk.go(own if not others else (1 - how.others) * own + how.others * np.mean(others, axis=0))
        yield Step("probe", number, how.rounds)
    found = (without_strays(walk.chance.clip(0, 1), walk.likely) for walk in walks)
    return tuple(without_gaps(chance) for chance in found)


def without_gaps(chance: Plane) -> Plane:
    """Wholly the thing's where it lies all around ``LARGEST_GAP`` of it or less."""
    inside = chance > 0.5
    pieces = _pieces(~inside)
    size = np.bincount(pieces.flatten())
    gap = size <= LARGEST_GAP * inside.sum()
    for edge in (pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]):
        gap[edge] = False
    gap[0] = False
    return np.where(gap[pieces], 1.0, chance)


def without_strays(chance: Plane, likely: NDArray[np.bool_]) -> Plane:
    """Not the thing's where a piece that lies apart is nowhere ``likely``: something else of its colour."""
    pieces = _pieces(chance > 0.5)
    stray = np.ones(int(pieces.max()) + 1, bool)
    stray[pieces[likely]] = False
    stray[0] = False
    return np.where(stray[pieces], 0.0, chance)


def _pieces(inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Which piece of ``inside`` a pixel belongs to, above 0; 0 outside. Pieces hang together by sides."""
    names = np.where(inside, np.arange(1, inside.size + 1).reshape(inside.shape), 0)
    before = None
    while before is None or not np.array_equal(names, before):  # each piece comes to bear its greatest name
        before = names
        names = _as_greatest(_as_greatest(names).T).T
    return names


def _as_greatest(names: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each stretch of a row that isn't 0 by the greatest of its names."""
    begins = np.ones(names.shape, bool)
    begins[:, 1:] = (names[:, 1:] > 0) != (names[:, :-1] > 0)
    greatest = np.maximum.reduceat(names.ravel(), np.flatnonzero(begins))
    return greatest[np.cumsum(begins) - 1].reshape(names.shape)


class _Walk:
    """Of one picture; ``chance`` is what it has come to, ``likely`` where a piece of the thing can be."""

    def __init__(
        self,
        picture: NDArray[np.floating],
        rough: NDArray[np.floating],
        threshold: float,
        how: OutlineSettings,
    ) -> None:
        pixels = picture.astype(np.float64)
        self._how, self._edges = how, _weights(pixels, how.contrast)
        self.likely = rough > how.stray * threshold
        self._prior = np.minimum(how.steepness * (rough.astype(np.float64) - threshold), how.most_certain)
        self._bins = _bins(pixels, how.bins)
        self._shaded = [_bins(shade * pixels, how.bins) for shade in SHADES]
        self.chance = _logistic(self._prior)

    def colours(self, weight: Plane) -> NDArray[np.float64]:
        """How often each colour occurs, counted by ``weight``: (bins, bins, bins), together 1."""
        return self._counted([self._bins], weight)

    def _counted(self, bins: Sequence[Bins], weight: Plane) -> NDArray[np.float64]:
        counts = np.zeros((self._how.bins,) * 3)
        for each in bins:
            np.add.at(counts, each, weight + 1e-9)
        for axis in range(3):  # a colour counts for its neighbours too
            around = np.pad(counts, [(1, 1) if each == axis else (0, 0) for each in range(3)])
            below, same, above = (np.take(around, range(i, i + self._how.bins), axis) for i in range(3))
            counts = below / 4 + same / 2 + above / 4
        return counts / counts.sum()

    def go(self, inside: NDArray[np.float64]) -> None:
        """A round. ``inside``: how often each colour occurs in the thing."""
        ground = np.maximum(0.5 - self.chance, 0)
        light, dark = self.colours(ground), self._counted(self._shaded, ground)
        outside = (1 - self._how.shadow) * light + self._how.shadow * dark
        evidence = np.log((inside + RAREST) / (outside + RAREST))[self._bins]
        own = _logistic(self._prior + evidence.clip(-self._how.most_evidence, self._how.most_evidence))
        self.chance = _solve(*self._edges, own, self._how.trust, self.chance)


def _bins(pixels: NDArray[np.float64], bins: int) -> Bins:
    red, green, blue = np.moveaxis(np.minimum((pixels * bins).astype(int), bins - 1), -1, 0)
    return red, green, blue


def _logistic(x: Plane) -> Plane:
    return 1 / (1 + np.exp(-x))


def _weights(pixels: NDArray[np.float64], contrast: float) -> tuple[Plane, Plane]:
    """Of the edges to the right neighbour (height, width - 1) and to the one below (height - 1, width)."""
    across, down = (np.square(np.diff(pixels, axis=axis)).sum(-1) for axis in (1, 0))
    mean = max((across.sum() + down.sum()) / (across.size + down.size), 1e-12)
    return np.exp(-contrast * across / mean) + FAINTEST, np.exp(-contrast * down / mean) + FAINTEST


def _solve(across: Plane, down: Plane, own: Plane, trust: float, x: Plane) -> Plane:
    """Conjugate gradients (Hestenes & Stiefel 1952), from ``x`` on."""

    def applied(x: Plane) -> Plane:
        y = trust * x
        flow = across * np.diff(x, axis=1)
        y[:, 1:] += flow
        y[:, :-1] -= flow
        flow = down * np.diff(x, axis=0)
        y[1:] += flow
        y[:-1] -= flow
        return y

    residual = trust * own - applied(x)
    direction, square = residual, (residual**2).sum()
    for _ in range(SOLVER_STEPS):
        if square < SOLVED:
            break
        product = applied(direction)
        step = square / (direction * product).sum()
        x, residual = x + step * direction, residual - step * product
        before, square = square, (residual**2).sum()
        direction = residual + square / before * direction
    return x
