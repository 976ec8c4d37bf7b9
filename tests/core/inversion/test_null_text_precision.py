"""Null-text inversion with a UNet of half precision reproduces the photo as well as in float32."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from palimpsest.bench.generate import to_pixels
from palimpsest.builtin.captions import caption
from palimpsest.contract import BUILT_IN
from palimpsest.core.editing.edit import edit
from palimpsest.core.gradient import gradient
from palimpsest.core.inversion import Inversion, InvertSettings, invert
from palimpsest.core.inversion.null_text import NullTextSettings
from palimpsest.core.model import DiffusionModel
from palimpsest.core.networks.unet import UNet
from palimpsest.core.steps import finish
from palimpsest.core.text.prompt import concepts_installed
from palimpsest.models.catalog import find
from palimpsest.models.families import load
from palimpsest.scenes.rendering import render
from palimpsest.scenes.scene import VALIDATION_SEEDS, sample_scene
from palimpsest.tasks.canvas import psnr
from tiny import tiny_model

HALVES = (torch.bfloat16, torch.float16)
SETTINGS = InvertSettings("null-text", steps=4, constants=NullTextSettings(inner_steps=4))
SIDE = 64  # pixels: float16 is slow on a processor


def computing_in(model: DiffusionModel, dtype: torch.dtype) -> DiffusionModel:
    return replace(model, network=UNet(copy.deepcopy(model.network.module).to(dtype)))


@lru_cache(maxsize=1)
def built_in() -> DiffusionModel:
    return load(find(BUILT_IN, Path("none")), torch.device("cpu"))


def near_the_goal(model: DiffusionModel, apart: float) -> tuple[Tensor, Tensor]:
    """The loss where the prediction is ``apart`` from its goal (rms), and its gradient by the embedding."""
    seen = torch.Generator().manual_seed(0)
    z, away = (torch.randn(1, 4, 8, 8, generator=seen) for _ in range(2))
    with concepts_installed(model, []) as vocabulary:
        null = vocabulary.null()
        context = null.context.clone().requires_grad_(True)
        eps = model.predict(z, 500, null.with_context(context))
        loss = F.mse_loss(eps, (eps + apart * away).detach())
        return loss.detach(), gradient(loss, [context], model.dtype)[0]


@pytest.mark.parametrize(("dtype", "most"), [(torch.bfloat16, 0.05), (torch.float16, 0.01)])
@pytest.mark.parametrize("apart", [1.0, 1e-2, 1e-4])
def test_the_embeddings_gradient_is_that_of_float32(dtype: torch.dtype, most: float, apart: float) -> None:
    """The nearer the goal, the smaller: unscaled, all of it is 0 in float16 at the last distance."""
    model = tiny_model("sd1")
    _, expected = near_the_goal(model, apart)
    _, found = near_the_goal(computing_in(model, dtype), apart)
    assert found.dtype == torch.float32
    assert float((found - expected).norm() / expected.norm()) < most


@lru_cache(maxsize=4)
def reproduced(dtype: torch.dtype, inner_steps: int = 4) -> tuple[Inversion, float, float]:
    """A photo's inversion, and its PSNR in dB against the photo and against the autoencoder's round trip."""
    model = computing_in(built_in(), dtype)
    scene = sample_scene(VALIDATION_SEEDS[500], count=1, style="photo")
    pixels = to_pixels([render(scene, SIDE).image])
    z0 = model.encode(pixels)
    settings = replace(SETTINGS, constants=NullTextSettings(inner_steps=inner_steps))
    with concepts_installed(model, []) as vocabulary:
        source = vocabulary.parse(caption(scene))
        inversion = finish(invert(model, vocabulary, z0, source, settings))
        again = finish(edit(model, vocabulary, inversion, source, [source], "reweight"))
    picture = model.decode(again.source)
    return inversion, psnr(picture, pixels), psnr(picture, model.decode(z0))


@pytest.mark.parametrize("dtype", HALVES)
def test_the_photo_comes_back_as_well_as_in_float32(dtype: torch.dtype) -> None:
    """Within 1 dB, against the photo and against what the autoencoder leaves of it."""
    _, photo, trip = reproduced(torch.float32)
    _, half_photo, half_trip = reproduced(dtype)
    assert half_photo > photo - 1
    assert half_trip > trip - 1
    assert trip > reproduced(torch.float32, 0)[2] + 3, "optimising matters here"


@pytest.mark.parametrize("dtype", HALVES)
def test_embeddings_and_pivots_stay_float32(dtype: torch.dtype) -> None:
    inversion, _, _ = reproduced(dtype)
    assert inversion.nulls is not None
    assert inversion.nulls.dtype == inversion.latents.dtype == torch.float32
    assert (inversion.nulls != inversion.nulls.to(dtype).float()).any(), "finer than the UNet's own precision"
