"""Grounds: what is behind and under the things.

Noise is smooth and faint, and regular patterns (planks, bricks) have one period and few phases, both simple
fractions of the side: a small autoencoder can then keep them, and the things stay what the picture is about.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

_GRAINS = {"fine": (2.0, 2.8), "soft": (9.0, 9.0), "wide": (14.0, 1.8), "middle": (3.0, 3.0)}
"""Blur of each noise field, across and down, in 128ths of the picture's side."""
_TEXELS = 384
"""The fields are three sides wide, so that pictures are cut from different places."""


@lru_cache(maxsize=32)
def _field(grain: str, side: int) -> Array:
    """Smooth noise of unit variance over three sides; the same picture at every resolution."""
    rng = np.random.default_rng([7, sorted(_GRAINS).index(grain)])
    spectrum = np.fft.rfft2(rng.standard_normal((_TEXELS, _TEXELS)))
    across, down = _GRAINS[grain]
    fv, fu = np.fft.fftfreq(_TEXELS)[:, None], np.fft.rfftfreq(_TEXELS)[None, :]
    spectrum *= np.exp(-2 * np.pi**2 * ((across * fu) ** 2 + (down * fv) ** 2))
    n = 3 * side
    k = min(_TEXELS, n) // 2
    resized = np.zeros((n, n // 2 + 1), complex)
    resized[:k, :k] = spectrum[:k, :k]
    resized[-k + 1 :, :k] = spectrum[-k + 1 :, :k]
    field = np.fft.irfft2(resized, s=(n, n))
    field = (field / field.std()).astype(np.float32)
    field.setflags(write=False)
    return field


def cut(grain: str, side: int, rng: np.random.Generator) -> Array:
    """A `side` × `side` piece of the noise called `grain`, from a place that `rng` picks."""
    row, column = (rng.random(2) * 2 * side).astype(int)
    return _field(grain, side)[row : row + side, column : column + side]


def grid(side: int) -> tuple[Array, Array]:
    """Columns `(1, side)` and rows `(side, 1)` of pixel centres, in sides."""
    centres = ((np.arange(side) + 0.5) / side).astype(np.float32)
    return centres[None, :], centres[:, None]


def rgb(*values: float) -> Array:
    """A colour as an array."""
    return np.asarray(values, np.float32)


def paint_ground(ground: str, side: int, rng: np.random.Generator) -> Array:
    """Backdrop and floor, `(side, side, 3)` in [0, 255], with a horizon between .30 and .44 of the height."""
    horizon = float(rng.uniform(0.30, 0.44))
    x, y = grid(side)
    backdrop = _BACKDROPS[ground](x, y, horizon, rng)
    depth = np.clip((y - horizon) / (1 - horizon), 0, 1)
    floor = _FLOORS[ground](x, y, depth, rng)
    below = np.clip((y - horizon) * side / 1.5 + 0.5, 0, 1)[..., None]
    return np.asarray(backdrop * (1 - below) + floor * below, np.float32)


def _sky(x: Array, y: Array, horizon: float, rng: np.random.Generator) -> Array:
    clouds = np.clip(cut("soft", y.shape[0], rng), 0, 3)[..., None] * 7
    top = rgb(105, 165, 225) + rng.uniform(-15, 15, 3).astype(np.float32)
    up = np.clip(y / horizon, 0, 1)[..., None]
    return top * (1 - up) + rgb(200, 222, 240) * up + clouds


def _winter_sky(x: Array, y: Array, horizon: float, rng: np.random.Generator) -> Array:
    clouds = np.clip(cut("soft", y.shape[0], rng), 0, 3)[..., None] * 6
    top = rgb(140, 160, 185) + rng.uniform(-10, 10, 3).astype(np.float32)
    up = np.clip(y / horizon, 0, 1)[..., None]
    return top * (1 - up) + rgb(195, 212, 230) * up + clouds


def _wall(x: Array, y: Array, horizon: float, rng: np.random.Generator) -> Array:
    plaster = ((205, 195, 175), (170, 175, 180), (190, 200, 185))[int(rng.integers(3))]
    up = np.clip(y / horizon, 0, 1)[..., None]
    return np.broadcast_to(rgb(*plaster) * (0.88 + 0.14 * up), (y.shape[0], x.shape[1], 3))


_HOUSES = ((196, 170, 150), (168, 178, 190), (206, 196, 168), (176, 160, 160))


def _houses(x: Array, y: Array, horizon: float, rng: np.random.Generator) -> Array:
    """A row of four plain houses with windows before a pale sky."""
    picture = np.broadcast_to(rgb(190, 212, 232) + 20 * y[..., None], (y.shape[0], x.shape[1], 3)).copy()
    first = int(rng.integers(4))
    for k in range(4):
        roof = horizon - (0.24, 0.30, 0.20, 0.27)[(k + first) % 4]
        inside = ((x >= k / 4) & (x < (k + 1) / 4) & (y >= roof)).astype(np.float32)
        window = ((x * 16 - 0.5) % 2 < 1) & ((y - roof) * 12.8 % 1.6 > 0.75) & (y < horizon - 0.03)
        colour = rgb(*_HOUSES[(k + 2 * first) % 4]) - 52 * window[..., None].astype(np.float32)
        picture += inside[..., None] * (colour - picture)
    return picture


def _grass(x: Array, y: Array, depth: Array, rng: np.random.Generator) -> Array:
    blades = cut("fine", y.shape[0], rng) * 6 + cut("soft", y.shape[0], rng) * 8
    return rgb(78, 145, 52) + blades[..., None] * rgb(0.8, 1, 0.5) + depth[..., None] * 14


def _sand(x: Array, y: Array, depth: Array, rng: np.random.Generator) -> Array:
    ripples = cut("wide", y.shape[0], rng) * 6 + cut("soft", y.shape[0], rng) * 6
    return rgb(216, 186, 128) + (ripples + depth * 8)[..., None]


def _snow(x: Array, y: Array, depth: Array, rng: np.random.Generator) -> Array:
    return rgb(232, 238, 246) + (cut("soft", y.shape[0], rng) * 6)[..., None]


def _sea(x: Array, y: Array, depth: Array, rng: np.random.Generator) -> Array:
    return rgb(38, 105, 160) + (cut("wide", y.shape[0], rng) * 12 - depth * 15)[..., None]


def _wood(x: Array, y: Array, depth: Array, rng: np.random.Generator) -> Array:
    phase = int(rng.integers(2)) / 2
    plank = np.floor(y * 8 + phase)
    joint = np.clip(1.2 - 16 * ((y * 8 + phase) % 1), 0, 1)
    tone = np.sin(plank * 2.4 + phase) * 9 + cut("wide", y.shape[0], rng) * 5
    return rgb(158, 106, 62) + (tone - joint * 45)[..., None]


def _brick(x: Array, y: Array, depth: Array, rng: np.random.Generator) -> Array:
    phase = int(rng.integers(2)) / 2
    row = np.floor(y * 8 + phase)
    along = x * 4 + phase + row % 2 / 2
    mortar = np.maximum(_joint((y * 8 + phase) % 1, 0.18, 16), _joint(along % 1, 0.09, 32))[..., None]
    tone = np.sin(row * 2.9 + np.floor(along) * 5.2) * 7 + cut("soft", y.shape[0], rng) * 3
    return (rgb(165, 78, 60) + tone[..., None]) * (1 - mortar) + mortar * rgb(184, 166, 152)


def _joint(at: Array, width: float, softness: float) -> Array:
    """A soft line `width` wide at the start of each period, `at` being the place within it."""
    return np.clip((width / 2 - np.abs(at - width / 2)) * softness + 0.5, 0, 1)


def _street(x: Array, y: Array, depth: Array, rng: np.random.Generator) -> Array:
    """A pavement along the houses, a kerb, and asphalt with a dashed line."""
    grain = cut("middle", y.shape[0], rng) * 3 + cut("soft", y.shape[0], rng) * 3
    asphalt = rgb(96, 98, 104) + grain[..., None]
    dashes = (np.abs(depth - 0.72) < 0.035) & ((x * 4 + int(rng.integers(4)) / 4) % 1 < 0.55)
    asphalt = asphalt + dashes[..., None] * (rgb(222, 222, 214) - asphalt)
    kerb = np.clip((0.2 - depth) * 40, 0, 1)[..., None]
    pavement = np.where(depth[..., None] > 0.16, 150, 182) + rgb(0, -2, -6)
    return asphalt * (1 - kerb) + pavement * kerb


_Backdrop = Callable[[Array, Array, float, np.random.Generator], Array]
_Floor = Callable[[Array, Array, Array, np.random.Generator], Array]
_BACKDROPS: dict[str, _Backdrop] = {
    "grass": _sky,
    "sand": _sky,
    "snow": _winter_sky,
    "sea": _sky,
    "wood": _wall,
    "brick": _wall,
    "street": _houses,
}
_FLOORS: dict[str, _Floor] = {
    "grass": _grass,
    "sand": _sand,
    "snow": _snow,
    "sea": _sea,
    "wood": _wood,
    "brick": _brick,
    "street": _street,
}
