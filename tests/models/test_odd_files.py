"""Whatever a header or a configuration says, a model is loaded or refused by an error of ours."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from original_naming import single_file
from palimpsest.cli.models import printable
from palimpsest.errors import ModelUnreadableError, PalimpsestError
from palimpsest.models.families import load, read_spec
from palimpsest.models.header import read_header
from palimpsest.models.linked_folders import models_in

ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 0.5, 1e30, float("nan"), float("inf"), 10**30, "", "x", "\ud800", "0.5"),
    *([], {}, [[]], [None], ["a"], {"a": 1}, [1, 2, 3], [10**12], [0, 0]),
)


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in ``tree`` with every key in it."""
    for key in list(tree if isinstance(tree, dict) else range(len(tree))):
        yield tree, key
        if isinstance(tree[key], (dict, list)):
            yield from places(tree[key])


def spoiled(tree: Any, rng: random.Random) -> Any:
    """A copy with one value replaced or left out."""
    spoiled_tree = copy.deepcopy(tree)
    container, key = rng.choice(list(places(spoiled_tree)))
    if isinstance(container, dict) and rng.random() < 0.2:
        del container[key]
    else:
        container[key] = copy.deepcopy(rng.choice(ODD))
    return spoiled_tree


def loads_or_says_why(place: Path, with_weights: bool = True) -> None:
    for read in (read_spec, lambda where: load(where, "cpu"))[: 1 + with_weights]:
        with contextlib.suppress(PalimpsestError):
            read(place)


@pytest.mark.parametrize("family", ["sd1", "sdxl"])
def test_no_header_is_a_traceback(family: str, tmp_path: Path) -> None:
    content = single_file(tmp_path / "m.safetensors", family).read_bytes()
    length = int.from_bytes(content[:8], "little")
    header, rest = json.loads(content[8 : 8 + length]), content[8 + length :]
    rng = random.Random(family)
    for attempt in range(100):
        raw = json.dumps(spoiled(header, rng)).encode()
        (tmp_path / "m.safetensors").write_bytes(len(raw).to_bytes(8, "little") + raw + rest)
        loads_or_says_why(tmp_path / "m.safetensors", with_weights=attempt % 25 == 0)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.safetensors")
    assert list(models_in(tmp_path)) == []
    with pytest.raises(ModelUnreadableError, match="no regular file"):
        read_header(tmp_path / "m.safetensors")


def test_a_file_s_name_does_nothing_to_the_terminal() -> None:
    assert printable("a\x1b[31m\nb\tc 猫") == "a\\x1b[31m\\nb\\tc 猫"


PARTS = ("unet", "vae", "text_encoder", "scheduler")


@pytest.mark.parametrize("part", [*PARTS, "palimpsest"])
@pytest.mark.parametrize("single", [False, True])
def test_no_configuration_is_a_traceback(part: str, single: bool, sd1_folder: Path, tmp_path: Path) -> None:
    """In a folder, and in the companion of a single file."""
    place, folder = tmp_path / "m.safetensors", tmp_path / "m"
    if single:
        single_file(place, "sd1")
    else:
        place = shutil.copytree(sd1_folder, folder)
    file = folder / part / ("scheduler_config.json" if part == "scheduler" else "config.json")
    if part == "palimpsest":
        file = folder / "palimpsest.json"
        file.write_text('{"guidance": 5.0, "steps": 20, "map_side": 8, "native_size": 64, "words": ["a"]}')
    good = json.loads(file.read_text())
    rng = random.Random(part)
    for attempt in range(40):
        file.write_text(json.dumps(spoiled(good, rng)))
        loads_or_says_why(place, with_weights=attempt % 20 == 0)


#: What only loading would have found: the list says it, too.
WRONG = [
    ("scheduler/scheduler_config.json", {"beta_start": [0]}),
    ("scheduler/scheduler_config.json", {"beta_start": -1.0}),
    ("scheduler/scheduler_config.json", {"beta_end": float("nan")}),
    ("scheduler/scheduler_config.json", {"num_train_timesteps": 0}),
    ("scheduler/scheduler_config.json", {"num_train_timesteps": 10**9}),
    ("scheduler/scheduler_config.json", {"steps_offset": -1}),
    ("scheduler/scheduler_config.json", {"prediction_type": "sample"}),
    ("scheduler/scheduler_config.json", {"beta_schedule": "squaredcos_cap_v2"}),
    ("palimpsest.json", {"steps": 0}),
    ("palimpsest.json", {"steps": True}),
    ("palimpsest.json", {"guidance": float("nan")}),
    ("palimpsest.json", {"native_size": -64}),
    ("palimpsest.json", {"map_side": 10**9}),
]


@pytest.mark.parametrize(("file", "fields"), WRONG)
def test_what_can_t_be_computed_with_is_refused_in_the_list(
    file: str, fields: dict[str, Any], sd1_folder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(sd1_folder, tmp_path / "m")
    good = json.loads((folder / file).read_text()) if (folder / file).is_file() else {}
    (folder / file).write_text(json.dumps({**good, **fields}))
    with pytest.raises(ModelUnreadableError):
        read_spec(folder)


@pytest.mark.parametrize(
    ("part", "fields"),
    [
        ("vae", {"norm_num_groups": 0}),
        ("unet", {"timestep_post_act": 0.5}),
        ("text_encoder", {"hidden_act": -7}),
        ("text_encoder", {"architectures": 0.5}),
        ("text_encoder", {"architectures": [{"a": 1}]}),
    ],
)
def test_what_the_libraries_raise_names_the_part(
    part: str, fields: dict[str, Any], sd1_folder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(sd1_folder, tmp_path / "m")
    file = folder / part / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **fields}))
    with pytest.raises(ModelUnreadableError):
        load(folder, "cpu")


def test_a_checkpoint_s_family_is_not_what_its_companion_says(tmp_path: Path) -> None:
    path = single_file(tmp_path / "m.safetensors", "sd1")
    (tmp_path / "m" / "palimpsest.json").write_text('{"family": "sdxl"}')
    with pytest.raises(ModelUnreadableError, match=r"says that m\.safetensors is 'sdxl'; it is 'sd1'"):
        read_spec(path)
