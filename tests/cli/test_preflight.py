"""What can be refused without PyTorch is refused before it is loaded: with one sentence, and at once."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import palimpsest
from palimpsest.cli.hints import OPTIONS, SAID, in_shell
from palimpsest.contract import KINDS
from palimpsest.core.editing.recipes import RECIPES
from palimpsest.errors import (
    ConceptExistsError,
    ConceptImagesError,
    ImageTooLargeError,
    OutOfMemoryError,
    PalimpsestError,
    RequestError,
    Text,
    in_a_row,
)
from palimpsest.storage import atomic
from palimpsest.storage.decode import Limits, decode, size_of
from palimpsest_client.fields.operations import NEEDED, OPERATIONS, operations_that
from palimpsest_client.text.refusals import REFUSALS
from tiny_task import picture, selection

EDIT = ("edit", "photo.png", "--selection", "selection.png", "--shows", "a cat", "--should-show", "a dog")
PHOTO = ("edit", "photo.png")
LEARN = ("learn", "toy", "0.png", "1.png", "2.png")
WITHOUT_TORCH = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "diffusers", "transformers"} and name != "torch":
            raise AssertionError(f"{name} is loaded")
        return None
sys.meta_path.insert(0, Refuse())
from palimpsest.cli import main
code = main(sys.argv[1:])
assert "torch" not in sys.modules, "torch was loaded"
sys.exit(code)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photo.png").write_bytes(picture())
    (tmp_path / "selection.png").write_bytes(selection())
    for seed in range(3):
        (tmp_path / f"{seed}.png").write_bytes(picture(seed=seed))
    Image.new("RGB", (90, 90)).save(tmp_path / "0.jpg")
    Image.new("L", Image.open(tmp_path / "photo.png").size).save(tmp_path / "black.png")
    Image.new("CMYK", (80, 80)).save(tmp_path / "cmyk.jpg")
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "half").mkdir()
    return tmp_path


def early(folder: Path, *arguments: str, device: str = "auto") -> subprocess.CompletedProcess[str]:
    """Runs a command that must end before torch is imported."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(palimpsest.__file__).parent.parent),
        "PALIMPSEST_HOME": str(folder / "home"),
        "PALIMPSEST_DEVICE": device,
    }
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


REFUSED = [
    ((*EDIT, "--device", "gpu"), "device_not_found", "'gpu' is no device.", 2),
    ((*EDIT, "--device", "cuda:99"), "device_not_found", "The device cuda:99 isn't here", 2),
    (("serve", "--device", "gpu"), "device_not_found", "'gpu' is no device.", 2),
    (("serve", "--device", "cpu,cuda:99"), "device_not_found", "The device cuda:99 isn't here", 2),
    (("demo", "--device", "gpu"), "device_not_found", "'gpu' is no device.", 2),
    ((*EDIT, "--output", "file"), "storage", "file is not a folder.", 1),
    ((*EDIT, "--output", "file/below"), "storage", "file is not a folder.", 1),
    ((*EDIT, "--output", "x" * 300), "storage", "File name too long", 1),
    ((*EDIT, "--model", "nowhere"), "model_not_found", "no model called 'nowhere'", 2),
    ((*EDIT, "--model", "./nowhere.safetensors"), "model_not_found", "no model nowhere.safetensors", 2),
    ((*EDIT, "--model", "./half"), "model_unreadable", "half", 1),
    ((*LEARN, "--noun", "helicopter"), "request_invalid", "doesn't know the word 'helicopter'.", 2),
    ((*LEARN, "--noun", "helicopter"), "request_invalid", "pull sd15, then --model sd15.", 2),
    (
        ("edit", "cmyk.jpg", *EDIT[2:]),
        "image_unsupported",
        "cmyk.jpg: This is a CMYK picture; only RGB, grey and palette pictures can be edited. Convert it",
        2,
    ),
    (("edit", "file", *EDIT[2:]), "image_unreadable", "file: This isn't a picture file.", 2),
    (("edit", "missing.png", *EDIT[2:]), "image_not_found", "There is no file missing.png.", 2),
    (("describe", "cmyk.jpg"), "image_unsupported", "CMYK", 2),
    (("edit", "photo.png"), "request_invalid", "isn't described. Say what it shows", 2),
    (EDIT[:-2], "request_invalid", "Give a target description (--should-show TEXT).", 2),
    ((*EDIT[:-1], "a <ghost>"), "concept_not_found", "There is no concept <ghost>.", 2),
    ((*EDIT, "--pair", "horse=dog"), "word_not_found", "The word 'horse' is not in the sentence 'a cat'.", 2),
    ((*EDIT, "--weight", "snow=2"), "word_not_found", "The word 'snow' is not in the sentence 'a dog'.", 2),
    ((*EDIT, "--blend-include", "sky"), "word_not_found", "The word 'sky' is not", 2),
    ((*EDIT, "--cross", "0.8:0.2"), "request_invalid", "cross runs from 0.8 to 0.2.", 2),
    ((*EDIT, "--operation", "reweight"), "request_invalid", "(--weight WORD=FACTOR).", 2),
    (
        (*PHOTO, "--operation", "remove", "--shows", "a cat"),
        "selection_invalid",
        "(--selection, --box",
        2,
    ),
    ((*PHOTO, "--selection", "black.png", *EDIT[4:]), "selection_empty", "Nothing is selected", 2),
    ((*PHOTO, "--selection", "0.jpg", *EDIT[4:]), "selection_size", "Give a --selection of the picture's", 2),
    (
        ("invert", "photo.png", "--shows", "a cat", "--selection", "black.png"),
        "selection_empty",
        "Nothing",
        2,
    ),
    (("describe", "photo.png", "--selection", "black.png"), "selection_empty", "Nothing is selected", 2),
    (("attention", "photo.png", "--shows", "a cat", "--word", "dog"), "word_not_found", "'dog' is not in", 2),
    (("draw", "a <ghost>"), "concept_not_found", "There is no concept <ghost>.", 2),
    (("learn", "toy", "0.png", "0.png", "1.png", "--noun", "ball"), "concept_images", "same file", 2),
    ((*LEARN, "--noun", "ball", "--start", "ghost"), "concept_not_found", "There is no concept <ghost>.", 2),
    ((*LEARN, "--noun", "ball", "--mask", "selection.png"), "request_invalid", "--mask once per picture.", 2),
    ((*LEARN, "--noun", "ball", "--caption", "a cat"), "request_invalid", "caption", 2),
    (("pull", "sd1.5"), "model_not_found", "Did you mean sd15? Get it: palimpsest pull sd15.", 2),
    (
        ("pull", "built-in"),
        "request_invalid",
        "there is nothing to pull. For photos: palimpsest pull sd15.",
        2,
    ),
    (("replay", "photo.png", "photo.png"), "request_invalid", "a recipe: it isn't text. Give the .json", 2),
    (("demo", "--output", "file"), "storage", "file is not a folder.", 1),
    (("demo", "--model", "nowhere"), "model_not_found", "no model called 'nowhere'", 2),
    (("bench", "quality", "--kind", "x"), "request_invalid", "--kind can't be 'x'. It can be replace", 2),
    (("bench", "quality", "--device", "gpu"), "device_not_found", "'gpu' is no device.", 2),
    (("bench", "quality", "--output", "file"), "storage", "file is not a folder.", 1),
    (("bench", "model", "--model", "nowhere"), "model_not_found", "no model called 'nowhere'", 2),
    (("bench", "agreement", "--model", "nowhere"), "model_not_found", "no model called 'nowhere'", 2),
    (("serve", "--port", "99999"), "request_invalid", "There is no port 99999.", 2),
    ((*EDIT, "--model", "sd15"), "model_not_found", "Get it: palimpsest pull sd15.", 2),
    ((*EDIT, "--model", "sd5"), "model_not_found", "Did you mean sd15? Get it: palimpsest pull sd15.", 2),
    (("learn", "toy", "cmyk.jpg", "0.png", "1.png", "--noun", "ball"), "image_unsupported", "CMYK", 2),
]


@pytest.mark.parametrize(("arguments", "code", "says", "exit_code"), REFUSED)
def test_it_is_refused_before_torch_is_loaded(
    folder: Path, arguments: tuple[str, ...], code: str, says: str, exit_code: int
) -> None:
    local = () if arguments[0] in ("serve", "demo", "bench", "replay") else ("--local",)
    said = early(folder, *arguments, *local)
    assert said.stderr.splitlines()[-1:] == [f"({code})"], said.stderr
    assert says in said.stderr
    assert "Traceback" not in said.stderr
    assert said.returncode == exit_code
    assert said.stdout == ""


def test_the_settings_device_is_judged_like_the_options(folder: Path) -> None:
    for arguments in ((*EDIT, "--local"), ("serve",)):
        said = early(folder, *arguments, device="cuda:99")
        assert (said.returncode, "PALIMPSEST_DEVICE" in said.stderr) == (2, True), said.stderr


def test_a_folder_where_nothing_may_be_written_is_told_at_once(
    folder: Path, shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "closed").mkdir()

    def require_valid(temporary: Path, path: Path, replace: bool) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(atomic, "_place", require_valid)
    said = shell(*EDIT, "--local", "--output", "closed")
    assert said.code == 1
    assert f"Nothing can be written to {folder / 'closed'}: Read-only file system." in said.err
    assert "loading" not in said.err


RECIPE = {"operation": "replace", "source_prompt": "a cat", "target_prompt": "a helicopter"}
SENTENCES = [
    (*EDIT[:-1], "a helicopter"),
    ("invert", "photo.png", "--shows", "a helicopter on grass"),
    ("attention", "photo.png", "--shows", "a helicopter on grass", "--word", "grass"),
    ("draw", "a helicopter on grass"),
    (*LEARN, "--noun", "ball", "--caption", "a helicopter behind {}", "--caption", "", "--caption", ""),
    ("replay", "recipe.json", "photo.png"),
]


@pytest.mark.parametrize("arguments", SENTENCES, ids=lambda arguments: arguments[0])
def test_every_command_that_takes_a_sentence_says_what_the_built_in_model_is(
    folder: Path, arguments: tuple[str, ...]
) -> None:
    image = hashlib.sha256((folder / "photo.png").read_bytes()).hexdigest()
    (folder / "recipe.json").write_text(json.dumps({"kind": "edit", "request": {"image": image, **RECIPE}}))
    said = early(folder, *arguments, "--quiet", "--device", "cuda:99").stderr.splitlines()
    assert said[0].startswith("Notice: Unknown to this model: helicopter.")
    assert said[1].startswith("Notice: The built-in model is for trying Palimpsest out: it knows ")
    assert said[1].endswith("For photos: palimpsest pull sd15, then --model sd15.")
    assert said[2].startswith("Error: The device cuda:99")


REMOVE = (*PHOTO, "--operation", "remove", "--selection", "selection.png")
NONE_KNOWN = [
    # what none of the words that it rests upon means anything for: the words that are named
    (("draw", "a photo of a helicopter"), "helicopter"),
    (("invert", "photo.png", "--shows", "my grandmother in Oslo"), "my, grandmother, Oslo"),
    (("attention", "photo.png", "--shows", "a lake in the sea", "--word", "lake"), "lake"),
    ((*PHOTO, "--shows", "a zebra on grass", "--should-show", "a giraffe on grass"), "zebra, giraffe"),
    ((*PHOTO, "--shows", "a cat on grass", "--should-show", "a cat on grass with a hat"), "hat"),
    (
        (*PHOTO, "--shows", "an old lighthouse", "--should-show", "an old lighthouse in snow"),
        "old, lighthouse",
    ),
    ((*PHOTO, "--word", "lake", "--shows", "a cat, a lake", "--should-show", "a dog, a lake"), "lake"),
    (
        (*PHOTO, "--operation", "emphasise", "--shows", "a rainy street", "--weight", "rainy=2"),
        "rainy",
    ),
    (
        (*REMOVE, "--shows", "a street with a lorry", "--should-show", "a street"),
        "lorry",
    ),
]


@pytest.mark.parametrize(("arguments", "unknown"), NONE_KNOWN, ids=lambda value: str(value)[:40])
def test_what_rests_upon_no_known_word_is_refused_unless_it_is_wanted(
    folder: Path, arguments: tuple[str, ...], unknown: str
) -> None:
    refused = early(folder, *arguments)
    first, code = refused.stderr.splitlines()
    told = f"Error: The built-in model knows none of the words that this rests upon: {unknown}."
    assert first.startswith(f"{told} It knows 85 words, such as animal, ball, "), first
    last = (
        ", and no photographs. For others: palimpsest pull sd15, then --model sd15. To go on all the same: "
    )
    assert first.endswith(f"{last}--accept-unknown-words.")
    assert (code, refused.returncode, refused.stdout) == ("(request_invalid)", 2, "")
    accepted = early(folder, *arguments, "--accept-unknown-words", "--device", "cuda:99").stderr.splitlines()
    assert accepted[-2].startswith("Error: The device cuda:99"), accepted
    assert accepted[0].startswith("Notice: Unknown to this model: ")


@pytest.mark.parametrize(
    "arguments",
    [
        (*PHOTO, "--shows", "a zebra on grass", "--should-show", "a cat on grass"),
        (*PHOTO, "--shows", "a cat on grass", "--should-show", "a cat on the beach"),
        REMOVE,
        (*PHOTO, "--shows", "a cat", "--should-show", "a dog", "--box", "0,0,50%,50%"),
    ],
    ids=str,
)
def test_what_rests_upon_one_known_word_goes_on(folder: Path, arguments: tuple[str, ...]) -> None:
    assert "Error: The device cuda:99" in early(folder, *arguments, "--device", "cuda:99").stderr


def test_a_model_that_is_here_is_the_one_to_give(folder: Path) -> None:
    (folder / "home/data/models").mkdir(parents=True)
    (folder / "home/data/models/my photos.safetensors").write_bytes(b"")
    said = early(folder, "draw", "a helicopter on grass", "--device", "cuda:99").stderr
    assert "For photos: --model 'my photos'." in said
    assert "For others: --model 'my photos'." in early(folder, "draw", "a helicopter").stderr
    assert "built-in model is" not in early(folder, "draw", "a cat", "--device", "cuda:99").stderr


def test_a_recipe_is_judged_before_torch_is_loaded(folder: Path) -> None:
    image = hashlib.sha256((folder / "photo.png").read_bytes()).hexdigest()
    asked = {"image": image, "operation": "replace", "source_prompt": "a cat", "target_prompt": "a <ghost>"}
    (folder / "recipe.json").write_text(json.dumps({"kind": "edit", "request": asked}))
    said = early(folder, "replay", "recipe.json", "photo.png")
    assert "There is no concept <ghost>." in said.stderr
    assert said.returncode == 2


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "WEBP", "PNG"])
def test_a_photo_that_lies_on_its_side_has_its_upright_size(folder: Path, kind: str) -> None:
    exif = Image.Exif()
    exif[274] = 6
    Image.new("RGB", (100, 70)).save(folder / "lying", kind, exif=exif)
    data, limits = (folder / "lying").read_bytes(), Limits()
    height, width = decode(data, limits).samples.shape[:2]
    assert size_of(data, limits) == (width, height) == (70, 100)


def test_what_nothing_is_done_to_unselected_is_known_without_torch() -> None:
    assert set(RECIPES) == set(OPERATIONS)
    unselected = {name for name, recipes in RECIPES.items() if recipes.unselected is None}
    assert unselected == set(operations_that(lambda operation: operation.selection == NEEDED))
    viewed = {name for name, recipes in RECIPES.items() if recipes.viewed is not None}
    assert viewed == set(operations_that(lambda operation: operation.begins))


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ConceptExistsError(Text("concept-there", name="toy"), Text("other-name-or-replace")), "--replace"),
        (
            ConceptImagesError("Odd.", in_a_row([Text("leave-out-or-meant"), Text("add-views")])),
            "--accept-outliers",
        ),
        (ImageTooLargeError("Large.", Text("scale-down-or-raise")), "PALIMPSEST_MAX_PIXELS"),
        (OutOfMemoryError("Memory ran out.", Text("lower-or-free")), "--working-size"),
        (RequestError("Missing.", "Say it.", field="target_prompt"), "Say it (--should-show TEXT)."),
        (RequestError("Wrong.", "Mend it.", field="seed"), "Mend it."),
        (RequestError("Same.", "Or another --seed.", field="target_prompt"), "Or another --seed."),
        (RequestError("Few.", field="masks"), "Give --mask once per picture."),
    ],
)
def test_a_hint_names_the_option_to_give(error: PalimpsestError, says: str) -> None:
    assert says in in_shell(error)
    assert in_shell(RequestError("Wrong.")) == ""


def test_only_hints_that_there_are_are_said_otherwise() -> None:
    assert set(SAID) <= set(REFUSALS)
    fields = {name for request in KINDS.values() for name in request.__dataclass_fields__}
    assert set(OPTIONS) <= fields
