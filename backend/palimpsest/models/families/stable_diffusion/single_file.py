"""Load a checkpoint that is one ``.safetensors`` file: what it is, ``checkpoint`` has read.

Of what the file cannot hold, only the tokenizer is needed. It lies in the companion folder or as
``tokenizer/`` beside the file, or is taken from another Stable Diffusion model: all of them share one
vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from palimpsest.core.model import DiffusionModel
from palimpsest.errors import ModelUnreadableError
from palimpsest.models.families.stable_diffusion import folder as layout
from palimpsest.models.families.stable_diffusion import published
from palimpsest.models.families.stable_diffusion.checkpoint import (
    TEXT,
    companion,
    given_vae,
    read_checkpoint_configuration,
    text_prefix,
)
from palimpsest.models.families.stable_diffusion.configuration import Configuration
from palimpsest.models.families.stable_diffusion.load import (
    assemble,
    encoder_class,
    load_tokenizer,
    place_of,
    refuse_missing,
    refuse_unexpected,
)
from palimpsest.models.families.stable_diffusion.open_clip import from_open_clip
from palimpsest.models.families.stable_diffusion.spelling import (
    UNET,
    VAE,
    diffusers_vae,
    in_diffusers_names,
    original,
    vae_alone,
)
from palimpsest.models.libraries import reading
from palimpsest.models.plan import HIGH, Plan
from palimpsest.models.spec import usable
from palimpsest.models.weights_hash import weights_hash


def load_checkpoint(
    path: Path,
    device: torch.device,
    memory: Path | None,
    tokenizer_sources: Sequence[Path] = (),
    plan: Plan = HIGH,
) -> DiffusionModel:
    """``tokenizer_sources``: model folders whose tokenizer may be used where none lies beside the file.

    Raises a ModelError that names what is missing, damaged or unsupported.
    """
    configuration = read_checkpoint_configuration(path)
    place = place_of(configuration, device, plan)  # refuse what can't be used before reading gigabytes
    family = str(configuration.own["family"])
    tokenizers = _tokenizer_folders(path, family, tokenizer_sources)
    weights = original(_read(path))
    beside = given_vae(path)
    vae = below(weights if beside is None else vae_alone(_read(beside)), VAE)
    unet = place.put(_unet(path, configuration, weights, place.unet), plan.network)
    networks = unet, place.put(_vae(beside or path, configuration, vae, place.vae), plan.vae)
    text = []
    for index, config in enumerate(configuration.encoders):
        own = below(weights, text_prefix(weights, family, index))
        encoder = place.put(_encoder(path, config, own, place.text), plan.text)
        pad = published.PADS[family][index]
        text.append((load_tokenizer(tokenizers[index], encoder, pad_token=pad), encoder))
    return assemble(configuration, networks, text, weights_hash(_files(path), path.parent, memory), place)


def _files(path: Path) -> list[Path]:
    """All that decides what the model computes."""
    beside, vae = companion(path), given_vae(path)
    configurations = layout.configuration_files(beside) if beside.is_dir() else []
    return [path, *configurations, *([] if vae is None else [vae])]


def _read(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, mapped: main memory holds what of them is being read."""
    from safetensors.torch import load_file

    return reading(path, lambda: load_file(path))


def below(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The weights whose name begins with ``prefix``, without it."""
    return {key[len(prefix) :]: value for key, value in weights.items() if key.startswith(prefix)}


def _unet(path: Path, configuration: Configuration, weights: dict[str, Tensor], dtype: torch.dtype) -> Any:
    from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    config = dict(configuration.unet)

    def converted() -> dict[str, Tensor]:
        named = convert_ldm_unet_checkpoint(dict(weights), config)
        guidance = weights.get(f"{UNET}time_embed.cond_proj.weight")  # which the libraries leave out
        return named if guidance is None else {**named, "time_embedding.cond_proj.weight": guidance}

    return _filled(path, UNet2DConditionModel, config, converted, dtype)


def _vae(path: Path, configuration: Configuration, weights: dict[str, Tensor], dtype: torch.dtype) -> Any:
    from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    config = dict(configuration.vae)
    if in_diffusers_names(weights):
        return _filled(path, AutoencoderKL, config, partial(diffusers_vae, weights), dtype)
    return _filled(path, AutoencoderKL, config, partial(convert_ldm_vae_checkpoint, weights, config), dtype)


def _filled(
    path: Path,
    cls: Any,
    config: dict[str, Any],
    convert: Callable[[], dict[str, Tensor]],
    dtype: torch.dtype,
) -> Any:
    """A network of diffusers without a moment of random weights: made empty, then given its tensors."""
    with torch.device("meta"):
        network = reading(path, lambda: cls.from_config(config))
    named = reading(path, lambda: _shaped(convert(), network.state_dict()))
    result = reading(path, lambda: network.load_state_dict(named, strict=False, assign=True))
    refuse_missing(path, result.missing_keys)
    refuse_unexpected(path, result.unexpected_keys)
    return network.to(dtype)


def _shaped(weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A projection is a 1x1 convolution to some savers and a matrix to others: the same numbers."""
    shaped = {}
    for name, value in weights.items():
        target = wanted[name].shape if name in wanted else value.shape
        same = [side for side in value.shape if side != 1] == [side for side in target if side != 1]
        shaped[name] = value.reshape(target) if same else value
    return shaped


def _encoder(path: Path, config: Mapping[str, Any], weights: dict[str, Tensor], dtype: torch.dtype) -> Any:
    from transformers import CLIPTextConfig

    if "token_embedding.weight" in weights:
        with usable(path):
            weights = from_open_clip(weights, layers=int(config["num_hidden_layers"]))
    weights = {key: value for key, value in weights.items() if not key.endswith("position_ids")}
    named = {key if key.startswith("text_") else f"text_model.{key}": value for key, value in weights.items()}
    cls = encoder_class(config)
    options = {"state_dict": named, "dtype": dtype, "output_loading_info": True}
    encoder, report = reading(
        path, lambda: cls.from_pretrained(None, config=CLIPTextConfig(**config), **options)
    )
    refuse_missing(path, [*report["missing_keys"], *map(str, report.get("mismatched_keys", ()))])
    return encoder


def _tokenizer_folders(path: Path, family: str, tokenizer_sources: Sequence[Path]) -> list[Path]:
    """One folder per text encoder. Raises ModelUnreadableError that says how to give one."""
    first = next(_readable(_tokenizer_places(path, tokenizer_sources)), None)
    if first is None:
        raise ModelUnreadableError(
            f"{path.name} comes without a tokenizer, and none lies beside it.",
            f"Copy the folder 'tokenizer' of any Stable Diffusion model in the diffusers layout "
            f"(a few hundred kilobytes, the same for all of them) to {companion(path) / 'tokenizer'}.",
        )
    second = next(_readable(iter([companion(path) / "tokenizer_2"])), first)
    return [first, second][: len(TEXT[family])]


def _tokenizer_places(path: Path, tokenizer_sources: Sequence[Path]) -> Iterator[Path]:
    yield companion(path) / "tokenizer"
    yield path.parent / "tokenizer"
    yield from sorted(path.parent.glob("*/tokenizer"))
    yield from (lender / "tokenizer" for lender in tokenizer_sources)


def _readable(places: Iterator[Path]) -> Iterator[Path]:
    return (place for place in places if any((place / file).is_file() for file in layout.TOKENIZER_FILES))
