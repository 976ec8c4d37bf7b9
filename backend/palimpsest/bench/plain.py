"""The yardstick of ``bench speed``: diffusers' own pipeline on the very same networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from palimpsest.core.model import DiffusionModel
from palimpsest.core.process import Ddpm
from palimpsest.core.text.prompt import concepts_installed
from palimpsest.models.libraries import quiet_libraries


def plain_sampling(model: DiffusionModel, prompt: str) -> Callable[[int], Any]:
    """A function of the steps that samples one picture's latent with guidance: two UNet evaluations, in one
    call, per step.

    Text is encoded beforehand and nothing is decoded: what is left is the pipeline's loop around the UNet.
    """
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler

    assert isinstance(model.process, Ddpm)
    with torch.no_grad(), concepts_installed(model, ()) as vocabulary:
        cond, null = vocabulary.encode([vocabulary.parse(prompt)]), vocabulary.null()
    scheduler = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type=model.process.prediction,  # pyright: ignore[reportArgumentType]
    )
    with quiet_libraries():
        pipeline = _pipeline(model, scheduler)
    pipeline.set_progress_bar_config(disable=True)
    given: dict[str, Any] = {
        "prompt_embeds": cond.context.to(model.dtype),
        "negative_prompt_embeds": null.context.to(model.dtype),
        "guidance_scale": model.guidance,
        "height": model.native_size,
        "width": model.native_size,
        "output_type": "latent",
    }
    if cond.pooled is not None and null.pooled is not None:
        given["pooled_prompt_embeds"] = cond.pooled.to(model.dtype)
        given["negative_pooled_prompt_embeds"] = null.pooled.to(model.dtype)
    return lambda steps: pipeline(**given, num_inference_steps=steps)


def _pipeline(model: DiffusionModel, scheduler: Any) -> Any:
    if len(model.text) == 2:
        from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import (
            StableDiffusionXLPipeline,
        )

        return StableDiffusionXLPipeline(
            vae=model.vae,
            text_encoder=None,  # pyright: ignore[reportArgumentType]
            text_encoder_2=None,  # pyright: ignore[reportArgumentType]
            tokenizer=None,  # pyright: ignore[reportArgumentType]
            tokenizer_2=None,  # pyright: ignore[reportArgumentType]
            unet=model.network.module,
            scheduler=scheduler,
            add_watermarker=False,
        )
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline

    return StableDiffusionPipeline(
        vae=model.vae,
        text_encoder=None,  # pyright: ignore[reportArgumentType]
        tokenizer=None,  # pyright: ignore[reportArgumentType]
        unet=model.network.module,
        scheduler=scheduler,
        safety_checker=None,  # pyright: ignore[reportArgumentType]
        feature_extractor=None,  # pyright: ignore[reportArgumentType]
        requires_safety_checker=False,
    )
