"""One file in the original naming loads to the same model as the folder in the diffusers layout."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from original_naming import published_shapes, single_file, sparse_file
from palimpsest.errors import (
    ModelNotFoundError,
    ModelUnreadableError,
    PickledModelError,
)
from palimpsest.models.families import load, read_spec
from palimpsest.models.families.stable_diffusion import published
from tiny import ddpm_of, tiny_model


def test_every_weight_arrives_where_it_belongs(family: str, tmp_path: Path) -> None:
    loaded = load(single_file(tmp_path / "m.safetensors", family), "cpu")
    expected = tiny_model(family)
    pairs = [(expected.network.module, loaded.network.module), (expected.vae, loaded.vae)]
    pairs += [(a.encoder, b.encoder) for a, b in zip(expected.text, loaded.text, strict=True)]
    for want, got in pairs:
        state = got.state_dict()
        assert state.keys() == want.state_dict().keys()
        assert all(torch.equal(value, state[key]) for key, value in want.state_dict().items())
    assert (loaded.family, ddpm_of(loaded).prediction) == (family, ddpm_of(expected).prediction)


def test_the_networks_compute_the_same(family: str, tmp_path: Path) -> None:
    """Also what is no weight (position ids, heads, activations) is right."""
    loaded, expected = load(single_file(tmp_path / "m.safetensors", family), "cpu"), tiny_model(family)
    for want, got in zip(expected.text, loaded.text, strict=True):
        ids = torch.tensor([want.tokenizer("a cat on grass", padding="max_length").input_ids])
        assert torch.equal(got.encoder(ids).last_hidden_state, want.encoder(ids).last_hidden_state)
        assert got.tokenizer.pad_token_id == want.tokenizer.pad_token_id
    pixels = torch.rand(1, 3, 32, 48)
    assert torch.equal(loaded.encode(pixels), expected.encode(pixels))


@pytest.mark.parametrize("place", ["tokenizer", "other-model/tokenizer"])
def test_a_tokenizer_beside_the_file_is_found(place: str, tmp_path: Path) -> None:
    path = single_file(tmp_path / "m.safetensors", "sd1")
    shutil.copytree(tmp_path / "m" / "tokenizer", tmp_path / place)
    shutil.rmtree(tmp_path / "m" / "tokenizer")
    assert load(path, "cpu").text[0].tokenizer.model_max_length == 32


def test_a_missing_tokenizer_is_explained(tmp_path: Path) -> None:
    path = single_file(tmp_path / "m.safetensors", "sd1")
    shutil.rmtree(tmp_path / "m" / "tokenizer")
    with pytest.raises(ModelUnreadableError, match=r"without a tokenizer.*Copy the folder 'tokenizer'"):
        load(path, "cpu")


def test_sdxl_pads_its_second_encoder_its_own_way_with_one_tokenizer(tmp_path: Path) -> None:
    path = single_file(tmp_path / "m.safetensors", "sdxl")
    shutil.rmtree(tmp_path / "m" / "tokenizer_2")
    first, second = (part.tokenizer for part in load(path, "cpu").text)
    assert (first.pad_token, second.pad_token) == ("<|endoftext|>", "!")


@pytest.mark.parametrize("suffix", [".ckpt", ".bin", ".pt"])
def test_pickles_are_refused_with_the_way_out(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"model{suffix}"
    path.write_bytes(b"\x80\x02}q\x00.")
    for read in (read_spec, lambda p: load(p, "cpu")):
        with pytest.raises(PickledModelError, match=r"weights_only=True"):
            read(path)


def test_a_truncated_file_is_unreadable(tmp_path: Path) -> None:
    path = single_file(tmp_path / "m.safetensors", "sd1")
    path.write_bytes(path.read_bytes()[:-1000])
    for read in (read_spec, lambda p: load(p, "cpu")):
        with pytest.raises(ModelUnreadableError, match=r"m\.safetensors is incomplete"):
            read(path)
    path.write_bytes(b"\xff" * 20)
    with pytest.raises(ModelUnreadableError, match="not a safetensors file"):
        read_spec(path)
    with pytest.raises(ModelNotFoundError):
        read_spec(tmp_path / "nothing.safetensors")


def test_a_missing_weight_is_never_filled_with_random_numbers(tmp_path: Path) -> None:
    path = single_file(tmp_path / "m.safetensors", "sd1")
    weights = load_file(path)
    del weights["model.diffusion_model.out.2.weight"]
    save_file(weights, path)
    with pytest.raises(ModelUnreadableError, match=r"lacks 1 weights.*conv_out\.weight"):
        load(path, "cpu")


def header_of(path: Path, family: str, *more: str) -> Path:
    return sparse_file(path, {**published_shapes(family), **dict.fromkeys(more, (0,))})


def test_published_sizes_are_stated_without_reading_weights(tmp_path: Path) -> None:
    sd1 = read_spec(header_of(tmp_path / "1.safetensors", "sd1"))
    assert (sd1.native_size, sd1.granularity, sd1.token_limit, sd1.encoders[0].width) == (512, 64, 75, 768)
    assert sum(site.cross for site in sd1.sites) == 16
    sdxl = read_spec(header_of(tmp_path / "x.safetensors", "sdxl"))
    assert (sdxl.native_size, sdxl.granularity) == (1024, 32)
    assert [encoder.width for encoder in sdxl.encoders] == [768, 1280]
    assert sum(site.cross for site in sdxl.sites) == 70


def test_sd2_must_say_what_it_predicts(tmp_path: Path) -> None:
    path = header_of(tmp_path / "two.safetensors", "sd2")
    with pytest.raises(ModelUnreadableError, match=r"doesn't say what it predicts.*palimpsest\.json"):
        read_spec(path)
    (tmp_path / "two").mkdir()
    for prediction, size in (("epsilon", 512), ("v_prediction", 768)):
        (tmp_path / "two" / "palimpsest.json").write_text(json.dumps({"prediction": prediction}))
        spec = read_spec(path)
        assert (spec.prediction, spec.native_size) == (prediction, size)


def test_a_file_may_say_itself_that_it_predicts_v(tmp_path: Path) -> None:
    assert read_spec(header_of(tmp_path / "v.safetensors", "sdxl", "v_pred")).prediction == "v_prediction"


def test_published_configurations_make_networks_of_the_known_size() -> None:
    """Parameter counts of the published models, to the million."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    def millions(network: object) -> int:
        assert isinstance(network, torch.nn.Module)
        return round(sum(p.numel() for p in network.parameters()) / 1e6)

    with torch.device("meta"):
        unets = {f: millions(UNet2DConditionModel.from_config(c)) for f, c in published.UNETS.items()}
        assert unets == {"sd1": 860, "sd2": 866, "sdxl": 2567}
        assert millions(AutoencoderKL.from_config(published.VAES["sd1"])) == 84


def test_text_encoders_have_the_published_size() -> None:
    from transformers import CLIPTextConfig

    from palimpsest.models.families.stable_diffusion.load import encoder_class

    with torch.device("meta"):
        sizes = [
            sum(p.numel() for p in encoder_class(c)(CLIPTextConfig(**c)).parameters()) // 10**6
            for c in (*published.ENCODERS["sd1"], *published.ENCODERS["sd2"], published.ENCODERS["sdxl"][1])
        ]
    assert sizes == [123, 340, 694]


def test_the_companion_is_part_of_the_hash(tmp_path: Path) -> None:
    path = single_file(tmp_path / "m.safetensors", "sd1")
    before = load(path, "cpu").weights_hash
    scheduler = tmp_path / "m" / "scheduler" / "scheduler_config.json"
    scheduler.write_text(json.dumps({**json.loads(scheduler.read_text()), "prediction_type": "v_prediction"}))
    assert load(path, "cpu").weights_hash != before
