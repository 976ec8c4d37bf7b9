"""From a rough map of where a thing is to its outline: a random walk over the picture's pixels.

    (L + γ I) x = γ u                      (Grady 2006, "Random Walks for Image Segmentation")

x is the chance that a pixel is the thing's. L is the Laplacian of the grid of pixels, whose edges weigh
little where colours differ. u is what each pixel says for itself: the rough map, and how much more often its
colour occurs in the thing than around it, counted anew a few times (as in GrabCut, Rother et al. 2004).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]  # (height, width)


@dataclass(frozen=True)
class OutlineSettings:
    """Chosen on four views of each of the built-in model's thirteen concepts (docs/algorithms.md)."""

    contrast: float = 2.0  # β of an edge's weight e^(-β d² / mean d²), d the difference of two colours
    trust: float = 0.01  # γ: of what a pixel says for itself, against its neighbours
    steepness: float = 8.0  # of the map's own chance, in units of the map, at its threshold
    rounds: int = 6  # of counting colours
    bins: int = 16  # of each colour
    most_evidence: float = 4.0  # of a colour, as a logarithm of how much more often it occurs in the thing


FAINTEST = 1e-4  # weight of an edge between two colours that have nothing in common
SOLVER_STEPS, SOLVED = 150, 1e-10


def outline(
    picture: NDArray[np.floating], rough: NDArray[np.floating], threshold: float, how: OutlineSettings
) -> Plane:
    """The chance in [0, 1] that a pixel is the thing's, (height, width).

    ``picture``: sRGB in [0, 1], (height, width, 3). ``rough``: (height, width) in [0, 1], more likely the
    thing's where above ``threshold``.
    """
    pixels, prior = picture.astype(np.float64), how.steepness * (rough.astype(np.float64) - threshold)
    across, down = _weights(pixels, how.contrast)
    chance = _logistic(prior)
    for _ in range(how.rounds):
        inside, outside = np.maximum(chance - 0.5, 0), np.maximum(0.5 - chance, 0)
        evidence = np.log(_frequency(pixels, inside, how.bins) / _frequency(pixels, outside, how.bins))
        own = _logistic(prior + evidence.clip(-how.most_evidence, how.most_evidence))
        chance = _solve(across, down, own, how.trust, chance)
    return chance.clip(0, 1)


def _logistic(x: Plane) -> Plane:
    return 1 / (1 + np.exp(-x))


def _weights(pixels: NDArray[np.float64], contrast: float) -> tuple[Plane, Plane]:
    """Of the edges to the right neighbour (height, width - 1) and to the one below (height - 1, width)."""
    across, down = (np.square(np.diff(pixels, axis=axis)).sum(-1) for axis in (1, 0))
    mean = max((across.sum() + down.sum()) / (across.size + down.size), 1e-12)
    return np.exp(-contrast * across / mean) + FAINTEST, np.exp(-contrast * down / mean) + FAINTEST


def _frequency(pixels: NDArray[np.float64], weight: Plane, bins: int) -> Plane:
    """How often each pixel's colour occurs among all, counted by ``weight``: (height, width), above 0."""
    at = tuple(np.minimum((pixels * bins).astype(int), bins - 1).reshape(-1, 3).T)
    counts = np.zeros((bins, bins, bins))
    np.add.at(counts, at, weight.ravel() + 1e-9)
    for axis in range(3):  # a colour counts for its neighbours too
        around = np.pad(counts, [(1, 1) if each == axis else (0, 0) for each in range(3)])
        below, same, above = (np.take(around, range(start, start + bins), axis) for start in range(3))
        counts = below / 4 + same / 2 + above / 4
    return (counts / counts.sum() + 1e-6)[at].reshape(pixels.shape[:2])


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
