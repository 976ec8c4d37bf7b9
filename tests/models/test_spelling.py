"""Weights under other savers' names and shapes are the same weights: the same networks come of them."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from original_naming import clip_weights, published_shapes, single_file, sparse_file
from palimpsest.core.model import DiffusionModel
from palimpsest.errors import ModelIncapableError, ModelUnreadableError
from palimpsest.models.families import load, read_spec
from palimpsest.models.listing import list_models
from tiny import tiny_model

Weights = dict[str, Tensor]
Spell = Callable[[Weights], Weights]
UNET, VAE = "model.diffusion_model.", "first_stage_model."


def renamed(*pairs: tuple[str, str]) -> Spell:
    def spell(weights: Weights) -> Weights:
        named = {}
        for key, value in weights.items():
            for pattern, replacement in pairs:
                key = re.sub(pattern, replacement, key)
            named[key] = value
        assert named.keys() != weights.keys()
        return named

    return spell


def matrices(*parts: str) -> Spell:
    """Each 1x1 convolution of these parts saved as a Linear."""
    return lambda weights: {
        k: v.flatten(1) if v.ndim == 4 and v.shape[2:] == (1, 1) and any(part in k for part in parts) else v
        for k, v in weights.items()
    }


def convolutions(*parts: str) -> Spell:
    return lambda weights: {
        k: v[:, :, None, None] if v.ndim == 2 and any(part in k for part in parts) else v
        for k, v in weights.items()
    }


def with_ema(weights: Weights) -> Weights:
    """The averaged weights beside the others, as the training code saves them."""
    doubles = {
        "model_ema." + k.removeprefix("model.").replace(".", ""): torch.randn_like(v)
        for k, v in weights.items()
        if k.startswith(UNET)
    }
    return {
        **weights,
        **doubles,
        "model_ema.decay": torch.tensor(0.9999),
        "model_ema.num_updates": torch.tensor(7),
    }


def position_ids(dtype: torch.dtype, shape: tuple[int, ...] = (1, 32)) -> Spell:
    """Wrong on purpose: whatever is saved there, positions are counted."""
    key = "cond_stage_model.transformer.text_model.embeddings.position_ids"
    return lambda weights: {**weights, key: torch.full(shape, 3, dtype=dtype)}


def diffusers_attention(query: str, key: str, value: str, out: str, norm: str = "group_norm") -> Spell:
    names = {"q": query, "k": key, "v": value, "proj_out": out, "norm": norm}
    return renamed(*((rf"(\.mid\.attn_1)\.{old}\.", rf"\1.{new}.") for old, new in names.items()))


EVERY: dict[str, Spell] = {
    "no prefix": renamed((f"^{re.escape(UNET)}", "")),
    "diffusion_model": renamed((f"^{re.escape(UNET)}", "diffusion_model.")),
    "unet": renamed((f"^{re.escape(UNET)}", "unet.")),
    "vae": renamed((f"^{re.escape(VAE)}", "vae.")),
    "to_q": diffusers_attention("to_q", "to_k", "to_v", "to_out.0"),
    "query": diffusers_attention("query", "key", "value", "proj_attn"),
    "linear projections": matrices("proj_in", "proj_out", "skip_connection", "attn_1", "nin_shortcut"),
    "convolutional projections": convolutions("proj_in.weight", "proj_out.weight"),
    "averaged": with_ema,
}
SD1: dict[str, Spell] = {
    "position ids": position_ids(torch.int64),
    "float position ids": position_ids(torch.float16),
    "old transformers": renamed((r"\.transformer\.text_model\.", ".transformer.")),
    "clip_l": renamed((r"^cond_stage_model\.transformer\.", "cond_stage_model.clip_l.transformer.")),
}
SDXL: dict[str, Spell] = {
    "text_encoders": renamed(
        (r"^conditioner\.embedders\.0\.transformer\.", "text_encoders.clip_l.transformer."),
    ),
    "projection as a Linear": lambda weights: {
        k + ".weight" * k.endswith("text_projection"): v.T.contiguous()
        if k.endswith("text_projection")
        else v
        for k, v in weights.items()
    },
}


def same(ours: DiffusionModel, plain: DiffusionModel) -> None:
    pairs = [(plain.network.module, ours.network.module), (plain.vae, ours.vae)]
    pairs += [(a.encoder, b.encoder) for a, b in zip(plain.text, ours.text, strict=True)]
    for want, got in pairs:
        state = got.state_dict()
        assert state.keys() == want.state_dict().keys()
        assert all(torch.equal(value, state[key]) for key, value in want.state_dict().items())
    for want, got in zip(plain.text, ours.text, strict=True):
        ids = torch.tensor([want.tokenizer("a cat on grass", padding="max_length").input_ids])
        assert torch.equal(got.encoder(ids).last_hidden_state, want.encoder(ids).last_hidden_state)


def respelled(path: Path, family: str, spell: Spell) -> Path:
    file = single_file(path, family)
    save_file({k: v.contiguous().clone() for k, v in spell(load_file(file)).items()}, file)
    return file


CASES = [(family, name) for family in ("sd1", "sd2", "sdxl") for name in EVERY]
CASES += [("sd1", name) for name in SD1] + [("sdxl", name) for name in SDXL]


@pytest.mark.parametrize(("family", "name"), CASES)
def test_another_spelling_is_the_same_model(family: str, name: str, tmp_path: Path) -> None:
    spell = {**EVERY, **SD1, **SDXL}[name]
    path = respelled(tmp_path / "m.safetensors", family, spell)
    assert read_spec(path).family == family
    same(load(path, "cpu"), tiny_model(family))


def test_text_encoders_saved_by_transformers_are_read(tmp_path: Path) -> None:
    """SDXL's second encoder, and SD 2.x's only one, in the names of transformers instead of OpenCLIP."""

    def spell(weights: Weights) -> Weights:
        text = clip_weights(tiny_model("sdxl").text[1].encoder)
        kept = {k: v for k, v in weights.items() if not k.startswith("conditioner.embedders.1.")}
        return {**kept, **{f"conditioner.embedders.1.transformer.{k}": v for k, v in text.items()}}

    same(load(respelled(tmp_path / "m.safetensors", "sdxl", spell), "cpu"), tiny_model("sdxl"))


@pytest.mark.parametrize("family", ["sd1", "sdxl"])
@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_plain_float8_is_widened_exactly(family: str, dtype: torch.dtype, tmp_path: Path) -> None:
    def small(weights: Weights) -> Weights:
        return {k: v.to(dtype) if v.dtype == torch.float32 else v for k, v in weights.items()}

    def wide(weights: Weights) -> Weights:
        return {k: v.to(dtype).float() if v.dtype == torch.float32 else v for k, v in weights.items()}

    got = load(respelled(tmp_path / "8.safetensors", family, small), "cpu")
    same(got, load(respelled(tmp_path / "32.safetensors", family, wide), "cpu"))
    assert {p.dtype for p in got.network.module.parameters()} == {torch.float32}


def test_a_float8_folder_is_widened_too(sd1_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(sd1_folder, tmp_path / "m")
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights = {k: v.to(torch.float8_e4m3fn) for k, v in load_file(file).items()}
    save_file(weights, file, {"format": "pt"})
    state = load(folder, "cpu").network.module.state_dict()
    assert all(torch.equal(state[key], value.float()) for key, value in weights.items())


def vae_of(weights: Weights, prefix: str = "") -> Weights:
    return {prefix + k[len(VAE) :]: v.clone() for k, v in weights.items() if k.startswith(VAE)}


def without_vae(path: Path, family: str = "sd1") -> Weights:
    """Write a checkpoint that lacks its VAE, and return that."""
    weights = load_file(single_file(path, family))
    save_file({k: v for k, v in weights.items() if not k.startswith(VAE)}, path)
    return weights


def test_a_file_without_a_vae_says_how_to_give_one(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    without_vae(path)
    for read in (read_spec, lambda place: load(place, "cpu")):
        with pytest.raises(ModelUnreadableError, match=r"has no VAE\. .*m\.vae\.safetensors"):
            read(path)


@pytest.mark.parametrize("prefix", ["", VAE, "vae."])
@pytest.mark.parametrize("place", ["m.vae.safetensors", "m/vae.safetensors"])
def test_a_vae_beside_the_file_is_used(place: str, prefix: str, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_file(vae_of(without_vae(path), prefix), tmp_path / place)
    assert [m["name"] for m in list_models(tmp_path) if m["installed"]] == ["built-in", "m"]
    same(load(path, "cpu"), tiny_model("sd1"))


@pytest.mark.parametrize("old", [False, True])
def test_a_vae_in_the_layout_of_diffusers_is_used(old: bool, tmp_path: Path) -> None:
    """Also under the names that its attention had before 2023, as 1x1 convolutions."""
    path = tmp_path / "m.safetensors"
    without_vae(path)
    weights = tiny_model("sd1").vae.state_dict()
    if old:
        for new, then in {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}.items():
            weights = {
                k.replace(f"attentions.0.{new}.", f"attentions.0.{then}."): v for k, v in weights.items()
            }
        weights = convolutions("attentions.0")(weights)
    (tmp_path / "m" / "vae").mkdir(exist_ok=True)
    save_file(weights, tmp_path / "m" / "vae" / "diffusion_pytorch_model.safetensors")
    same(load(path, "cpu"), tiny_model("sd1"))


def test_a_vae_beside_the_file_wins_and_is_part_of_the_hash(tmp_path: Path) -> None:
    path = single_file(tmp_path / "m.safetensors", "sd1")
    plain = load(path, "cpu")
    other = {k: v + 1 for k, v in vae_of(load_file(path)).items()}
    save_file(other, tmp_path / "m.vae.safetensors")
    given = load(path, "cpu")
    assert given.weights_hash != plain.weights_hash
    bias = "encoder.conv_in.bias"
    assert torch.equal(given.vae.state_dict()[bias], other[bias])


def test_a_wrong_vae_beside_the_file_is_refused_by_its_name(tmp_path: Path) -> None:
    path = single_file(tmp_path / "m.safetensors", "sd1")
    beside = tmp_path / "m.vae.safetensors"
    good = vae_of(load_file(path))
    wide = good["decoder.conv_in.weight"].repeat(1, 4, 1, 1)
    wrong = {
        "is no VAE of Stable Diffusion": {"decoder.conv_in.weight": wide},
        "for latents of 16 channels": {**good, "decoder.conv_in.weight": wide},
        "is quantised": {**good, "decoder.conv_in.weight_scale": torch.ones(1)},
        "on rescaled latents": {**good, "latents_mean": torch.ones(4)},
    }
    for said, weights in wrong.items():
        save_file(weights, beside)
        for read in (read_spec, lambda place: load(place, "cpu")):
            with pytest.raises((ModelUnreadableError, ModelIncapableError), match=said) as told:
                read(path)
            assert str(beside) in told.value.message


def test_a_unet_with_more_weights_is_not_taken_for_one_without(tmp_path: Path) -> None:
    strange = f"{UNET}input_blocks.1.0.in_layers.2.strange"
    path = respelled(tmp_path / "m.safetensors", "sd1", lambda w: {**w, strange: torch.ones(4)})
    with pytest.raises(ModelUnreadableError, match="no place for"):
        load(path, "cpu")


def test_an_sd2_text_encoder_under_sd1_s_name_is_told_by_the_width_of_its_text(tmp_path: Path) -> None:
    shapes = published_shapes("sd2")
    text = {k for k in shapes if k.startswith("cond_stage_model.")}
    encoder = {"cond_stage_model.transformer.text_model.final_layer_norm.weight": (1024,)}
    path = sparse_file(tmp_path / "m.safetensors", {k: shapes[k] for k in shapes.keys() - text} | encoder)
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "palimpsest.json").write_text(json.dumps({"prediction": "epsilon"}))
    assert read_spec(path).family == "sd2"
