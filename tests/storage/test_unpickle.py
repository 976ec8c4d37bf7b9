"""The command that the refusal of a pickle prints is run as printed, and keeps all that was learned."""

from __future__ import annotations

import os
import pickle
import shlex
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from original_naming import single_file
from palimpsest import interpreter
from palimpsest.errors import ConceptFileError, PickledModelError
from palimpsest.models.families import load, published_widths, read_spec
from palimpsest.storage.concepts import ConceptLibrary

ROWS, LARGE, WIDE = torch.randn(2, 768), torch.randn(3, 768), torch.randn(3, 1280)


def parameters(rows: torch.Tensor) -> torch.nn.ParameterDict:
    return torch.nn.ParameterDict({"*": torch.nn.Parameter(rows)})


def parameters_of_2022(rows: torch.Tensor) -> torch.nn.ParameterDict:
    """As torch before 1.12 pickled them: a module without the mapping of its own that came later."""
    old = torch.nn.ParameterDict()
    old.__dict__.pop("_keys")
    old.__dict__["_parameters"] = OrderedDict({"*": torch.nn.Parameter(rows)})
    return old


def web_interface(**learned: Any) -> dict[str, Any]:
    more = {"string_to_token": {"*": torch.tensor(265)}, "step": 500, "sd_checkpoint": None}
    return {**more, "name": "other", **learned}


#: What is in the file → the name it gets where none is given, its family, its rows.
FILES: dict[str, tuple[Any, str, str, tuple[torch.Tensor, ...]]] = {
    "original repository": ({"string_to_param": parameters(ROWS)}, "toy", "sd1", (ROWS,)),
    "original of 2022": ({"string_to_param": parameters_of_2022(ROWS)}, "toy", "sd1", (ROWS,)),
    "web interface": (web_interface(string_to_param={"*": ROWS}), "toy", "sd1", (ROWS,)),
    "diffusers": ({"<sks-dog>": ROWS}, "sks-dog", "sd1", (ROWS,)),
    "diffusers, one vector": ({"<sks-dog>": ROWS[0]}, "sks-dog", "sd1", (ROWS[:1],)),
    "sdxl": ({"clip_l": LARGE, "clip_g": WIDE}, "toy", "sdxl", (LARGE, WIDE)),
    "sdxl, other order and more": (web_interface(clip_g=WIDE, clip_l=LARGE), "toy", "sdxl", (LARGE, WIDE)),
    "sdxl of kohya": ({"text_encoders_0": LARGE, "text_encoders_1": WIDE}, "toy", "sdxl", (LARGE, WIDE)),
    "half precision": ({"<x>": ROWS.half()}, "x", "sd1", (ROWS.half().float(),)),
    "a tensor": (ROWS, "toy", "sd1", (ROWS,)),
}


@pytest.fixture
def library(tmp_path: Path) -> ConceptLibrary:
    return ConceptLibrary(tmp_path / "library", published_widths())


def pasted(error: ConceptFileError | PickledModelError, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the printed command in a shell, in a folder that holds modules of a stranger."""
    folder.mkdir(exist_ok=True)
    for name in ("torch", "safetensors", "palimpsest", "pickle"):
        (folder / f"{name}.py").write_text("open('was-run', 'w')\n")
    command = error.hint[error.hint.index("(weights_only=True): ") + len("(weights_only=True): ") :]
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONSAFEPATH", "PATH")}
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, env=kept, capture_output=True, text=True, timeout=300
    )
    assert not (folder / "was-run").exists()
    return done


def refused(library: ConceptLibrary, file: Path) -> ConceptFileError:
    with pytest.raises(ConceptFileError, match="pickled") as told:
        library.import_file(file)
    return told.value


@pytest.mark.parametrize("layout", FILES)
def test_what_was_learned_arrives_whole(layout: str, library: ConceptLibrary, tmp_path: Path) -> None:
    content, name, family, rows = FILES[layout]
    torch.save(content, tmp_path / "toy.pt")
    done = pasted(refused(library, tmp_path / "toy.pt"), tmp_path / "elsewhere")
    assert done.returncode == 0, done.stderr
    card = library.import_file(tmp_path / "toy.safetensors")
    assert (card.name, card.family) == (name, family)
    assert all(torch.equal(a, b) for a, b in zip(library.load(name).rows, rows, strict=True))


ODD = ("my toy.pt", 'it\'s $HOME `id` "quoted" \\ !.pt', "玩具 é.bin", "toy.safetensors")


@pytest.mark.parametrize("name", ODD)
def test_no_name_of_a_file_breaks_the_command(name: str, library: ConceptLibrary, tmp_path: Path) -> None:
    torch.save({"<toy>": ROWS}, tmp_path / name)
    done = pasted(refused(library, tmp_path / name), tmp_path / "elsewhere")
    assert done.returncode == 0, done.stderr
    made = Path(done.stdout.rstrip("\n"))
    assert made.parent == tmp_path
    assert library.import_file(made).name == "toy"


class Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("trapped",)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"<toy>": Trap()}, "holds more than weights"),
        ({"<a>": ROWS, "<b>": ROWS}, "holds 2 words"),
        ({"step": 5}, "holds no weights"),
        ("text", "holds no weights"),
    ],
)
def test_what_can_t_be_converted_says_why(
    content: Any, says: str, library: ConceptLibrary, tmp_path: Path
) -> None:
    torch.save(content, tmp_path / "toy.pt")
    done = pasted(refused(library, tmp_path / "toy.pt"), tmp_path / "elsewhere")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "elsewhere" / "trapped").exists()
    assert not list(tmp_path.glob("*.safetensors*"))


def test_no_file_is_overwritten(library: ConceptLibrary, tmp_path: Path) -> None:
    torch.save({"<toy>": ROWS}, tmp_path / "toy.pt")
    (tmp_path / "toy.safetensors").write_bytes(b"mine")
    done = pasted(refused(library, tmp_path / "toy.pt"), tmp_path / "elsewhere")
    assert (done.returncode, (tmp_path / "toy.safetensors").read_bytes()) == (1, b"mine")
    assert "exists already" in done.stderr


def test_a_damaged_pickle_says_so(library: ConceptLibrary, tmp_path: Path) -> None:
    (tmp_path / "toy.pt").write_bytes(pickle.dumps({"a": 1})[:-3])
    done = pasted(refused(library, tmp_path / "toy.pt"), tmp_path / "elsewhere")
    assert done.returncode == 1
    assert "or is damaged" in done.stderr


def test_the_command_names_this_python() -> None:
    command = interpreter.to_paste("palimpsest.storage.unpickle", "embedding", Path("a.pt"))
    python = Path(shlex.split(command)[0])
    assert python.parent == Path(sys.executable).parent
    assert shlex.split(command)[1] == "-c"


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_pickled_checkpoint_is_converted(wrapped: bool, tmp_path: Path) -> None:
    weights = load_file(single_file(tmp_path / "m.safetensors", "sd1"))
    (tmp_path / "m.safetensors").unlink()
    torch.save({"state_dict": weights, "epoch": 3} if wrapped else weights, tmp_path / "m.ckpt")
    with pytest.raises(PickledModelError) as told:
        read_spec(tmp_path / "m.ckpt")
    done = pasted(told.value, tmp_path / "elsewhere")
    assert done.returncode == 0, done.stderr
    assert load(tmp_path / "m.safetensors", "cpu").family == "sd1"


@pytest.mark.parametrize(
    ("key", "file", "name"),
    [
        ("<sks-dog>", "learned_embeds", "sks-dog"),
        ("<My Toy>", "learned_embeds", "my-toy"),
        ("<玩具>", "learned_embeds", "learned_embeds"),
        ("emb_params", "my-toy", "my-toy"),
        ("*", "my-toy", "my-toy"),
    ],
)
def test_the_name_of_the_only_tensor_is_the_concept_s(
    key: str, file: str, name: str, library: ConceptLibrary, tmp_path: Path
) -> None:
    save_file({key: ROWS}, tmp_path / f"{file}.safetensors")
    assert library.import_file(tmp_path / f"{file}.safetensors").name == name
    assert library.import_file(tmp_path / f"{file}.safetensors", name="given").name == "given"
