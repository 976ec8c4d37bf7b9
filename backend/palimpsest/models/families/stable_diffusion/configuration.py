"""The parsed configuration of a Stable Diffusion model, and the capabilities it states. Without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from palimpsest.errors import ModelUnreadableError
from palimpsest.models.families.stable_diffusion import distilled
from palimpsest.models.families.stable_diffusion.kinds import kind_of
from palimpsest.models.families.stable_diffusion.signatures import (
    refuse_channels,
    refuse_quantisation_config,
    refuse_scheduler,
    refuse_unet,
    refuse_vae,
)
from palimpsest.models.spec import MOST, OWN_FILE, AttentionSite, Encoder, Spec, name_of, usable

#: What is known of a scheduler's configuration; the first is meant where nothing is said.
SCHEDULE_FIELDS: dict[str, tuple[str, ...]] = {
    "prediction_type": ("epsilon", "v_prediction"),
    "timestep_spacing": ("leading", "linspace", "trailing", "distilled"),
    "beta_schedule": ("linear", "scaled_linear"),
}


@dataclass(frozen=True)
class Configuration:
    """The parsed configuration files of a model, in the diffusers layout."""

    where: Path
    unet: Mapping[str, Any]
    vae: Mapping[str, Any]
    encoders: tuple[Mapping[str, Any], ...]
    scheduler: Mapping[str, Any]
    own: Mapping[str, Any]
    index: Mapping[str, Any]  # model_index.json
    title: str = ""  # what a single file's metadata calls it

    @property
    def zero_null(self) -> bool:
        """SDXL was trained with zeros for the empty prompt, unless its index says otherwise."""
        return len(self.encoders) == 2 and bool(self.index.get("force_zeros_for_empty_prompt", True))

    @property
    def distilled(self) -> distilled.Distilled | None:
        """How it is sampled, if it was distilled for few steps."""
        names = (self.where.stem if self.where.suffix == ".safetensors" else name_of(self.where), self.title)
        return distilled.distilled(names, self.scheduler, self.unet, self.own)

    @property
    def sampler(self) -> str:
        few = self.distilled
        return str(self.own.get("sampler", "ddim" if few is None else few.sampler))

    @property
    def embedded_guidance(self) -> float | None:
        """What the UNet is told of guidance; None for one that isn't told."""
        if self.unet.get("time_cond_proj_dim") is None:
            return None
        return float(self.own.get("embedded_guidance", distilled.EMBEDDED_GUIDANCE))

    @property
    def schedule(self) -> Mapping[str, Any]:
        """The scheduler's configuration, its timesteps spaced as they are meant to be."""
        few = self.distilled
        spacing = self.own.get("timestep_spacing", None if few is None else few.spacing)
        return self.scheduler if spacing is None else {**self.scheduler, "timestep_spacing": spacing}


def spec_of(configuration: Configuration) -> Spec:
    """Raises ModelIncapableError for a UNet that is no plain text-to-image one, ModelUnreadableError."""
    with usable(configuration.where):
        return _spec_of(configuration)


def _spec_of(configuration: Configuration) -> Spec:
    unet, vae = configuration.unet, configuration.vae
    _refuse_other_models(configuration)
    stride = 2 ** (len(vae["block_out_channels"]) - 1)
    family = str(configuration.own.get("family", recognise(configuration)))
    kind, few = kind_of(family), configuration.distilled
    return Spec(
        family=family,
        prediction=str(configuration.scheduler.get("prediction_type", "epsilon")),
        native_size=native_latent_side(configuration) * stride,
        stride=stride,
        granularity=stride * 2 ** (len(unet["block_out_channels"]) - 1),
        encoders=tuple(_encoder(config) for config in configuration.encoders),
        sites=tuple(_sites(unet)),
        guidance=float(configuration.own.get("guidance", kind.guidance if few is None else few.guidance)),
        steps=int(configuration.own.get("steps", 50 if few is None else few.steps)),
        map_side=int(configuration.own.get("map_side", 16)),
        words=tuple(str(word) for word in configuration.own.get("words", ())),
        sampler=configuration.sampler,
        distilled="" if few is None else few.title,
        known_by="" if few is None else few.known_by,
        learning=kind.learning,
    )


def recognise(configuration: Configuration) -> str:
    """The family by structure: two encoders make SDXL, linear projections in the UNet make SD 2.x."""
    if len(configuration.encoders) == 2:
        return "sdxl"
    return "sd2" if configuration.unet.get("use_linear_projection", False) else "sd1"


def native_latent_side(configuration: Configuration) -> int:
    stride = 2 ** (len(configuration.vae["block_out_channels"]) - 1)
    if "native_size" in configuration.own:
        return int(configuration.own["native_size"]) // stride
    sample = configuration.unet.get("sample_size")
    if sample is None:
        raise ModelUnreadableError(
            f"{configuration.where} does not say which picture size it was trained on.",
            f'Write it into {OWN_FILE} beside the model: {{"native_size": 512}}.',
        )
    return int(sample if isinstance(sample, int) else max(sample))


def _refuse_other_models(configuration: Configuration) -> None:
    """Raises a ModelError for all that was trained or built in another way than the plain models."""
    where, unet, vae = configuration.where, configuration.unet, configuration.vae
    refuse_channels(where, int(unet.get("in_channels", 4)), int(vae.get("latent_channels", 4)))
    refuse_unet(where, unet)
    refuse_vae(where, vae)
    _refuse_own(configuration)
    refuse_scheduler(where, configuration.scheduler)
    for config in (unet, vae, *configuration.encoders):
        refuse_quantisation_config(where, config)
    for field, known in SCHEDULE_FIELDS.items():
        if field != "beta_schedule" or configuration.scheduler.get("trained_betas") is None:
            one_of(configuration.schedule, field, known)
    _require_numbers(configuration.scheduler)


def _refuse_own(configuration: Configuration) -> None:
    """Raises ModelUnreadableError for words of its palimpsest.json that mean nothing."""
    known = {"distilled": (*distilled.KINDS, distilled.NONE), "sampler": distilled.SAMPLERS}
    for field, values in known.items():
        value = configuration.own.get(field, values[0])
        if value not in values:
            raise ModelUnreadableError(
                f"{configuration.where}: {field} is {value!r} in {OWN_FILE}.", f"Known: {', '.join(values)}."
            )


def _require_numbers(scheduler: Mapping[str, Any]) -> None:
    """Raises ModelUnreadableError unless the noise schedule can be computed."""
    start, end = float(scheduler.get("beta_start", 1e-4)), float(scheduler.get("beta_end", 0.02))
    steps, offset = int(scheduler.get("num_train_timesteps", 1000)), int(scheduler.get("steps_offset", 1))
    betas = [float(beta) for beta in scheduler.get("trained_betas") or (start, end)]
    if not all(0 < beta <= 1 for beta in betas) or not 0 < steps < MOST or not 0 <= offset < steps:
        raise ModelUnreadableError(
            f"The scheduler's numbers can't be used: {steps} timesteps, β {start} to {end}, offset {offset}.",
            "Copy scheduler_config.json from where the model comes from.",
        )
    taught = int(scheduler.get("original_inference_steps", 1))  # of consistency models
    if not 0 < taught <= steps:
        raise ModelUnreadableError(
            f"The scheduler's original_inference_steps is {taught}, of {steps} timesteps.",
            "Copy scheduler_config.json from where the model comes from.",
        )


def one_of(config: Mapping[str, Any], field: str, known: tuple[str, ...]) -> str:
    """A field of the scheduler's configuration, by default the first of ``known``."""
    value = config.get(field, known[0])
    if value not in known:
        raise ModelUnreadableError(
            f"The scheduler's {field} is {value!r}, which Palimpsest does not know.",
            f"Known: {', '.join(known)}.",
        )
    return value


def _encoder(config: Mapping[str, Any]) -> Encoder:
    return Encoder(int(config["hidden_size"]), int(config["max_position_embeddings"]))


def _sites(unet: Mapping[str, Any]) -> list[AttentionSite]:
    down, up = unet["down_block_types"], unet["up_block_types"]
    layers, depth = unet.get("layers_per_block", 2), unet.get("transformer_layers_per_block", 1)
    depths = [depth] * len(down) if isinstance(depth, int) else list(depth)
    per_level = [layers] * len(down) if isinstance(layers, int) else list(layers)
    sites = [
        AttentionSite(f"down.{i}", per_level[i] * depths[i])
        for i, kind in enumerate(down)
        if "CrossAttn" in kind
    ]
    sites.append(AttentionSite("mid", depths[-1]))
    for i, kind in enumerate(up):
        if "CrossAttn" in kind:
            level = len(down) - 1 - i
            sites.append(AttentionSite(f"up.{i}", (per_level[level] + 1) * depths[level]))
    return sites
