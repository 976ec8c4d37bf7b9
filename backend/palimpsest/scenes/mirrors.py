"""The mirror, and the pale image in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from palimpsest.scenes.shapes import Array, Frame, Layer, Paint, box, capsule, coverage

_GILT = np.asarray((170, 120, 56), np.float32)
_GLASS = np.asarray((206, 222, 230), np.float32)
_PALENESS = 0.5


@dataclass(frozen=True)
class Glass:
    """Where a mirror's pane is, so that a reflection can be laid into it."""

    layer: Layer
    pane: Array


def paint_mirror(f: Frame) -> Glass:
    """A gilt frame on two feet around an empty pane."""
    layer = Layer(f)
    for side in (-1, 1):
        layer.add(capsule(f, (side * 0.5, -0.12), (side * 0.66, -0.05), (0.08, 0.07)), Paint(_GILT * 0.8))
    layer.add(box(f, (-0.7, -2.05), (0.7, -0.08), 0.16), Paint(_GILT))
    layer.add(box(f, (-0.62, -1.97), (0.62, -0.16), 0.1), Paint(_GILT * 0.72))
    pane = box(f, (-0.56, -1.91), (0.56, -0.22), 0.07)
    shine = np.clip(1 - np.abs(f.u + 0.6 * f.v + 0.75) * 5, 0, 1)[..., None] * 26
    layer.add(pane, Paint(np.clip(_GLASS + 14 * f.v[..., None] + 14 + shine, 0, 255)))
    return Glass(layer, coverage(pane.distance, f.pixel))


def reflect(glass: Glass, image: Layer) -> Layer:
    """The mirror with the pale `image` (painted over the same window) in its pane."""
    a = (image.alpha * glass.pane * (1 - _PALENESS))[..., None]
    whole = np.maximum(image.alpha, 1e-6)[..., None]
    glass.layer.rgb += a * (image.rgb / whole - glass.layer.rgb)
    return glass.layer
