"""The autoencoder in stripes gives the picture that it gives as a whole, without seams."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from palimpsest.core.model import DiffusionModel
from palimpsest.core.networks import stripes
from palimpsest.models.catalog import built_in_folder
from palimpsest.models.families import load
from tiny import tiny_model

LEVEL = 2 / 255  # of a picture in [-1, 1]


@pytest.fixture(autouse=True)
def _many_stripes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripes, "STRIPE_BYTES", 1)
    monkeypatch.setattr(stripes, "DEVICE_BYTES", 100_000)


def photo(model: DiffusionModel, height: int = 136, width: int = 208) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    small = torch.rand(2, 3, height // 8, width // 8, generator=generator) * 2 - 1
    return torch.nn.functional.interpolate(small, size=(height, width), mode="bilinear")


@pytest.mark.parametrize("name", ["built-in", "tiny"])
def test_both_ways_are_the_whole_s_within_a_hundredth_of_a_level(name: str) -> None:
    whole = load(built_in_folder(), "cpu") if name == "built-in" else tiny_model("sd1")
    assert stripes.can_stripe(whole.vae)
    striped, pixels = replace(whole, striped=True), photo(whole)
    (mean, std), (got_mean, got_std) = whole.encode_moments(pixels), striped.encode_moments(pixels)
    torch.testing.assert_close(got_mean, mean, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(got_std, std, rtol=1e-3, atol=1e-6)
    assert (striped.decode(mean) - whole.decode(mean)).abs().max() < LEVEL / 100


def test_stripes_that_don_t_divide_the_height_and_a_single_one(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("sdxl")
    striped, z = replace(model, striped=True), torch.randn(1, 4, 17, 9, generator=torch.Generator())
    for rows in (8, 11, 1000):
        monkeypatch.setattr(stripes, "LEAST_ROWS", rows)
        assert (striped.decode(z) - model.decode(z)).abs().max() < LEVEL / 100


def test_an_autoencoder_of_other_blocks_is_left_whole() -> None:
    vae = tiny_model("sd1").vae
    vae.register_to_config(up_block_types=("AttnUpDecoderBlock2D",))
    assert not stripes.can_stripe(vae)
