"""The judge's training batches: regions and whole pictures, worn as pictures get worn.

A generator's decoder blurs, shifts colours and leaves soft noise; the judge learns to see through that. All
randomness comes from the generator that is handed in.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional

from palimpsest.builtin.judge_crops import MARGIN, MARGIN_PIXELS, crop
from palimpsest.builtin.judge_net import CELL, SIDE
from palimpsest.training.judge_data import THINGS, UNKNOWN, unpack
from palimpsest.training.judge_shards import Examples

BLUR = 7  # pixels, width of the blur's kernel
NOTHING_SHARE = 0.14
LEAST_PIXELS = 30  # of a body; smaller remains behind something aren't looked for


@dataclass(frozen=True)
class RegionBatch:
    """``answers``: (n, heads), UNKNOWN where a head isn't asked."""

    crops: Tensor  # (n, 4, CROP, CROP)
    answers: Tensor


@dataclass(frozen=True)
class SceneBatch:
    """Whole pictures with the grid's targets; ``weight`` is 1 in cells where the box counts."""

    pixels: Tensor  # (n, 3, SIDE, SIDE)
    heat: Tensor  # (n, SIDE / CELL, SIDE / CELL), 1 at centres
    box: Tensor  # (n, 4, SIDE / CELL, SIDE / CELL)
    weight: Tensor  # (n, SIDE / CELL, SIDE / CELL)
    answers: Tensor  # (n, heads)


def uniform(n: int, low: float, high: float, random: Generator) -> Tensor:
    return torch.rand(n, generator=random) * (high - low) + low


def chosen(n: int, share: float, random: Generator) -> Tensor:
    return torch.rand(n, generator=random) < share


# --- wear -----------------------------------------------------------------------------------------------


def wear(fresh: Tensor, random: Generator, share: float = 0.6) -> Tensor:
    """A share of the pictures (n, 3, h, w) with blur, loss of resolution, colour shift and noise."""
    n = len(fresh)
    pixels = fresh
    pixels = torch.where(chosen(n, 0.45, random)[:, None, None, None], blur(pixels, random), pixels)
    if bool(chosen(1, 0.4, random)):
        some = chosen(n, 0.5, random)[:, None, None, None]
        pixels = torch.where(some, coarsen(pixels, float(uniform(1, 1.3, 2.2, random))), pixels)
    pixels = shift_colours(pixels, random)
    fine = torch.randn(pixels.shape, generator=random) * uniform(n, 0, 0.05, random)[:, None, None, None]
    height, width = pixels.shape[-2:]
    soft = torch.randn(n, 3, height // CELL, width // CELL, generator=random)
    soft = functional.interpolate(soft, (height, width), mode="bilinear", align_corners=False)
    worn = (pixels + fine + soft * uniform(n, 0, 0.06, random)[:, None, None, None]).clamp(-1, 1)
    return torch.where(chosen(n, share, random)[:, None, None, None], worn, fresh)


def blur(pixels: Tensor, random: Generator) -> Tensor:
    """Gaussian blur, another width for each picture."""
    n, channels = pixels.shape[:2]
    offsets = torch.arange(BLUR) - BLUR // 2
    sigma = uniform(n, 0.4, 1.5, random)[:, None]
    kernel = torch.exp(-(offsets**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(channels, 0)  # (n x channels, BLUR)
    flat = functional.pad(
        pixels.reshape(1, n * channels, *pixels.shape[2:]), [BLUR // 2] * 4, mode="replicate"
    )
    flat = functional.conv2d(flat, kernel[:, None, None, :], groups=n * channels)
    return functional.conv2d(flat, kernel[:, None, :, None], groups=n * channels).reshape(pixels.shape)


def coarsen(pixels: Tensor, factor: float) -> Tensor:
    """Down by ``factor`` and up again."""
    small = [max(1, round(side / factor)) for side in pixels.shape[-2:]]
    down = functional.interpolate(pixels, small, mode="bilinear", antialias=True, align_corners=False)
    return functional.interpolate(down, pixels.shape[-2:], mode="bicubic", align_corners=False)


def shift_colours(pixels: Tensor, random: Generator) -> Tensor:
    """Small changes of gain and offset per channel, and of saturation."""
    n = len(pixels)
    grey = pixels.mean(1, keepdim=True)
    saturation = uniform(n, 0.82, 1.18, random)[:, None, None, None]
    gain = uniform(n * 3, 0.94, 1.06, random).view(n, 3, 1, 1)
    offset = uniform(n * 3, -0.05, 0.05, random).view(n, 3, 1, 1)
    return (grey + (pixels - grey) * saturation) * gain + offset


# --- pictures -------------------------------------------------------------------------------------------


def pictures_of(examples: Examples, rows: Tensor, random: Generator) -> Tensor:
    """The pictures of ``rows`` in [-1, 1], by chance their round trips where there are any."""
    pixels = examples.pictures[rows].permute(0, 3, 1, 2).float() / 127.5 - 1
    if examples.round_trips is not None:
        known = rows < len(examples.round_trips)
        swap = known & chosen(len(rows), 0.9, random)
        if bool(swap.any()):
            pixels[swap] = examples.round_trips[rows[swap]].permute(0, 3, 1, 2).float() / 127.5 - 1
    return pixels


# --- regions --------------------------------------------------------------------------------------------


def region_weights(examples: Examples) -> Tensor:
    """How often to study each thing, (n x THINGS,): those that can be read, rare kinds more often."""
    kinds = examples.answers[..., 0].flatten().long()
    readable = kinds != UNKNOWN
    counts = torch.bincount(kinds[readable]).clamp(min=1).float()
    return torch.where(readable, counts[kinds.clamp(min=0)] ** -0.5, torch.zeros(len(kinds)))


def region_batch(examples: Examples, weights: Tensor, size: int, random: Generator) -> RegionBatch:
    """A random batch; some regions lie where nothing is."""
    picks = torch.multinomial(weights, size, replacement=True, generator=random)
    rows, things = picks // THINGS, picks % THINGS
    boxes = examples.boxes[rows, things].float()
    answers = examples.answers[rows, things].long()
    empty = chosen(size, NOTHING_SHARE, random)
    boxes = torch.where(empty[:, None], random_boxes(size, random), boxes)
    answers[empty] = empty_answers(examples, rows[empty], boxes[empty])
    masks = region_masks(unpack(examples.bodies[rows, things]), boxes, empty, random)
    crops = crop(pictures_of(examples, rows, random), masks, jittered_squares(boxes, random))
    crops[:, :3] = wear(crops[:, :3], random)
    flipped = chosen(size, 0.5, random)[:, None, None, None]
    return RegionBatch(torch.where(flipped, crops.flip(-1), crops), answers)


def empty_answers(examples: Examples, rows: Tensor, boxes: Tensor) -> Tensor:
    """The kind is "nothing" for boxes that no body reaches into; the others aren't asked about."""
    bodies = examples.bodies[rows]
    anything = unpack(bodies[:, 0] | bodies[:, 1] | bodies[:, 2] | bodies[:, 3])
    region = inside(boxes)
    share = (anything * region).sum((1, 2)) / region.sum((1, 2)).clamp(min=1)
    answers = torch.full((len(rows), examples.answers.shape[-1]), UNKNOWN)
    answers[:, 0] = torch.where(share < 0.04, 0, UNKNOWN)
    return answers


def random_boxes(n: int, random: Generator) -> Tensor:
    width, height = uniform(n, 14, 76, random), uniform(n, 14, 86, random)
    x, y = uniform(n, 0, SIDE, random), uniform(n, 0, SIDE, random)
    return torch.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], 1).clamp(0, SIDE)


def jittered_squares(boxes: Tensor, random: Generator) -> Tensor:
    n = len(boxes)
    longer = torch.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    side = (longer * MARGIN + MARGIN_PIXELS) * uniform(n, 0.85, 1.3, random)
    x = (boxes[:, 0] + boxes[:, 2]) / 2 + longer * uniform(n, -0.09, 0.09, random)
    y = (boxes[:, 1] + boxes[:, 3]) / 2 + longer * uniform(n, -0.09, 0.09, random)
    return torch.stack([x, y, side], 1)


def inside(boxes: Tensor) -> Tensor:
    """Boxes as masks (n, SIDE, SIDE)."""
    at = torch.arange(SIDE) + 0.5
    columns = (at >= boxes[:, :1]) & (at < boxes[:, 2:3])
    rows = (at >= boxes[:, 1:2]) & (at < boxes[:, 3:4])
    return (rows[:, :, None] & columns[:, None, :]).float()


def ellipses(boxes: Tensor) -> Tensor:
    at = torch.arange(SIDE) + 0.5
    x = (at - (boxes[:, :1] + boxes[:, 2:3]) / 2) / ((boxes[:, 2:3] - boxes[:, :1]) / 2).clamp(min=1)
    y = (at - (boxes[:, 1:2] + boxes[:, 3:4]) / 2) / ((boxes[:, 3:4] - boxes[:, 1:2]) / 2).clamp(min=1)
    return (x[:, None, :] ** 2 + y[:, :, None] ** 2 <= 1).float()


def region_masks(bodies: Tensor, boxes: Tensor, empty: Tensor, random: Generator) -> Tensor:
    """The ways a region gets marked: exactly, coarsely as by attention, by a box, by a lasso."""
    n = len(boxes)
    grow = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2) * uniform(n * 4, -0.06, 0.1, random).view(n, 4)
    loose = boxes + grow * torch.tensor([-1.0, -1.0, 1.0, 1.0])
    way = torch.multinomial(torch.tensor([0.35, 0.2, 0.35, 0.1]), n, replacement=True, generator=random)
    way = torch.where(empty & (way < 2), way + 2, way)  # nothing has no body
    masks = bodies.clone()
    masks[way == 1] = attended(bodies[way == 1], uniform(n, 0.15, 0.45, random)[way == 1])
    masks[way == 2] = inside(loose[way == 2])
    masks[way == 3] = ellipses(loose[way == 3])
    return masks


def attended(bodies: Tensor, threshold: Tensor) -> Tensor:
    """Bodies as a smooth map of ``CELL``-pixel cells shows them, cut at a ``threshold`` each."""
    if not len(bodies):
        return bodies
    cells = functional.avg_pool2d(bodies[:, None], CELL)
    smooth = functional.interpolate(cells, bodies.shape[1:], mode="bilinear", align_corners=False)[:, 0]
    return (smooth > threshold[:, None, None]).float()


# --- whole pictures -------------------------------------------------------------------------------------


def scene_batch(examples: Examples, size: int, random: Generator) -> SceneBatch:
    rows = torch.randint(len(examples), (size,), generator=random)
    pixels = wear(pictures_of(examples, rows, random), random)
    boxes = examples.boxes[rows].float()  # (n, THINGS, 4)
    flipped = chosen(size, 0.5, random)
    pixels = torch.where(flipped[:, None, None, None], pixels.flip(-1), pixels)
    mirrored = torch.stack([SIDE - boxes[..., 2], boxes[..., 1], SIDE - boxes[..., 0], boxes[..., 3]], -1)
    boxes = torch.where(flipped[:, None, None], mirrored, boxes)
    seen = unpack(examples.bodies[rows]).sum((2, 3)) >= LEAST_PIXELS  # (n, THINGS)
    heat, box, weight = grid_targets(boxes, seen)
    return SceneBatch(pixels, heat, box, weight, examples.whole[rows].long())


def grid_targets(boxes: Tensor, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Heat, boxes and weights (``SceneBatch``) of boxes (n, THINGS, 4) in pixels."""
    cells = SIDE // CELL
    at = torch.arange(cells) + 0.5
    left, top, right, bottom = (boxes[..., k, None, None] / CELL for k in range(4))  # (n, THINGS, 1, 1)
    x, y = at[None, None, None, :], at[None, None, :, None]
    middle_x, middle_y = ((left + right) / 2).floor() + 0.5, ((top + bottom) / 2).floor() + 0.5
    spread = (0.16 * (right - left + bottom - top) / 2).clamp(min=0.45)
    bump = torch.exp(-((x - middle_x) ** 2 + (y - middle_y) ** 2) / (2 * spread**2)) * seen[..., None, None]
    heat, owner = bump.max(1)  # (n, cells, cells)
    edges = torch.stack(torch.broadcast_tensors(x - left, y - top, right - x, bottom - y), 1)
    box = edges.gather(2, owner[:, None, None].expand(-1, 4, 1, -1, -1))[:, :, 0].clamp(min=0)
    return heat, box, (heat > 0.6).float()
