"""Every command: paths on standard output, progress on standard error, exit codes, nothing half-written."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import palimpsest
from palimpsest.cli import COMMANDS
from palimpsest.core.picture.selection import grown
from palimpsest.models.families import published_widths
from palimpsest.storage import atomic
from palimpsest.storage.pictures import read_picture
from tiny_task import picture, selection

SHOWS, TARGET = "a photo of a cat on grass", "a photo of a dog on grass"
QUICK = ("--steps", "3", "--guidance", "3")
HEAVY = ("torch", "numpy", "PIL", "diffusers", "transformers", "fastapi", "uvicorn")


def edit_arguments(model: Path, *more: str) -> tuple[str, ...]:
    common = ("edit", "photo.png", "--selection", "selection.png", "--model", str(model), *QUICK)
    return (*common, "--shows", SHOWS, "--should-show", TARGET, "--output", "out", *more)


def test_help_is_quick_and_complete() -> None:
    """``--help`` imports no torch and nothing else that takes time."""
    code = "import sys; from palimpsest.cli import build_parser; print(build_parser().format_help()); "
    code += f"print([name for name in {HEAVY} if name in sys.modules])"
    backend = Path(palimpsest.__file__).parent.parent
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": str(backend)}
    )
    assert result.stdout.splitlines()[-1] == "[]"
    assert all(name in result.stdout for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, shell: Any) -> None:
    said = shell(command, "--help")
    assert said.code == 0
    assert "usage: palimpsest" in said.out


def test_edit_writes_layer_composite_and_record(shell: Any, sd1_folder: Path) -> None:
    said = shell(*edit_arguments(sd1_folder, "--maps"))
    assert said.code == 0, said.err
    paths = [Path(line) for line in said.out.splitlines()]
    assert all(path.is_file() for path in paths)
    names = {path.name for path in paths}
    assert {"photo-replace-layer.png", "photo-replace-composite.png", "photo-replace.json"} <= names
    assert "photo-replace-map-cat.png" in names
    assert "editing" in said.err
    before, after = read_picture("photo.png").pixels, read_picture("out/photo-replace-composite.png").pixels
    record = json.loads(Path("out/photo-replace.json").read_text())
    assert record["grown"] == 8
    outside = grown(read_picture("selection.png").pixels[..., 0], 8) == 0
    assert np.array_equal(before[outside], after[outside])
    assert record["pixels_changed_outside"] == 0
    assert record["recipe"]["request"]["target_prompt"] == TARGET


def test_json_is_one_object(shell: Any, sd1_folder: Path) -> None:
    said = shell(*edit_arguments(sd1_folder, "--json", "--quiet"))
    assert said.err == ""
    assert Path(said.json["files"]["layer"]).is_file()
    assert said.json["result"]["unet_evaluations"] > 0


def test_habits_of_other_tools_are_noticed_also_quietly(shell: Any, sd1_folder: Path) -> None:
    """Before the work, on standard error; and in the result."""
    habits = ("--should-show", "a (dog:1.4) on <my grass>")
    said = shell(*edit_arguments(sd1_folder, "--json", "--quiet", *habits))
    assert said.code == 0, said.err
    told = [line.removeprefix("Notice: ") for line in said.err.splitlines()]
    assert [line.split(" ")[0] for line in told] == ["(dog:1.4)", "<my"]
    assert said.json["result"]["notices"] == told
    for command in (("invert",), ("attention", "--word", "cat")):
        shown = ("photo.png", "--shows", "a [cat] on grass", "--model", str(sd1_folder), "--json", "--quiet")
        said = shell(command[0], *shown, *command[1:], "--output", command[0])
        assert said.json["result"]["notices"] == [said.err.strip().removeprefix("Notice: ")]
        assert said.err.startswith("Notice: [cat] gives no weight here")


def test_a_word_is_learned_on_and_what_was_not_interrupted_is_not_finished(
    shell: Any, sd1_folder: Path
) -> None:
    for seed in range(3):
        Path(f"{seed}.png").write_bytes(picture(seed=seed))
    asked = ("learn", "my-toy", "0.png", "1.png", "2.png", "--noun", "toy", "--accept-outliers")
    asked = (*asked, "--model", str(sd1_folder), "--steps", "2", "--json")
    assert shell(*asked).json["result"]["start"] is None
    more = shell(*asked, "--start", "<my-toy>", "--replace").json["result"]
    assert more["start"]["steps"] == 2
    assert shell("concepts", "show", "my-toy", "--json").json["provenance"]["steps"] == 4
    said = shell(*asked, "--finish", "--replace")
    assert (said.code, "nothing to finish" in said.json["error"]["message"]) == (2, True)


def test_words_alone_are_drawn_the_same_way_every_time(shell: Any, sd1_folder: Path) -> None:
    asked = ("draw", "a (cat:2) on grass", "--model", str(sd1_folder), "--steps", "3", "--seed", "7")
    said = shell(*asked, "--json", "--output", "one")
    assert said.code == 0, said.err
    assert said.json["result"]["request"]["guidance"] > 0, "the model's own is written down"
    assert said.json["result"]["notices"] == [said.err.splitlines()[0].removeprefix("Notice: ")]
    first = Path(said.json["files"]["picture"])
    assert read_picture(first).size == tuple(said.json["result"]["size"])
    again = shell(*asked, "--output", "two")
    assert "sampling" in again.err
    assert Path(again.out.splitlines()[0]).read_bytes() == first.read_bytes()
    other = shell(*asked, "--seed", "8", "--output", "three")
    assert Path(other.out.splitlines()[0]).read_bytes() != first.read_bytes()
    assert "exists already" in shell(*asked, "--output", "one").err
    missing = shell("draw", "a <nobody>", "--model", str(sd1_folder), "--json")
    assert (missing.code, missing.json["error"]["code"]) == (2, "concept_not_found")


def test_replay_gives_the_same_bytes(shell: Any, sd1_folder: Path) -> None:
    assert shell(*edit_arguments(sd1_folder)).code == 0
    again = shell("replay", "out/photo-replace.json", "photo.png", "selection.png", "--output", "again")
    assert again.code == 0, again.err
    for name in ("layer", "composite", "reconstruction"):
        file = f"photo-replace-{name}.png"
        assert Path("again", file).read_bytes() == Path("out", file).read_bytes()
    Path("photo.png").write_bytes(picture(seed=3))
    other = shell("replay", "out/photo-replace.json", "photo.png", "--output", "third")
    assert (other.code, "sha256" in other.err) == (2, True)


def test_replay_makes_whole_pictures_of_a_recipe_that_asked_for_the_region(
    shell: Any, sd1_folder: Path
) -> None:
    """As a program that edits by the API may have kept one."""
    assert shell(*edit_arguments(sd1_folder)).code == 0
    recipe = json.loads(Path("out/photo-replace.json").read_text())
    recipe["recipe"]["request"]["extent"] = "region"
    Path("region.json").write_text(json.dumps(recipe))
    said = shell("replay", "region.json", "photo.png", "selection.png", "--output", "again")
    assert said.code == 0, said.err
    for name in ("layer", "composite"):
        made, before = (Path(folder, f"photo-replace-{name}.png").read_bytes() for folder in ("again", "out"))
        assert made == before


def test_results_are_never_overwritten_unasked(shell: Any, sd1_folder: Path) -> None:
    """Refused before the work begins, not after it."""
    Path("out").mkdir()
    Path("out/photo-replace-layer.png").write_bytes(b"mine")
    said = shell(*edit_arguments(sd1_folder))
    assert (said.code, "exists already" in said.err) == (2, True)
    assert "inverting" not in said.err
    assert Path("out/photo-replace-layer.png").read_bytes() == b"mine"
    assert shell(*edit_arguments(sd1_folder, "--overwrite")).code == 0


def test_a_full_disk_leaves_nothing_behind(
    shell: Any, sd1_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fills up at the third file: the first two are taken back."""
    place = atomic._place
    written: list[Path] = []

    def filling(temporary: Path, path: Path, replace: bool) -> None:
        if path.parent.name == "out":
            written.append(path)
            if len(written) == 3:
                raise OSError(errno.ENOSPC, "No space left on device")
        place(temporary, path, replace)

    monkeypatch.setattr(atomic, "_place", filling)
    said = shell(*edit_arguments(sd1_folder, "--json"))
    assert (said.code, said.json["error"]["code"]) == (1, "disk_full")
    assert list(Path("out").iterdir()) == []


def test_an_interruption_leaves_nothing_behind(
    shell: Any, sd1_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from palimpsest.cli import running

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(running.Display, "show", interrupted)
    said = shell(*edit_arguments(sd1_folder))
    assert (said.code, "Nothing was half-written" in said.err) == (130, True)
    assert not Path("out").exists()


BAD_INPUT: list[tuple[tuple[str, ...], str, int]] = [
    (("--selection", "empty.png"), "selection_empty", 2),
    (("--selection", "other.png"), "selection_size", 2),
    (("--should-show", "squirrel " * 9), "prompt_too_long", 2),
    (("--weight", "mirror=2"), "word_not_found", 2),
    (("--should-show", "a <nobody> on grass"), "concept_not_found", 2),
    (("--should-show", "a <foreign> on grass"), "concept_incompatible", 2),
    (("--model", "nowhere"), "model_not_found", 2),
    (("--model", "broken"), "model_unreadable", 1),
    (("--model", "old.ckpt"), "model_pickled", 1),
    (("--operation", "remove", "--steps", "0"), "request_invalid", 2),
]


@pytest.mark.parametrize(("changes", "code", "exit_code"), BAD_INPUT)
def test_bad_requests_have_stable_codes(
    changes: tuple[str, ...], code: str, exit_code: int, shell: Any, sd1_folder: Path
) -> None:
    from palimpsest.storage.png import encode

    Path("empty.png").write_bytes(encode(np.zeros((88, 72), np.uint8)))
    Path("other.png").write_bytes(selection(70, 80))
    Path("broken").mkdir()
    Path("old.ckpt").write_bytes(b"\x80\x02}q\x00.")
    _foreign_concept()
    said = shell(*edit_arguments(sd1_folder, "--json", "--quiet", *changes))
    assert (said.json["error"]["code"], said.code) == (code, exit_code)
    assert said.json["error"]["message"]
    assert not Path("out").exists()


def _foreign_concept() -> None:
    import torch

    from palimpsest.core.concept import Concept
    from palimpsest.settings import read_settings
    from palimpsest.storage.concept_card import Provenance
    from palimpsest.storage.concepts import ConceptLibrary

    rows = torch.randn(1, 24, generator=torch.Generator().manual_seed(0))
    concept = Concept("<foreign>", (rows,), "sdxl", "subject", "toy")
    ConceptLibrary(read_settings().folders.concepts, published_widths()).save(
        concept, Provenance(), replace=True
    )


PNG = picture()
BAD_PICTURES: list[tuple[str, bytes, str]] = [
    ("small", picture(40, 60), "image_too_small"),
    ("truncated", PNG[: len(PNG) // 2], "image_unreadable"),
    ("lying", b"\x89PNG\r\n\x1a\n" + b"nonsense" * 9, "image_unreadable"),
    ("text", b"not a picture at all", "image_unreadable"),
]


@pytest.mark.parametrize(("name", "content", "code"), BAD_PICTURES)
def test_bad_pictures_have_stable_codes(
    name: str, content: bytes, code: str, shell: Any, sd1_folder: Path
) -> None:
    Path("photo.png").write_bytes(content)
    said = shell(*edit_arguments(sd1_folder, "--json", "--quiet"))
    assert (said.json["error"]["code"], said.code) == (code, 2)


def test_pictures_over_the_limit_are_refused(
    shell: Any, sd1_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PALIMPSEST_MAX_PIXELS", "1000")
    assert shell(*edit_arguments(sd1_folder, "--json")).json["error"]["code"] == "image_too_large"
    monkeypatch.setenv("PALIMPSEST_MAX_IMAGE_BYTES", "10")
    assert shell(*edit_arguments(sd1_folder, "--json")).json["error"]["code"] == "image_too_large"


def test_errors_are_sentences_for_people(shell: Any, sd1_folder: Path) -> None:
    said = shell(*edit_arguments(sd1_folder, "--weight", "mirror=2"))
    assert said.out == ""
    assert "The word 'mirror' is not in the sentence" in said.err
    assert "Words in it: a, photo, of, dog, on, grass." in said.err
    assert "(word_not_found)" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("bad", [("--cross", "1.5"), ("--pair", "cat"), ("--weight", "cat=loud")])
def test_badly_written_options_are_refused(bad: tuple[str, str], shell: Any, sd1_folder: Path) -> None:
    said = shell(*edit_arguments(sd1_folder, *bad))
    assert said.code == 2
    assert bad[1] in said.err or bad[1].split("=")[1] in said.err


def test_invert_says_how_well_and_is_remembered(shell: Any, sd1_folder: Path) -> None:
    arguments = ("invert", "photo.png", "--shows", SHOWS, "--model", sd1_folder, *QUICK, "--json")
    first = shell(*arguments)
    assert first.json["result"]["remembered"] is False
    assert first.json["result"]["reconstruction_psnr"] > 0
    assert shell(*arguments, "--overwrite").json["result"]["remembered"] is True


def test_attention_writes_a_map_and_a_selection(shell: Any, sd1_folder: Path) -> None:
    arguments = ("attention", "photo.png", "--shows", SHOWS, "--model", sd1_folder)
    said = shell(*arguments, "--word", "cat")
    assert said.code == 0, said.err
    assert [Path(line).name for line in said.out.splitlines()] == [
        "photo-cat-map.png",
        "photo-cat-selection.png",
        "photo-cat.json",
    ]
    assert read_picture("photo-cat-map.png").size == (72, 88)
    assert shell(*arguments, "--word", "mirror").code == 2


def test_a_concept_from_learning_to_export_and_back(shell: Any, sd1_folder: Path) -> None:
    for seed in range(3):
        Path(f"{seed}.png").write_bytes(picture(seed=seed))
    learned = shell(
        *("learn", "my-toy", "0.png", "1.png", "2.png", "--noun", "toy", "--steps", "3"),
        *("--model", sd1_folder, "--accept-outliers"),
    )
    assert (learned.code, learned.out.strip()) == (0, "<my-toy>"), learned.err
    assert "<my-toy>\tsubject\ttoy\tsd1\t2 vectors" in shell("concepts", "list").out
    shown = shell("concepts", "show", "<my-toy>", "--json").json
    assert shown["provenance"]["steps"] == 3
    assert shell("concepts", "rename", "my-toy", "other").out.strip() == "<other>"
    assert shell("concepts", "export", "other", "toy.safetensors").out.strip() == "toy.safetensors"
    assert shell("concepts", "export", "other", "toy.safetensors").code == 2
    assert shell("concepts", "remove", "other").code == 0
    assert shell("concepts", "list").out == ""
    assert shell("concepts", "import", "toy.safetensors", "--name", "back").out.strip() == "<back>"
    assert shell("concepts", "show", "back", "--json").json["rows_hash"] == shown["rows_hash"]
    edited = shell(*edit_arguments(sd1_folder, "--should-show", "a photo of a <back> on grass"))
    assert edited.code == 0, edited.err


def test_bad_sets_of_pictures_are_refused(shell: Any, sd1_folder: Path) -> None:
    learn = ("learn", "my-toy", "photo.png", "--noun", "toy", "--model", sd1_folder, "--json", "--quiet")
    assert shell(*learn).json["error"]["code"] == "concept_images"
    twice = ("learn", "my-toy", "photo.png", "photo.png", "photo.png", *learn[3:])
    assert shell(*twice).json["error"]["code"] == "concept_images"
    assert "same file" in shell(*twice).json["error"]["message"]
    assert shell("concepts", "show", "my-toy", "--json").json["error"]["code"] == "concept_not_found"
    assert shell("concepts", "rename", "my-toy", "x", "--json").code == 2


def test_doctor_finds_what_is_wrong(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    well = shell("doctor", "--json")
    found = {finding["what"]: finding for finding in well.json["findings"]}
    assert {"Python", "Libraries", "Device", "Disk", "Folders", "Built-in model", "Concepts"} <= set(found)
    assert not found["Built-in model"]["trouble"]
    monkeypatch.setenv("PALIMPSEST_DEVICE", "cuda:7")
    folder = Path("home/data/models/half")
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    sick = shell("doctor")
    assert sick.code == 1
    assert "! Device: cuda:7" in sick.out
    assert "unet/config.json" in sick.out


def test_what_is_to_be_known_of_a_photo_is_said_on_standard_error(shell: Any, sd1_folder: Path) -> None:
    Path("photo.png").write_bytes(Path("photo.png").read_bytes() + b"junk")
    said = shell(*edit_arguments(sd1_folder, "--quiet"))
    assert said.code == 0
    assert said.err == "Notice: 4 bytes after the end of the picture were left out.\n"
    assert json.loads(Path("out/photo-replace.json").read_text())["notices"] == [said.err[8:-1]]
