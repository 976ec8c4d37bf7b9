"""Models of few steps are recognised, sampled as they were published, and a guess is easy to take back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.latent_consistency_models.pipeline_latent_consistency_text2img import (
    LatentConsistencyModelPipeline,
)
from diffusers.schedulers.scheduling_lcm import LCMScheduler
from diffusers.schedulers.scheduling_tcd import TCDScheduler

from original_naming import single_file
from palimpsest.core.conditioning import Conditioning
from palimpsest.errors import ModelUnreadableError
from palimpsest.models.catalog import built_in_folder
from palimpsest.models.families import load, read_spec
from palimpsest.models.families.stable_diffusion.distilled import distilled
from palimpsest.models.families.stable_diffusion.schedule import noise_schedule
from tiny import ddpm_of, tiny_folder

NAMES = {
    "sdxl_lightning_4step": ("Lightning", 4),
    "juggernautXL_v9Rdphoto2Lightning": ("Lightning", 4),
    "Hyper-SDXL-8steps": ("Hyper-SD", 8),
    "dreamshaperXL_v21TurboDPMSDE": ("Turbo", 4),
    "sd_xl_turbo_1.0_fp16": ("Turbo", 4),
    "dmd2_sdxl_4step": ("DMD2", 4),
    "LCM_Dreamshaper_v7": ("LCM", 8),
    "someXL-tcd-6-steps": ("TCD", 6),
    "realvisxlV50_v50LightningBakedvae": ("Lightning", 4),
    "dreamshaperXL_sfwTurboDpmppSDE": ("Turbo", 4),
    "realisticVisionV60B1_v51HyperVAE": ("Hyper-SD", 8),
    "Hyper-SD15-4steps": ("Hyper-SD", 4),
    "Juggernaut_RunDiffusionPhoto2_Lightning_4Steps": ("Lightning", 4),
    "hyperrealistic_v3": None,
    "Hyper Realistic v2": None,
    "hyper-realistic-xl": None,
    "HyperRealXL": None,
    "hyperrealism": None,
    "hyper-cute-anime": None,
    "enlightning": None,
    "dreamlightning": None,
    "lightning-cat": None,
    "my-turbo-cat": None,
    "turbocharged": None,
    "lcmix": None,
    "LCMix_v2": None,
    "turbo": None,
    "Lightning": None,
    "realisticVisionV60": None,
    "v1-5-pruned-emaonly": None,
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_understood(name: str) -> None:
    few = distilled((name, ""), {}, {}, {})
    assert (None if few is None else (few.title, few.steps)) == NAMES[name]
    assert few is None or few.known_by == "name"


def with_own(folder: Path, **own: Any) -> Path:
    (folder / "palimpsest.json").write_text(json.dumps(own))
    return folder


def test_a_guess_is_a_recommendation_that_can_be_taken_back(family: str, tmp_path: Path) -> None:
    plain = load(tiny_folder(tmp_path / "m", family), "cpu")
    folder = shutil.copytree(tmp_path / "m", tmp_path / "m-turbo")
    guessed = load(folder, "cpu")
    assert (guessed.steps, guessed.guidance, guessed.sampler) == (4, 1.0, "consistency")
    assert ddpm_of(guessed).levels(4) == (999, 749, 499, 249)
    assert guessed.weights_hash != plain.weights_hash  # another name, other pictures
    restated = read_spec(with_own(folder, steps=6, guidance=2.0, sampler="ddim"))
    assert (restated.steps, restated.guidance, restated.sampler) == (6, 2.0, "ddim")
    restored = load(with_own(folder, distilled="none"), "cpu")
    for known in ("steps", "guidance", "sampler", "weights_hash"):
        assert (getattr(restored, known) == getattr(plain, known)) is (known != "weights_hash")
    assert ddpm_of(restored).levels(4) == ddpm_of(plain).levels(4)
    stated = read_spec(with_own(tmp_path / "m", distilled="lightning"))
    assert (stated.distilled, stated.known_by, stated.steps) == ("Lightning", "settings", 4)


def test_a_model_in_the_hubs_cache_is_named_by_its_repository(tmp_path: Path) -> None:
    hub = (
        tmp_path
        / "models--stabilityai--sdxl-turbo"
        / "snapshots"
        / "71153311d3dbb46851df1931d3ca6e939de83304"
    )
    assert read_spec(tiny_folder(hub)).distilled == "Turbo"


def test_dmd2_is_sampled_as_published_also_with_lcms_scheduler() -> None:
    few = distilled(("dmd2-sdxl-4step", ""), {"_class_name": "LCMScheduler"}, {}, {})
    assert few is not None
    assert (few.title, few.spacing) == ("DMD2", "trailing")


@pytest.mark.parametrize("own", [{"distilled": "fast"}, {"sampler": "euler"}, {"timestep_spacing": "karras"}])
def test_a_word_that_means_nothing_is_refused(own: dict[str, str], tmp_path: Path) -> None:
    folder = with_own(tiny_folder(tmp_path / "m"), **own)
    with pytest.raises(ModelUnreadableError, match=r"Known: "):
        read_spec(folder) if "timestep_spacing" not in own else load(folder, "cpu")


def test_the_title_of_a_single_file_is_read_too(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = single_file(tmp_path / "model.safetensors", "sd1")
    assert read_spec(path).distilled == ""
    save_file(load_file(path), path, {"modelspec.title": "Some Lightning 2step"})
    spec = read_spec(path)
    assert (spec.distilled, spec.steps, spec.guidance) == ("Lightning", 2, 1.0)
    assert ddpm_of(load(path, "cpu")).spacing == "trailing"


@pytest.mark.parametrize("scheduler", [LCMScheduler, TCDScheduler])
@pytest.mark.parametrize("steps", [1, 2, 4, 7, 8])
def test_the_levels_are_the_schedulers(scheduler: Any, steps: int) -> None:
    config = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    published = scheduler(**config)
    published.set_timesteps(steps)
    ours = noise_schedule({**config, "timestep_spacing": "distilled"})
    assert list(ours.levels(steps)) == published.timesteps.tolist()


def test_a_scheduler_tells_its_kind(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "m")
    file = folder / "scheduler" / "scheduler_config.json"
    config = json.loads(file.read_text())
    for name, sampler in (("LCMScheduler", "consistency"), ("TCDScheduler", "ddim")):
        file.write_text(json.dumps({**config, "_class_name": name, "timestep_spacing": "leading"}))
        spec, model = read_spec(folder), load(folder, "cpu")
        assert (spec.known_by, spec.sampler, spec.steps) == ("scheduler", sampler, 8)
        assert ddpm_of(model).levels(4) == (999, 759, 499, 259)


@pytest.mark.parametrize("taught", [0, -1, 2000, None, "many"])
def test_a_number_of_taught_levels_that_cant_be_is_refused_in_the_list(taught: Any, tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "m")
    file = folder / "scheduler" / "scheduler_config.json"
    config = {**json.loads(file.read_text()), "_class_name": "LCMScheduler"}
    file.write_text(json.dumps({**config, "original_inference_steps": taught}))
    with pytest.raises(ModelUnreadableError):
        read_spec(folder)


def told_guidance(folder: Path) -> Path:
    """Its UNet made one that is told guidance, as LCM's."""
    unet: Any = UNet2DConditionModel.from_pretrained(folder / "unet")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        told: Any = UNet2DConditionModel.from_config({**unet.config, "time_cond_proj_dim": 32})
    told.load_state_dict(unet.state_dict(), strict=False)
    told.save_pretrained(folder / "unet")
    return folder


def test_a_unet_that_learned_guidance_is_told_it(tmp_path: Path) -> None:
    folder = told_guidance(tiny_folder(tmp_path / "m"))
    model, again = load(folder, "cpu"), load(with_own(folder, embedded_guidance=4.0), "cpu")
    assert (read_spec(folder).distilled, read_spec(folder).known_by) == ("LCM", "unet")
    z, context = torch.randn(2, 4, 8, 8), torch.randn(2, 32, 24)
    said = model.predict(z, 499, Conditioning(context))
    pipeline: Any = LatentConsistencyModelPipeline
    for guidance, ours in ((8.0, said), (4.0, again.predict(z, 499, Conditioning(context)))):
        w = pipeline.get_guidance_scale_embedding(None, torch.tensor([guidance - 1] * 2), 32)
        theirs = model.network.module(z, 499, encoder_hidden_states=context, timestep_cond=w).sample
        assert torch.allclose(ours, theirs, atol=1e-5)
    assert not torch.allclose(said, again.predict(z, 499, Conditioning(context)), atol=1e-4)


def test_a_single_file_may_have_learned_guidance_too(tmp_path: Path) -> None:
    weights = torch.randn(16, 32)
    name = "model.diffusion_model.time_embed.cond_proj.weight"
    path = single_file(tmp_path / "model.safetensors", "sd1", True, None, **{name: weights})
    assert read_spec(path).distilled == "LCM"
    loaded = load(path, "cpu").network.module.state_dict()
    assert torch.equal(loaded["time_embedding.cond_proj.weight"], weights)


def test_the_built_in_model_is_as_it_was() -> None:
    spec = read_spec(built_in_folder())
    assert (spec.sampler, spec.distilled, spec.steps, spec.guidance) == ("ddim", "", 10, 3.0)
