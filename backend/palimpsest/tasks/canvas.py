"""The picture of a request as the model sees it, and the way back to files."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from palimpsest.core.model import DiffusionModel
from palimpsest.core.picture import region as regions
from palimpsest.core.picture.composite import Composite, changed, composite
from palimpsest.core.picture.detail import Restorer, restorer
from palimpsest.core.picture.laid import Laid
from palimpsest.core.picture.region import Mask, Region
from palimpsest.core.picture.selection import grown
from palimpsest.errors import NotFiniteError, RequestError, Text
from palimpsest.storage.color import forth
from palimpsest.storage.pictures import (
    Picture,
    encode_grey,
    encode_layer,
    encode_merged,
    from_model_rgb,
    part_of,
    to_model_rgb,
)
from palimpsest.storage.png import encode
from palimpsest.tasks.context import TaskContext

PREVIEW_PIXELS = 1 << 20  # pixels over which an edit is laid within a moment
IDENTICAL_DB = 100.0  # what is said for two pictures without any difference; JSON knows no infinity


@dataclass(frozen=True)
class View:
    """What the request shows the model of its picture."""

    image: str
    selection: str | None = None
    context: float = 0.5
    working_size: int | None = None
    grow: int = 0  # pixels of the picture that the selection is grown by


@dataclass(frozen=True, eq=False)
class Begun:
    """What an edit began from, where not from the photo alone: a subject laid into it."""

    laid: Laid
    z: Tensor  # (1, c, h, w): its latent
    noise: float  # part of the noise levels that was put on it


@dataclass(frozen=True, eq=False)
class Canvas:
    """The region of a picture that is worked on, what is selected in it and how far that was grown.

    All is the region's box and nothing else, but for ``whole``, the picture that it lies in, and ``placed``,
    where: so the rest of a large picture costs nothing.
    """

    whole: Picture
    placed: Region
    picture: Picture
    selected: Mask | None
    grow: int  # pixels
    mask: Mask | None  # what may change: the selection, grown
    region: Region
    model: DiffusionModel

    @cached_property
    def pixels(self) -> Tensor:
        """What the model sees: (1, 3, h, w) in [-1, 1]."""
        across = slice(0, self.region.box.size.width)
        return regions.cut_rows(lambda rows: self.srgb(rows, across), self.region)

    def srgb(self, rows: slice, columns: slice) -> NDArray[np.float32]:
        """Part of the region's box as sRGB in [0, 1]."""
        return to_model_rgb(self.picture, self.part(rows, columns))

    def part(self, rows: slice, columns: slice) -> tuple[int, int, int, int]:
        """Part of the box in the canvas's pixels: left, top, right, bottom."""
        left, top = self.region.box[:2]
        return left + columns.start, top + rows.start, left + columns.stop, top + rows.stop

    @cached_property
    def z0(self) -> Tensor:
        return self.model.encode(self.pixels)

    @cached_property
    def roundtrip(self) -> Tensor:
        """What the autoencoder alone makes of the picture: the best any edit can reproduce."""
        return self.model.decode(self.z0).cpu()

    def decoded(self, z: Tensor) -> Tensor:
        """The picture of a latent (1, c, h, w): (1, 3, h, w) in [-1, 1]. The photo's own is decoded once."""
        return self.roundtrip if torch.equal(z, self.z0) else self.model.decode(z).cpu()

    @property
    def latent_mask(self) -> Tensor | None:
        if self.mask is None:
            return None
        return regions.latent_mask(self.mask, self.region, self.model.stride).to(self.model.device)

    @property
    def working_selection(self) -> Tensor:
        """What was selected, before it was grown, where the model sees it: (1, 1, h, w) of 0 and 1."""
        selected = regions.working_mask(self.selected, self.region)
        selected[..., self.region.inner.height :, :] = 0
        selected[..., self.region.inner.width :] = 0
        return selected

    @property
    def working_size(self) -> tuple[int, int]:
        """Width and height in pixels that the model works at."""
        return self.region.work

    def sharpened(self, decoded: Tensor, begun: Begun | None = None) -> Restorer:
        """An edited picture, as the model sees it, with the detail that the autoencoder loses."""
        return self._restorer(decoded, begun, self.mask, self.region)

    def _restorer(self, decoded: Tensor, begun: Begun | None, mask: Mask | None, region: Region) -> Restorer:
        if begun is None:
            return restorer(decoded, self.roundtrip, self.pixels, mask, region)
        trip = self.model.decode(begun.z).cpu()
        return restorer(decoded, trip, begun.laid.pixels, mask, region, begun.laid, begun.noise)

    def lay(self, sharp: Restorer, feather: int) -> Composite:
        """An edit laid over the picture.

        With a grown selection the soft edge lies in what it was grown by, and is as wide at most.
        """
        edge = min(feather, self.grow) if self.grow > 0 else feather
        selected = self.selected if self.grow > 0 else None
        return composite(
            self.picture.pixels,
            LazyEdit(self, sharp),
            self.mask,
            self.region,
            edge,
            self.picture.alpha,
            selected,
        )

    def preview(self, decoded: Tensor, feather: int, begun: Begun | None = None) -> Tensor:
        """`seen` of an edited picture, as the model sees it, without laying it over the whole one.

        The same pixels where the region has ``PREVIEW_PIXELS`` or fewer. A larger one is made as small as
        that first, and its soft edge with it.
        """
        small = self._cropped()
        sharp = self._restorer(decoded, begun, small.mask, small.region)
        width = round(feather * small.region.box.size.width / self.region.box.size.width)
        return small.seen(small.lay(sharp, width))

    def _cropped(self) -> Canvas:
        """The region without the rest of its picture, of ``PREVIEW_PIXELS`` pixels or fewer."""
        box, size = self.region.box.slices, self.region.box.size
        scale = math.sqrt(PREVIEW_PIXELS / (size.width * size.height))
        if scale < 1:
            size = regions.Size(*(max(1, math.floor(scale * length)) for length in size))
        picture = replace(
            self.picture,
            pixels=_shrunk(self.picture.pixels[box], size),
            alpha=None if self.picture.alpha is None else _shrunk(self.picture.alpha[box], size),
        )
        selected = None if self.selected is None else _shrunk(self.selected[box], size)
        mask = None if self.mask is None else _shrunk(self.mask[box], size)
        region = Region(size, regions.Box(0, 0, *size), self.region.inner, self.region.work)
        grow = math.ceil(self.grow * size.width / self.region.box.size.width)
        return Canvas(self.whole, self.placed, picture, selected, grow, mask, region, self.model)

    def changed_by_growing(self, made: Composite) -> int:
        """Pixels that weren't selected, and changed because the selection was grown."""
        return changed(self.picture.pixels, made.merged, self.selected)[0] - made.pixels_changed_outside

    def seen(self, made: Composite) -> Tensor:
        """What became of the region, as people see it: (1, 3, h, w) sRGB in [-1, 1] at the working size.

        What is transparent lies over white: the colours under it were never meant to be seen.
        """
        left, top, right, _ = self.region.box

        def rows_of(rows: slice) -> NDArray[np.float32]:
            part = slice(top + rows.start, top + rows.stop), slice(left, right)
            pixels, alpha = forth(made.merged[part], self.picture.space), self.picture.alpha
            if alpha is None:
                return pixels
            opacity = alpha[part][..., None] / np.float32(np.iinfo(alpha.dtype).max)
            return (1 + opacity * (pixels - 1)).astype(np.float32)

        work = regions.cut_rows(rows_of, self.region)
        return work[..., : self.region.inner.height, : self.region.inner.width]

    def psnr(self, decoded: Tensor) -> float:
        """Of a picture against the photo, over what the model sees of it."""
        return psnr(decoded, self.pixels)

    def outside_psnr(self, decoded: Tensor) -> float | None:
        """What the sampler alone, before compositing, left of the unselected part; None if there is none."""
        outside = (regions.working_mask(self.mask, self.region) == 0).expand_as(self.pixels)
        if not bool(outside.any()):
            return None
        return psnr(decoded[outside], self.pixels[outside])

    def grey(self, grid: Tensor) -> NDArray[np.uint8]:
        """A map in [0, 1] over the working picture, as a grey picture of the region."""
        return np.rint(regions.to_canvas(grid, self.region) * 255).astype(np.uint8)

    def grey_png(self, grey: NDArray[np.uint8]) -> bytes:
        """A grey picture of the region, in black of the whole picture's size."""
        return encode_grey(self.whole.size, grey, *self.placed.box[:2])

    def with_mask(self, mask: Mask) -> Canvas:
        """With another part that may change; what was computed of its pixels stays."""
        made = copy(self)
        object.__setattr__(made, "mask", mask)
        return made

    @property
    def alone(self) -> Canvas:
        """The same where the region is the whole picture: what is written of it is as large as that."""
        return replace(self, whole=self.picture, placed=self.region)

    def layer_png(self, made: Composite) -> bytes:
        """Of the whole picture's size."""
        return encode_layer(self.whole, made.layer, *self.placed.box[:2])

    def merged_png(self, made: Composite) -> bytes:
        """The whole picture with the edit."""
        return encode_merged(self.whole, made.merged, *self.placed.box[:2])


@dataclass(frozen=True, eq=False)
class LazyEdit:
    """What an edit lays over the box, in the picture's own colours, made when a part is asked for."""

    canvas: Canvas
    sharp: Restorer

    def __getitem__(self, part: tuple[slice, slice]) -> NDArray[np.float32]:
        made = self.sharp.part(self.canvas.srgb(*part), *part)
        return from_model_rgb(made, self.canvas.picture, self.canvas.part(*part))


def open_canvas(context: TaskContext, model: DiffusionModel, view: View) -> Canvas:
    """Raises the ImageErrors, SelectionErrors and RequestErrors."""
    whole = context.decoded.picture(view.image)
    selection = None
    if view.selection is not None:
        selection = context.decoded.selection(view.selection, whole.size)
    placed = regions.plan_around(
        whole.size,
        None if selection is None else regions.Box(*selection.box),
        model.native_size,
        model.granularity,
        view.context,
        view.working_size,
        view.grow,
    )
    most = MOST_WORKING_SIDES * model.native_size
    if max(placed.work) > most:
        raise RequestError(
            Text("working-size-large", n=max(placed.work)),
            Text("working-size-most", native=model.native_size, most=most),
        )
    selected = None if selection is None else selection.within(placed.box)
    mask = None if selected is None else grown(selected, view.grow)
    picture = part_of(whole, placed.box)
    return Canvas(whole, placed, picture, selected, view.grow, mask, placed.alone, model)


def _shrunk(samples: NDArray[Any], size: regions.Size) -> NDArray[Any]:
    """(H, W) or (H, W, 3) of whole levels at another size, as they are where that is their own."""
    if samples.shape[:2] == size[::-1]:
        return samples
    planes = samples.reshape(*samples.shape[:2], -1)
    top = int(np.iinfo(samples.dtype).max)
    small = regions.resize(regions.as_planes(planes / np.float32(top)), size).clamp(0, 1)
    found = np.rint(small[0].permute(1, 2, 0).numpy() * top).astype(samples.dtype)
    return found.reshape(*found.shape[:2], *samples.shape[2:])


MOST_WORKING_SIDES = 4


def model_png(pixels: Tensor) -> bytes:
    """(1, 3, h, w) in [-1, 1] as an 8-bit PNG."""
    return encode(to_bytes(pixels))


def to_bytes(pixels: Tensor) -> NDArray[np.uint8]:
    """(1, 3, h, w) in [-1, 1] → (h, w, 3) uint8."""
    return ((pixels[0].clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy()


def psnr(a: Tensor, b: Tensor) -> float:
    """10 log10(1 / MSE) of two pictures in [-1, 1], in dB; ``IDENTICAL_DB`` at most.

    Raises NotFiniteError for pictures with NaN or infinity: no figure is made of them.
    """
    error = float(torch.mean(((a.double() - b.double()) / 2) ** 2))
    if not math.isfinite(error):
        raise NotFiniteError("A picture to compare holds NaN or infinity.", "Use another model file.")
    return IDENTICAL_DB if error == 0 else round(min(IDENTICAL_DB, 10 * math.log10(1 / error)), 3)
