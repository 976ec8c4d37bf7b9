"""What the autoencoder loses, put back: fine detail where the edit changed nothing, and its colours.

Encoding and decoding alone changes every pixel: detail below the latent grid is gone and colours
shift a little everywhere ("Your latent mask is wrong", arXiv:2512.05198). Both errors are known
exactly where the edit left the picture alone, because the same round trip of the original is at
hand. So colours are corrected by a fit of the round trip to the original, and

    out = up(edit) + keep · (original - up(roundtrip))

restores the original itself wherever edit = roundtrip, in the canvas's own resolution. Where the edit began
from a subject's own picture laid into the photo, that is the original. Where little noise was put on it, the
edit can't have given the subject another shape: all its detail is its own, and the edit only says in what
light it lies. From more noise on, it is enough that the edit shows the same in another light. Around it
counts as changed what clearly is, such as a shadow: a haze of some levels, as wide as a cell of the latent,
is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from palimpsest.core.picture.laid import Laid, LaidOnCanvas, on_canvas
from palimpsest.core.picture.region import Mask, Region, Widened, as_planes, widened, working_mask

SAME, DIFFERENT = 6 / 255, 30 / 255  # |edit - roundtrip| that counts as unchanged / as wholly changed
RING = 6  # width in working pixels of the band inside the selection's edge
SAME_AROUND, DIFFERENT_AROUND = 25 / 255, 60 / 255  # the same in the photo around a subject laid in
LIKE, UNLIKE = 6 / 255, 30 / 255  # what another light doesn't explain, as far as it counts
WINDOW = 9  # side in working pixels of the square that one light falls on
HELD, FREE = 0.15, 0.35  # parts of the noise up to which a subject's shape is its own, from which the edit's
LIGHT = 17  # side in working pixels of the square that is averaged over, twice, to see a subject's light
FAINT = 1e-3  # variance of colours in [0, 1] below which there is nothing to compare
RIDGE = 0.01  # pull of the colour fit's gain towards 1, as a variance of colours in [0, 1]


@dataclass(frozen=True)
class Restorer:
    """The edited box at canvas resolution, sharp and in the original's colours where it is unchanged.

    Made part by part: a large canvas's whole would need many copies of it.
    """

    edit: Widened
    trip: Widened
    keep: Widened
    laid: LaidOnCanvas | None = None  # what is restored where it isn't the photo

    def part(self, original: NDArray[Any], rows: slice, columns: slice) -> NDArray[np.float32]:
        """``original``: sRGB of that part of the box (n, m, 3) in [0, 1]. Returns the same shape."""
        if self.laid is not None:
            original = self.laid.part(original, rows, columns)
        edit, trip = self.edit.part(rows, columns), self.trip.part(rows, columns)
        keep = self.keep.part(rows, columns).clamp(0, 1)
        out = edit + keep * (as_planes(original) - trip)
        return out.clamp(0, 1)[0].permute(1, 2, 0).numpy()


def restorer(
    edited: Tensor,
    roundtrip: Tensor,
    seen: Tensor,
    mask: Mask | None,
    region: Region,
    laid: Laid | None = None,
    noise: float = 1.0,
) -> Restorer:
    """``edited``, ``roundtrip``: what the decoder made of the edited latent and of the unedited one.
    ``seen``: what the model saw of the original, or of ``laid``, where the edit began from that, noised to
    the part ``noise`` in [0, 1] of the levels. All are (1, 3, *work) in [-1, 1]."""
    seen = (seen + 1) / 2
    edit, trip = (_unit(edited), _unit(roundtrip))
    gain, offset = colour_fit(trip, seen, torch.ones_like(seen[:, :1]))
    edit, trip = gain * edit + offset, gain * trip + offset
    edit = match_ring(edit, trip, mask, region)
    keep = unchanged(edit, trip)
    if laid is None:
        return Restorer(widened(edit, region), widened(trip, region), widened(keep, region))
    subject = functional.max_pool2d(laid.opacity, 3, stride=1, padding=1) > 0
    around = ~(subject | (laid.filled > 0)) * unchanged(edit, trip, SAME_AROUND, DIFFERENT_AROUND)
    edit = edit + around * (trip - edit)
    keep = torch.where(subject, torch.maximum(keep, alike(edit, trip)), keep)
    keep = torch.maximum(keep, around)
    held = min(1.0, max(0.0, (FREE - noise) / (FREE - HELD)))
    if held > 0:
        lit = trip + light(edit - trip, subject.float())
        edit = torch.where(subject, held * lit + (1 - held) * edit, edit)
        keep = torch.where(subject, keep.clamp_min(held), keep)
    fine = on_canvas(laid, region)
    return Restorer(widened(edit, region), widened(trip, region), widened(keep, region), fine)


def unchanged(edit: Tensor, trip: Tensor, same: float = SAME, different: float = DIFFERENT) -> Tensor:
    """1 where the edit left the round trip alone, 0 where it changed it: (1, 1, *work)."""
    difference = (edit - trip).abs().amax(dim=1, keepdim=True)
    spread = functional.max_pool2d(difference, 3, stride=1, padding=1)
    smooth = functional.avg_pool2d(spread, 5, stride=1, padding=2, count_include_pad=False)
    return 1 - ((smooth - same) / (different - same)).clamp(0, 1)


def alike(edit: Tensor, trip: Tensor) -> Tensor:
    """How much of the round trip's detail belongs to the edit, where that may lie in another light:
    (1, 1, *work) in [0, 1].

    In each window the edit is fitted as gain · trip + offset: detail counts by the gain, and not at all where
    the fit leaves more than ``UNLIKE``.
    """

    def mean(values: Tensor) -> Tensor:
        return functional.avg_pool2d(values, WINDOW, stride=1, padding=WINDOW // 2, count_include_pad=False)

    spread = mean(trip * trip) - mean(trip) ** 2
    shared = mean(edit * trip) - mean(edit) * mean(trip)
    gain = shared / (spread + FAINT)
    left = mean(edit * edit) - mean(edit) ** 2 - 2 * gain * shared + gain**2 * spread
    worst = left.clamp_min(0).amax(dim=1, keepdim=True).sqrt()
    same = 1 - ((worst - LIKE) / (UNLIKE - LIKE)).clamp(0, 1)
    smooth = functional.avg_pool2d(same, 3, stride=1, padding=1, count_include_pad=False)
    return smooth * gain.mean(dim=1, keepdim=True).clamp(0, 1)


def light(change: Tensor, subject: Tensor) -> Tensor:
    """What of a change is as smooth as a light on ``subject`` (1, 1, h, w), which is 1 there and 0 elsewhere:
    its mean over the part of the subject that is near."""

    def mean(values: Tensor) -> Tensor:
        return functional.avg_pool2d(values, LIGHT, stride=1, padding=LIGHT // 2)

    near = mean(subject).clamp_min(1e-6)
    for _ in range(2):
        change = mean(change * subject) / near
    return change


def match_ring(edit: Tensor, trip: Tensor, mask: Mask | None, region: Region) -> Tensor:
    """Remove a colour shift of the whole edit, as seen on the ring inside the selection's edge.

    Only ring pixels that the edit hardly changed may vote (twice reweighted); with no selection there
    is no ring and nothing is done.
    """
    selected = working_mask(mask, region)
    if mask is None or bool(selected.all()):
        return edit
    eroded = 1 - functional.max_pool2d(1 - selected, 2 * RING + 1, stride=1, padding=RING)
    ring = selected - eroded
    matched = edit
    for _ in range(2):
        gain, offset = colour_fit(edit, trip, ring * unchanged(matched, trip))
        matched = gain * edit + offset
    return matched


def colour_fit(source: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Per channel the gain and offset with gain · source + offset ≈ target, weighted least squares.

    ``source``, ``target``: (1, 3, h, w); ``weight``: (1, 1, h, w) ≥ 0. A ridge on gain - 1 keeps a flat
    or tiny sample from inventing a contrast; no weight at all gives the identity. Returns (1, 3, 1, 1) each.
    """
    total = weight.sum().clamp_min(1e-6)
    trust = weight.sum() / (weight.sum() + 32)  # a handful of pixels proves nothing

    def mean(values: Tensor) -> Tensor:
        return (values * weight).sum(dim=(2, 3), keepdim=True) / total

    centre, aim = mean(source), mean(target)
    variance = mean((source - centre) ** 2)
    covariance = mean((source - centre) * (target - aim))
    gain = (covariance + RIDGE) / (variance + RIDGE)
    gain = 1 + trust * (gain.clamp(0.8, 1.25) - 1)
    return gain, centre + trust * (aim - centre) - gain * centre


def _unit(decoded: Tensor) -> Tensor:
    return (decoded.detach().float().cpu() + 1) / 2
