"""PIE-Bench's measures that need no network: how well the background is kept (Ju et al. 2024).

As the protocol defines them: what is to change is made black in both pictures, and the whole pictures are
compared, values in [0, 1]. So a large mask alone lowers the error; only figures of the same cases compare.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from palimpsest.bench.pictures import Picture
from palimpsest.bench.pie_data import Entry

Values = NDArray[np.float64]

SIGMA, REACH = 1.5, 5  # of SSIM's Gaussian window, in pixels
C1, C2 = 0.01**2, 0.03**2


@dataclass(frozen=True)
class Background:
    """``psnr``: in dB, None where nothing differs. ``ssim``: 1 where nothing does."""

    mse: float
    psnr: float | None
    ssim: float


def background(photo: Picture, edited: Picture, mask: NDArray[np.bool_]) -> Background | None:
    """Of what ``mask`` (height, width) says isn't to change; None where that is nothing."""
    outside = ~with_border(mask)[..., None]
    if not outside.any():
        return None
    before, after = (picture.astype(np.float64) / 255 * outside for picture in (photo, edited))
    mse = float(((before - after) ** 2).mean())
    psnr = None if mse == 0 else -10 * float(np.log10(mse))
    return Background(mse, psnr, ssim(before, after))


def mask_of(entry: Entry, height: int, width: int) -> NDArray[np.bool_]:
    """(height, width): what is to change."""
    mask = np.zeros(height * width, np.bool_)
    for begin, length in zip(entry.runs[::2], entry.runs[1::2], strict=True):
        mask[begin : begin + length] = True
    return mask.reshape(height, width)


def with_border(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The outermost pixels are never background: there the protocol doesn't trust its masks."""
    wide = np.pad(mask[1:-1, 1:-1], 1, constant_values=True)
    assert wide.shape == mask.shape
    return wide


def ssim(a: Values, b: Values) -> float:
    """Structural similarity of two pictures (height, width, channels) in [0, 1] (Wang et al. 2004, eq. 13):
    the mean over all windows of 11 × 11 that lie in the picture."""
    mean_a, mean_b = windowed(a), windowed(b)
    spread_a, spread_b = windowed(a * a) - mean_a**2, windowed(b * b) - mean_b**2
    shared = windowed(a * b) - mean_a * mean_b
    means = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
    return float((means * (2 * shared + C2) / (spread_a + spread_b + C2)).mean())


def windowed(values: Values) -> Values:
    """The Gaussian mean around each point whose window lies in the picture."""
    weights = np.exp(-(np.arange(-REACH, REACH + 1) ** 2) / (2 * SIGMA**2))
    weights /= weights.sum()
    for axis in (0, 1):
        values = sliding_window_view(values, len(weights), axis) @ weights
    return values
