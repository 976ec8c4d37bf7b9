"""Every procedure as a script calls it: the real GIMP without a display, the real backend."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from editors.backend import Backend
from editors.gimp_pictures import RGB_8, GimpImages
from editors.pictures import DEMO, Pixels, read
from palimpsest.core.picture.selection import grown

SHOWS = "a photo of a red ball on grass"
FEW = {"steps": 4}  # enough to see that something changes
SOON = 60.0  # seconds


@pytest.fixture
def photo() -> Pixels:
    rgb = np.array(Image.open(DEMO / "photo.png").convert("RGB"))
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])


@pytest.fixture
def image(images: GimpImages, photo: Pixels) -> int:
    """The photo, with the ball selected."""
    number = images.new(photo, RGB_8)
    images.select(number, np.array(Image.open(DEMO / "photo-selection.png").convert("L")))
    return number


def succeeded(told: dict) -> list:
    assert told["status"] == "success", told
    return told["results"]


EDITS = {
    "replace": {"shows": SHOWS, "should-show": "a photo of a blue cube on grass"},
    "insert": {"shows": "a photo of grass", "thing": "a yellow star"},
    "restyle": {"shows": SHOWS, "style": "an ink drawing"},
    "remove": {"shows": SHOWS, "thing": "a red ball"},
    "emphasise-word": {"shows": SHOWS, "word": "red", "emphasis": -1.0},
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_one_new_layer_and_nothing_outside_changes(
    images: GimpImages, image: int, photo: Pixels, name: str
):
    mask = images.selected(image, *photo.shape[:2])
    layer = succeeded(images.run(name, image, **EDITS[name], **FEW))[0]
    layers = images.layers(image)
    assert layers[0]["id"] == layer
    assert len(layers) == 2
    assert layers[0]["mask"]
    path = images.files / "seen.png"
    assert images.gimp.call("save", image, str(path))
    seen = read(path.read_bytes())
    changed = (seen[..., :3] != photo[..., :3]).any(axis=-1)
    grow = json.loads(layers[0]["recipe"])["recipe"]["request"]["grow"]
    assert grow == (8 if name in ("replace", "remove") else 0)
    assert not (changed & (grown(mask, grow) == 0)).any()
    assert changed.any()
    assert json.loads(layers[0]["recipe"])["recipe"]["request"]["operation"] in (name, "reweight")


def test_the_saved_xcf_holds_the_layer_and_its_recipe(images: GimpImages, image: int):
    succeeded(images.run("replace", image, **EDITS["replace"], **FEW))
    path = str(images.files / "kept.xcf")
    assert images.gimp.call("save", image, path)
    again = images.gimp.call("load", path)
    before, after = images.layers(image), images.layers(again)
    kept = [{key: layer[key] for key in ("name", "bounds", "mask", "recipe")} for layer in before]
    assert [{key: layer[key] for key in kept[0]} for layer in after] == kept
    recipe = succeeded(images.run("reopen-edit", again))[0]
    assert json.loads(recipe) == json.loads(after[0]["recipe"])


def test_a_photo_is_remembered(images: GimpImages, image: int):
    assert succeeded(images.run("remember-photo", image, shows=SHOWS, **FEW))[0] > 15  # dB


def test_a_word_becomes_the_selection(images: GimpImages, photo: Pixels):
    image = images.new(photo, RGB_8)
    share = succeeded(images.run("word-to-selection", image, shows=SHOWS, word="ball"))[0]
    mask = images.selected(image, *photo.shape[:2])
    ball = np.array(Image.open(DEMO / "photo-selection.png").convert("L")) > 0
    assert abs((mask > 0).mean() - share) < 0.001
    assert (mask[ball] > 0).mean() > 4 * (mask[~ball] > 0).mean()


WRONG = [
    ("replace", {**EDITS["replace"], "soft-edge": -3}, "soft-edge is -3; it can be 0 to 64."),
    ("replace", {**EDITS["replace"], "keep-structure": 1.5}, "keep-structure is 1.5; it can be 0 to 1."),
    ("restyle", {**EDITS["restyle"], "source": "sky"}, "source is sky; it can be one of these: canvas,"),
    ("replace", {**EDITS["replace"], "method": "magic"}, "method is magic"),
    ("emphasise-word", {**EDITS["emphasise-word"], "word": " "}, "Choose a word of “The picture shows”."),
    ("learn-concept", {"name": "x", "noun": "star", "kind": "smell"}, "kind is smell"),
    ("server", {"address": "nonsense"}, "nonsense is no address"),
]


@pytest.mark.parametrize(("name", "values", "text"), WRONG)
def test_a_wrong_value_is_named(images: GimpImages, image: int, name: str, values: dict, text: str):
    told = images.run(name, image, **values)
    assert told["status"] == "calling-error", told
    assert text in told["error"]
    assert len(images.layers(image)) == 1


REFUSED = [
    ("replace", {"should-show": "a photo of a cube"}, "Say what the picture shows."),
    ("replace", {"shows": SHOWS, "should-show": SHOWS}, "Both sentences say the same"),
    ("replace", {**EDITS["replace"], "model": "nowhere"}, "The model nowhere isn't installed"),
    ("restyle", {"shows": SHOWS, "style": "<no-such>"}, "There is no concept <no-such>"),
    ("reopen-edit", {}, "wasn't made by Palimpsest"),
    ("server", {"address": "http://127.0.0.1:9", "token": "x"}, "doesn't answer"),
]


@pytest.mark.parametrize(("name", "values", "text"), REFUSED)
def test_what_cannot_be_done_says_why(images: GimpImages, image: int, name: str, values: dict, text: str):
    told = images.run(name, image, **values)
    assert told["status"] == "execution-error"
    assert text in told["error"]
    assert len(images.layers(image)) == 1


@pytest.mark.parametrize("name", ["insert", "remove"])
def test_a_selection_is_asked_for_where_one_is_needed(images: GimpImages, photo: Pixels, name: str):
    told = images.run(name, images.new(photo, RGB_8), **EDITS[name], **FEW)
    assert told["status"] == "execution-error"
    assert told["error"].startswith("Select ")


def test_an_indexed_picture_is_refused_before_anything_is_sent(images: GimpImages, image: int):
    images.gimp.call("make_indexed", image)
    told = images.run("replace", image, **EDITS["replace"], **FEW)
    assert told["status"] == "execution-error"
    assert "indexed" in told["error"]


@pytest.fixture
def broken(backend: Backend) -> Iterator[Backend]:
    """The backend, to be ended by the test; it is there again afterwards."""
    yield backend
    backend.stop()
    backend.start()


def test_without_a_backend_it_says_so_at_once(images: GimpImages, image: int, broken: Backend):
    broken.stop()
    told = images.run("replace", image, **EDITS["replace"])
    assert told["status"] == "execution-error"
    assert "isn't running" in told["error"]


def test_a_wrong_token_is_told(images: GimpImages, image: int, backend: Backend):
    token = backend.home / "config" / "token"
    right = token.read_text()
    token.write_text("wrong")
    try:
        told = images.run("replace", image, **EDITS["replace"])
    finally:
        token.write_text(right)
    assert told["status"] == "execution-error"
    assert "token" in told["error"]


def test_a_backend_killed_in_the_middle_goes_on_with_the_job(images: GimpImages, image: int, broken: Backend):
    values = {**EDITS["replace"], "steps": 200, "method": "null-text"}
    answering = images.gimp.begin("run", "plug-in-palimpsest-replace", image, "NONINTERACTIVE", values)
    job = until_running(broken)
    broken.kill()
    broken.start()
    broken.client.cancel(job)
    told = images.gimp.answer(answering)
    assert told["status"] == "cancel"
    assert broken.client.job(job)["state"] == "cancelled"
    assert len(images.layers(image)) == 1


def until_running(backend: Backend) -> str:
    """The id of the job that runs now."""
    deadline = time.monotonic() + SOON
    while time.monotonic() < deadline:
        for job in backend.client.jobs()["jobs"]:
            if job["state"] == "running":
                return job["id"]
        time.sleep(0.1)
    raise AssertionError("no job began")
