"""What learn says before it begins, and with which names; the sample that its examples need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from palimpsest.cli.learn import GOOD_SET, in_files
from palimpsest.cli.sample import FILES
from palimpsest.core.text.tokens import nouns_in
from palimpsest.storage.png import encode
from tiny_task import picture, selection

QUICK = ("--noun", "toy", "--steps", "2")


@pytest.fixture
def toys(shell: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "toys"
    folder.mkdir()
    for name, seed in (("one", 1), ("two", 2), ("three", 3)):
        (folder / f"{name}.png").write_bytes(picture(seed=seed))
    return folder


def test_a_folder_of_pictures_and_one_of_masks(toys: Path, shell: Any, sd1_folder: Path) -> None:
    masks = toys.parent / "masks"
    masks.mkdir()
    for name in ("one", "two", "three"):
        (masks / f"{name}.png").write_bytes(selection())
    more = ("--model", sd1_folder, "--accept-outliers")
    said = shell("learn", "my-toy", "toys", "--mask", "masks", *QUICK, *more, "--json")
    assert said.code == 0, said.err
    assert said.json["result"]["masks"] == [True, True, True]
    last = said.err.splitlines()[-1]
    assert last.startswith("<my-toy> is learned in ")
    assert last.endswith(f'To see it: palimpsest draw "a photo of a <my-toy>" --model {sd1_folder}')
    (masks / "two.png").unlink()
    said = shell("learn", "your-toy", "toys", "--mask", "masks", *QUICK, *more)
    assert (said.code, "masks has no file named as two.png is." in said.err) == (2, True), said.err
    said = shell("learn", "my-toy", "toys", *QUICK, *more)
    assert (said.code, "Give --replace, or choose another name." in said.err) == (2, True), said.err
    assert "loading" not in said.err


def test_the_noun_comes_before_the_pictures_and_only_nouns_are_proposed(shell: Any) -> None:
    said = shell("learn", "my-toy", "missing.png", "--noun", "helicopter")
    assert said.code == 2
    assert "doesn't know the word 'helicopter'" in said.err
    proposed = said.err.partition("It knows: ")[2].partition(".")[0].split(", ")
    assert {"ball", "cat", "star", "woman"} <= set(proposed)
    assert not {"and", "the", "next", "blue", "balls", "dotted"} & set(proposed)


def test_nouns_are_the_words_with_a_plural() -> None:
    assert nouns_in(["cat", "cats", "man", "men", "red", "a", "as"]) == ["cat", "man"]
    assert nouns_in(["sky", "red"]) == ["red", "sky"], "where none has one all are listed"


REFUSED = {
    "two": (["toys/one.png", "toys/two.png"], "2 pictures were given"),
    "twice": (["toys", "again.png"], "again.png is the same file as toys/one.png. Leave it out"),
    "damaged": (["toys", "damaged.png"], "damaged.png: "),
    "masks": (["toys", "--mask", "selection.png"], "1 masks were given for 3 pictures. Give --mask"),
    "a mask's size": (["toys", *["--mask", "small.png"] * 3], "small.png: The selection"),
    "an empty folder": (["empty"], "There is no photo in the folder empty."),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_in_files_is_said_with_their_names_before_anything_slow(
    case: str, toys: Path, shell: Any, sd1_folder: Path
) -> None:
    arguments, says = REFUSED[case]
    Path("again.png").write_bytes((toys / "one.png").read_bytes())
    content = bytearray(picture(seed=9))
    content[len(content) // 2] ^= 255
    Path("damaged.png").write_bytes(bytes(content))
    Path("small.png").write_bytes(encode(np.full((64, 64), 255, np.uint8)))
    Path("empty").mkdir()
    said = shell("learn", "my-toy", *arguments, *QUICK, "--model", sd1_folder)
    assert (said.code, says in said.err) == (2, True), said.err
    assert "loading" not in said.err
    assert (GOOD_SET in said.err) == (case in ("two", "twice"))


def test_the_set_is_judged_by_files_too(toys: Path, shell: Any, sd1_folder: Path) -> None:
    """What only the model's size or the pixels tell."""
    (toys / "blank.png").write_bytes(encode(np.full((88, 72, 3), 255, np.uint8)))
    said = shell("learn", "my-toy", "toys", *QUICK, "--model", sd1_folder)
    assert said.code == 2
    assert "toys/blank.png is blank: next to nothing can be seen in it." in said.err
    assert GOOD_SET in said.err


def test_numbers_become_names() -> None:
    files = [Path("a.png"), Path("b.png")]
    assert in_files("Picture 2 is the same as picture 1.", files) == "b.png is the same as a.png."
    assert in_files("Picture 7: an animation.", files) == "Picture 7: an animation."


def test_the_sample_is_copied_once_and_never_over_something_else(shell: Any) -> None:
    said = shell("sample")
    assert (said.code, said.out.split()) == (0, [f"sample/{name}" for name in FILES])
    assert all(Path("sample", name).is_file() for name in FILES)
    again = shell("sample", "sample", "--json")
    assert (again.code, set(again.json["files"])) == (0, set(FILES))
    Path("sample/toy/2.png").write_bytes(b"mine")
    Path("sample/photo.png").unlink()
    said = shell("sample")
    assert (said.code, "sample/toy/2.png is there already" in said.err) == (2, True)
    assert not Path("sample/photo.png").exists(), "all or none"
    assert shell("sample", "--overwrite").code == 0
    assert Path("sample/toy/2.png").read_bytes() != b"mine"


def test_what_the_examples_begin_with_is_accepted(shell: Any) -> None:
    """All but the learning itself, which takes a minute: the noun, the files, the set's size."""
    assert shell("sample").code == 0
    said = shell("learn", "my-toy", "sample/toy", "--noun", "star", "--finish")
    assert (said.code, "there is nothing to finish" in said.err) == (2, True), said.err
    masks = ("--mask", "sample/toy-masks")
    said = shell("learn", "my-toy", "sample/toy", *masks, "--noun", "star", "--finish")
    assert (said.code, "there is nothing to finish" in said.err) == (2, True), said.err


def test_a_word_is_learned_with_detail_and_exported_whole_and_in_halves(
    toys: Path, shell: Any, sd1_folder: Path
) -> None:
    options = (*QUICK, "--model", sd1_folder, "--accept-outliers", "--json")
    said = shell("learn", "my-toy", "toys", "--detail", *options)
    assert (said.code, said.json["result"]["detail"]) == (0, True), said.err
    shown = shell("concepts", "show", "my-toy", "--json").json
    assert shown["rank"] == 8
    for part in ("whole", "embedding", "lora"):
        assert shell("concepts", "export", "my-toy", f"{part}.safetensors", "--part", part).code == 0
    taken = shell("concepts", "import", "whole.safetensors", "--name", "again", "--json").json
    assert (taken["rank"], taken["rows_hash"]) == (8, shown["rows_hash"])
    half = shell("concepts", "import", "embedding.safetensors", "--name", "half", "--json").json
    assert half["rank"] is None
    said = shell("concepts", "import", "lora.safetensors", "--name", "other")
    assert (said.code, "is a LoRA without a word" in said.err) == (2, True), said.err
    said = shell("learn", "other", "toys", "--detail", "--quick", *options[:-1])
    assert (said.code, "not allowed with" in said.err) == (2, True), said.err
    said = shell("learn", "quick-toy", "toys", "--quick", *options)
    assert said.json["result"]["detail"] is False
    said = shell("concepts", "export", "quick-toy", "none.safetensors", "--part", "lora")
    assert (said.code, "was learned without detail" in said.err) == (2, True), said.err
