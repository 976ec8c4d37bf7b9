"""What Krita saves and exports after an edit is what was seen: read outside, and in a Krita started anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

from editors.krita_pictures import ADOBE_8, FLOAT, GREY_8, GREY_16, KINDS, RGB_8, RGB_16, Kind, KritaDocuments
from editors.pictures import Pixels, disc, layer_over, merged_image, mixed_alike, noise
from editors.running import Kritas

HEIGHT, WIDTH = 150, 330  # more than one of Krita's tiles in both directions
EXACT = (RGB_8, RGB_16, GREY_8, GREY_16)  # sRGB already

Tree = Callable[[KritaDocuments, Pixels], list[dict[str, Any]]]


def photo(documents: KritaDocuments, pixels: Pixels) -> list[dict[str, Any]]:
    return [documents.layer("photo", pixels)]


def some_layers(documents: KritaDocuments, pixels: Pixels) -> list[dict[str, Any]]:
    patch = documents.layer("patch", pixels[::-1][:60, :70], 100, 40, opacity=120)
    return [*photo(documents, pixels), patch, documents.layer("hidden", pixels[:50], visible=False)]


def one_group(documents: KritaDocuments, pixels: Pixels) -> list[dict[str, Any]]:
    return [{"name": "group", "children": photo(documents, pixels)}]


def nested(documents: KritaDocuments, pixels: Pixels) -> list[dict[str, Any]]:
    return [{"name": "outer", "children": one_group(documents, pixels)}]


def under_a_filter(documents: KritaDocuments, pixels: Pixels) -> list[dict[str, Any]]:
    return [*photo(documents, pixels), {"name": "invert", "filter": "invert"}]


def under_multiply(documents: KritaDocuments, pixels: Pixels) -> list[dict[str, Any]]:
    return [*photo(documents, pixels), documents.layer("dark", pixels[::-1], mode="multiply")]


def faint_group(documents: KritaDocuments, pixels: Pixels) -> list[dict[str, Any]]:
    group = {"name": "faint", "children": [documents.layer("inside", pixels[::-1])], "opacity": 102}
    return [*photo(documents, pixels), group]


def hidden_group(documents: KritaDocuments, pixels: Pixels) -> list[dict[str, Any]]:
    group = {"name": "hidden", "children": [documents.layer("inside", pixels[::-1])], "visible": False}
    return [*photo(documents, pixels), group]


class Case(NamedTuple):
    """A document, and what is done in it."""

    tree: Tree
    kind: Kind = RGB_8
    active: str = "photo"
    whole: bool = False  # nothing is selected: the edit is everywhere
    then: str = ""  # "update", "again" (undone, done again), "twice"
    source: str = "canvas"


CASES = {
    **{f"one layer, {kind}": Case(photo, kind) for kind in KINDS},
    "some layers": Case(some_layers),
    "some layers in grey": Case(some_layers, GREY_16),
    "groups": Case(nested, active="outer"),
    "groups in float": Case(nested, FLOAT, "outer"),
    "edited everywhere": Case(photo, whole=True),
    "edited twice": Case(photo, then="twice"),
    "updated": Case(photo, then="update"),
    "updated among some layers": Case(some_layers, then="update"),
    "undone and done again": Case(photo, then="again"),
    "undone and done again in float": Case(photo, FLOAT, then="again"),
    "active below an inverting filter": Case(under_a_filter),
    "active below Multiply": Case(under_multiply),
    "active in a group of 40 %": Case(faint_group, active="inside"),
    "active in a group of 40 %, updated": Case(faint_group, active="inside", then="update"),
    "active in a hidden group": Case(hidden_group, active="inside"),
    "the active layer alone": Case(photo, source="layer"),
    "the active layer in a group alone": Case(one_group, source="layer"),
}


@dataclass
class Found:
    """What came of a case."""

    before: Pixels  # what was seen
    mask: Pixels  # of the edit
    sent: Pixels  # the layer of the backend
    seen: Pixels  # afterwards
    captured: Pixels  # what the next edit would work on
    merged: Pixels  # in the .kra file
    exported: Pixels  # as PNG
    exported_before: Pixels
    content: bytes  # of the new layers and their masks
    saved: bytes  # the .kra file
    reopened: Pixels | None = None  # as a Krita that knows nothing of before sees it
    content_reopened: bytes = b""


def carried_out(documents: KritaDocuments, case: Case) -> Found:
    pixels = noise(HEIGHT, WIDTH, case.kind.channels, case.kind.dtype)
    documents.open_tree(case.tree(documents, pixels), (HEIGHT, WIDTH), case.kind)
    documents.krita.call("activate_layer", case.active)
    before, exported_before = documents.pixels(), exported(documents)
    mask = np.full((HEIGHT, WIDTH), 255, np.uint8) if case.whole else disc(HEIGHT, WIDTH)
    if not case.whole:
        documents.select(mask)
    source = documents.capture(case.source).source
    depth = np.uint8 if case.kind.depth == "U8" else np.uint16
    sent = layer_over(mask, depth, case.kind.channels)
    made = documents.insert(sent, source=source)
    if case.then == "again":
        documents.krita.call("undo")
        documents.krita.call("redo")
    if case.then in ("update", "twice"):
        sent = layer_over(mask, depth, case.kind.channels, seed=9)
        documents.krita.call("activate_layer", case.active)
        documents.insert(sent, updates=made["layer"] if case.then == "update" else None, source=source)
    kra = documents.file(name=".kra")
    documents.krita.call("save_as", kra)
    captured, merged = documents.capture().image, merged_image(kra)
    return Found(
        before,
        mask,
        sent,
        documents.pixels(),
        captured,
        merged,
        exported(documents),
        exported_before,
        content(documents),
        kra.read_bytes(),
    )


def exported(documents: KritaDocuments) -> Pixels:
    """RGBA, of grey pictures too."""
    file = documents.file(name=".png")
    documents.krita.call("export", file)
    return documents.read(file)


def content(documents: KritaDocuments) -> bytes:
    file = documents.file()
    documents.krita.call("content", "edit", file)
    return file.read_bytes()


@pytest.fixture(scope="module")
def found(kritas: Kritas) -> Iterator[dict[str, Found]]:
    """Every case in one Krita, then every file in another."""
    documents = KritaDocuments(kritas.get())
    results = {}
    for name, case in CASES.items():
        results[name] = carried_out(documents, case)
        documents.krita.call("close_documents")
    kritas.close()
    again = KritaDocuments(kritas.get())
    for name, result in results.items():
        again.open_file(again.file(result.saved, ".kra"), CASES[name].kind)
        result.reopened, result.content_reopened = again.pixels(), content(again)
        again.krita.call("close_documents")
    yield results
    again.clean()


def outside(found: Found) -> Pixels:
    return found.mask == 0


def inside(found: Found) -> Pixels:
    return found.mask == 255


@pytest.mark.parametrize("name", CASES)
def test_outside_every_bit_is_as_it_was(found: dict[str, Found], name: str):
    result = found[name]
    before = result.before[outside(result)]
    assert np.array_equal(result.seen[outside(result)], before)
    assert result.reopened is not None
    assert np.array_equal(result.reopened[outside(result)], before)
    exported = result.exported_before[outside(result)]
    assert np.array_equal(result.exported[outside(result)], exported)


@pytest.mark.parametrize("name", CASES)
def test_no_file_has_holes(found: dict[str, Found], name: str):
    """All these pictures are opaque."""
    result = found[name]
    for picture in (result.exported, result.merged, result.captured, result.seen, result.reopened):
        assert picture is not None
        assert (picture[..., -1] == picture[..., -1].max()).all()
        assert picture[..., -1].max() == top_of(picture.dtype)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.kind in EXACT])
def test_inside_is_what_the_backend_made(found: dict[str, Found], name: str):
    """Also where the layer that is active is inverted, darkened, faint or hidden by what lies around it."""
    result = found[name]
    sent = result.sent[inside(result)]
    for picture in (result.seen, result.reopened, result.captured):
        assert picture is not None
        assert np.array_equal(picture[inside(result)], sent)
    exported = result.exported[inside(result)].astype(int)
    most = 0 if sent.dtype == np.uint8 else 16  # of 65535: Krita's way to a PNG of 16 bits
    assert np.abs(exported[:, 0] - sent[:, 0]).max() <= most
    assert np.abs(exported[:, -2] - sent[:, -2]).max() <= most


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.kind not in EXACT])
def test_inside_is_what_the_backend_made_but_for_conversion(found: dict[str, Found], name: str):
    result = found[name]
    off = np.abs(result.captured[inside(result)].astype(float) - result.sent[inside(result)])
    assert off.mean() / top_of(result.sent.dtype) <= 1 / 255


@pytest.mark.parametrize("name", CASES)
def test_the_files_own_picture_shows_it_too(found: dict[str, Found], name: str):
    """It has 8 bits; an exported one of 8 bits is always sRGB."""
    result = found[name]
    same = result.seen if CASES[name].kind in (RGB_8, ADOBE_8) else result.exported
    assert np.abs(result.merged / 255 - same / top_of(same.dtype)).max() < 0.6 / 255


@pytest.mark.parametrize("name", CASES)
def test_a_krita_started_anew_sees_the_same(found: dict[str, Found], name: str):
    """And the layers themselves are as they were, bit for bit."""
    result = found[name]
    assert result.reopened is not None
    assert mixed_alike(result.reopened, result.seen)
    assert result.content == result.content_reopened


@pytest.mark.parametrize("how", ["updated", "removed by hand", "removed by hand after both"])
def test_after_a_crop_an_edit_that_goes_leaves_nothing_in_a_file(documents: KritaDocuments, how: str):
    """From below another one, which overlaps it."""
    before, (x, y) = noise(500, 700, 4, np.uint8), (100, 80)

    def square(left: int, top: int, height: int, width: int, seed: int) -> tuple[Pixels, Pixels]:
        mask = np.zeros((height, width), np.uint8)
        mask[top : top + 120, left : left + 120] = 255
        return mask, layer_over(mask, np.uint8, seed=seed)

    documents.open(before)
    old = documents.insert(square(200, 150, 500, 700, 1)[1])["layer"]
    mask, sent = square(180, 140, 500 - y, 700 - x, 5)
    crop = lambda: documents.krita.call("crop", x, y, 700 - x, 500 - y)  # noqa: E731
    if how.endswith("both"):
        whole = np.zeros_like(before)
        whole[y:, x:] = sent
        documents.insert(whole)
        crop()
    else:
        crop()
        documents.shape = (500 - y, 700 - x)
        documents.insert(sent, updates=old if how == "updated" else None)
    documents.shape = (500 - y, 700 - x)
    if how != "updated":
        documents.krita.call("remove_lowest", "edit")
    assert documents.layers() == ["photo", "edit"]
    picture = exported(documents)
    assert np.array_equal(picture[mask == 0], before[y:, x:][mask == 0])
    assert np.array_equal(picture[mask == 255], sent[mask == 255])


def top_of(dtype: Any) -> float:
    return 1.0 if np.issubdtype(dtype, np.floating) else float(np.iinfo(dtype).max)
