"""A mirror's image of a thing: where it is found beside the thing, and how another thing's image is laid in.

    seen = glass + share · α · (thing - glass)

``thing`` and its opacity α are flipped across, scaled and moved, by a law that is read off the photo: of all
places and sizes the one at which the thing explains most of what the mirror shows. Glass that shows through
is what the pane shows around the image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from palimpsest.core.picture.fill import harmonic_fill
from palimpsest.core.picture.region import Size, resize

SIDE = 128  # pixels at which the law is looked for
SCALES = tuple(0.45 + 0.055 * i for i in range(11))
"""Of the image against the thing, tried at first. It is seen behind the mirror, farther away than the thing
itself, and so never larger."""
SPACING = 3  # pixels between the places tried at first
FINER = (1.5, 0.75, 0.4)  # pixels by which the best of them is then moved
FAR = 0.2  # difference of colours, in [0, 1], from which on it counts no more: a frame, say
ALIKE = 0.12  # … up to which a pixel shows what the law says
LEAST_COVERED = 0.15  # of the mirror's part of a selection
LEAST_EXPLAINED = 0.33  # of what the mirror shows, for the law to be believed
SHARE, TRUST = 0.6, 0.02  # the share expected, and how much that counts
AT_ONCE = 64


@dataclass(frozen=True)
class Law:
    """Column ``across`` and row ``foot`` of the picture are seen at ``x`` and ``y`` of it, in pixels, flipped
    and ``scale`` times as large. ``explained``: how much of what the mirror shows, 1 = all."""

    scale: float
    across: float
    foot: float
    x: float
    y: float
    share: float
    explained: float

    def enlarged(self, factor: float) -> Law:
        """Of a picture of ``factor`` times as many pixels along a side."""
        across, foot, x, y = (factor * place for place in (self.across, self.foot, self.x, self.y))
        return Law(self.scale, across, foot, x, y, self.share, self.explained)


def law_of(picture: Tensor, thing: Tensor, where: Tensor) -> Law | None:
    """How the mirror shows the thing; None where nothing of it is recognised.

    ``picture``: (1, 3, h, w) in [0, 1]. ``thing``: its opacity, ``where``: where in the picture its image is,
    (1, 1, h, w) in [0, 1] each.
    """
    height, width = picture.shape[-2:]
    factor = max(1.0, max(height, width) / SIDE)
    size = Size(max(1, round(width / factor)), max(1, round(height / factor)))
    small = resize(picture, size).clamp(0, 1)
    opacity, inside = resize(thing, size).clamp(0, 1), resize(where, size) > 0.5
    if not bool(inside.any()) or not bool((opacity > 0.5).any()):
        return None
    search = _Search(small, opacity, inside)
    found = search.best()
    return found.enlarged(factor) if found.explained >= LEAST_EXPLAINED else None


class _Search:
    """Of the law that explains most."""

    def __init__(self, picture: Tensor, opacity: Tensor, inside: Tensor) -> None:
        self.thing = _softened(torch.cat([picture * opacity, opacity], 1), sum(SCALES) / len(SCALES))
        rows, columns = torch.nonzero(inside[0, 0], as_tuple=True)
        self.points = torch.stack([columns, rows], -1) + 0.5  # (points, 2)
        self.seen = picture[0, :, rows, columns].T  # (points, 3)
        self.middle = self.seen.median(0).values
        left, top, right, bottom = _bounds(opacity > 0.5)
        self.across, self.foot, self.height = (left + right) / 2, float(bottom), bottom - top
        self.box = _bounds(inside)

    def best(self) -> Law:
        left, top, right, bottom = self.box
        tall = bottom - top
        scales = [scale for scale in SCALES if scale * self.height <= 1.15 * tall] or [SCALES[0]]
        xs = torch.arange(left, right + 1, SPACING, dtype=torch.float32)
        ys = torch.arange(top + 0.6 * tall, bottom + SPACING, SPACING)
        places = torch.cartesian_prod(torch.tensor(scales), xs, ys)
        place, explained = self._best_of(places)
        for step in FINER:
            around = torch.tensor([0.04, 1, 1]) * step * torch.cat([torch.eye(3), -torch.eye(3)])
            while True:
                near, better = self._best_of(place + around)
                if better <= explained + 1e-6:
                    break
                place, explained = near, better
        share = float(self._explained(place[None])[1])
        scale, x, y = place.tolist()
        return Law(scale, self.across, self.foot, x, y, share, explained)

    def _best_of(self, places: Tensor) -> tuple[Tensor, float]:
        """``places``: (n, 3) of scale, x, y; the best of them, and how much it explains."""
        explained = torch.cat([self._explained(some)[0] for some in places.split(AT_ONCE)])
        index = int(explained.argmax())
        return places[index], float(explained[index])

    def _explained(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Per place what it explains, and the share with which the thing is seen there: (n,) each."""
        scale, corner = places[:, :1, None], places[:, None, 1:]  # (n, 1, 1), (n, 1, 2)
        moved = (self.points - corner) / scale  # (n, points, 2)
        source = torch.stack([self.across - moved[..., 0], self.foot + moved[..., 1]], -1)
        shown = _sampled(self.thing, source).movedim(0, -1)  # (n, points, 4)
        opacity = shown[..., 3]
        bare = (opacity < 0.05)[..., None]
        glass = torch.where(bare, self.seen, torch.nan).nanmedian(1, keepdim=True).values
        glass = torch.where(bare.sum(1, keepdim=True) > 10, glass, self.middle)  # (n, 1, 3)
        gap, effect = self.seen - glass, shown[..., :3] - opacity[..., None] * glass
        share = torch.full((len(places), 1, 1), 0.5)
        prior = TRUST * len(self.points) * FAR**2
        for _ in range(3):
            near = ((gap - share * effect).abs().amax(-1, keepdim=True) < FAR).float()
            fit = (near * gap * effect).sum((1, 2)) + SHARE * prior
            share = (fit / ((near * effect**2).sum((1, 2)) + prior)).clamp(0.2, 1)[:, None, None]
        left = _miss(gap - share * effect) / _miss(gap).clamp(min=1e-9)
        possible = (opacity.mean(1) >= LEAST_COVERED) & (places[:, 0] <= 1)
        return torch.where(possible, 1 - left, 0.0), share[:, 0, 0]


def _miss(gap: Tensor) -> Tensor:
    """(n, points, 3) → (n,): squared, what is farther than ``FAR`` no more than that."""
    return gap.abs().amax(-1).clamp(max=FAR).square().sum(1)


def lay(photo: Tensor, edited: Tensor, old: Tensor, new: Tensor, where: Tensor, law: Law) -> Tensor:
    """``photo`` with the image of the thing in ``edited`` where that of the old one was: (1, 3, h, w) in
    [0, 1].

    ``old`` and ``new``: the opacity of the things in ``photo`` and in ``edited``; ``where``: the part of the
    picture that may change; (1, 1, h, w) each. What in it doesn't obey the law (a frame) stays the photo's.
    """
    inside = where > 0.5
    was, now = (_seen(picture, opacity, law) for picture, opacity in ((photo, old), (edited, new)))
    glass = _glass(photo, was, inside, law.share)
    told = glass + law.share * (was[:, :3] - was[:, 3:] * glass)
    obeys = inside & ((photo - told).abs().amax(1, keepdim=True) < ALIKE)
    reach = _reach(photo)
    pane = without_holes(_opened(_closed(obeys, reach), reach)) & inside
    laid = glass + law.share * (now[:, :3] - now[:, 3:] * glass)
    return torch.where(pane, laid, photo).clamp(0, 1)


def _glass(photo: Tensor, was: Tensor, inside: Tensor, share: float) -> Tensor:
    """What the pane would show without any image: (1, 3, h, w)."""
    opacity = was[:, 3:]
    bare = (photo - share * was[:, :3]) / (1 - share * opacity).clamp(min=0.05)
    core = (inside & (opacity > 0.9)) if bool((inside & (opacity > 0.9)).any()) else inside
    middle = bare[:, :, core[0, 0]].median(-1).values[..., None, None]  # (1, 3, 1, 1)
    around = inside & ~wider(opacity > 0.03, 1) & ((photo - middle).abs().amax(1, keepdim=True) < FAR)
    if int(around.sum()) <= 8:
        return middle.expand_as(photo)
    left, top, right, bottom = _bounds(inside)
    part = (..., slice(top, bottom), slice(left, right))
    glass = middle.expand_as(photo).clone()
    glass[part] = harmonic_fill(photo[part], (~around[part]).float())
    return glass


def _reach(picture: Tensor) -> int:
    """Pixels by which an outline may be wrong."""
    return max(1, round(2 * max(picture.shape[-2:]) / SIDE))


def _seen(picture: Tensor, opacity: Tensor, law: Law) -> Tensor:
    """What the mirror shows of a thing: colours times opacity, and opacity, (1, 4, h, w)."""
    height, width = picture.shape[-2:]
    rows, columns = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    moved = torch.stack(
        [law.across - (columns - law.x) / law.scale, law.foot + (rows - law.y) / law.scale], -1
    )
    thing = _softened(torch.cat([picture * opacity, opacity], 1), law.scale)
    return _sampled(thing, moved)[None]


def _sampled(picture: Tensor, places: Tensor) -> Tensor:
    """(1, c, h, w) at ``places`` (n, m, 2) of x and y in pixels: (c, n, m); 0 outside."""
    height, width = picture.shape[-2:]
    grid = 2 * places / torch.tensor([width, height]) - 1
    return F.grid_sample(picture, grid[None], padding_mode="zeros", align_corners=False)[0]


def _softened(picture: Tensor, scale: float) -> Tensor:
    """Blurred as much as making it smaller needs."""
    sigma = 0.4 * math.sqrt(max(1 / scale**2 - 1, 0.0))
    if sigma < 0.1:
        return picture
    reach = math.ceil(3 * sigma)
    kernel = torch.exp(-(torch.arange(-reach, reach + 1).float() ** 2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum())[None, None, None].expand(picture.shape[1], 1, 1, -1)
    wide = F.pad(picture, (reach,) * 4, mode="replicate")
    across = F.conv2d(wide, kernel, groups=picture.shape[1])
    return F.conv2d(across, kernel.transpose(-1, -2), groups=picture.shape[1])


def _bounds(inside: Tensor) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of (1, 1, h, w) of bool; right and bottom outside."""
    rows, columns = (torch.nonzero(inside[0, 0].any(axis)).flatten().tolist() for axis in (1, 0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def without_holes(inside: Tensor) -> Tensor:
    """And what it lies all around: (1, 1, h, w) of bool."""
    free = F.pad(~inside, (1, 1, 1, 1), value=True)
    begin = torch.zeros_like(free)
    begin[..., 0, 0] = True
    return ~reached(begin, free)[..., 1:-1, 1:-1]


def reached(begin: Tensor, free: Tensor) -> Tensor:
    """The pixels of ``free`` that hang together with ``begin``: (1, 1, h, w) of bool."""
    found = begin & free
    while True:
        further = wider(found, 1) & free
        if bool((further == found).all()):
            return found
        found = further


def wider(inside: Tensor, reach: int) -> Tensor:
    return F.max_pool2d(inside.float(), 2 * reach + 1, stride=1, padding=reach) > 0.5


def _closed(inside: Tensor, reach: int) -> Tensor:
    return ~wider(~wider(inside, reach), reach)


def _opened(inside: Tensor, reach: int) -> Tensor:
    return wider(~wider(~inside, reach), reach)
