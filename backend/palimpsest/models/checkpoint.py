"""What a checkpoint in one ``.safetensors`` file says of itself, read from its first bytes. Without torch.

The file holds weights in the original (CompVis / Stability) naming. What it cannot hold may lie in a
companion folder of the same name beside it, in the diffusers layout, and wins over the published
configuration:

    my-model.safetensors
    my-model/  tokenizer/  [tokenizer_2/]  [unet/config.json …]  [scheduler/…]  [palimpsest.json]
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from palimpsest.errors import ModelIncapableError, ModelNotFoundError, ModelUnreadableError
from palimpsest.models import folder as layout
from palimpsest.models import published
from palimpsest.models.spec import OWN_FILE, Configuration, Spec, read_json, read_own, spec_of

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


def read_spec(source: Path) -> Spec:
    """The capabilities of a model folder or single-file checkpoint, without loading its weights."""
    if source.is_file() or source.suffix in (".safetensors", *layout.PICKLED):
        return spec_of(read_checkpoint_configuration(source))
    return spec_of(layout.read_configuration(source))


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


def companion(path: Path) -> Path:
    """The folder beside a checkpoint that says what the file cannot."""
    return path.with_suffix("")


def recognise(path: Path, header: Header) -> str:
    """The family, by whose text encoders the file holds."""
    if any(has_weights(header, part) for part in TRANSFORMERS):
        raise ModelIncapableError(
            f"{path} is a diffusion transformer (Stable Diffusion 3, Flux and others).",
            "Palimpsest edits with UNet models: Stable Diffusion 1.x, 2.x and SDXL.",
        )
    families = [family for family, parts in TEXT.items() if all(has_weights(header, part) for part in parts)]
    if not families and has_weights(header, REFINER):
        raise ModelIncapableError(
            f"{path} is an SDXL refiner, which only finishes pictures.", "Use the SDXL base model."
        )
    if len(families) == 1 and has_weights(header, UNET) and has_weights(header, VAE):
        return families[0]
    networks = {"the UNet": has_weights(header, UNET), "the VAE": has_weights(header, VAE)}
    parts = {**networks, "a text encoder": bool(families)}
    missing = ", ".join(name for name, present in parts.items() if not present)
    raise ModelUnreadableError(
        f"{path} is not a complete Stable Diffusion checkpoint: {missing} missing.",
        "Use the full checkpoint; add-ons (LoRA, VAE or UNet alone, embeddings) are no models.",
    )


def has_weights(header: Header, prefix: str) -> bool:
    return any(key.startswith(prefix) for key in header.shapes)


def _parametrisation(
    path: Path, family: str, header: Header, own: Mapping[str, Any]
) -> dict[str, str | bool]:
    """What the UNet predicts: said by the companion, by the file, or by the family if that decides it."""
    if has_weights(header, "v_pred"):
        return {"prediction_type": "v_prediction", "rescale_betas_zero_snr": has_weights(header, "ztsnr")}
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
