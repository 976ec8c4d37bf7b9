"""The judge of the built-in model's world: what is in this region, and what does this picture show?

It reads pixels after decoding, never latents, and shares nothing with the generator. It knows the scene
generator's words and nothing else: on other pictures its answers mean nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from palimpsest.builtin.judge_answers import NOTHING, Answer, Found, Reading, View, heads_of
from palimpsest.builtin.judge_crops import (
    Picture,
    crop,
    resize,
    square_around,
    to_pixels,
    working_size,
)
from palimpsest.builtin.judge_net import CELL, Labels, RegionNet, SceneNet, SceneOutput
from palimpsest.errors import (
    ModelNotFoundError,
    ModelUnreadableError,
    SelectionEmptyError,
    SelectionSizeError,
)
from palimpsest.scenes.things import ANIMALS, COATS
from palimpsest.scenes.truth import Box, Mask, box_of

FOLDER = Path(__file__).parent / "judge_weights"
FACTS = "judge.json"
THRESHOLD = 0.35
OVERLAP = 0.6  # boxes that share more than this fraction of their union are one thing
BATCH = 64


class Judge:
    """Both networks with the words they answer in. ``threshold`` is the least score of a thing found."""

    def __init__(
        self, region: RegionNet, scene: SceneNet, region_labels: Labels, scene_labels: Labels,
        threshold: float = THRESHOLD,
    ) -> None:  # fmt: skip
        self.region, self.scene = region.eval(), scene.eval()
        self.region_labels, self.scene_labels = region_labels, scene_labels
        self.threshold = threshold

    def read_regions(self, picture: Picture, masks: Sequence[Mask]) -> list[Reading]:
        """What each region of ``picture`` shows.

        ``masks``: (height, width) of bool, True inside the region; a filled box will do.
        Raises SelectionSizeError for a mask of another size and SelectionEmptyError for an empty one.
        """
        for mask in masks:
            _check_mask(mask, picture)
        pixels = resize(to_pixels([picture]), working_size(*picture.shape[:2]))
        size = (pixels.shape[-2], pixels.shape[-1])
        marked = (
            torch.stack([torch.from_numpy(np.asarray(mask, np.float32)) for mask in masks]) if masks else None
        )
        if marked is None:
            return []
        scaled = resize(marked[:, None], size)[:, 0]
        squares = [square_around(_fit(box_of(mask), picture.shape[:2], size)) for mask in masks]
        return self._read(pixels.expand(len(masks), -1, -1, -1), scaled, squares)

    def look(self, pictures: Sequence[Picture]) -> list[View]:
        """What each picture shows, things found without being told where they are."""
        views: list[View] = []
        for start in range(0, len(pictures), BATCH):
            batch = pictures[start : start + BATCH]
            same = len({picture.shape for picture in batch}) == 1
            for group in [batch] if same else [[picture] for picture in batch]:
                views += self._look(group)
        return views

    @torch.no_grad()
    def survey(self, pictures: Sequence[Picture]) -> tuple[Tensor, SceneOutput]:
        """Pictures of one size as the scene network's input (n, 3, h, w), and what it says about them."""
        pixels = resize(to_pixels(pictures), working_size(*pictures[0].shape[:2]))
        return pixels, self.scene(pixels)

    def _look(self, pictures: Sequence[Picture]) -> list[View]:
        pixels, output = self.survey(pictures)
        spots = [find_boxes(output.heat[i], output.box[i], self.threshold) for i in range(len(pictures))]
        owners = [i for i, found in enumerate(spots) for _ in found]
        boxes = [box for found in spots for box, _ in found]
        readings = iter(self._read_boxes(pixels, owners, boxes))
        whole = [_answers(output.answers, self.scene_labels, i) for i in range(len(pictures))]
        size = (pixels.shape[-2], pixels.shape[-1])
        views = []
        for i, picture in enumerate(pictures):
            found = [
                Found(_fit(box, size, picture.shape[:2]), score, next(readings)) for box, score in spots[i]
            ]
            there = sorted(
                (f for f in found if f.reading.kind.word != NOTHING), key=lambda f: f.box[0] + f.box[2]
            )
            views.append(View(**whole[i], found=tuple(there), size=picture.shape[:2]))
        return views

    def _read_boxes(self, pixels: Tensor, owners: list[int], boxes: list[Box]) -> list[Reading]:
        if not boxes:
            return []
        masks = torch.zeros(len(boxes), *pixels.shape[-2:])
        for mask, (left, top, right, bottom) in zip(masks, boxes, strict=True):
            mask[top:bottom, left:right] = 1
        return self._read(pixels[owners], masks, [square_around(box) for box in boxes])

    @torch.no_grad()
    def _read(
        self, pixels: Tensor, masks: Tensor, squares: list[tuple[float, float, float]]
    ) -> list[Reading]:
        logits = self.region(crop(pixels, masks, torch.tensor(squares)))
        return [self._reading(logits, i) for i in range(len(squares))]

    def _reading(self, logits: dict[str, Tensor], i: int) -> Reading:
        words = _answers(logits, self.region_labels, i)
        kind = words["kind"]
        read = {head: words[head] for head in heads_of(kind.word)}
        if kind.word in ANIMALS:
            coats = ("striped",) if kind.word == "tiger" else COATS
            read["texture"] = _answer(logits["texture"][i], self.region_labels["texture"], coats)
        return Reading(kind, **read)


def find_boxes(heat: Tensor, box: Tensor, threshold: float) -> list[tuple[Box, float]]:
    """Peaks of ``heat`` (h, w) of logits with their boxes (4, h, w) in input pixels, best first."""
    scores = torch.sigmoid(heat)
    peaks = (scores >= threshold) & (scores == functional.max_pool2d(scores[None], 3, 1, 1)[0])
    rows, columns = torch.nonzero(peaks, as_tuple=True)
    order = scores[rows, columns].argsort(descending=True)
    found: list[tuple[Box, float]] = []
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        spot = _box_at(box[:, row, column], row, column, heat.shape)
        if all(overlap(spot, other) <= OVERLAP for other, _ in found):
            found.append((spot, float(scores[row, column])))
    return found


def _box_at(edges: Tensor, row: int, column: int, grid: Sequence[int]) -> Box:
    left, top, right, bottom = (edges * CELL).tolist()
    x, y = (column + 0.5) * CELL, (row + 0.5) * CELL
    height, width = grid[0] * CELL, grid[1] * CELL
    left, top = int(min(max(round(x - left), 0), width - 1)), int(min(max(round(y - top), 0), height - 1))
    return (
        left,
        top,
        int(min(max(round(x + right), left + 1), width)),
        int(min(max(round(y + bottom), top + 1), height)),
    )


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(0, width) * max(0, height)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common
    return common / union


def _answer(logits: Tensor, words: Sequence[str], allowed: Sequence[str]) -> Answer:
    """The likeliest of the ``allowed`` words."""
    best = max(allowed, key=lambda word: float(logits[words.index(word)]))
    return Answer(best, float(torch.softmax(logits, 0)[words.index(best)]))


def _answers(logits: Mapping[str, Tensor], labels: Labels, i: int) -> dict[str, Answer]:
    return {head: _answer(logits[head][i], words, words) for head, words in labels.items()}


def _check_mask(mask: Mask, picture: Picture) -> None:
    if mask.shape != picture.shape[:2]:
        (height, width), (rows, columns) = picture.shape[:2], mask.shape
        raise SelectionSizeError(
            f"The region's mask is {columns}x{rows}, the picture {width}x{height}.",
            "Give a mask of the picture's own size.",
        )
    if not np.asarray(mask).any():
        raise SelectionEmptyError("The region's mask is empty.", "Mark at least one pixel.")


def _fit(box: Box, size: Sequence[int], other: Sequence[int]) -> Box:
    """A box of a picture of ``size`` (height, width) in the same picture at ``other`` size."""
    down, across = other[0] / size[0], other[1] / size[1]
    left, top = int(box[0] * across), int(box[1] * down)
    return left, top, max(left + 1, round(box[2] * across)), max(top + 1, round(box[3] * down))


# --- on disk --------------------------------------------------------------------------------------------


def save_judge(judge: Judge, folder: Path, facts: dict[str, Any]) -> None:
    """Write both networks as float16 safetensors, and what they answer and how they were made as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, net in (("region", judge.region), ("scene", judge.scene)):
        state = {
            k: v.half().contiguous() if v.is_floating_point() else v for k, v in net.state_dict().items()
        }
        partial = folder / f"{name}.partial"
        save_file(state, partial)
        partial.chmod(0o644)  # safetensors keeps what it writes to its owner; weights are for everybody
        partial.replace(folder / f"{name}.safetensors")
    content = {
        "region_labels": judge.region_labels, "scene_labels": judge.scene_labels,
        "threshold": judge.threshold, **facts,
    }  # fmt: skip
    partial = folder / f"{FACTS}.partial"
    partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    partial.replace(folder / FACTS)


def load_judge(folder: Path = FOLDER) -> Judge:
    """The judge kept in ``folder``; the one that is shipped when none is given."""
    if not (folder / FACTS).is_file():
        raise ModelNotFoundError(
            f"There is no judge in {folder} ({FACTS} is missing).",
            "Install Palimpsest again.",
        )
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        region_labels, scene_labels = facts["region_labels"], facts["scene_labels"]
        region, scene = RegionNet(region_labels), SceneNet(scene_labels)
        for name, net in (("region", region), ("scene", scene)):
            _restore(net, folder / f"{name}.safetensors")
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as problem:
        raise ModelUnreadableError(
            f"The judge in {folder} can't be read: {problem}", "Install Palimpsest again."
        ) from problem
    return Judge(region, scene, region_labels, scene_labels, float(facts["threshold"]))


def _restore(net: nn.Module, file: Path) -> None:
    net.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in load_file(file).items()})


def with_threshold(judge: Judge, threshold: float) -> Judge:
    """The same networks with another least score."""
    return Judge(judge.region, judge.scene, judge.region_labels, judge.scene_labels, threshold)
