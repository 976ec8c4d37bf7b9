"""Pictures and selections, in from files and out to files, without losing a bit that isn't edited.

Read: PNG, JPEG, WebP, TIFF, BMP (and a still GIF), 8 and 16 bit, grey, palette, RGB, with alpha;
turned upright as EXIF says (what is written says that it is upright). Of an animation the first frame.
Refused with a remedy: CMYK and Lab, HDR, damaged pixels, too small, too large.

A grey picture stays grey: the model sees it in colour space RGB, and what it makes is turned to
grey by luminance, so layer and composite fit the document. To add colour, convert it to RGB first.
Colours under transparent pixels are what the file has; the alpha channel itself is never changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from palimpsest.errors import (
    ImageNotFoundError,
    ImageUnreadableError,
    SelectionEmptyError,
    SelectionSizeError,
    Text,
)
from palimpsest.storage import color, png
from palimpsest.storage.atomic import SHARED, write_atomically
from palimpsest.storage.color_tags import ColorTags, space_of
from palimpsest.storage.decode import Decoded, Limits, check_bytes, decode
from palimpsest.storage.metadata import Metadata
from palimpsest.storage.png import encode

Source = Path | str | bytes  # a file, or its content
LIMITS = Limits()
ENDS = 8  # of 255: what differs from black or white by no more, in a selection, is black or white


@dataclass(frozen=True, eq=False)
class Picture:
    """Upright samples in the document's own colour space and depth. Neither array is to be written to.

    ``pixels``: (H, W, 3) uint8 or uint16, three equal channels if ``grey``. ``alpha``: (H, W) of the
    same type, or None. ``icc`` and ``tags``: what the numbers mean; without either it is sRGB.
    ``metadata``: what else goes along. ``notices``: what the user should be told of the file.
    """

    pixels: NDArray[Any]
    alpha: NDArray[Any] | None = None
    icc: bytes | None = None
    grey: bool = False
    tags: ColorTags = field(default_factory=ColorTags)
    metadata: Metadata = field(default_factory=Metadata)
    notices: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def depth(self) -> int:
        """Bits per channel, 8 or 16."""
        return self.pixels.dtype.itemsize * 8

    @cached_property
    def space(self) -> color.Space:
        return space_of(self.icc, self.tags, self.grey)[0]

    @property
    def meaning(self) -> png.Chunks:
        """The chunks that say what the numbers mean, and how large they are on paper."""
        return (*self.tags.chunks(), *self.metadata.resolution())


def read_picture(source: Source, limits: Limits = LIMITS) -> Picture:
    """Raises the ImageErrors: not found, unreadable, unsupported, too small, too large."""
    found = decode(_content(source, limits), limits)
    carried, samples = found.carried, found.samples
    channels = samples.shape[2]
    grey = channels < 3
    if grey and carried.icc is not None and color.is_rgb(carried.icc):
        grey = False  # grey values with an RGB profile: an RGB picture that happens to have no colour
    values = samples[..., :1] if channels < 3 else samples[..., :3]
    pixels = np.broadcast_to(values, (*samples.shape[:2], 3))  # views: a picture is large
    alpha = samples[..., -1] if channels in (2, 4) else None
    _, space_notices = space_of(carried.icc, carried.tags, grey)
    notices = (*carried.notices, *space_notices)
    return Picture(pixels, alpha, carried.icc, grey, carried.tags, carried.metadata, notices)


def read_selection(source: Source, size: tuple[int, int], limits: Limits = LIMITS) -> NDArray[np.uint8]:
    """A selection for a picture of ``size`` (width, height): (H, W) uint8, 0 = keep, 255 = edit.

    Any grey, palette, RGB or 1-bit picture; colours count by their luminance. If it has an alpha
    channel that isn't fully opaque, the alpha channel is the selection. 16 bits are rounded to 8.
    Values up to ``ENDS`` are 0, values from 255 - ``ENDS`` are 255: a lossy file's noise in the black is no
    selection, or the whole canvas would be one.
    Raises the ImageErrors, SelectionSizeError, SelectionEmptyError.
    """
    found = decode(_content(source, limits), replace(limits, shortest=1))
    height, width = found.samples.shape[:2]
    if (width, height) != tuple(size):
        raise SelectionSizeError(
            Text("selection-size", width=width, height=height, of_width=size[0], of_height=size[1]),
            Text("selection-of-its-size"),
            selection=[width, height],
            picture=list(size),
        )
    mask = _with_clear_ends(_coverage(found))
    if not mask.any():
        raise SelectionEmptyError(Text("selection-below", n=ENDS), Text("select-or-none"))
    return mask


@dataclass(frozen=True, eq=False)
class Example:
    """A picture to learn from: ``pixels`` as sRGB in [0, 1] (H, W, 3), over white where it is transparent;
    ``mask``: where its subject is; ``opacity`` (H, W) in [0, 1], None for a picture without transparency.
    """

    pixels: NDArray[np.float32]
    mask: NDArray[np.uint8] | None = None
    opacity: NDArray[np.float32] | None = None
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Selection:
    """What `read_selection` finds, without the empty rows and columns around it."""

    size: tuple[int, int]  # width, height of the picture that it is for
    box: tuple[int, int, int, int]  # left, top, right, bottom: the smallest box around everything selected
    values: NDArray[np.uint8]  # of the box

    @classmethod
    def of(cls, mask: NDArray[np.uint8]) -> Selection:
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        left, top, right, bottom = (
            int(edge) for edge in (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        )
        box = left, top, right, bottom
        return cls(mask.shape[::-1], box, mask[top:bottom, left:right].copy())

    def within(self, box: tuple[int, int, int, int]) -> NDArray[np.uint8]:
        """The selection in a box that holds all of it: (h, w)."""
        mask = np.zeros((box[3] - box[1], box[2] - box[0]), np.uint8)
        left, top = self.box[0] - box[0], self.box[1] - box[1]
        height, width = self.values.shape
        mask[top : top + height, left : left + width] = self.values
        return mask


def read_example(source: Source, mask: Source | None, limits: Limits = LIMITS) -> Example:
    """A transparent picture without a mask is a cut-out: the subject is where it is more opaque than not.
    What lies under transparency can't be seen and is often black: it goes no further.
    Raises what `read_picture` and `read_selection` raise, SelectionEmptyError too for nothing opaque.
    """
    picture = read_picture(source, limits)
    pixels = to_model_rgb(picture)
    where = None if mask is None else read_selection(mask, picture.size, limits)
    if picture.alpha is None or picture.alpha.min() == np.iinfo(picture.alpha.dtype).max:
        return Example(pixels, where, None, picture.notices)
    opacity = (picture.alpha / np.float32(np.iinfo(picture.alpha.dtype).max)).astype(np.float32)
    if where is None:
        where = np.where(opacity > 0.5, np.uint8(255), np.uint8(0))
        if not where.any():
            raise SelectionEmptyError(
                "A picture to learn from is transparent all over.", "Leave it out, or give it a mask."
            )
    return Example(1 + opacity[..., None] * (pixels - 1), where, opacity, picture.notices)


def _with_clear_ends(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Nearly black to black, nearly white to white."""
    levels = np.arange(256, dtype=np.uint8)
    levels[: ENDS + 1], levels[255 - ENDS :] = 0, 255
    return levels[mask]


def part_of(picture: Picture, box: tuple[int, int, int, int]) -> Picture:
    """The box (left, top, right, bottom) alone, without copying its samples."""
    where = _slices(picture, box)
    alpha = None if picture.alpha is None else picture.alpha[where]
    return replace(picture, pixels=picture.pixels[where], alpha=alpha)


def to_model_rgb(picture: Picture, box: tuple[int, int, int, int] | None = None) -> NDArray[np.float32]:
    """sRGB in [0, 1], float32 (h, w, 3), of the box (left, top, right, bottom) or the whole picture."""
    return color.forth(picture.pixels[_slices(picture, box)], picture.space)


def from_model_rgb(
    edited: NDArray[np.float32], picture: Picture, box: tuple[int, int, int, int] | None = None
) -> NDArray[np.float32]:
    """Edited sRGB of the same box in the picture's own colour space, float32 (h, w, 3) in [0, 1].

    A pixel whose sRGB didn't change comes back as exactly the picture's own value.
    """
    return color.back(edited, picture.pixels[_slices(picture, box)], picture.space)


@dataclass(frozen=True, eq=False)
class Inlaid:
    """A canvas (H, W, channels) with ``part`` (h, w, channels) in it, made some rows at a time: all of a
    large one would need much memory. ``around``: the canvas's own rows, as an array to write to."""

    around: Callable[[slice], NDArray[Any]]
    height: int
    part: NDArray[Any]
    left: int
    top: int

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.height, self.around(slice(0, 1)).shape[1], self.part.shape[2]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.part.dtype

    def __getitem__(self, rows: slice, /) -> NDArray[Any]:
        found = self.around(rows)
        height, width = self.part.shape[:2]
        first, last = max(rows.start, self.top), min(rows.stop, self.top + height)
        if first < last:
            here, there = (slice(first - at, last - at) for at in (rows.start, self.top))
            found[here, self.left : self.left + width] = self.part[there]
        return found


def encode_merged(picture: Picture, merged: NDArray[Any], left: int = 0, top: int = 0) -> bytes:
    """A PNG of the picture with new pixels (h, w, 3) from ``left``, ``top`` on, of the picture's own kind,
    depth and alpha channel, and with everything that it carries."""

    def own(colours: NDArray[Any], rows: slice, columns: slice) -> NDArray[Any]:
        channels = [colours[..., :1] if picture.grey else colours]
        if picture.alpha is not None:
            channels.append(picture.alpha[rows, columns, None])
        return np.concatenate(channels, axis=-1)

    height, width = merged.shape[:2]
    part = own(merged, slice(top, top + height), slice(left, left + width))
    whole = Inlaid(
        lambda rows: own(picture.pixels[rows], rows, slice(None)), picture.size[1], part, left, top
    )
    return encode(whole, picture.icc, (*picture.tags.chunks(), *picture.metadata.chunks()))


def encode_grey(size: tuple[int, int], grey: NDArray[np.uint8], left: int, top: int) -> bytes:
    """A PNG of (width, height) pixels, black but for ``grey`` (h, w) from ``left``, ``top`` on."""
    width, height = size
    return encode(_in_nothing(width, height, grey[..., None], left, top))


def encode_layer(picture: Picture, layer: NDArray[Any], left: int = 0, top: int = 0) -> bytes:
    """A PNG as large as the picture of a layer (h, w, 4) from ``left``, ``top`` on, in the picture's kind:
    RGBA, or grey + alpha for a grey picture.

    It means the same colours and has the same resolution; who made the photo stays with the photo.
    """
    part = layer[..., [0, 3]] if picture.grey else layer
    return encode(_in_nothing(*picture.size, part, left, top), picture.icc, picture.meaning)


def _in_nothing(width: int, height: int, part: NDArray[Any], left: int, top: int) -> Inlaid:
    """Zeros around it."""

    def nothing(rows: slice) -> NDArray[Any]:
        count = min(rows.stop, height) - rows.start
        return np.zeros((count, width, part.shape[2]), part.dtype)

    return Inlaid(nothing, height, part, left, top)


def write_png(path: Path, pixels: NDArray[Any], icc: bytes | None = None) -> Path:
    """Write (H, W[, 2 | 3 | 4]) uint8 or uint16 whole or not at all. Raises DiskFullError, StorageError."""
    write_atomically(path, encode(pixels, icc), mode=SHARED)
    return path


def _content(source: Source, limits: Limits) -> bytes:
    if isinstance(source, bytes):
        return source
    path = Path(source)
    try:
        check_bytes(path.stat().st_size, limits)
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ImageNotFoundError(f"There is no file {path}.", "Check the path.") from error
    except OSError as error:
        why = f"Can't read {path}: {error.strerror}."
        raise ImageUnreadableError(why, "Check its permissions.") from error


def _coverage(found: Decoded) -> NDArray[np.uint8]:
    samples = found.samples
    top = np.iinfo(samples.dtype).max
    channels = samples.shape[2]
    if channels in (2, 4) and samples[..., -1].min() < top:
        values = samples[..., -1].astype(np.float32)
    elif channels >= 3:
        values = samples[..., :3].astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    elif top == 255:
        return samples[..., 0]
    else:
        values = samples[..., 0].astype(np.float32)
    return np.rint(values * np.float32(255 / top)).astype(np.uint8)


def _slices(picture: Picture, box: tuple[int, int, int, int] | None) -> tuple[slice, slice]:
    left, top, right, bottom = (0, 0, *picture.size) if box is None else box
    return slice(top, bottom), slice(left, right)
