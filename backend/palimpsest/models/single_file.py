"""A checkpoint that is one ``.safetensors`` file in the original (CompVis / Stability) naming.

The file holds the weights. What it cannot hold may lie in a companion folder of the same name beside it,
in the diffusers layout, and wins over the published configuration:

    my-model.safetensors
    my-model/  tokenizer/  [tokenizer_2/]  [unet/config.json …]  [scheduler/…]  [palimpsest.json]

Only the tokenizer is needed; it is also found as ``tokenizer/`` beside the file, or taken from another
Stable Diffusion model in the same folder: all of them share one vocabulary.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from palimpsest.core.model import DiffusionModel
from palimpsest.errors import ModelIncapableError, ModelNotFoundError, ModelUnreadableError
from palimpsest.models import folder as layout
from palimpsest.models import published
from palimpsest.models.load import assemble, encoder_class, load_tokenizer, reading, refuse_missing
from palimpsest.models.open_clip import from_open_clip
from palimpsest.models.spec import OWN_FILE, Configuration, read_json, read_own
from palimpsest.models.weights_hash import weights_hash

LARGEST_HEADER = 100 << 20
UNET, VAE = "model.diffusion_model.", "first_stage_model."
#: Family → prefix of each text encoder's weights.
TEXT = {
    "sd1": ("cond_stage_model.transformer.",),
    "sd2": ("cond_stage_model.model.",),
    "sdxl": ("conditioner.embedders.0.transformer.", "conditioner.embedders.1.model."),
}
REFINER = "conditioner.embedders.0.model."
TRANSFORMERS = ("joint_blocks.", "double_blocks.", "transformer_blocks.", UNET + "joint_blocks.")
MODELSPEC = {"epsilon": "epsilon", "v": "v_prediction", "v_prediction": "v_prediction"}
SD2_BASE_SAMPLE = 64  # latents of 512 px; the v-predicting models were trained on 768 px


@dataclass(frozen=True)
class Header:
    """What stands at the beginning of a safetensors file."""

    shapes: Mapping[str, tuple[int, ...]]
    metadata: Mapping[str, str]


def read_header(path: Path) -> Header:
    """Raises ModelUnreadableError for anything that is no safetensors file."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > LARGEST_HEADER:
                raise ValueError(f"a header of {length} bytes")
            content = json.loads(file.read(length))
        metadata = content.pop("__metadata__", {})
        return Header({key: tuple(value["shape"]) for key, value in content.items()}, metadata)
    except FileNotFoundError as error:
        raise ModelNotFoundError(f"There is no model {path}.", "Check the path.") from error
    except (OSError, ValueError, struct.error, KeyError, TypeError, AttributeError) as error:
        raise ModelUnreadableError(
            f"{path} is not a safetensors file: {error}.", "It may be damaged or incomplete: fetch it again."
        ) from error


def read_checkpoint_configuration(path: Path) -> Configuration:
    """The configuration that belongs to a checkpoint: the published one, and what its companion says."""
    if path.suffix in layout.PICKLED:
        raise layout.pickled_error(path)
    header = read_header(path)
    family = recognise(path, header)
    own = read_own(companion(path) / OWN_FILE)
    scheduler = {**published.SCHEDULER, **_parametrisation(path, family, header, own)}
    unet = dict(published.UNETS[family])
    if family == "sd2" and scheduler["prediction_type"] == "epsilon":
        unet["sample_size"] = SD2_BASE_SAMPLE
    encoders = zip(("text_encoder", "text_encoder_2"), published.ENCODERS[family], strict=False)
    return Configuration(
        where=path,
        unet=_or_companion(path, "unet/config.json", unet),
        vae=_or_companion(path, "vae/config.json", published.VAES[family]),
        encoders=tuple(_or_companion(path, f"{name}/config.json", config) for name, config in encoders),
        scheduler=_or_companion(path, "scheduler/scheduler_config.json", scheduler),
        own={"family": family, **own},
        index={},
    )


def load_checkpoint(path: Path, device: torch.device, memory: Path | None) -> DiffusionModel:
    """Raises a ModelError that names what is missing, damaged or unsupported."""
    from safetensors.torch import load_file

    configuration = read_checkpoint_configuration(path)
    family = str(configuration.own["family"])
    tokenizers = _tokenizer_folders(path, family)
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


def companion(path: Path) -> Path:
    """The folder beside a checkpoint that says what the file cannot."""
    return path.with_suffix("")


def recognise(path: Path, header: Header) -> str:
    """The family, by whose text encoders the file holds."""
    if any(_has(header, part) for part in TRANSFORMERS):
        raise ModelIncapableError(
            f"{path} is a diffusion transformer (Stable Diffusion 3, Flux and others).",
            "Palimpsest edits with UNet models: Stable Diffusion 1.x, 2.x and SDXL.",
        )
    families = [family for family, parts in TEXT.items() if all(_has(header, part) for part in parts)]
    if not families and _has(header, REFINER):
        raise ModelIncapableError(
            f"{path} is an SDXL refiner, which only finishes pictures.", "Use the SDXL base model."
        )
    if len(families) == 1 and _has(header, UNET) and _has(header, VAE):
        return families[0]
    parts = {"the UNet": _has(header, UNET), "the VAE": _has(header, VAE), "a text encoder": bool(families)}
    missing = ", ".join(name for name, present in parts.items() if not present)
    raise ModelUnreadableError(
        f"{path} is not a complete Stable Diffusion checkpoint: {missing} missing.",
        "Use the full checkpoint; add-ons (LoRA, VAE or UNet alone, embeddings) are no models.",
    )


def below(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The weights whose name begins with ``prefix``, without it."""
    return {key[len(prefix) :]: value for key, value in weights.items() if key.startswith(prefix)}


def _has(header: Header, prefix: str) -> bool:
    return any(key.startswith(prefix) for key in header.shapes)


def _parametrisation(
    path: Path, family: str, header: Header, own: Mapping[str, Any]
) -> dict[str, str | bool]:
    """What the UNet predicts: said by the companion, by the file, or by the family if that decides it."""
    if _has(header, "v_pred"):
        return {"prediction_type": "v_prediction", "rescale_betas_zero_snr": _has(header, "ztsnr")}
    stated = own.get("prediction", MODELSPEC.get(header.metadata.get("modelspec.prediction_type", "")))
    scheduler = companion(path) / "scheduler" / "scheduler_config.json"
    if stated is None and family == "sd2" and not scheduler.is_file():
        raise ModelUnreadableError(
            f"{path} is a Stable Diffusion 2.x checkpoint that doesn't say what it predicts.",
            f'Write {{"prediction": "v_prediction"}} (the 768 px models) or {{"prediction": "epsilon"}} '
            f"(the 512 px base models) into {companion(path) / OWN_FILE}.",
        )
    return {"prediction_type": "epsilon" if stated is None else stated}


def _or_companion(path: Path, name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    file = companion(path) / name
    return read_json(file) if file.is_file() else dict(config)


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


def _tokenizer_folders(path: Path, family: str) -> list[Path]:
    """One folder per text encoder. Raises ModelUnreadableError that says how to give one."""
    first = next(_readable(_tokenizer_places(path)), None)
    if first is None:
        raise ModelUnreadableError(
            f"{path.name} comes without a tokenizer, and none lies beside it.",
            f"Copy the folder 'tokenizer' of any Stable Diffusion model in the diffusers layout "
            f"(a few hundred kilobytes, the same for all of them) to {companion(path) / 'tokenizer'}.",
        )
    second = next(_readable(iter([companion(path) / "tokenizer_2"])), first)
    return [first, second][: len(TEXT[family])]


def _tokenizer_places(path: Path) -> Iterator[Path]:
    yield companion(path) / "tokenizer"
    yield path.parent / "tokenizer"
    yield from sorted(path.parent.glob("*/tokenizer"))


def _readable(places: Iterator[Path]) -> Iterator[Path]:
    return (place for place in places if any((place / file).is_file() for file in layout.TOKENIZER_FILES))
