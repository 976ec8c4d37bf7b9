"""A Krita with one picture open, in arrays: what the tests do, in a test's words."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from editors.krita import Krita
from editors.pictures import Pixels, as_krita, box_of, png, read

SRGB, LINEAR, ADOBE = "sRGB-elle-V2-srgbtrc.icc", "sRGB-elle-V2-g10.icc", "ClayRGB-elle-V2-g22.icc"
GREY, GREY_LINEAR = "Gray-D50-elle-V2-srgbtrc.icc", "Gray-D50-elle-V2-g10.icc"


class Kind(NamedTuple):
    """A kind of document: Krita's name for its colour space, and how NumPy holds its pixels."""

    model: str
    depth: str
    profile: str
    dtype: Any

    def __str__(self) -> str:
        return f"{self.model} {self.depth} {self.profile.partition('-')[0]} {self.profile[-8:-4]}"

    @property
    def channels(self) -> int:
        return 4 if self.model == "RGBA" else 2


RGB_8 = Kind("RGBA", "U8", SRGB, np.uint8)
RGB_16 = Kind("RGBA", "U16", SRGB, np.uint16)
HALF = Kind("RGBA", "F16", LINEAR, np.float16)
FLOAT = Kind("RGBA", "F32", LINEAR, np.float32)
ADOBE_8 = Kind("RGBA", "U8", ADOBE, np.uint8)
ADOBE_16 = Kind("RGBA", "U16", ADOBE, np.uint16)
GREY_8 = Kind("GRAYA", "U8", GREY, np.uint8)
GREY_16 = Kind("GRAYA", "U16", GREY, np.uint16)
GREY_LINEAR_16 = Kind("GRAYA", "U16", GREY_LINEAR, np.uint16)
KINDS = (RGB_8, RGB_16, HALF, FLOAT, ADOBE_8, ADOBE_16, GREY_8, GREY_16, GREY_LINEAR_16)


@dataclass(frozen=True)
class Captured:
    bounds: list[int]
    image: Pixels
    mask: Pixels | None
    document: str
    source: str
    canvas: list[int]


class KritaDocuments:
    """Pixels are (H, W, channels), red first."""

    def __init__(self, krita: Krita) -> None:
        self.krita = krita
        self.kind = RGB_8
        self.shape = (0, 0)
        self._files = 0

    def open(self, pixels: Pixels, kind: Kind = RGB_8) -> None:
        """A file with one layer."""
        self.open_tree([self.layer("photo", pixels)], pixels.shape[:2], kind)

    def open_tree(self, tree: list[dict], shape: tuple[int, int], kind: Kind = RGB_8) -> None:
        """A file with these layers, the lowest first; what they have: ``layer_of`` of Krita's steps."""
        height, width = shape
        file = self.file(name=f"-{uuid.uuid4().hex}.kra")  # words are kept by a file's name
        self.krita.call("make_file", file, width, height, *kind[:3], tree)
        self.open_file(file, kind)

    def open_file(self, file: Path, kind: Kind) -> None:
        width, height, *space = self.krita.call("open_document", file)
        assert space == list(kind[:3])
        self.kind, self.shape = kind, (height, width)

    def layer(self, name: str, pixels: Pixels, x: int = 0, y: int = 0, **mixed: Any) -> dict[str, Any]:
        """One of ``open_tree``. ``mixed``: opacity (0 … 255), mode, visible."""
        raw = self.file(as_krita(pixels).tobytes())
        return {"name": name, "pixels": raw, "bounds": [x, y, pixels.shape[1], pixels.shape[0]], **mixed}

    def pixels(self) -> Pixels:
        """What is visible, bit for bit."""
        file = self.file()
        self.krita.call("pixels", file)
        values = np.frombuffer(file.read_bytes(), self.kind.dtype)
        return as_krita(values.reshape(*self.shape, self.kind.channels))

    def select(self, mask: Pixels, x: int = 0, y: int = 0) -> None:
        self.krita.call("select", self.file(mask.tobytes()), x, y, mask.shape[1], mask.shape[0])

    def selection(self) -> Pixels:
        file = self.file()
        self.krita.call("selection", file)
        return np.frombuffer(file.read_bytes(), np.uint8).reshape(self.shape)

    def capture(self, source: str = "canvas", within: list[int] | None = None) -> Captured:
        image, mask = self.file(), self.file()
        told = self.krita.call("capture", source, within, image, mask)
        assert "failed" not in told, told["failed"]
        grey = read(mask.read_bytes())[..., 0] if told["selected"] else None
        picture = read(image.read_bytes())
        document, source, canvas = told["document"], told["source"], told["canvas"]
        return Captured(told["bounds"], picture, grey, document, source, canvas)

    def capture_refused(self, source: str = "canvas") -> str:
        return self.krita.call("capture", source, None, self.file(), self.file())["failed"]

    def insert(
        self,
        layer: Pixels,
        recipe: str = "{}",
        updates: str | None = None,
        key: str | None = None,
        source: str = "canvas",
        canvas: tuple[int, int] | None = None,
    ) -> dict[str, str]:
        """``{"layer": …}`` or ``{"failed": …}``."""
        bounds, content = [0, 0, layer.shape[1], layer.shape[0]], box_of(layer[..., -1])
        image = self.file(png(layer))
        return self.krita.call("insert", image, bounds, content, "edit", recipe, updates, key, source, canvas)

    def read(self, file: Path) -> Pixels:
        """A PNG that Krita's side wrote."""
        return read(file.read_bytes())

    def select_by(self, values: Pixels) -> str:
        """Through the plug-in, as a word's map comes; "selected", or what went wrong."""
        bounds = [0, 0, values.shape[1], values.shape[0]]
        return self.krita.call("select_by", self.file(png(values)), bounds)

    def layers(self) -> list[str]:
        return [name for name, _, _ in self.krita.call("layers")]

    def file(self, content: bytes | None = None, name: str = "") -> Path:
        """A new one that Krita can read and write too."""
        self._files += 1
        file = self.krita.box.files / f"{self._files:04d}{name}"
        if content is not None:
            file.write_bytes(content)
        return file

    def clean(self) -> None:
        for file in self.krita.box.files.iterdir():
            file.unlink()
