"""Several photos in one call, and folders of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tiny_task import picture, selection

SHOWS, TARGET = "a photo of a cat on grass", "a photo of a dog on grass"


def words(model: Path) -> tuple[str, ...]:
    quick = ("--model", str(model), "--steps", "2", "--guidance", "3")
    return ("--shows", SHOWS, "--should-show", TARGET, *quick)


@pytest.fixture
def folder(shell: Any, tmp_path: Path) -> Path:
    """Two photos, one that is none, and what isn't looked at."""
    place = tmp_path / "photos"
    place.mkdir()
    for name, seed in (("a.png", 1), ("c.png", 2)):
        (place / name).write_bytes(picture(seed=seed))
    (place / "b.jpg").write_bytes(b"not a picture")
    (place / "notes.txt").write_text("nothing")
    (place / "below.png").mkdir()
    return place


def test_a_folder_is_edited_photo_by_photo_and_a_failing_one_stops_nothing(
    folder: Path, shell: Any, sd1_folder: Path
) -> None:
    said = shell("edit", "photos", "--box", "10,10,30,30", *words(sd1_folder), "--output", "out")
    assert said.code == 2, said.err
    assert "photos/b.jpg: Error: " in said.err
    assert said.err.splitlines()[-1] == "2 of 3 photos are done. Not done: photos/b.jpg."
    written = [Path(line).name for line in said.out.splitlines()]
    assert {"a-replace-layer.png", "c-replace-layer.png"} <= set(written)
    assert all((Path("out") / name).is_file() for name in written)
    assert "c.png: editing" in said.err
    alone = shell("edit", "photos/c.png", "--box", "10,10,30,30", *words(sd1_folder), "--output", "alone")
    assert alone.code == 0
    layer = "c-replace-layer.png"
    assert Path("out", layer).read_bytes() == Path("alone", layer).read_bytes()


def test_json_tells_of_every_photo(folder: Path, shell: Any, sd1_folder: Path) -> None:
    shown = ("--shows", SHOWS, "--model", sd1_folder, "--steps", "2", "--guidance", "3")
    said = shell("invert", "photos", "photo.png", *shown, "--json", "--quiet", "--output", "out")
    told = said.json["photos"]
    assert [Path(one["photo"]).name for one in told] == ["a.png", "b.jpg", "c.png", "photo.png"]
    assert [one.get("error", {}).get("code") for one in told] == [None, "image_unreadable", None, None]
    assert all(Path(one["files"]["record"]).is_file() for one in told if "files" in one)
    found = shell("attention", "photos", *shown[:4], "--word", "cat", "--json", "--output", "out")
    assert (found.code, Path("out/a-cat-selection.png").is_file()) == (2, True), found.err


def test_results_that_are_there_fail_their_photo_alone(folder: Path, shell: Any, sd1_folder: Path) -> None:
    (folder / "b.jpg").unlink()
    Path("out").mkdir()
    Path("out/a-replace-layer.png").write_bytes(b"mine")
    said = shell("edit", "photos", *words(sd1_folder), "--output", "out")
    assert (said.code, Path("out/c-replace-layer.png").is_file()) == (2, True), said.err
    assert "exists already" in said.err
    assert Path("out/a-replace-layer.png").read_bytes() == b"mine"
    assert sorted(path.name for path in Path("out").glob("a-*")) == ["a-replace-layer.png"]


def test_photos_of_one_name_get_results_of_two(folder: Path, shell: Any, sd1_folder: Path) -> None:
    Image.open(folder / "a.png").save("a.jpg")
    said = shell("edit", "photos/a.png", "a.jpg", *words(sd1_folder), "--output", "out")
    assert said.code == 0, said.err
    records = sorted(path.name for path in Path("out").glob("*.json"))
    assert records == ["a-jpg-replace.json", "a-png-replace.json"]
    Path("a.png").write_bytes(picture(seed=3))
    said = shell("edit", "photos/a.png", "a.png", *words(sd1_folder), "--output", "third")
    assert (said.code, "would have the same names" in said.err) == (2, True), said.err
    assert not Path("third").exists()


def test_a_folder_of_selections_has_one_for_each_photo(folder: Path, shell: Any, sd1_folder: Path) -> None:
    Path("masks").mkdir()
    Path("masks/a.png").write_bytes(selection())
    said = shell("edit", "photos", "--selection", "masks", *words(sd1_folder), "--output", "out")
    assert said.code == 2
    assert "masks has no file named as c.png is. One is needed: masks/c.png" in said.err
    assert said.err.splitlines()[-1].startswith("1 of 3 photos are done.")
    record = json.loads(Path("out/a-replace.json").read_text())
    assert record["recipe"]["request"]["selection"] is not None


def test_folders_that_cannot_be_meant_are_refused(folder: Path, shell: Any, sd1_folder: Path) -> None:
    for name in ("a.png", "b.jpg", "c.png"):
        (folder / name).unlink()
    said = shell("edit", "photos", *words(sd1_folder))
    assert (said.code, "There is no photo in the folder photos." in said.err) == (2, True), said.err
    said = shell("edit", "photos", *words(sd1_folder), "--output", "photos")
    assert (said.code, "would lie among the photos" in said.err) == (2, True), said.err


def test_what_fails_for_all_is_said_once(folder: Path, shell: Any) -> None:
    sentences = ("--shows", SHOWS, "--should-show", TARGET)
    said = shell("edit", "photos/a.png", "photos/c.png", *sentences, "--model", "no")
    assert said.code == 2
    assert said.err.count("(model_not_found)") == 1
