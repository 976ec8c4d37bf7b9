"""The two models of the recipe, written down: their shapes, their data and how long each stage trains.

``cpu`` is 128 px and was measured on slow cores; ``gpu`` is 256 px with more capacity. ``miniature`` keeps a
preset's structure and shrinks every number, so that the whole path can be run in seconds.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True)
class TextShape:
    """A CLIP text encoder; ``context`` is the number of tokens it reads."""

    width: int
    layers: int
    heads: int
    context: int


@dataclass(frozen=True)
class VaeShape:
    """An ``AutoencoderKL``; each channel level but the last halves the picture."""

    channels: tuple[int, ...]
    groups: int
    latent_channels: int = 4


@dataclass(frozen=True)
class UNetShape:
    """A ``UNet2DConditionModel`` that attends at every resolution but the lowest, and in the middle."""

    channels: tuple[int, ...]
    heads: tuple[int, ...]
    groups: int
    layers: int = 1


@dataclass(frozen=True)
class VaeCourse:
    """How the autoencoder trains: crops around objects first, whole pictures last."""

    steps: int
    crop: int  # pixels
    crop_batch: int
    full_batch: int
    full_share: float = 0.25  # of the steps, at the end
    rate: float = 1.2e-3
    warmup: int = 30
    object_weight: float = 4.0  # of a pixel inside an object, a background pixel counting 1
    mse_weight: float = 3.0
    gradient_weight: float = 0.3
    kl_weight: float = 1e-4
    anchor_weight: float = 0.5  # of the distance to the latents of the model that the run started from


@dataclass(frozen=True)
class UNetCourse:
    """How the denoiser and the text encoder train together (min-SNR-γ, caption dropout, averaged weights)."""

    steps: int
    batch: int
    rate: float = 7e-4
    warmup: int = 40
    decay_share: float = 0.5  # of the steps, at the end, during which the rate falls to nothing
    snr_gamma: float = 5.0
    caption_dropout: float = 0.1
    ema: float = 0.998
    weight_decay: float = 0.01
    mix: tuple[tuple[str, float], ...] = ()  # scene kind or style → how much oftener it is drawn


@dataclass(frozen=True)
class Preset:
    """Everything that decides what the recipe trains."""

    name: str
    size: int  # pixels
    text: TextShape
    vae: VaeShape
    unet: UNetShape
    pictures: int  # scenes kept as pixels, for the autoencoder
    scenes: int  # scenes kept as latents, for the denoiser
    captions: int  # wordings kept of each scene
    vae_course: VaeCourse
    unet_course: UNetCourse
    decoder_course: VaeCourse
    guidance: float  # recommended for sampling
    sampling_steps: int  # recommended for sampling
    map_side: int  # cells of a word's map: the level that `bench model` finds best
    half: bool  # bfloat16 autocast
    seed: int = 0
    save_every: int = 100  # optimiser steps between two saved states
    grid_every: int = 400  # optimiser steps between two sample grids
    shown: int = 32  # prompts of a sample grid
    checked: int = 64  # validation pictures of a PSNR

    @property
    def latent_size(self) -> int:
        return self.size // 2 ** (len(self.vae.channels) - 1)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def _cpu() -> Preset:
    return Preset(
        name="cpu",
        size=128,
        text=TextShape(width=128, layers=3, heads=4, context=48),
        vae=VaeShape(channels=(16, 32, 64, 128), groups=8, latent_channels=8),
        unet=UNetShape(channels=(64, 128, 192), heads=(2, 4, 4), groups=16),
        pictures=24_576,
        scenes=32_768,
        captions=4,
        vae_course=VaeCourse(steps=9_000, crop=64, crop_batch=16, full_batch=6),
        unet_course=UNetCourse(
            steps=9_200,
            batch=32,
            rate=1e-3,
            snr_gamma=10.0,
            mix=(
                ("one living", 1.3),
                ("two", 1.3),
                ("two living", 1.8),
                ("many", 0.5),
                ("many living", 0.5),
                ("oil painting", 1.5),
                ("pixel mosaic", 2.5),
                ("sketch", 1.6),
            ),
        ),
        decoder_course=VaeCourse(steps=2_400, crop=64, crop_batch=16, full_batch=6, rate=6e-4),
        guidance=3.0,
        sampling_steps=10,
        map_side=8,
        half=False,
    )


def _gpu() -> Preset:
    return Preset(
        name="gpu",
        size=256,
        text=TextShape(width=192, layers=4, heads=4, context=48),
        vae=VaeShape(channels=(32, 64, 128, 128), groups=16),
        unet=UNetShape(channels=(96, 160, 224), heads=(2, 4, 4), groups=16),
        pictures=16_384,
        scenes=122_880,
        captions=6,
        vae_course=VaeCourse(steps=4_000, crop=128, crop_batch=64, full_batch=24),
        unet_course=UNetCourse(steps=5_000, batch=256, rate=8e-4, warmup=200, ema=0.999),
        decoder_course=VaeCourse(steps=1_500, crop=128, crop_batch=64, full_batch=24, rate=6e-4),
        guidance=3.0,
        sampling_steps=30,
        map_side=16,
        half=True,
        save_every=250,
        grid_every=1_000,
    )


PRESETS = {"cpu": _cpu, "gpu": _gpu}


def preset(name: str) -> Preset:
    """The preset called ``name``; raises KeyError for any other name than the keys of ``PRESETS``."""
    return PRESETS[name]()


def miniature(full: Preset) -> Preset:
    """``full`` with the same structure and tiny numbers: seconds of work, useless pictures."""
    course = replace(full.vae_course, steps=4, crop=32, crop_batch=2, full_batch=2, warmup=2)
    return replace(
        full,
        name=f"{full.name}-miniature",
        size=64,
        text=replace(full.text, width=32, layers=1, heads=2),
        vae=replace(full.vae, channels=tuple(8 for _ in full.vae.channels), groups=4),
        unet=replace(full.unet, channels=(16, 32, 32), heads=(2, 2, 2), groups=8),
        pictures=8,
        scenes=12,
        captions=2,
        vae_course=course,
        unet_course=replace(full.unet_course, steps=4, batch=4, warmup=2),
        decoder_course=course,
        sampling_steps=2,
        save_every=2,
        grid_every=4,
        shown=8,
        checked=4,
    )
