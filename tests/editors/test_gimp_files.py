"""What GIMP saves and exports after an edit is what was seen: read outside, and in a GIMP started anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

from editors.gimp_pictures import (
    ADOBE_8,
    GREY_8,
    GREY_16,
    KINDS,
    LINEAR_8,
    RGB_8,
    RGB_16,
    RGB_FLOAT,
    GimpImages,
    Kind,
)
from editors.pictures import Pixels, disc, layer_over, mixed_alike, noise, read
from editors.running import Gimps
from icc_profiles import ADOBE, gamma, primaries

HEIGHT, WIDTH = 137, 310  # no multiples of GIMP's tiles
EXACT = (RGB_8, RGB_16, GREY_8, GREY_16)  # sRGB already
BADLY_EXPORTED = (LINEAR_8, ADOBE_8)  # GIMP 3.0 itself now and then writes wrong PNGs of these, without us
ROUNDED = 2**-20  # float mixed layer by layer: GIMP goes to linear light and back
LEVEL = 1  # of 8 bits: two processes of GIMP may round what they mix otherwise, by how fast they find it

Tree = Callable[[GimpImages, Pixels], list[dict[str, Any]]]


def nothing(images: GimpImages, pixels: Pixels) -> list[dict[str, Any]]:
    return []


def some_layers(images: GimpImages, pixels: Pixels) -> list[dict[str, Any]]:
    patch = images.layer("patch", np.ascontiguousarray(pixels[::-1][:60, :70]), 100, 40)
    return [patch, images.layer("hidden", pixels[:50], visible=False)]


def inverting(images: GimpImages, pixels: Pixels) -> list[dict[str, Any]]:
    """The difference to white."""
    return [images.layer("invert", np.full_like(pixels, pixels.max()), mode="DIFFERENCE")]


def multiply(images: GimpImages, pixels: Pixels) -> list[dict[str, Any]]:
    return [images.layer("dark", np.ascontiguousarray(pixels[::-1]), mode="MULTIPLY")]


def group(images: GimpImages, pixels: Pixels, **mixed: Any) -> list[dict[str, Any]]:
    return [{"name": "group", "children": [images.layer("inside", pixels[::-1].copy())], **mixed}]


def faint_group(images: GimpImages, pixels: Pixels) -> list[dict[str, Any]]:
    return group(images, pixels, opacity=40)


def hidden_group(images: GimpImages, pixels: Pixels) -> list[dict[str, Any]]:
    return group(images, pixels, visible=False)


class Case(NamedTuple):
    """A picture with one layer, "Photo", what lies above, and what is done in it."""

    tree: Tree = nothing
    kind: Kind = RGB_8
    active: str = "Photo"
    whole: bool = False  # nothing is selected: the edit is everywhere
    then: str = ""  # "update", "twice"
    source: str = "canvas"


CASES = {
    **{f"one layer, {kind}": Case(kind=kind) for kind in KINDS},
    "some layers": Case(some_layers),
    "some layers in grey": Case(some_layers, GREY_16),
    "some layers in float": Case(some_layers, RGB_FLOAT),
    "edited everywhere": Case(whole=True),
    "edited twice": Case(then="twice"),
    "updated": Case(then="update"),
    "updated among some layers": Case(some_layers, then="update"),
    "active below an inverting layer": Case(inverting),
    "active below Multiply": Case(multiply),
    "active in a group of 40 %": Case(faint_group, active="inside"),
    "active in a group of 40 %, updated": Case(faint_group, active="inside", then="update"),
    "active in a hidden group": Case(hidden_group, active="inside"),
    "the active layer alone": Case(source="layer"),
}


@dataclass
class Found:
    """What came of a case."""

    before: Pixels  # what was seen
    mask: Pixels  # of the edit
    sent: Pixels  # the layer of the backend
    seen: Pixels  # afterwards
    captured: Pixels  # what the next edit would work on
    exported: Pixels  # as PNG
    exported_before: Pixels
    saved: bytes  # the .xcf file
    reopened: Pixels | None = None  # as a GIMP that knows nothing of before sees it


def carried_out(images: GimpImages, case: Case) -> Found:
    kind = case.kind
    pixels = noise(HEIGHT, WIDTH, kind.channels, kind.dtype)
    image = images.new(pixels, kind, primaries(ADOBE, gamma(2.2)) if kind.profile else None)
    images.gimp.call("add_tree", image, case.tree(images, pixels), kind.format)
    images.gimp.call("choose_layer", image, case.active)
    before, exported_before = images.seen(image, pixels), exported(images, image)
    mask = np.full((HEIGHT, WIDTH), 255, np.uint8) if case.whole else disc(HEIGHT, WIDTH)
    if not case.whole:
        images.select(image, mask)
    source = images.capture(image, case.source).source
    depth = np.uint8 if kind in (RGB_8, GREY_8) else np.uint16
    sent = layer_over(mask, depth, kind.channels)
    made = images.insert(image, sent, source=source)
    if case.then:
        sent = layer_over(mask, depth, kind.channels, seed=9)
        images.gimp.call("choose_layer", image, case.active)
        images.insert(image, sent, made["layer"] if case.then == "update" else None, source=source)
    xcf = images.files / "saved.xcf"
    assert images.gimp.call("save", image, str(xcf))
    return Found(
        before,
        mask,
        sent,
        images.seen(image, pixels),
        images.capture(image).image,
        exported(images, image),
        exported_before,
        xcf.read_bytes(),
    )


def exported(images: GimpImages, image: int) -> Pixels:
    file = images.files / "exported.png"
    assert images.gimp.call("save", image, str(file))
    return read(file.read_bytes())


@pytest.fixture(scope="module")
def found(consoles: Gimps) -> dict[str, Found]:
    """Every case in one GIMP, then every file in another."""
    images = GimpImages(consoles.get())
    results = {}
    for name, case in CASES.items():
        results[name] = carried_out(images, case)
        images.gimp.call("close_documents")
    consoles.close()
    again = GimpImages(consoles.get())
    file = again.files / "again.xcf"
    for result in results.values():
        file.write_bytes(result.saved)
        result.reopened = again.seen(again.gimp.call("load", str(file)), result.seen)
        again.gimp.call("close_documents")
    return results


@pytest.mark.parametrize("name", CASES)
def test_outside_every_bit_is_as_it_was(found: dict[str, Found], name: str):
    result = found[name]
    outside = result.mask == 0
    for picture in (result.seen, result.reopened):
        assert picture is not None
        assert alike(name, picture[outside], result.before[outside])
    if CASES[name].kind not in BADLY_EXPORTED:
        assert alike(name, result.exported[outside], result.exported_before[outside])


@pytest.mark.parametrize("name", CASES)
def test_no_file_has_holes(found: dict[str, Found], name: str):
    """All these pictures are opaque."""
    result = found[name]
    for picture in (result.seen, result.reopened):
        assert picture is not None
        assert (picture[..., -1] == result.before[..., -1]).all()
    for picture in (result.captured, result.exported):
        if CASES[name].kind not in BADLY_EXPORTED:
            assert (picture[..., -1] == np.iinfo(picture.dtype).max).all()


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.kind in EXACT])
def test_inside_is_what_the_backend_made(found: dict[str, Found], name: str):
    """Also where the layer that is active is inverted, darkened, faint or hidden by what lies around it."""
    result = found[name]
    inside = result.mask == 255
    sent = result.sent[inside]
    for picture in (result.seen, result.reopened, result.captured, result.exported):
        assert picture is not None
        assert np.array_equal(picture[inside], sent)


@pytest.mark.parametrize("name", CASES)
def test_a_gimp_started_anew_sees_the_same(found: dict[str, Found], name: str):
    result = found[name]
    assert result.reopened is not None
    assert alike(name, result.reopened, result.seen)


def alike(name: str, found: Pixels, expected: Pixels) -> bool:
    if CASES[name].tree in (inverting, multiply, faint_group):
        return int(np.abs(found.astype(int) - expected).max(initial=0)) <= LEVEL
    return mixed_alike(found, expected, ROUNDED)
