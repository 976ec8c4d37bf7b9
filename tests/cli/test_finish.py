"""After an edit: what is said, counted and shown, and results in the photo's own kind."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from palimpsest.cli import outside as counted
from palimpsest.cli import running, viewer
from palimpsest.cli.pictures import Pictures
from palimpsest.core.picture.selection import grown
from palimpsest.settings import read_settings
from palimpsest.storage import own_kind
from palimpsest.storage.pictures import encode_merged, read_picture, write_png
from tiny_task import picture, selection

SHOWS, TARGET = "a photo of a cat on grass", "a photo of a dog on grass"


def edit(model: Path, *more: str, photo: str = "photo.png") -> tuple[str, ...]:
    words = ("--shows", SHOWS, "--should-show", TARGET, "--model", str(model), "--steps", "2")
    return ("edit", photo, *words, "--guidance", "3", "--output", "out", *more)


def outside(grow: int = 8) -> Any:
    return grown(read_picture(selection()).pixels[..., 0], grow) == 0


def test_one_line_says_how_long_what_changed_and_what_was_written(shell: Any, sd1_folder: Path) -> None:
    said = shell(*edit(sd1_folder, "--selection", "selection.png"))
    line, model = said.err.splitlines()[-1], re.escape(str(sd1_folder))
    count = f"0 of {int(outside().sum()):,} pixels outside the selection, grown by 8, changed"
    expected = rf"photo\.png is done in \d+\.\d s: {count}\. Model: {model}\. 4 files in out\."
    assert re.fullmatch(expected, line), line
    assert "is done" not in shell(*edit(sd1_folder, "--overwrite", "--quiet")).err
    everything = shell(*edit(sd1_folder, "--overwrite"))
    assert "nothing was selected, so every pixel could change" in everything.err.splitlines()[-1]
    two = ("--overwrite", "--selection", "selection.png", "--variations", "2")
    told = shell(*edit(sd1_folder, *two, "--json"))
    counts = told.json["result"]["outside"]
    assert set(counts) == {"composite", "composite:2"}
    assert counts["composite"] == {"pixels": int(outside().sum()), "changed": 0, "most": 0}


def test_a_file_in_which_something_outside_changed_is_no_success(
    shell: Any, sd1_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the file that is counted, not what the task said of it."""
    write = running.Target.write

    def spoilt(self: Any, backend: Any, finished: Any, more: Any = None) -> dict[str, str]:
        files = write(self, backend, finished, {})
        found = read_picture(files["composite"])
        pixels = found.pixels.copy()
        pixels[80, 70] ^= 3
        Path(files["composite"]).write_bytes(encode_merged(found, pixels))
        return files

    monkeypatch.setattr(running.Target, "write", spoilt)
    said = shell(*edit(sd1_folder, "--selection", "selection.png"))
    assert (said.code, said.out) == (1, ""), said.err
    assert f"1 of {int(outside().sum()):,} pixels outside" in said.err
    assert "which must not be. Please report it with out/photo-replace.json." in said.err


def test_the_files_of_the_region_are_the_whole_pictures_part(shell: Any, sd1_folder: Path) -> None:
    """Same pixels, and no more of them than were worked on; what changed outside is counted on these."""
    Path("photo.png").write_bytes(picture(400, 300, depth=np.uint16))
    Path("selection.png").write_bytes(selection(400, 300))
    asked = ("--selection", "selection.png", "--maps", "--json")
    whole = shell(*edit(sd1_folder, *asked)).json
    said = shell(*edit(sd1_folder, *asked, "--extent", "region", "--output", "part"))
    assert said.code == 0, said.err
    part = said.json
    left, top, right, bottom = part["result"]["recipe"]["region"]["box"]
    assert (right - left) * (bottom - top) < 400 * 300 / 4
    assert f"files in part, to be laid at {left}, {top} of the photo." in said.err
    assert set(part["files"]) == set(whole["files"])
    for name in [name for name in part["files"] if name.startswith(("layer", "composite", "map"))]:
        large, small = (read_picture(files["files"][name]) for files in (whole, part))
        assert small.size == (right - left, bottom - top)
        for one, other in ((large.pixels, small.pixels), (large.alpha, small.alpha)):
            if one is None or other is None:
                assert one is other is None
                continue
            assert one.dtype == other.dtype
            assert np.array_equal(one[top:bottom, left:right], other)
    count = part["result"]["outside"]["composite"]
    outside = grown(read_picture("selection.png").pixels[..., 0], 8)[top:bottom, left:right] == 0
    assert count == {"pixels": int(outside.sum()), "changed": 0, "most": 0}


def test_the_whole_photos_kind_is_not_for_a_part_of_it(shell: Any, sd1_folder: Path) -> None:
    said = shell(*edit(sd1_folder, "--extent", "region", "--keep-format"))
    assert (said.code, "Leave one of the two out" in said.err) == (2, True)


@pytest.mark.parametrize("band", [1, 500, 1 << 20])
def test_what_changed_is_counted_in_colours_and_in_transparency(
    band: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counted, "BAND", band)
    rng, chosen = np.random.default_rng(0), selection()
    before = rng.integers(0, 65536, (88, 72, 4)).astype(np.uint16)
    after, where = before.copy(), outside(3)
    rows, columns = np.nonzero(where)
    after[rows[5], columns[5], 1] ^= 1 << 9
    after[rows[-1], columns[-1], 3] ^= 1 << 12
    after[~where] = 0
    for name, array in (("before.png", before), ("after.png", after)):
        write_png(tmp_path / name, array)
    count = counted.counting(Pictures(read_settings({})), tmp_path / "before.png", chosen, 3)
    assert count(tmp_path / "before.png") == counted.Outside(len(rows), 0, 0, 3)
    assert count(tmp_path / "after.png") == counted.Outside(len(rows), 2, 1 << 12, 3)


JPEG = {"quality": 90, "dpi": (300, 300), "comment": b"mine"}


def save(name: str, kind: str, **options: object) -> None:
    Image.open(io.BytesIO(picture())).save(name, kind, **options)


@pytest.mark.parametrize(
    ("name", "kind", "options", "written"),
    [
        ("photo.jpeg", "JPEG", JPEG, "photo-replace.jpeg"),
        ("photo.JPG", "JPEG", JPEG, "photo-replace.JPG"),
        ("photo", "JPEG", JPEG, "photo-replace.jpg"),
        ("photo.tif", "TIFF", {}, "photo-replace.tif"),
        ("photo.webp", "WEBP", {"lossless": True}, "photo-replace.webp"),
    ],
)
def test_the_result_is_also_of_the_photos_own_kind(
    name: str, kind: str, options: dict[str, Any], written: str, shell: Any, sd1_folder: Path
) -> None:
    save(name, kind, **options)
    asked = edit(sd1_folder, "--selection", "selection.png", "--keep-format", photo=name)
    said = shell(*asked, "--json")
    assert said.code == 0, said.err
    file = Path("out") / written
    assert said.json["files"]["own"] == str(file)
    assert json.loads(Path("out/photo-replace.json").read_text())["artifacts"]["own"] == written
    assert Image.open(file).format == kind
    before, after = read_picture(name), read_picture(file)
    composite = read_picture("out/photo-replace-composite.png")
    differing = (before.pixels != after.pixels).any(axis=-1) & outside()
    count = said.json["result"]["outside"]["own"]
    assert count["changed"] == int(differing.sum())
    if kind == "JPEG":
        assert count["changed"] > 0
        where = "outside the selection, grown by 8, changed"
        told = f"{count['changed']:,} of {count['pixels']:,} pixels {where}"
        assert f"is compressed anew, so {told}" in said.err
        assert "photo-replace-layer.png is exact" in said.err
    else:
        assert (count["changed"], "anew" in said.err) == (0, False)
        assert np.array_equal(after.pixels, composite.pixels)
    assert said.json["result"]["outside"]["composite"]["changed"] == 0
    again = shell(*asked)
    assert (again.code, "exists already" in again.err) == (2, True)


def test_each_variation_has_its_own_file(shell: Any, sd1_folder: Path) -> None:
    save("photo.jpg", "JPEG")
    asked = ("--selection", "selection.png", "--keep-format", "--variations", "2")
    assert shell(*edit(sd1_folder, *asked, photo="photo.jpg")).code == 0
    written = sorted(path.name for path in Path("out").glob("*.jpg"))
    assert written == ["photo-replace-2.jpg", "photo-replace.jpg"]


@pytest.mark.parametrize("several", [False, True])
def test_a_file_that_cannot_be_made_costs_no_result(
    several: bool, shell: Any, sd1_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("photo.jpg", "JPEG")

    def require_valid(*_: Any, **options: Any) -> None:
        raise OSError("no encoder")

    monkeypatch.setattr(own_kind, "_saved", require_valid)
    asked = edit(sd1_folder, "--keep-format", photo="photo.jpg")[1:]
    said = shell("edit", *(["photo.png"] if several else []), *asked, "--json")
    assert said.code == 1, said.err
    why = "The result can't be written as JPEG: no encoder. Its result is a PNG."
    assert f"Notice: out/photo-replace.jpg isn't written. {why}" in said.err.replace("photo-jpg-", "photo-")
    files = (said.json["photos"][1] if several else said.json)["files"]
    assert {"layer", "composite", "record"} <= set(files)
    assert "own" not in files
    assert all(Path(file).is_file() for file in files.values())


def test_a_photo_that_is_gone_by_then_costs_no_result(
    shell: Any, sd1_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("photo.jpg", "JPEG")
    run = running.run

    def slowly(*arguments: Any) -> Any:
        Path("photo.jpg").unlink()
        return run(*arguments)

    monkeypatch.setattr(running, "run", slowly)
    said = shell(*edit(sd1_folder, "--keep-format", photo="photo.jpg"))
    assert (said.code, Path("out/photo-replace.jpg").is_file()) == (0, True), said.err


def test_a_file_of_its_own_kind_is_not_written_over(shell: Any, sd1_folder: Path) -> None:
    save("photo.jpg", "JPEG")
    Path("out").mkdir()
    Path("out/photo-replace.jpg").write_bytes(b"mine")
    said = shell(*edit(sd1_folder, "--keep-format", photo="photo.jpg"))
    assert (said.code, "photo-replace.jpg exists already" in said.err) == (2, True)
    assert "loading" not in said.err
    assert Path("out/photo-replace.jpg").read_bytes() == b"mine"


@pytest.mark.parametrize(("kind", "noticed"), [("PNG", False), ("BMP", True), ("GIF", True)])
def test_other_kinds_come_back_as_png(kind: str, noticed: bool, shell: Any, sd1_folder: Path) -> None:
    save(f"photo.{kind.lower()}", kind)
    said = shell(*edit(sd1_folder, "--keep-format", "--json", photo=f"photo.{kind.lower()}"))
    assert ("own" in said.json["files"], "its result is a PNG" in said.err) == (False, noticed)


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder first on PATH; what is shown is written into ``shown`` there."""
    programs = tmp_path / "programs"
    programs.mkdir()
    name = "open" if sys.platform == "darwin" else "xdg-open"
    script = f'#!/bin/sh\necho "$1" > "{programs}/shown"\nread code < "{programs}/code"\nexit "$code"\n'
    (programs / name).write_text(script)
    (programs / name).chmod(0o755)
    (programs / "code").write_text("0\n")
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.setattr(viewer, "PATIENCE", 120.0)
    return programs


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no program for it")
def test_open_shows_the_result_of_one_and_the_folder_of_several(
    desktop: Path, shell: Any, sd1_folder: Path, tmp_path: Path
) -> None:
    save("photo.jpg", "JPEG")
    shown = desktop / "shown"
    for more, photos, what in (
        ((), ["photo.png"], "out/photo-replace-composite.png"),
        (("--keep-format", "--overwrite"), ["photo.jpg"], "out/photo-replace.jpg"),
        (("--overwrite",), ["photo.png", "photo.jpg"], "out"),
    ):
        command = edit(sd1_folder, "--open", *more)
        said = shell("edit", *photos, *command[2:])
        assert said.code == 0, said.err
        assert shown.read_text() == f"{tmp_path / what}\n"
    (desktop / "code").write_text("3\n")
    said = shell(*edit(sd1_folder, "--open", "--overwrite"))
    assert (said.code, "(exit code 3)" in said.err) == (0, True), said.err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is a desktop")
def test_where_nothing_can_show_it_that_is_said(
    desktop: Path, shell: Any, sd1_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    said = shell(*edit(sd1_folder, "--open"))
    last = "Notice: There is no desktop here that could show out/photo-replace-composite.png."
    assert (said.code, said.err.splitlines()[-1]) == (0, last)
    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.setenv("PATH", "")
    said = shell(*edit(sd1_folder, "--open", "--overwrite"))
    assert (said.code, "xdg-open isn't installed" in said.err) == (0, True)
    assert not (desktop / "shown").exists()


def test_the_same_sentence_twice_is_said_and_not_run(shell: Any, sd1_folder: Path) -> None:
    again = ("--should-show", SHOWS.upper() + ".")
    for operation in ("replace", "insert", "restyle"):
        said = shell(*edit(sd1_folder, *again, "--operation", operation))
        assert said.code == 2
        assert "Both sentences say the same: change a word." in said.err
        assert "give another --seed" in said.err
        assert "loading" not in said.err
    for more in (("--seed", "1"), ("--variations", "2"), ("--weight", "cat=2")):
        said = shell(*edit(sd1_folder, *again, *more, "--overwrite"))
        assert said.code == 0, said.err
    named = ("--shows", "a photo of my-toy", "--should-show", "a photo of <my-toy>")
    said = shell(*edit(sd1_folder, *named, "--overwrite"))
    assert "There is no concept <my-toy>." in said.err, "in brackets it is another word"


def test_a_concept_that_is_nearly_there_is_proposed(shell: Any, sd1_folder: Path) -> None:
    for seed in range(3):
        Path(f"{seed}.png").write_bytes(picture(seed=seed))
    learned = ("learn", "my-toy", "0.png", "1.png", "2.png", "--noun", "toy", "--steps", "1")
    assert shell(*learned, "--accept-outliers", "--model", sd1_folder).code == 0
    said = shell(*edit(sd1_folder, "--should-show", "a <my-tyo> on grass"))
    assert (said.code, "Did you mean <my-toy>? There are: <my-toy>." in said.err) == (2, True), said.err
    said = shell("concepts", "show", "mytoy")
    assert (said.code, "Did you mean <my-toy>?" in said.err) == (2, True), said.err
    said = shell(*edit(sd1_folder, "--should-show", "a my toy on grass", "--quiet"))
    assert "Notice: my toy is read as it stands. Did you mean the concept <my-toy>?" in said.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no program for it")
def test_replay_makes_the_same_files_and_shows_them_too(shell: Any, sd1_folder: Path, desktop: Path) -> None:
    """The code is the edit's: the result's own kind, the selection that is made, the viewer."""
    save("photo.jpg", "JPEG", **JPEG)
    made = shell(*edit(sd1_folder, "--box", "10,10,40,40", "--keep-format", photo="photo.jpg"))
    assert made.code == 0, made.err
    more = ("--keep-format", "--open", "--output", "again")
    again = shell("replay", "out/photo-replace.json", "photo.jpg", *more)
    assert again.code == 0, again.err
    pictures = [Path(name).name for name in made.out.split() if not name.endswith(".json")]
    assert {"photo-replace.jpg", "photo-replace-selection.png"} < set(pictures)
    assert [Path(name).name for name in again.out.split() if not name.endswith(".json")] == pictures
    for name in pictures:
        assert Path("again", name).read_bytes() == Path("out", name).read_bytes(), name
    assert "photo.jpg is done in" in again.err
    assert (desktop / "shown").read_text() == f"{Path.cwd() / 'again/photo-replace.jpg'}\n"
    refused = shell("replay", "out/photo-replace.json", "photo.jpg", *more)
    assert (refused.code, "exists already" in refused.err) == (2, True)
