"""Pictures for the editors' tests, and what they must look like afterwards: NumPy and Pillow, no editor."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from palimpsest import demo
from palimpsest.scenes.scene import TEST_SEEDS, render, sample_scene
from palimpsest.storage.decode import Limits, decode
from palimpsest.storage.png import encode

Pixels = NDArray[Any]
DEMO = Path(demo.__file__).parent / "pictures"
BALL, BESIDE_IT = (0.17, 0.41, 0.47, 0.47), (0.74, 0.46, 0.25, 0.44)  # in its photo: ``oval``'s places
LIMITS = Limits(shortest=1)


def noise(height: int, width: int, channels: int, dtype: Any, seed: int = 0) -> Pixels:
    """Opaque, every value possible; floats in [0, 1]."""
    random = np.random.default_rng(seed)
    if np.issubdtype(dtype, np.floating):
        pixels = random.random((height, width, channels)).astype(dtype)
        top: Any = 1
    else:
        top = np.iinfo(dtype).max
        pixels = random.integers(0, top, (height, width, channels), dtype, endpoint=True)
    pixels[..., -1] = top
    return pixels


def disc(height: int, width: int, soft: int = 6) -> Pixels:
    """A selection with soft edges in the middle: 0 … 255."""
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - height / 2, x - width / 2)
    return np.clip((min(height, width) / 3 - distance) / soft * 255, 0, 255).astype(np.uint8)


def layer_over(mask: Pixels, dtype: Any, channels: int = 4, seed: int = 1) -> Pixels:
    """What the backend sends: colours where the mask isn't 0, alpha from the mask."""
    layer = noise(mask.shape[0], mask.shape[1], channels, dtype, seed)
    layer[..., -1] = mask.astype(dtype) * (1 if dtype == np.uint8 else 257)
    layer[mask == 0] = 0
    return layer


def oval(side: int, left: float, top: float, width: float, height: float) -> Pixels:
    """A selection in a square picture; where it lies as fractions of its side."""
    y, x = (np.mgrid[:side, :side] + 0.5) / side
    inside = np.hypot((x - left) / width * 2 - 1, (y - top) / height * 2 - 1) <= 1
    return np.where(inside, np.uint8(255), np.uint8(0))


def changed_only(before: Pixels, after: Pixels, places: Sequence[Pixels]) -> bool:
    """In each of these selections something, outside all of them nothing."""
    changed = (before != after).any(axis=-1)
    outside = np.max(places, axis=0) == 0
    return not changed[outside].any() and all(changed[place > 0].any() for place in places)


def box_of(mask: Pixels) -> list[int]:
    """x, y, width, height of everything that isn't 0."""
    rows, columns = np.nonzero(mask)
    return [int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1]


def png(pixels: Pixels) -> bytes:
    return encode(pixels)


def read(content: bytes) -> Pixels:
    """A PNG of any depth, as (H, W, channels)."""
    return decode(content, LIMITS).samples


def merged_image(kra: Path) -> Pixels:
    """What Krita itself wrote of the whole picture into its file."""
    with zipfile.ZipFile(kra) as archive:
        return np.array(Image.open(io.BytesIO(archive.read("mergedimage.png"))).convert("RGBA"))


def mixed_alike(found: Pixels, expected: Pixels, most: float = 2**-23) -> bool:
    """Bit for bit; floats of 32 bits but for ``most``: how an editor rounds while it mixes layers depends on
    which pixels it mixes at once."""
    if found.dtype != np.float32:
        return np.array_equal(found, expected)
    return bool(np.abs(found.astype(np.float64) - expected).max(initial=0) < most)


def as_krita(pixels: Pixels) -> Pixels:
    """Whole-number RGBA in Krita's order, which is blue first; the other way round too."""
    swap = pixels.shape[-1] == 4 and not np.issubdtype(pixels.dtype, np.floating)
    return np.ascontiguousarray(pixels[..., [2, 1, 0, 3]]) if swap else pixels


def with_before(window: Image.Image, before: Sequence[Pixels]) -> Image.Image:
    """A window, and on its left a column of what was there before, as high together."""
    gap = 8
    side = (window.height - gap * (len(before) - 1)) // len(before)
    sheet = Image.new("RGB", (side + gap + window.width, window.height), (128, 128, 128))
    for number, pixels in enumerate(before):
        small = Image.fromarray(pixels[..., :3]).resize((side, side), Image.Resampling.LANCZOS)
        sheet.paste(small, (0, number * (side + gap)))
    sheet.paste(window, (side + gap, 0))
    return sheet


def doubtful_scene() -> Pixels:
    """128 x 128: "an ink wash of a person on grass" to the built-in judge, 65 % sure of the person."""
    scene = sample_scene(TEST_SEEDS[73_042], count=1, style="ink wash")
    rgb = render(scene, 128, masks=False).image
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])


def picture_of(name: str, side: int = 128) -> Pixels:
    """One of the demo's, as opaque RGBA."""
    rgb = np.array(Image.open(DEMO / f"{name}.png").convert("RGB").resize((side, side)))
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
