"""Load a checkpoint that is one ``.safetensors`` file: what it is, ``models.checkpoint`` has read.

Of what the file cannot hold, only the tokenizer is needed. It lies in the companion folder or as
``tokenizer/`` beside the file, or is taken from another Stable Diffusion model: all of them share one
vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from palimpsest.core.model import DiffusionModel
from palimpsest.errors import ModelUnreadableError
from palimpsest.models import folder as layout
from palimpsest.models import published
from palimpsest.models.checkpoint import TEXT, companion, read_checkpoint_configuration
from palimpsest.models.load import assemble, encoder_class, load_tokenizer, reading, refuse_missing
from palimpsest.models.open_clip import from_open_clip
from palimpsest.models.spec import Configuration
from palimpsest.models.weights_hash import weights_hash


def load_checkpoint(
    path: Path, device: torch.device, memory: Path | None, lenders: Sequence[Path] = ()
) -> DiffusionModel:
    """``lenders``: model folders whose tokenizer may be used where none lies beside the file.

    Raises a ModelError that names what is missing, damaged or unsupported.
    """
    from safetensors.torch import load_file

    configuration = read_checkpoint_configuration(path)
    family = str(configuration.own["family"])
    tokenizers = _tokenizer_folders(path, family, lenders)
    weights: dict[str, Tensor] = reading(path, lambda: load_file(path))
    networks = _unet(path, configuration, weights), _vae(path, configuration, weights)
    text = []
    for index, config in enumerate(configuration.encoders):
        encoder = _encoder(path, config, below(weights, TEXT[family][index]))
        pad = published.PADS[family][index]
        text.append((load_tokenizer(tokenizers[index], encoder, pad_token=pad), encoder))
    beside = companion(path)
    files = [path] + (layout.configuration_files(beside) if beside.is_dir() else [])
    return assemble(configuration, networks, text, weights_hash(files, path.parent, memory), device)


def below(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The weights whose name begins with ``prefix``, without it."""
    return {key[len(prefix) :]: value for key, value in weights.items() if key.startswith(prefix)}


def _unet(path: Path, configuration: Configuration, weights: dict[str, Tensor]) -> Any:
    from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    config = dict(configuration.unet)
    return _filled(path, UNet2DConditionModel, config, lambda: convert_ldm_unet_checkpoint(weights, config))


def _vae(path: Path, configuration: Configuration, weights: dict[str, Tensor]) -> Any:
    from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    config = dict(configuration.vae)
    return _filled(path, AutoencoderKL, config, lambda: convert_ldm_vae_checkpoint(weights, config))


def _filled(path: Path, cls: Any, config: dict[str, Any], convert: Callable[[], dict[str, Tensor]]) -> Any:
    """A network of diffusers without a moment of random weights: made empty, then given its tensors."""
    with torch.device("meta"):
        network = reading(path, lambda: cls.from_config(config))
    result = reading(path, lambda: network.load_state_dict(convert(), strict=False, assign=True))
    refuse_missing(path, result.missing_keys)
    return network


def _encoder(path: Path, config: Mapping[str, Any], weights: dict[str, Tensor]) -> Any:
    from transformers import CLIPTextConfig

    if "token_embedding.weight" in weights:
        weights = from_open_clip(weights, layers=int(config["num_hidden_layers"]))
    named = {key if key.startswith("text_") else f"text_model.{key}": value for key, value in weights.items()}
    cls = encoder_class(config)
    options = {"config": CLIPTextConfig(**config), "dtype": torch.float32, "output_loading_info": True}
    encoder, report = reading(path, lambda: cls.from_pretrained(None, state_dict=named, **options))
    refuse_missing(path, [*report["missing_keys"], *map(str, report.get("mismatched_keys", ()))])
    return encoder


def _tokenizer_folders(path: Path, family: str, lenders: Sequence[Path]) -> list[Path]:
    """One folder per text encoder. Raises ModelUnreadableError that says how to give one."""
    first = next(_readable(_tokenizer_places(path, lenders)), None)
    if first is None:
        raise ModelUnreadableError(
            f"{path.name} comes without a tokenizer, and none lies beside it.",
            f"Copy the folder 'tokenizer' of any Stable Diffusion model in the diffusers layout "
            f"(a few hundred kilobytes, the same for all of them) to {companion(path) / 'tokenizer'}.",
        )
    second = next(_readable(iter([companion(path) / "tokenizer_2"])), first)
    return [first, second][: len(TEXT[family])]


def _tokenizer_places(path: Path, lenders: Sequence[Path]) -> Iterator[Path]:
    yield companion(path) / "tokenizer"
    yield path.parent / "tokenizer"
    yield from sorted(path.parent.glob("*/tokenizer"))
    yield from (lender / "tokenizer" for lender in lenders)


def _readable(places: Iterator[Path]) -> Iterator[Path]:
    return (place for place in places if any((place / file).is_file() for file in layout.TOKENIZER_FILES))
