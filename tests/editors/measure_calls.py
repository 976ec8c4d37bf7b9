"""How long the plug-in keeps the real editors' own threads, and how long a capture takes.

    PYTHONPATH=backend:tests python tests/editors/measure_calls.py [krita|krita-root|gimp …] [--sides …]

Nothing is asserted: nobody knows what else this machine does. ``gap`` is the longest time for which the
editor's thread answered no timer, ``own`` how much of a processor that thread used in one at most, ``step``
the longest step of our own work, all in milliseconds; what else keeps the editor's thread is its own drawing.
``used``: seconds of a processor that the editor used until the job ran.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from editors.backend import Backend
from editors.box import Box, remove_folder, shared_folder
from editors.display import Display
from editors.gimp import start as start_gimp
from editors.gimp_panel import SHOULD_SHOW, SHOWS
from editors.gimp_pictures import RGB_8 as GIMP_8
from editors.gimp_pictures import RGB_16 as GIMP_16
from editors.gimp_pictures import GimpImages
from editors.gimp_pictures import Kind as GimpKind
from editors.krita import start as start_krita
from editors.krita_pictures import RGB_8, RGB_16, Kind, KritaDocuments
from editors.pictures import Pixels, as_krita, png
from editors.running import editors_root

TILE = 2048  # px: the picture is made of it
PIECE = 2000  # px: side of the layer that is put in, at most half of the canvas
PATIENCE = 600.0
TIMES = ("read", "running", "working", "used")


def photo_like(kind: Any) -> Pixels:
    """Slopes with a photo's noise; so large that no packer notices when it is repeated."""
    y, x = np.mgrid[:TILE, :TILE].astype(np.float32) / TILE
    values = np.stack([x, y, 1 - x * y, np.ones_like(x)], axis=-1)
    noise = np.random.default_rng(0).standard_normal((TILE, TILE, 3), np.float32)
    values[..., :3] += 0.012 * noise
    top = np.iinfo(kind.dtype).max
    return (values.clip(0, 1) * top).round().astype(kind.dtype)


def edited(kind: Any, side: int) -> Pixels:
    """A layer all over the canvas that shows a square in the middle."""
    piece, top = min(PIECE, side // 2), np.iinfo(kind.dtype).max
    layer = np.zeros((side, side, 4), kind.dtype)
    at = side // 4
    layer[at : at + piece, at : at + piece] = photo_like(kind)[:piece, :piece]
    layer[at : at + piece, at : at + piece, 3] = top
    return layer[at : at + piece, at : at + piece]


def measure_krita(documents: KritaDocuments, side: int, kind: Kind) -> None:
    call = documents.krita.call

    def told(what: str, found: dict[str, Any]) -> dict[str, Any]:
        tell(f"Krita {call('version')} {side}² {kind.depth}", what, found)
        return found

    call("new_document", side, side, *kind[:3])
    call("fill", documents.file(as_krita(photo_like(kind)).tobytes()), TILE, patience=PATIENCE)
    told("facts, polled", call("measured_facts", patience=PATIENCE))
    for what, square in (("nothing", [0, 0, 0]), ("a quarter", [side // 4, side // 4, side // 2])):
        call("select_square", *square)
        told(f"capture of all, {what} selected", call("measured_capture", None, patience=PATIENCE))
    part = [side // 4, side // 4, side // 2, side // 2]
    told("capture of a quarter of it", call("measured_capture", part, patience=PATIENCE))
    layer = edited(kind, side)
    told("from Apply to the job's start", measured_apply(documents))
    image, place = documents.file(png(layer)), [side // 4, side // 4, *layer.shape[1::-1]]
    made = told("insert", call("measured_insert", image, place, patience=PATIENCE))["layer"]
    told("update", call("measured_insert", image, place, made, patience=PATIENCE))
    mask = np.full((side // 2, side // 2), 255, np.uint8)
    told("select", call("measured_select", documents.file(png(mask)), part, patience=PATIENCE))
    call("close_documents", patience=PATIENCE)
    documents.clean()


def measured_apply(documents: KritaDocuments) -> dict[str, Any]:
    call = documents.krita.call
    call("show_docker", 264, 700)
    documents.krita.until("panel_ready")
    call("write", "replace", SHOWS, SHOULD_SHOW)
    documents.krita.until("panel_sees_document", True)
    return call("measured_apply", patience=PATIENCE)


def measure_gimp(images: GimpImages, side: int, kind: GimpKind) -> None:
    call = images.gimp.call

    def told(what: str, found: dict[str, Any]) -> dict[str, Any]:
        tell(f"GIMP {call('version')} {side}² {kind.name}", what, found)
        return found

    path = images.files / "tile"
    path.write_bytes(photo_like(kind).tobytes())
    image = call("new_filled", side, kind.precision, str(path), TILE, kind.format, patience=PATIENCE)
    for what, square in (("nothing", [0, 0, 0]), ("a quarter", [side // 4, side // 4, side // 2])):
        call("select_square", image, *square)
        told(f"facts, {what} selected", call("measured_facts", image))
        told(f"capture of all, {what} selected", call("measured_capture", image, None, patience=PATIENCE))
    part = [side // 4, side // 4, side // 2, side // 2]
    told("capture of a quarter of it", call("measured_capture", image, part, patience=PATIENCE))
    words = SHOWS, SHOULD_SHOW
    told("from Apply to the job's start", call("measured_apply", image, *words, patience=PATIENCE))
    layer = edited(kind, side)
    path.write_bytes(png(layer))
    place = [side // 4, side // 4, *layer.shape[1::-1]]
    made = told("insert", call("measured_insert", image, str(path), place, patience=PATIENCE))["layer"]
    told("update", call("measured_insert", image, str(path), place, made, patience=PATIENCE))
    path.write_bytes(png(np.full((side // 2, side // 2), 255, np.uint8)))
    told("select", call("measured_select", image, str(path), part, patience=PATIENCE))
    call("close_documents", patience=PATIENCE)


def tell(where: str, what: str, found: dict[str, Any]) -> None:
    gap, own, step = (1000 * found.get(key, 0) for key in ("gap", "own", "step"))
    size = f", {found['bytes'] / 1e6:.0f} MB" if "bytes" in found else ""
    size += "".join(f", {key} {found[key]:.2f} s" for key in TIMES if key in found)
    print(
        f"{where} | {what} | gap {gap:.0f} | own {own:.0f} | step {step:.0f} | {found['seconds']:.2f} s{size}"
        f" | {found.get('where', '')}",
        flush=True,
    )


def with_krita(
    root: Path | None, display: Display, home: Path, work: Callable[[KritaDocuments], None]
) -> None:
    box = Box(root)
    try:
        krita = start_krita(box, display, home)
        try:
            krita.call("beat")
            work(KritaDocuments(krita))
        finally:
            krita.quit()
    finally:
        box.close()


def with_gimp(root: Path, display: Display, home: Path, work: Callable[[GimpImages], None]) -> None:
    box = Box(root)
    try:
        gimp = start_gimp(box, home, display)
        try:
            gimp.call("watch")
            work(GimpImages(gimp))
        finally:
            gimp.quit()
    finally:
        box.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("editors", nargs="*", default=["krita", "krita-root", "gimp"])
    parser.add_argument("--sides", nargs="*", type=int, default=[2048, 8192])
    options = parser.parse_args()
    root = editors_root()
    home, display = shared_folder(root), Display()
    backend = Backend(home)

    def in_krita(documents: KritaDocuments) -> None:
        for side in options.sides:
            for kind in (RGB_8, RGB_16):
                measure_krita(documents, side, kind)

    def in_gimp(images: GimpImages) -> None:
        for side in options.sides:
            for kind in (GIMP_8, GIMP_16):
                measure_gimp(images, side, kind)

    try:
        backend.start()
        for name in options.editors:
            if name == "gimp":
                with_gimp(root, display, home, in_gimp)
            else:
                with_krita(None if name == "krita" else root, display, home, in_krita)
    finally:
        backend.stop()
        display.close()
        remove_folder(home)


if __name__ == "__main__":
    main()
