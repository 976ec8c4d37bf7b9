"""Load a folder in the diffusers layout, frozen and ready; the built-in model is loaded by exactly this."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from palimpsest.core.model import DiffusionModel, TextPart
from palimpsest.core.networks.lending import lend
from palimpsest.core.networks.stripes import can_stripe
from palimpsest.core.networks.unet import UNet
from palimpsest.errors import ModelUnreadableError
from palimpsest.models.families.stable_diffusion import folder as layout
from palimpsest.models.families.stable_diffusion.configuration import (
    Configuration,
    native_latent_side,
    spec_of,
)
from palimpsest.models.families.stable_diffusion.kinds import kind_of
from palimpsest.models.families.stable_diffusion.schedule import noise_schedule
from palimpsest.models.libraries import reading
from palimpsest.models.plan import HIGH, Plan
from palimpsest.models.precision import unet_dtype, vae_dtype
from palimpsest.models.spec import usable
from palimpsest.models.weights_hash import weights_hash

PENULTIMATE, LAST = -2, -1  # the text encoder's layer that the UNet reads: SDXL's, SD 1.x/2.x's


@dataclass(frozen=True)
class Place:
    """Where a model's networks go as soon as each is read, and in which precision."""

    device: torch.device
    unet: torch.dtype
    vae: torch.dtype
    text: torch.dtype = torch.float32
    plan: Plan = HIGH

    def put(self, network: Any, stays: bool) -> Any:
        """The network, on the device, or lent to it from main memory where it isn't to stay."""
        if stays:
            return network.to(self.device)
        lend(network, self.device)
        return network


def place_of(configuration: Configuration, device: torch.device, plan: Plan = HIGH) -> Place:
    """Raises a ModelError for a model that can't be used."""
    halves = kind_of(spec_of(configuration).family).halves
    return Place(device, unet_dtype(device, halves), vae_dtype(device, halves), plan=plan)


def assemble(
    configuration: Configuration,
    networks: tuple[Any, Any],
    text: list[tuple[Any, Any]],
    weights: str,
    place: Place,
) -> DiffusionModel:
    """Freeze (``unet``, ``vae``) and (tokenizer, encoder) pairs, all in place, and put them together."""
    spec = spec_of(configuration)
    with usable(configuration.where):
        process = noise_schedule(configuration.schedule)
    unet, vae = networks
    unet.register_to_config(sample_size=native_latent_side(configuration))
    if place.plan.saving:
        unet.enable_gradient_checkpointing()  # without a gradient it changes nothing
    for network in (unet, vae, *(encoder for _, encoder in text)):
        network.requires_grad_(False).eval()
    return DiffusionModel(
        network=UNet(unet, place.device, configuration.embedded_guidance),
        vae=vae,
        text=tuple(_text_part(tokenizer, encoder, len(text)) for tokenizer, encoder in text),
        process=process,
        family=spec.family,
        weights_hash=_sampled_so(weights, configuration),
        guidance=spec.guidance,
        steps=spec.steps,
        sampler=spec.sampler,
        map_side=spec.map_side,
        words=spec.words,
        zero_null=configuration.zero_null,
        standard_latents=kind_of(spec.family).standard_latents,
        learning=spec.learning.one_at_once() if place.plan.saving else spec.learning,
        striped=place.plan.saving and can_stripe(vae),
    )


def _sampled_so(weights: str, configuration: Configuration) -> str:
    """The hash of a model, with what its name decides: a renamed file may be sampled otherwise."""
    few = configuration.distilled
    if few is None:
        return weights
    return hashlib.sha256(f"{weights} {few.spacing} {few.sampler}".encode()).hexdigest()


def load_folder(
    folder: Path,
    device: torch.device,
    memory: Path | None,
    told: Configuration | None = None,
    plan: Plan = HIGH,
) -> DiffusionModel:
    """``told``: the configuration that is meant, where the folder's own is read otherwise."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    configuration = layout.read_configuration(folder) if told is None else told
    place = place_of(configuration, device, plan)  # refuse what can't be used before reading gigabytes
    layout.check_weights(folder, configuration)
    files = layout.weight_files(folder, len(configuration.encoders))
    unet = load_network(UNet2DConditionModel, folder / "unet", files["unet"], place.unet)
    unet = place.put(unet, plan.network)
    vae = place.put(load_network(AutoencoderKL, folder / "vae", files["vae"], place.vae), plan.vae)
    text = []
    for suffix in ("", "_2")[: len(configuration.encoders)]:
        encoder_folder = folder / f"text_encoder{suffix}"
        cls = encoder_class(configuration.encoders[len(text)])
        encoder = load_network(cls, encoder_folder, files[f"text_encoder{suffix}"], place.text)
        encoder = place.put(encoder, plan.text)
        text.append((load_tokenizer(layout.tokenizer_folder(folder, f"tokenizer{suffix}"), encoder), encoder))
    every = [file for group in files.values() for file in group] + layout.configuration_files(folder)
    return assemble(configuration, (unet, vae), text, weights_hash(every, folder, memory), place)


def load_network(cls: Any, place: Path, files: list[Path], dtype: torch.dtype) -> Any:
    """One network on the CPU, each weight read from the mapped file into ``dtype``.

    A weight that is missing is an error, never a random number.
    """
    stem = layout.NETWORKS[place.name.removesuffix("_2")]
    options: dict[str, Any] = {"torch_dtype" if stem != "model" else "dtype": dtype}
    network, report = reading(
        place,
        lambda: cls.from_pretrained(
            place,
            local_files_only=True,
            use_safetensors=True,
            variant=layout.variant_of(files, stem),
            output_loading_info=True,
            low_cpu_mem_usage=False,
            **options,
        ),
    )
    refuse_missing(place, [*report["missing_keys"], *map(str, report.get("mismatched_keys", ()))])
    if stem != "model":
        refuse_unexpected(place, report["unexpected_keys"])
    return network


def load_tokenizer(place: Path, encoder: Any, **options: Any) -> Any:
    from transformers import CLIPTokenizer

    tokenizer = reading(place, lambda: CLIPTokenizer.from_pretrained(place, local_files_only=True, **options))
    rows = encoder.config.vocab_size
    if len(tokenizer) > rows:
        raise ModelUnreadableError(
            f"The tokenizer {place} knows {len(tokenizer)} tokens, the text encoder only {rows}.",
            "They belong to different models: copy the tokenizer that came with this model.",
        )
    return tokenizer


def encoder_class(config: Any) -> Any:
    """Which class of transformers a text encoder is."""
    from transformers import CLIPTextModel, CLIPTextModelWithProjection

    stated = config.get("architectures") or ["CLIPTextModel"]
    architecture = str(stated[0] if isinstance(stated, list) else stated)
    known = {"CLIPTextModel": CLIPTextModel, "CLIPTextModelWithProjection": CLIPTextModelWithProjection}
    if architecture not in known:
        raise ModelUnreadableError(
            f"The text encoder is a {architecture}, which Palimpsest does not know.",
            f"Known: {', '.join(known)}.",
        )
    return known[architecture]


def refuse_missing(place: Path, missing: list[str]) -> None:
    wanted = [key for key in missing if not key.endswith("position_ids")]
    if wanted:
        raise ModelUnreadableError(
            f"{place} lacks {len(wanted)} weights, the first is {sorted(wanted)[0]}.",
            "The files may be incomplete or belong to another configuration: fetch them again.",
        )


def refuse_unexpected(place: Path, unexpected: Iterable[str]) -> None:
    """A network with more weights than ours computes something else."""
    more = sorted(unexpected)
    if more:
        raise ModelUnreadableError(
            f"{place} holds {len(more)} weights that its configuration has no place for, such as {more[0]}.",
            "The files belong to another configuration or another kind of model.",
        )


def _text_part(tokenizer: Any, encoder: Any, encoders: int) -> TextPart:
    pooled = encoders == 2 and "WithProjection" in type(encoder).__name__
    return TextPart(tokenizer, encoder, PENULTIMATE if encoders == 2 else LAST, pooled)
