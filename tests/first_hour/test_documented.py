"""Every command that README and docs/commands.md show is run as it is written, or says why it isn't.

The files that they name are those of the demo; the model for photos is a tiny one with random weights. So
what is tested is that each command is understood, does its work and ends well, not how good its pictures are.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

import palimpsest
from first_hour.documented import NOT_RUN, Block, blocks, commands_of, reason
from lora_files import make
from palimpsest.cli import main
from tiny import tiny_model

PICTURES = Path(palimpsest.__file__).parent / "demo" / "pictures"
DOCUMENTS = ("README.md", "docs/commands.md")
BLOCKS = list(blocks(*DOCUMENTS))
RUN = [block for block in BLOCKS if any(reason(command) is None for command in block.commands)]
OF_A_SERVER = ("palimpsest jobs", "palimpsest kept", "palimpsest results", "palimpsest logs")


def test_the_documents_show_commands() -> None:
    assert len(RUN) > 10
    assert commands_of("a \\\n    b  # why\n\n# none\nc") == ("a b", "c")


@pytest.mark.parametrize("start", NOT_RUN)
def test_no_reason_is_left_over(start: str) -> None:
    assert any(command.startswith(start) for block in BLOCKS for command in block.commands)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, sd1_folder: Path) -> Path:
    """A folder with what the commands name, below it a home with models, two LoRAs, and a learned word."""
    place = tmp_path_factory.mktemp("prepared")
    shutil.copytree(sd1_folder, place / "home" / "data" / "models" / "sd15")
    for name in ("ink", "glass"):
        make(tiny_model("sd1"), "kohya").save(place / "home" / "data" / "loras" / f"{name}.safetensors")
    shutil.copytree(sd1_folder, place / "ComfyUI" / "models" / "checkpoints" / "mine")
    for name in ("photo.png", "photo.jpg"):
        Image.open(PICTURES / "photo.png").convert("RGB").save(place / name)
    shutil.copy(PICTURES / "photo-selection.png", place / "cat.png")
    for number in range(1, 5):
        Image.open(PICTURES / f"toy-{number}.png").convert("RGB").save(place / f"mug{number}.jpg", quality=95)
    with pytest.MonkeyPatch.context() as patch:
        settle(place, patch)
        run("palimpsest sample sample")
        run("palimpsest learn my-toy sample/toy --noun star --steps 2 --accept-outliers")
        run("palimpsest concepts export my-toy embedding.safetensors")
    return place


def settle(place: Path, patch: pytest.MonkeyPatch) -> None:
    """This process works in ``place``, for somebody who lives there."""
    for variable in [name for name in os.environ if name.startswith("PALIMPSEST_")]:
        patch.delenv(variable)
    patch.setenv("HOME", str(place))
    patch.setenv("PALIMPSEST_HOME", str(place / "home"))
    patch.setenv("PALIMPSEST_DEVICE", "cpu")
    patch.chdir(place)


@pytest.fixture
def home(here: Path) -> Path:
    return here / "home"


@pytest.fixture
def here(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "here"
    shutil.copytree(prepared, place)
    settle(place, monkeypatch)
    return place


def run(command: str) -> None:
    """As a shell would: words and ``~``; nothing else is special in the documents' commands."""
    words = [os.path.expanduser(word) for word in shlex.split(command)]
    assert words[0] == "palimpsest"
    try:
        code = main(words[1:])
    except SystemExit as stop:
        code = stop.code
    assert code == 0, command


def shown_before(command: str, block: Block) -> bool:
    """Learning takes long, so the same line is run once; what it learns is there in any case."""
    before = BLOCKS[: BLOCKS.index(block)]
    return command.startswith("palimpsest learn") and any(command in each.commands for each in before)


@pytest.mark.parametrize("block", RUN, ids=str)
def test_commands_run_as_they_are_written(block: Block, here: Path, request: pytest.FixtureRequest) -> None:
    if any(command.startswith(OF_A_SERVER) for command in block.commands):
        request.getfixturevalue("server")
        run('palimpsest draw "a photo of a red ball on grass" --steps 2')  # so that there is a job
    commands = [
        command for command in block.commands if reason(command) is None and not shown_before(command, block)
    ]
    if any(command.startswith("palimpsest learn my-toy") for command in commands):
        run("palimpsest concepts remove my-toy")
    if any(command.startswith("palimpsest replay") for command in block.commands):
        run("palimpsest edit photo.png --selection cat.png --shows 'a red ball' --should-show 'a blue ball'")
    before = set(here.iterdir())
    for command in commands:
        run(command)
    if block.commands[0].startswith(("palimpsest edit", "palimpsest draw", "palimpsest invert")):
        assert set(here.iterdir()) > before


def test_what_the_readme_writes_into_a_clone_is_none_of_its_changes() -> None:
    """``play`` looks whether git has something to say after all of them."""
    clone = Path(__file__).parent.parent.parent
    if not (clone / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a clone, or no git")
    written = ["sample/photo.png", "with-my-toy/photo-replace.json", "photo.jpg", "photo-replace-layer.png"]
    written += ["demo-output/contact-sheet.png", "a-photo-of-my-toy-on-grass.json", "gallery/group.png"]
    written += ["first-hour/transcript.txt", "dist/palimpsest.whl"]
    ignored = subprocess.run(
        ["git", "-c", "safe.directory=*", "check-ignore", *written],  # whoever owns the clone
        cwd=clone,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ignored.stdout.split() == written
