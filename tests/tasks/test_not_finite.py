"""A model that gives NaN gives an error: no picture, no word, no figure, and nothing that is remembered."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from palimpsest.contract import (
    AttentionRequest,
    EditRequest,
    InversionMethod,
    InversionSettings,
    InvertRequest,
    LearnRequest,
    Request,
)
from palimpsest.errors import NotFiniteError
from palimpsest.jobs.events import Progressed
from palimpsest.storage.png import encode
from palimpsest.tasks.canvas import psnr
from palimpsest.tasks.runner import TaskRunner
from tiny_task import SHOWS, finish, picture, selection

SETTINGS = InversionSettings(steps=3, guidance=3.0)


def spoiled(folder: Path, to: Path, part: str, layer: str) -> str:
    """A copy of the model with one NaN in a convolution of ``part`` whose name begins with ``layer``."""
    shutil.copytree(folder, to)
    (file,) = (to / part).glob("*.safetensors")
    weights = load_file(file)
    name = next(name for name in weights if name.startswith(layer) and weights[name].ndim == 4)
    weights[name] = weights[name].clone()
    weights[name].view(-1)[0] = float("nan")
    save_file(weights, file, {"format": "pt"})
    return str(to)


def follow(runner: TaskRunner, request: Request, phases: list[str]) -> None:
    for event in runner.do(request):
        assert isinstance(event, Progressed)
        phases.append(event.phase)


@pytest.fixture
def bad_unet(sd1_folder: Path, tmp_path: Path) -> str:
    return spoiled(sd1_folder, tmp_path / "bad-unet", "unet", "mid_block")


@pytest.fixture
def bad_decoder(sd1_folder: Path, tmp_path: Path) -> str:
    return spoiled(sd1_folder, tmp_path / "bad-vae", "vae", "decoder")


def edit(runner: TaskRunner, model: str, **changes: Any) -> EditRequest:
    image, mask = runner.images.put(picture()), runner.images.put(selection())
    made = EditRequest(image, "replace", SHOWS, "a photo of a dog on grass", mask, model=model)
    return replace(made, inversion=SETTINGS, **changes)


def refused(runner: TaskRunner, request: Request) -> list[str]:
    """The phases that were reached before the error."""
    phases: list[str] = []
    before = set(runner.images.folder.rglob("*"))
    with pytest.raises(NotFiniteError):
        follow(runner, request, phases)
    assert set(runner.images.folder.rglob("*")) == before, "a picture was made of it"
    return phases


@pytest.mark.parametrize("method", ["direct", "ddim", "null-text"])
def test_an_edit_ends_in_its_first_step(method: InversionMethod, runner: TaskRunner, bad_unet: str) -> None:
    request = edit(runner, bad_unet)
    assert set(refused(runner, replace(request, inversion=replace(SETTINGS, method=method)))) == {"loading"}


def test_an_autoencoder_is_found_out_before_anything_is_sampled(runner: TaskRunner, bad_decoder: str) -> None:
    assert set(refused(runner, edit(runner, bad_decoder))) == {"loading"}
    image = runner.images.put(picture())
    assert not refused(runner, InvertRequest(image, SHOWS, model=bad_decoder, inversion=SETTINGS))


def test_so_do_inverting_looking_and_learning(runner: TaskRunner, bad_unet: str) -> None:
    image = runner.images.put(picture())
    refused(runner, InvertRequest(image, SHOWS, model=bad_unet, inversion=SETTINGS))
    refused(runner, AttentionRequest(image, SHOWS, "cat", model=bad_unet))
    rng = np.random.default_rng(0)
    images = tuple(
        runner.images.put(encode(rng.integers(0, 256, (72, 80, 3), dtype=np.uint8))) for _ in range(3)
    )
    refused(runner, LearnRequest("toy", images, "toy", model=bad_unet, steps=2, accept_outliers=True))
    assert not runner.concepts.list()


def test_an_inversion_with_such_numbers_is_made_anew(runner: TaskRunner, sd1_folder: Path) -> None:
    request = edit(runner, str(sd1_folder))
    first = finish(runner.do(request))
    (file,) = runner.inversions.folder.rglob("*.safetensors")
    tensors = load_file(file)
    kept = runner.inversions.get(file.stem)
    assert kept is not None
    tensors["latents"].view(-1)[5] = torch.nan
    runner.inversions.put(file.stem, tensors, dict(kept.metadata))
    again = finish(runner.do(request))
    assert again.artifacts == first.artifacts
    assert not again.result["remembered"]


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_no_figure_is_made_of_them(value: float) -> None:
    sound, unsound = torch.zeros(1, 3, 4, 4), torch.full((1, 3, 4, 4), value)
    for pair in ((sound, unsound), (unsound, sound), (unsound, unsound)):
        with pytest.raises(NotFiniteError):
            psnr(*pair)
