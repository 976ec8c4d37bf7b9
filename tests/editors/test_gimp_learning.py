"""Learning a word as a script does it, in the real GIMP: from files, chosen layers, the selection."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from editors.backend import Backend
from editors.gimp_pictures import RGB_8, GimpImages
from editors.pictures import DEMO, Pixels, box_of, picture_of, read

SIDE = 128  # px of the demo's pictures
CANVAS = 220  # px
AT = (57, 31)  # where a toy lies on it
# What a set of pictures must be like is the backend's own matter, and tested there.
SOME = {"name": "my-toy", "noun": "star", "steps": 2, "replace": True, "accept-outliers": True}


@pytest.fixture
def desert(images: GimpImages) -> int:
    """A canvas on which other things can be laid."""
    steps = np.linspace(150, 230, CANVAS).astype(np.uint8)
    ground = np.full((CANVAS, CANVAS, 4), 255, np.uint8)
    ground[..., :3] = np.stack([steps, steps // 2 + 60, steps // 3], axis=-1)[:, None]
    return images.new(ground, RGB_8)


def lay(images: GimpImages, image: int, name: str, at: tuple[int, int]) -> None:
    """As a new layer, on top."""
    path = images.files / "layer"
    path.write_bytes(picture_of(name).tobytes())
    images.gimp.call("add_layer", image, str(path), [*at, SIDE, SIDE], RGB_8.format)


def files(images: GimpImages, *names: str) -> list[str]:
    """Where GIMP finds these pictures of the demo."""
    paths = [images.files / f"{name}.png" for name in names]
    for path in paths:
        path.write_bytes((DEMO / path.name).read_bytes())
    return [str(path) for path in paths]


def learn(images: GimpImages, image: int, **values: Any) -> None:
    """Whatever it learns from, the picture stays as it is and doesn't even count as changed."""
    like = np.empty((CANVAS, CANVAS, 4), np.uint8)
    images.gimp.call("set_clean", image)

    def looks() -> tuple[bytes, bytes, list]:
        selected = images.selected(image, CANVAS, CANVAS)
        return images.seen(image, like).tobytes(), selected.tobytes(), images.layers(image)

    before = looks()
    told = images.run("learn-concept", image, **SOME, **values)
    assert (told["status"], told["results"]) == ("success", ["<my-toy>"]), told
    assert looks() == before
    assert images.gimp.call("is_clean", image)


def provenance(backend: Backend) -> dict[str, Any]:
    card = backend.client.concept("my-toy")
    assert (card["kind"], card["noun"], card["provenance"]["steps"]) == ("subject", "star", 2)
    return card["provenance"]


def job_of_learning(backend: Backend) -> dict[str, Any]:
    """The latest one."""
    return next(job for job in backend.client.jobs()["jobs"] if job["kind"] == "learn")


def learned_from(backend: Backend) -> list[Pixels]:
    """RGB of the pictures that the concept was made from, in their order."""
    sources = provenance(backend)["sources"]
    return [read(backend.client.download(source))[..., :3] for source in sources]


def test_from_files_as_they_are_and_the_word_can_be_used(images: GimpImages, backend: Backend, desert: int):
    names = ("toy-1", "toy-2", "toy-3")
    learn(images, desert, files=files(images, *names))
    contents = [(DEMO / f"{name}.png").read_bytes() for name in names]
    assert provenance(backend)["sources"] == [hashlib.sha256(content).hexdigest() for content in contents]
    values = {"shows": "a photo of sand", "thing": "a <my-toy>", "steps": 4}
    images.gimp.call("select_rectangle", desert, 40, 40, 100, 100)
    assert images.run("insert", desert, **values)["status"] == "success"


def test_from_the_chosen_layers_alone(images: GimpImages, backend: Backend, desert: int):
    """Each as it is, wherever it lies: what hides it, and the selection, don't matter."""
    for number, at in ((1, (0, 0)), (2, (92, 92)), (3, (10, 80)), (4, (5, 5))):
        lay(images, desert, f"toy-{number}", at)
    images.gimp.call("choose_layers", desert, [1, 2, 3])
    images.gimp.call("select_ellipse", desert, 3, 4, 50, 60)
    learn(images, desert, layers=True)
    found = learned_from(backend)
    assert len(found) == 3
    for picture, name in zip(found, ("toy-3", "toy-2", "toy-1"), strict=True):
        np.testing.assert_array_equal(picture, picture_of(name)[..., :3])
    assert provenance(backend)["settings"]["masks"] == [False, False, False]


def test_a_cut_out_layer_brings_its_transparency(images: GimpImages, backend: Backend, desert: int):
    """Whether it is transparent itself or by its mask: there is no subject there."""
    for number in (1, 2, 3):
        cut = picture_of(f"toy-{number}")
        if number != 3:
            cut[..., 3] = np.array(Image.open(DEMO / f"toy-{number}-mask.png").convert("L"))
        path = images.files / "layer"
        path.write_bytes(cut.tobytes())
        images.gimp.call("add_layer", desert, str(path), [0, 0, SIDE, SIDE], RGB_8.format)
    mask = np.zeros((CANVAS, CANVAS), np.uint8)
    mask[:SIDE, :SIDE] = np.array(Image.open(DEMO / "toy-3-mask.png").convert("L"))
    images.gimp.call("choose_layers", desert, [0])
    images.select(desert, mask)
    images.gimp.call("mask_topmost", desert)
    images.gimp.call("choose_layers", desert, [0, 1, 2])
    learn(images, desert, layers=True)
    sources = [read(backend.client.download(source)) for source in provenance(backend)["sources"]]
    for picture, name in zip(sources, ("toy-3", "toy-2", "toy-1"), strict=True):
        alpha = np.array(Image.open(DEMO / f"{name}-mask.png").convert("L"))
        np.testing.assert_array_equal(picture[..., 3], alpha)
        shown = alpha > 0
        np.testing.assert_array_equal(picture[shown][:, :3], picture_of(name)[shown][:, :3])
    assert job_of_learning(backend)["result"]["masks"] == [True, True, True]


def test_from_the_selection_with_what_is_around_it(images: GimpImages, backend: Backend, desert: int):
    lay(images, desert, "toy-3", AT)
    mask = np.zeros((CANVAS, CANVAS), np.uint8)
    toy = np.array(Image.open(DEMO / "toy-3-mask.png").convert("L"))
    mask[AT[1] : AT[1] + SIDE, AT[0] : AT[0] + SIDE] = toy
    images.select(desert, mask)
    learn(images, desert, selection=True, files=files(images, "toy-1", "toy-2"))
    left, top, width, height = box_of(mask)
    margin = round(max(width, height) / 4)
    rows = slice(max(0, top - margin), min(CANVAS, top + height + margin))
    columns = slice(max(0, left - margin), min(CANVAS, left + width + margin))
    seen = images.seen(desert, np.empty((CANVAS, CANVAS, 4), np.uint8))
    np.testing.assert_array_equal(learned_from(backend)[2], seen[rows, columns, :3])
    assert provenance(backend)["settings"]["masks"] == [False, False, True]
    where = read(backend.client.download(job_of_learning(backend)["request"]["masks"][2]))[..., 0]
    np.testing.assert_array_equal(where, mask[rows, columns])


CANNOT = [
    ({"selection": True}, "Nothing is selected: select something in the picture first."),
    ({"layers": True}, "Add at least 3 pictures"),
    ({}, "Add at least 3 pictures"),
    ({"name": ""}, "Give the concept a name."),
    ({"name": "My Toy"}, "My Toy can't be a name"),
    ({"noun": " "}, "Say what it is"),
    ({"files": ["/no/such.png"]}, "/no/such.png"),
]


@pytest.mark.parametrize(("values", "text"), CANNOT)
def test_what_cannot_be_learned_is_said_and_nothing_is_sent(
    images: GimpImages, backend: Backend, desert: int, values: dict, text: str
):
    before = backend.client.jobs()["jobs"]
    told = images.run("learn-concept", desert, **{**SOME, **values})
    assert told["status"] == "execution-error"
    assert text in told["error"]
    assert backend.client.jobs()["jobs"] == before


def test_a_word_is_not_replaced_unasked_and_odd_pictures_are_the_scripts_to_judge(
    images: GimpImages, backend: Backend, desert: int
):
    values = {**SOME, "name": "kept-toy", "replace": False}
    values["files"] = files(images, "toy-1", "toy-2", "toy-3")
    told = images.run("learn-concept", desert, **values)
    assert told["status"] == "success", told
    assert job_of_learning(backend)["request"]["accept_outliers"] is True
    told = images.run("learn-concept", desert, **values)
    assert told["status"] == "execution-error"
    assert "There is a concept <kept-toy> already" in told["error"]
