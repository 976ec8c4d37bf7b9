"""Whatever file a command is given, it ends well or with one sentence, before the work and not after it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from palimpsest.cli.running import Target
from palimpsest.cli.selecting import named_as
from palimpsest.errors import SelectionError, StorageError
from palimpsest.storage.pictures import read_picture, read_selection
from tiny_task import picture, selection

QUICK = ("--steps", "3", "--guidance", "3")
WORDS = ("--shows", "a photo of a cat on grass", "--should-show", "a photo of a dog on grass")
ENDLESS = "[" * 100_000
posix = pytest.mark.skipif(os.name != "posix", reason="pipes and devices with names")


@pytest.fixture
def odd_name(shell: Any) -> str:
    """A photo whose name is Latin-1."""
    name = os.fsdecode(b"ph\xe9to.png")
    try:
        Path(name).write_bytes(picture())
    except (OSError, UnicodeError):
        pytest.skip("this file system takes only names that are text")
    return name


@posix
def test_a_name_that_is_no_text_costs_no_result(odd_name: str, shell: Any, sd1_folder: Path) -> None:
    model, output = ("--model", sd1_folder), ("--output", "out", "--json", "--quiet")
    commands = (
        ("edit", odd_name, "--selection", "selection.png", *WORDS, *QUICK, *model, *output),
        ("attention", odd_name, *WORDS[:2], "--word", "cat", *model, *output),
        ("invert", odd_name, *WORDS[:2], *QUICK, *model, *output),
        ("replay", Path("out", f"{odd_name[:-4]}-replace.json"), odd_name, "selection.png", *output[2:]),
    )
    for command in commands:
        said = shell(*command)
        assert said.code == 0, said.err
        files = {name: Path(file) for name, file in said.json["files"].items()}
        assert all(file.is_file() for file in files.values())
        record = json.loads(files.pop("record").read_text(encoding="utf-8"))
        assert record["artifacts"] == {name: file.name for name, file in files.items()}
        assert all(name.startswith(odd_name[:-4]) for name in record["artifacts"].values())


COMMANDS = [
    ("edit", "ODD", *WORDS),
    ("edit", "photo.png", "--selection", "ODD", *WORDS),
    ("invert", "ODD", *WORDS[:2]),
    ("attention", "ODD", *WORDS[:2], "--word", "cat"),
    ("describe", "photo.png", "--selection", "ODD"),
    ("learn", "toy", "ODD", "photo.png", "selection.png", "--noun", "ball"),
    ("learn", "toy", *["photo.png"] * 3, "--mask", "ODD", "--noun", "ball"),
    ("replay", "ODD", "photo.png"),
    ("replay", "recipe.json", "ODD"),
    ("concepts", "import", "ODD"),
    ("serve", "--token-file", "ODD"),
]


MORE = [
    ("models", "add", "ODD"),
    ("edit", "photo.png", *WORDS, "--output", "ODD"),
    ("edit", "photo.png", *WORDS, "--model", "ODD"),
    ("edit", "photo.png", *WORDS, "--model", "ROOT/ODD"),
    ("draw", "a cat", "--output", "ODD"),
    ("sample", "ODD"),
    ("concepts", "export", "my-toy", "ODD"),
]


@pytest.mark.parametrize("command", [*COMMANDS, *MORE], ids=" ".join)
def test_a_name_longer_than_any_file_has_is_refused_by_one_sentence(
    command: tuple[str, ...], shell: Any, tmp_path: Path
) -> None:
    long = "a" * 300
    said = shell(*(part.replace("ROOT", str(tmp_path)).replace("ODD", long) for part in command))
    assert said.code in (1, 2)
    assert said.err.count("Error: ") == 1, said.err
    assert long in said.err or "recipe.json" in command or "export" in command


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="this account may read everything")
@pytest.mark.parametrize(
    "command",
    [
        ("edit", "closed/photo.png", *WORDS),
        ("edit", "photo.png", *WORDS, "--selection", "closed"),
        ("edit", "photo.png", *WORDS, "--selection", "closed/selection.png"),
        ("learn", "toy", *["photo.png"] * 3, "--mask", "closed", "--noun", "ball"),
        ("edit", "photo.png", *WORDS, "--model", "closed/model"),
    ],
    ids=" ".join,
)
def test_a_closed_folder_is_told_in_one_sentence(command: tuple[str, ...], shell: Any) -> None:
    Path("closed").mkdir(mode=0)
    try:
        said = shell(*command)
    finally:
        Path("closed").chmod(0o700)
    assert said.code in (1, 2)
    assert "Error: " in said.err
    assert "closed" in said.err


def test_a_folder_of_selections_that_cannot_be_listed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(self: Path) -> Any:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", closed)
    with pytest.raises(SelectionError, match="masks can't be read: Permission denied"):
        named_as(Path("photo.png"), Path("masks"))


@posix
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("kind", ["a pipe", "a device"])
def test_pipes_and_devices_are_refused_by_one_sentence(
    kind: str, command: tuple[str, ...], shell: Any, tmp_path: Path
) -> None:
    odd = tmp_path / "pipe.safetensors"
    if kind == "a pipe":
        os.mkfifo(odd)
    else:
        odd.symlink_to("/dev/zero")
    said = shell(*(str(odd) if part == "ODD" else part for part in command))
    assert said.code in (1, 2)
    assert f"it is {kind}, not a file" in said.err
    assert str(odd) in said.err
    assert len(said.err.strip().splitlines()) == 2, said.err


@posix
def test_a_file_over_the_limit_is_read_no_further(
    shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PALIMPSEST_MAX_IMAGE_BYTES", "1000")
    with open("photo.png", "wb") as file:
        file.truncate(1 << 36)  # a hole: 64 GB without a block
    said = shell("describe", "photo.png", "--local")
    assert said.err == (
        "Error: photo.png has more than 1000 bytes, which is the most that is read. "
        "PALIMPSEST_MAX_IMAGE_BYTES sets the limit.\n(image_too_large)\n"
    )


BAD_RECIPES = {
    "deep": (ENDLESS, "deep.json can't be read as a recipe: it is nested too deeply."),
    "deep objects": ('{"a":' * 100_000, "it is nested too deeply."),
    "long": (" " * (5 << 20) + "{}", "it has more than 4194304 bytes."),
    "no text": ("\udcff\udcfe", "can't be read as a recipe"),
    "a list": ("[]", "This is not a recipe."),
    "no object in it": ('{"kind": "edit", "request": []}', "request is a list, which is not an object."),
}


@pytest.mark.parametrize("why", BAD_RECIPES)
def test_a_bad_recipe_is_refused_by_one_sentence(why: str, shell: Any) -> None:
    content, says = BAD_RECIPES[why]
    Path("deep.json").write_bytes(content.encode(errors="surrogateescape"))
    said = shell("replay", "deep.json", "photo.png")
    assert (said.code, says in said.err) == (2, True), said.err
    assert "Traceback" not in said.err


def test_files_of_our_own_that_are_nested_without_end_are_damaged_ones(shell: Any, tmp_path: Path) -> None:
    from palimpsest.models.spec import read_json
    from palimpsest.storage.announcement import STATE_FILE, read_announcement
    from palimpsest_client.http.connection import CHOICE, LAUNCH, Choice, launch_command, read_choice
    from palimpsest_client.http.protocol import read_record
    from palimpsest_client.panel.requests import RecipeError, read_recipe
    from palimpsest_client.panel.saved_forms import read_notes

    for name in (STATE_FILE, CHOICE, LAUNCH, "notes.json", "palimpsest.json"):
        (tmp_path / name).write_text(ENDLESS)
    assert read_announcement(tmp_path) is None
    assert read_record(tmp_path) is None
    assert read_choice(tmp_path) == Choice()
    assert launch_command(tmp_path) == []
    assert read_notes(tmp_path / "notes.json") == {}
    with pytest.raises(RecipeError):
        read_recipe(ENDLESS)
    with pytest.raises(Exception, match="can't be read") as refused:
        read_json(tmp_path / "palimpsest.json")
    assert refused.value.code == "model_unreadable"  # pyright: ignore[reportAttributeAccessIssue]


def test_a_recipe_from_before_growing_grows_nothing(shell: Any, sd1_folder: Path) -> None:
    edit = ("edit", "photo.png", "--selection", "selection.png", *WORDS, *QUICK, "--model", sd1_folder)
    assert shell(*edit, "--grow", "0", "--feather", "0", "--output", "out").code == 0
    record = json.loads(Path("out/photo-replace.json").read_text(encoding="utf-8"))
    assert record["recipe"]["request"].pop("grow") == 0
    Path("old.json").write_text(json.dumps(record))
    said = shell("replay", "old.json", "photo.png", "selection.png", "--output", "again", "--json")
    assert (said.code, said.json["result"]["grown"]) == (0, 0), said.err
    after = Path("again/photo-replace-composite.png").read_bytes()
    changed = (read_picture(picture()).pixels != read_picture(after).pixels).any(axis=-1)
    assert changed.any()
    assert not changed[read_selection(selection(), (72, 88)) == 0].any()
    assert after == Path("out/photo-replace-composite.png").read_bytes()


@posix
def test_where_nothing_can_be_written_is_found_out_by_writing(shell: Any, tmp_path: Path) -> None:
    """Permissions alone don't tell: a disk may be read-only, a folder the system's own."""
    if Path("/proc/self").is_dir():
        said = shell("edit", "photo.png", *WORDS, "--local", "--output", "/proc/x")
        assert (said.code, said.err.splitlines()[-1]) == (1, "(storage)"), said.err
        assert "Nothing can be written to /proc" in said.err
        assert "Choose another --output." in said.err
        assert "loading" not in said.err
    before = set(tmp_path.iterdir())
    Target(tmp_path / "new" / "below", "photo-replace").check("layer")
    assert set(tmp_path.iterdir()) == before
    (tmp_path / "in the way").write_bytes(b"")
    with pytest.raises(StorageError, match="is not a folder"):
        Target(tmp_path / "in the way", "photo-replace").check("layer")
