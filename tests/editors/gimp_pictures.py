"""A GIMP with pictures of known pixels: what goes in and out as arrays, compared outside GIMP."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from editors.gimp import Gimp
from editors.pictures import Pixels, png, read


@dataclass(frozen=True)
class Kind:
    """A GIMP picture's base type and precision, and how its own pixels lie in memory."""

    name: str
    base: str  # Gimp.ImageBaseType
    precision: str  # Gimp.Precision
    format: str  # babl's
    dtype: Any
    profile: bool = False  # Adobe RGB

    @property
    def channels(self) -> int:
        return 2 if self.base == "GRAY" else 4

    def __str__(self) -> str:
        return self.name


RGB_8 = Kind("RGB 8 bit", "RGB", "U8_NON_LINEAR", "R'G'B'A u8", np.uint8)
RGB_16 = Kind("RGB 16 bit", "RGB", "U16_NON_LINEAR", "R'G'B'A u16", np.uint16)
RGB_FLOAT = Kind("RGB float", "RGB", "FLOAT_NON_LINEAR", "R'G'B'A float", np.float32)
LINEAR_8 = Kind("linear 8 bit", "RGB", "U8_LINEAR", "RGBA u8", np.uint8)
LINEAR_16 = Kind("linear 16 bit", "RGB", "U16_LINEAR", "RGBA u16", np.uint16)
LINEAR_FLOAT = Kind("linear float", "RGB", "FLOAT_LINEAR", "RGBA float", np.float32)
ADOBE_8 = Kind("Adobe RGB 8 bit", "RGB", "U8_NON_LINEAR", "R'G'B'A u8", np.uint8, profile=True)
ADOBE_16 = Kind("Adobe RGB 16 bit", "RGB", "U16_NON_LINEAR", "R'G'B'A u16", np.uint16, profile=True)
GREY_8 = Kind("grey 8 bit", "GRAY", "U8_NON_LINEAR", "Y'A u8", np.uint8)
GREY_16 = Kind("grey 16 bit", "GRAY", "U16_NON_LINEAR", "Y'A u16", np.uint16)
KINDS = (
    RGB_8,
    RGB_16,
    RGB_FLOAT,
    LINEAR_8,
    LINEAR_16,
    LINEAR_FLOAT,
    ADOBE_8,
    ADOBE_16,
    GREY_8,
    GREY_16,
)


@dataclass(frozen=True)
class Captured:
    image: Pixels
    selection: Pixels | None
    bounds: list[int]
    source: str
    canvas: list[int]


class GimpImages:
    def __init__(self, gimp: Gimp) -> None:
        self.gimp = gimp
        self.files = gimp.box.files

    def new(self, pixels: Pixels, kind: Kind, profile: bytes | None = None) -> int:
        """The picture's number. ``pixels`` lie as GIMP itself keeps them."""
        height, width = pixels.shape[:2]
        path = self._write("new", pixels.tobytes())
        icc = None if profile is None else str(self._write("profile.icc", profile))
        return self.gimp.call("new", kind.base, kind.precision, str(path), width, height, kind.format, icc)

    def layer(self, name: str, pixels: Pixels, x: int = 0, y: int = 0, **mixed: Any) -> dict[str, Any]:
        """One of GIMP's step ``add_tree``. ``mixed``: opacity (0 … 100), mode, visible."""
        path = self._write(f"layer-{name}", pixels.tobytes())
        return {"name": name, "pixels": str(path), "bounds": [x, y, *pixels.shape[1::-1]], **mixed}

    def seen(self, image: int, like: Pixels) -> Pixels:
        """What is seen, in the picture's own precision and encoding."""
        path = self.files / "seen"
        self.gimp.call("seen", image, str(path))
        return np.frombuffer(path.read_bytes(), like.dtype).reshape(like.shape)

    def selected(self, image: int, height: int, width: int) -> Pixels:
        path = self.files / "selected"
        self.gimp.call("selected", image, str(path))
        return np.frombuffer(path.read_bytes(), np.uint8).reshape(height, width)

    def select(self, image: int, mask: Pixels) -> None:
        height, width = mask.shape
        path = self._write("mask.png", png(mask[..., None]))
        assert self.gimp.call("select", image, str(path), [0, 0, width, height]) is None

    def capture(self, image: int, source: str = "canvas", within: list[int] | None = None) -> Captured:
        told = self.gimp.call("capture", image, source, str(self.files), within)
        assert "failed" not in told, told
        found = read((self.files / "image.png").read_bytes())
        selection = read((self.files / "selection.png").read_bytes()) if told["selection"] else None
        mask = None if selection is None else selection[..., 0]
        return Captured(found, mask, told["bounds"], told["source"], told["canvas"])

    def refusal(self, image: int, source: str = "canvas") -> str:
        """Why nothing can be captured."""
        return self.gimp.call("capture", image, source, str(self.files))["failed"]

    def insert(
        self,
        image: int,
        layer: Pixels,
        updates: str | None = None,
        at: tuple[int, int] = (0, 0),
        source: str = "canvas",
        canvas: tuple[int, int] | None = None,
    ) -> Any:
        path = self._write("layer.png", png(layer))
        bounds = [*at, layer.shape[1], layer.shape[0]]
        told = [str(path), bounds, "cat → dog", '{"a": "ä"}', updates, source, canvas]
        return self.gimp.call("insert", image, *told)

    def layers(self, image: int) -> list[dict[str, Any]]:
        return self.gimp.call("layers", image)

    def run(self, procedure: str, image: int | None, /, **values: Any) -> dict[str, Any]:
        """One of our procedures, as a script calls it."""
        return self.gimp.call("run", "plug-in-palimpsest-" + procedure, image, "NONINTERACTIVE", values)

    def recipe(self, image: int) -> dict[str, Any]:
        return json.loads(self.layers(image)[0]["recipe"])

    def _write(self, name: str, content: bytes) -> Path:
        path = self.files / name
        path.write_bytes(content)
        return path
