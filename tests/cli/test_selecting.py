"""Selections without a drawing program: which pixels they are, what is refused, and replaying them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from palimpsest.core.picture.selection import grown
from palimpsest.storage.pictures import read_picture
from palimpsest.storage.png import encode
from tiny_task import picture

WIDTH, HEIGHT = 72, 88
SHOWS, TARGET = "a photo of a cat on grass", "a photo of a dog on grass"


def edit(model: Path, *more: str) -> tuple[str, ...]:
    words = ("--shows", SHOWS, "--should-show", TARGET, "--model", str(model), "--steps", "2")
    return ("edit", "photo.png", *words, "--guidance", "3", "--output", "out", *more)


def filled(left: int, top: int, right: int, bottom: int) -> Any:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[top:bottom, left:right] = 255
    return mask


def selected(name: str = "photo-replace") -> Any:
    return read_picture(Path("out") / f"{name}-selection.png").pixels[..., 0]


def see_through() -> Any:
    """The photo's alpha channel: opaque at the left, half opaque in the middle, clear at the right."""
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[:, :30], alpha[:, 30:40] = 255, 128
    return alpha


def make_transparent() -> None:
    colours = read_picture(picture()).pixels
    Path("photo.png").write_bytes(encode(np.concatenate([colours, see_through()[..., None]], axis=-1)))


CASES = {
    "pixels": (["--box", "10,20,30,40"], filled(10, 20, 40, 60)),
    "per cent": (["--box", "50%,25%,50%,50%"], filled(36, 22, 72, 66)),
    "both": (["--box", "0,0,50%,44"], filled(0, 0, 36, 44)),
    "two boxes": (
        ["--box", "0,0,10,10", "--box", "5,5,10,10"],
        np.maximum(filled(0, 0, 10, 10), filled(5, 5, 15, 15)),
    ),
    "inverted": (["--box", "10,20,30,40", "--invert-selection"], 255 - filled(10, 20, 40, 60)),
    "the short name": (["--box", "10,20,30,40", "--invert"], 255 - filled(10, 20, 40, 60)),
    "alpha": (["--alpha"], see_through()),
    "alpha in a box": (
        ["--alpha", "--box", "20,0,20,50"],
        np.minimum(see_through(), filled(20, 0, 40, 50)),
    ),
    "a file and a box": (
        ["--selection", "mask.png", "--box", "0,0,20,88"],
        filled(5, 10, 20, 80),
    ),
    "a file, inverted": (["--selection", "mask.png", "--invert"], 255 - filled(5, 10, 50, 80)),
}


@pytest.mark.parametrize("case", CASES)
def test_the_selection_is_exactly_what_was_said_and_replay_makes_it_again(
    case: str, shell: Any, sd1_folder: Path
) -> None:
    options, expected = CASES[case]
    Path("mask.png").write_bytes(encode(filled(5, 10, 50, 80)))
    if "--alpha" in options:
        make_transparent()
    said = shell(*edit(sd1_folder, *options, "--json"))
    assert said.code == 0, said.err
    assert np.array_equal(selected(), expected)
    before, after = read_picture("photo.png"), read_picture("out/photo-replace-composite.png")
    outside = grown(expected, said.json["result"]["grown"]) == 0
    assert np.array_equal(before.pixels[outside], after.pixels[outside])
    assert (before.pixels != after.pixels).any()
    files = ("photo.png", "mask.png") if "--selection" in options else ("photo.png",)
    again = shell("replay", "out/photo-replace.json", *files, "--output", "again")
    assert again.code == 0, again.err
    for name in ("layer", "composite", "reconstruction"):
        file = f"photo-replace-{name}.png"
        assert Path("again", file).read_bytes() == Path("out", file).read_bytes()


def test_a_words_selection_is_the_one_that_attention_finds(shell: Any, sd1_folder: Path) -> None:
    found = shell("attention", "photo.png", "--shows", SHOWS, "--word", "cat", "--model", sd1_folder)
    assert found.code == 0, found.err
    said = shell(*edit(sd1_folder, "--word", "cat", "--json"))
    assert said.code == 0, said.err
    made = Path("out/photo-replace-selection.png").read_bytes()
    assert made == Path("photo-cat-selection.png").read_bytes()
    told = said.json["result"]["recipe"]["selection"]
    assert (told["words"], told["boxes"], told["inverted"]) == (["cat"], [], False)
    for files in (("photo.png",), ("photo.png", "out/photo-replace-selection.png")):
        output = f"again-{len(files)}"
        again = shell("replay", "out/photo-replace.json", *files, "--output", output)
        assert again.code == 0, again.err
        layer = "photo-replace-layer.png"
        assert Path(output, layer).read_bytes() == Path("out", layer).read_bytes()


def test_a_word_in_a_box_is_what_both_select(shell: Any, sd1_folder: Path) -> None:
    assert shell(*edit(sd1_folder, "--word", "cat")).code == 0
    word = selected()
    rows = np.flatnonzero(word.any(axis=1))
    half = int(rows[len(rows) // 2]) + 1  # a box that has some of it, and not all
    said = shell(*edit(sd1_folder, "--word", "cat", "--box", f"0,0,{WIDTH},{half}", "--overwrite"))
    assert said.code == 0, said.err
    expected = word.copy()
    expected[half:] = 0
    assert np.array_equal(selected(), expected)


def test_invert_remembers_what_edit_will_look_at(shell: Any, sd1_folder: Path) -> None:
    """The same box, ungrown: the photo is remembered for the very edit."""
    box = ("--box", "10,20,30,40")
    shown = ("--shows", SHOWS, "--model", sd1_folder, "--steps", "2", "--guidance", "3")
    said = shell("invert", "photo.png", *shown, *box, "--json", "--output", "out")
    assert said.code == 0, said.err
    assert np.array_equal(selected("photo-invert"), filled(10, 20, 40, 60))
    assert said.json["result"]["selection"]["boxes"] == [[10, 20, 30, 40]]
    edited = shell(*edit(sd1_folder, *box, "--grow", "0", "--json"))
    assert edited.json["result"]["remembered"] is True


def test_a_box_is_in_the_pixels_of_the_upright_photo(shell: Any, sd1_folder: Path) -> None:
    """As viewers show it: this one lies on its side in its file."""
    turned = Image.Exif()
    turned[274] = 6
    Image.open(io.BytesIO(picture())).save("photo.png", exif=turned)
    said = shell(*edit(sd1_folder, "--box", "70,10,18,20"))
    assert said.code == 0, said.err
    mask = selected()
    assert mask.shape == (WIDTH, HEIGHT)
    assert mask[10:30, 70:88].all()
    assert int((mask > 0).sum()) == 18 * 20


REFUSED = {
    "beyond": (["--box", "60,20,30,40"], "The box 60,20,30,40 reaches beyond the photo."),
    "far away": (["--box", "500,500,10,10"], "reaches beyond the photo. The photo has 72 x 88 pixels"),
    "no pixel": (["--box", "10,20,0,40"], "less than a pixel"),
    "opaque": (["--alpha"], "has no transparency for --alpha"),
    "nothing to invert": (["--invert"], "There is no selection to invert. Give --selection, --box"),
    "no such word": (["--word", "dog"], "dog"),
    "nothing left": (["--box", "0,0,9,9", "--selection", "mask.png"], "has nothing in common"),
    "all of it": (["--box", "0,0,100%,100%", "--invert"], "Everything is selected"),
    "a mask of another size": (["--selection", "small.png", "--box", "0,0,9,9"], "64"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_before_a_model_is_loaded(
    case: str, shell: Any, sd1_folder: Path, tmp_path: Path
) -> None:
    options, says = REFUSED[case]
    Path("mask.png").write_bytes(encode(filled(40, 40, 50, 80)))
    Path("small.png").write_bytes(encode(np.full((64, 64), 255, np.uint8)))
    said = shell(*edit(sd1_folder, *options))
    assert (said.code, says in said.err) == (2, True), said.err
    assert "loading" not in said.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["1,2,3", "1,2,3,4,5", "a,b,c,d", "-1,0,5,5", "1.5,0,5,5", "0,0,101%,5"])
def test_what_is_no_box_is_told_with_its_form(shell: Any, text: str, sd1_folder: Path) -> None:
    said = shell(*edit(sd1_folder, f"--box={text}"))
    assert said.code == 2
    assert "--box" in said.err


def test_a_recipe_whose_selection_comes_out_differently_is_not_replayed(shell: Any, sd1_folder: Path) -> None:
    assert shell(*edit(sd1_folder, "--box", "10,20,30,40")).code == 0
    record = json.loads(Path("out/photo-replace.json").read_text())
    record["recipe"]["selection"]["boxes"] = [[11, 20, 30, 40]]
    Path("other.json").write_text(json.dumps(record))
    said = shell("replay", "other.json", "photo.png", "--output", "again")
    assert (said.code, "comes out differently here" in said.err) == (2, True), said.err
    record["recipe"]["engine"] -= 1  # which may have written the same selection as another file
    Path("older.json").write_text(json.dumps(record))
    said = shell("replay", "older.json", "photo.png", "--output", "older")
    assert (said.code, "engine was" in said.err) == (0, True), said.err
    for broken in ({"boxes": [[1, 2]]}, {"boxes": None}):
        record["recipe"]["selection"].update(broken)
        Path("other.json").write_text(json.dumps(record))
        said = shell("replay", "other.json", "photo.png", "--output", "again")
        assert (said.code, "selection can't be read" in said.err) == (2, True), said.err
    assert not Path("again").exists()
