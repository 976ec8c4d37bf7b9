"""What a checkpoint in one ``.safetensors`` file says of itself, read from its first bytes. Without torch.

The file holds weights in the original (CompVis / Stability) naming, or in one that ``spelling`` knows.
What it lacks may lie in a companion folder of the same name beside it, in the diffusers layout, and wins
over the file and the published configuration:

    my-model.safetensors
    my-model/  tokenizer/  [tokenizer_2/]  [vae/…]  [unet/config.json …]  [scheduler/…]  [palimpsest.json]
    [my-model.vae.safetensors]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from palimpsest.errors import ModelUnreadableError
from palimpsest.models.families.stable_diffusion import folder as layout
from palimpsest.models.families.stable_diffusion import published
from palimpsest.models.families.stable_diffusion.configuration import Configuration, spec_of
from palimpsest.models.families.stable_diffusion.signatures import (
    MARKS,
    MARKS_OF_PARTS,
    MARKS_OF_UNETS,
    marked,
    refusal,
    refuse_channels,
    refuse_marks,
    refuse_quantised,
)
from palimpsest.models.families.stable_diffusion.spelling import UNET, VAE, original, vae_alone
from palimpsest.models.header import Header, read_header, require_whole
from palimpsest.models.spec import OWN_FILE, Spec, read_json, read_own, usable

#: Family → for each text encoder the prefixes under which its weights are saved.
TEXT: dict[str, tuple[tuple[str, ...], ...]] = {
    "sd1": (("cond_stage_model.transformer.", "cond_stage_model.clip_l.transformer."),),
    "sd2": (("cond_stage_model.model.", "cond_stage_model.clip_h.transformer."),),
    "sdxl": (
        ("conditioner.embedders.0.transformer.", "text_encoders.clip_l.transformer."),
        (
            *("conditioner.embedders.1.model.", "conditioner.embedders.1.transformer."),
            "text_encoders.clip_g.transformer.",
        ),
    ),
}
REFINER = "conditioner.embedders.0.model."
SD2_WIDTH = 1024  # of the text that an SD 2.x UNet reads, however its text encoder is called
MODELSPEC = ("modelspec.prediction_type", "modelspec.predict_key")  # Stability's, kohya's; ComfyUI's
PREDICTIONS = {"": None, "epsilon": "epsilon", "v": "v_prediction", "v_prediction": "v_prediction"}
SD2_BASE_SAMPLE = 64  # latents of 512 px; the v-predicting models were trained on 768 px
BLOCK = re.compile(re.escape(UNET) + r"((?:input_blocks|output_blocks|middle_block)\.\d+)\.")
TRANSFORMER = re.compile(BLOCK.pattern + r"(?:1\.)?transformer_blocks\.(\d+)\.attn2\.to_k\.weight$")


def read_spec(source: Path) -> Spec:
    """The capabilities of a model folder or single-file checkpoint, without loading its weights."""
    if source.is_file() or source.suffix in (".safetensors", ".gguf", *layout.PICKLED):
        return spec_of(read_checkpoint_configuration(source))
    configuration = layout.read_configuration(source)
    layout.check_weights(source, configuration)
    return spec_of(configuration)


def read_checkpoint_configuration(path: Path) -> Configuration:
    """The configuration that belongs to a checkpoint: the published one, and what its companion says.

    Raises a ModelError for every file that can't be edited with, before its weights are read.
    """
    if path.suffix in layout.PICKLED:
        raise layout.pickled_error(path)
    header = read_original_header(path)
    family = recognise(path, header)
    unet = _or_companion(path, "unet/config.json", published.UNETS[family])
    vae = _or_companion(path, "vae/config.json", published.VAES[family])
    with usable(path):
        _refuse_another_unet(path, header, family, unet, vae)
        _check_given_vae(path, vae)
    own = read_own(companion(path) / OWN_FILE)
    if own.get("family", family) != family:
        raise ModelUnreadableError(
            f"{companion(path) / OWN_FILE} says that {path.name} is {own['family']!r}; it is {family!r}.",
            "Take the line with the family out: a checkpoint's is told by its weights.",
        )
    scheduler = {**published.SCHEDULER, **_parametrisation(path, family, header, own)}
    if family == "sd2" and scheduler["prediction_type"] == "epsilon":
        unet = _or_companion(path, "unet/config.json", {**unet, "sample_size": SD2_BASE_SAMPLE})
    unet = {**unet, **_told_guidance(header)}
    encoders = zip(("text_encoder", "text_encoder_2"), published.ENCODERS[family], strict=False)
    require_whole(path, header)
    return Configuration(
        where=path,
        unet=unet,
        vae=vae,
        encoders=tuple(_or_companion(path, f"{name}/config.json", config) for name, config in encoders),
        scheduler=_or_companion(path, "scheduler/scheduler_config.json", scheduler),
        own={"family": family, **own},
        index={},
        title=header.metadata.get("modelspec.title", ""),
    )


def _told_guidance(header: Header) -> dict[str, int]:
    """The field of a UNet whose distillation learned guidance (LCM's), if it is one."""
    shape = header.shapes.get(f"{UNET}time_embed.cond_proj.weight", ())
    return {"time_cond_proj_dim": shape[1]} if len(shape) == 2 else {}


def companion(path: Path) -> Path:
    """The folder beside a checkpoint that says what the file cannot."""
    return path.with_suffix("")


def given_vae(path: Path) -> Path | None:
    """The VAE that was put beside a checkpoint; it wins over the file's own. None where there is none."""
    places = (path.with_suffix(".vae.safetensors"), companion(path) / "vae.safetensors")
    places = (*places, companion(path) / "vae" / f"{layout.NETWORKS['vae']}.safetensors")
    return next((place for place in places if place.is_file()), None)


def read_original_header(path: Path) -> Header:
    """The header, its weights under the names of the original checkpoints. Raises a ModelError."""
    header = read_header(path)
    return Header(original(header.shapes), original(header.dtypes), header.metadata, header.stated_size)


def recognise(path: Path, header: Header) -> str:
    """The family, by whose text encoders the file holds. Raises a ModelError for all that is no model."""
    refuse_marks(path, header, MARKS)
    families = [family for family, encoders in TEXT.items() if all(map(_holds(header), encoders))]
    if not families and has_weights(header, REFINER):
        raise refusal(path, "refiner")
    has_unet = has_weights(header, UNET)
    if not has_unet:
        refuse_marks(path, header, MARKS_OF_PARTS)
    has_vae = has_weights(header, VAE) or given_vae(path) is not None
    if not families or not has_unet or not has_vae:
        raise _incomplete(path, header, has_unet, has_vae, bool(families))
    return "sd2" if families == ["sd1"] and _text_width(header) == SD2_WIDTH else families[-1]


def _incomplete(
    path: Path, header: Header, has_unet: bool, has_vae: bool, has_text: bool
) -> ModelUnreadableError:
    """The error for a file that lacks a part, or is one."""
    if not has_unet and not has_text:
        kind = _part_alone(header)
        if kind is not None:
            raise refusal(path, kind)
    if has_unet and not has_vae and not has_text:
        raise refusal(path, "unet")
    parts = {"the UNet": has_unet, "the VAE": has_vae, "a text encoder": has_text}
    missing = ", ".join(name for name, present in parts.items() if not present)
    if missing == "the VAE":
        return ModelUnreadableError(
            f"{path} has no VAE.",
            f"Put the one that belongs to it beside it, as {path.with_suffix('.vae.safetensors').name}.",
            kind="without_vae",
        )
    return ModelUnreadableError(
        f"{path} is not a complete Stable Diffusion checkpoint: {missing} missing.",
        "Use the full checkpoint; add-ons (LoRA, VAE or UNet alone, embeddings) are no models.",
        kind="incomplete",
    )


def _part_alone(header: Header) -> str | None:
    """A VAE, a text encoder or an embedding; None for what isn't known."""
    if has_weights(header, VAE) or is_vae(header):
        return "vae"
    text = r"\btext_model\.encoder\.|^encoder\.block\.\d|^(?:cond_stage_model|conditioner)\.|resblocks\."
    if marked("\n".join(header.shapes), [("text_encoder", text)]):
        return "text_encoder"
    small = all(len(shape) <= 2 and max(shape, default=0) <= 1 << 16 for shape in header.shapes.values())
    return "embedding" if small and 0 < len(header.shapes) <= 2 else None


def is_vae(header: Header) -> bool:
    """Whether a file is a VAE alone, in whichever naming."""
    names = vae_alone(header.shapes)
    return all(f"{VAE}{side}.conv_in.weight" in names for side in ("encoder", "decoder"))


def is_checkpoint(header: Header) -> bool:
    """Whether a file was made to be a whole model, also one that can't be edited with."""
    whole = has_weights(header, VAE) or any(
        has_weights(header, prefix) for encoders in TEXT.values() for place in encoders for prefix in place
    )
    return whole and has_weights(header, UNET)


def has_weights(header: Header, prefix: str) -> bool:
    return any(key.startswith(prefix) for key in header.shapes)


def text_prefix(names: Mapping[str, Any], family: str, encoder: int) -> str:
    """Under which prefix the weights of a text encoder are saved."""
    places = TEXT[family][encoder]
    if family == "sd2":  # saved by transformers, its name is that of SD 1.x
        places = (*places, *TEXT["sd1"][0])
    return next(prefix for prefix in places if any(name.startswith(prefix) for name in names))


def _holds(header: Header) -> Any:
    return lambda places: any(has_weights(header, prefix) for prefix in places)


def _text_width(header: Header) -> int | None:
    """How wide the text is that the UNet reads."""
    shapes = (shape for name, shape in header.shapes.items() if TRANSFORMER.match(name))
    return next((shape[-1] for shape in shapes if shape), None)


def _refuse_another_unet(
    path: Path, header: Header, family: str, unet: Mapping[str, Any], vae: Mapping[str, Any]
) -> None:
    """Raises ModelIncapableError unless the file's UNet is built as the configuration says."""
    first = header.shapes.get(f"{UNET}input_blocks.0.0.weight", ())
    if len(first) == 4:
        refuse_channels(path, first[1], int(vae.get("latent_channels", 4)))
    refuse_marks(path, header, MARKS_OF_UNETS)
    refuse_quantised(path, header)
    found, expected = _blocks(header), dict(expected_blocks(unet))
    if found != expected:
        has, wanted = sum(found.values()), sum(expected.values())
        numbers = f"{has} transformers in {len(found)} blocks, not {wanted} in {len(expected)} as in {family}"
        raise refusal(path, "cut_down", numbers)
    width, wanted = _text_width(header), unet.get("cross_attention_dim")
    if width != wanted:
        raise refusal(path, "conditioned", f"it reads text of width {width}, where {family}'s reads {wanted}")


def _blocks(header: Header) -> dict[str, int]:
    """Block of the original UNet ("input_blocks.4") → how many transformer blocks it holds."""
    found = {match[1]: 0 for name in header.shapes if (match := BLOCK.match(name))}
    for name in header.shapes:
        if match := TRANSFORMER.match(name):
            found[match[1]] += 1
    return found


def expected_blocks(unet: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The same for a UNet's configuration. Raises KeyError, TypeError or IndexError for a damaged one."""
    down, up = unet["down_block_types"], unet["up_block_types"]
    layers, depth = int(unet.get("layers_per_block", 2)), unet.get("transformer_layers_per_block", 1)
    depths = [depth] * len(down) if isinstance(depth, int) else list(depth)
    yield "input_blocks.0", 0
    for level, kind in enumerate(down):
        for layer in range(layers):
            yield f"input_blocks.{1 + level * (layers + 1) + layer}", depths[level] * ("CrossAttn" in kind)
        if level < len(down) - 1:
            yield f"input_blocks.{(level + 1) * (layers + 1)}", 0
    yield from (("middle_block.0", 0), ("middle_block.1", depths[-1]), ("middle_block.2", 0))
    for index, kind in enumerate(up):
        for layer in range(layers + 1):
            yield f"output_blocks.{index * (layers + 1) + layer}", depths[-1 - index] * ("CrossAttn" in kind)


def _check_given_vae(path: Path, vae: Mapping[str, Any]) -> None:
    """Raises a ModelError where the VAE beside the file is none, or of another kind of latents."""
    place = given_vae(path)
    if place is None:
        return
    header = read_header(place)
    if not is_vae(header):
        raise ModelUnreadableError(
            f"{place} is no VAE of Stable Diffusion.", f"It is used for {path.name}: replace it or remove it."
        )
    refuse_quantised(place, header)
    refuse_marks(place, header, [("edm", r"^(?:latents_mean|latents_std|edm_mean)$")])
    require_whole(place, header)
    given = vae_alone(header.shapes)[f"{VAE}decoder.conv_in.weight"][1]
    latent = int(vae.get("latent_channels", 4))
    if given != latent:
        raise ModelUnreadableError(
            f"{place} is a VAE for latents of {given} channels; {path} has {latent}.",
            "Put the VAE there that belongs to the checkpoint.",
        )


def _parametrisation(
    path: Path, family: str, header: Header, own: Mapping[str, Any]
) -> dict[str, str | bool]:
    """What the UNet predicts: said by the companion, by the file, or by the family if that decides it."""
    if has_weights(header, "v_pred"):
        return {"prediction_type": "v_prediction", "rescale_betas_zero_snr": has_weights(header, "ztsnr")}
    stated = own["prediction"] if "prediction" in own else _stated_prediction(path, header)
    scheduler = companion(path) / "scheduler" / "scheduler_config.json"
    if stated is None and family == "sd2" and not scheduler.is_file():
        raise ModelUnreadableError(
            f"{path} is a Stable Diffusion 2.x checkpoint that doesn't say what it predicts.",
            f'Write {{"prediction": "v_prediction"}} (the 768 px models) or {{"prediction": "epsilon"}} '
            f"(the 512 px base models) into {companion(path) / OWN_FILE}.",
        )
    return {"prediction_type": "epsilon" if stated is None else stated}


def _stated_prediction(path: Path, header: Header) -> str | None:
    """What the file's metadata says; None where it says nothing. Raises ModelIncapableError."""
    said = next((header.metadata[key] for key in MODELSPEC if header.metadata.get(key)), "").lower()
    if "flow" in said or said == "rf":
        raise refusal(path, "flow", f"it says that it predicts {said!r}")
    if said in ("none", *PREDICTIONS):
        return PREDICTIONS.get(said)
    raise ModelUnreadableError(
        f"{path} says that it predicts {said!r}, which Palimpsest does not know.",
        f'Known: epsilon, v_prediction. Write {{"prediction": …}} into {companion(path) / OWN_FILE}.',
    )


def _or_companion(path: Path, name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    file = companion(path) / name
    return read_json(file) if file.is_file() else dict(config)
