"""What is no model to edit with is recognised by its header or configuration, and named in one sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from original_naming import published_shapes, sparse_file
from palimpsest.cli.models import described
from palimpsest.errors import ModelError, ModelIncapableError, ModelUnreadableError
from palimpsest.models import catalog, header
from palimpsest.models.families import load, read_spec
from palimpsest.models.families.stable_diffusion import signatures
from palimpsest.models.listing import list_models
from tiny import ddpm_of, tiny_folder

UNET = "model.diffusion_model."
FIRST = f"{UNET}input_blocks.0.0.weight"
Shapes = Mapping[str, tuple[int, ...]]


def without(shapes: Shapes, *prefixes: str) -> dict[str, tuple[int, ...]]:
    return {key: shape for key, shape in shapes.items() if not key.startswith(prefixes)}


def only(shapes: Shapes, prefix: str, renamed: str = "") -> dict[str, tuple[int, ...]]:
    return {renamed + k[len(prefix) :]: shape for k, shape in shapes.items() if k.startswith(prefix)}


def sd1(**more: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {**published_shapes("sd1"), **more}


def sdxl(**more: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {**published_shapes("sdxl"), **more}


def all_in_one(*keys: str) -> dict[str, tuple[int, ...]]:
    vae = only(published_shapes("sd1"), "first_stage_model.", "vae.")
    return {**vae, **{f"{UNET}{key}": (8, 8) for key in keys}}


REFINER = {
    "conditioner.embedders.0.model.ln_final.weight": (1280,),
    f"{UNET}label_emb.0.0.weight": (1536, 2560),
}
#: Kind → the weights of a file of that kind, by their true names.
FILES: dict[str, list[Any]] = {
    "edm": [lambda: sdxl(edm_mean=(1, 4, 1, 1), edm_std=(1, 4, 1, 1))],
    "cosxl": [lambda: sdxl(**{"edm_vpred.sigma_max": (), "edm_vpred.sigma_min": ()})],
    "inpainting": [lambda: sd1(**{FIRST: (320, 9, 3, 3)}), lambda: sdxl(**{FIRST: (320, 9, 3, 3)})],
    "edit": [
        lambda: sd1(**{FIRST: (320, 8, 3, 3)}),
        lambda: sdxl(**{FIRST: (320, 8, 3, 3), "edm_vpred.sigma_max": ()}),
    ],
    "depth": [lambda: {**published_shapes("sd2"), FIRST: (320, 5, 3, 3)}],
    "upscaling": [lambda: {**published_shapes("sd2"), FIRST: (256, 7, 3, 3)}],
    "channels": [lambda: sd1(**{FIRST: (320, 12, 3, 3)})],
    "refiner": [lambda: {**without(sdxl(), "conditioner."), **REFINER}],
    "unclip": [
        lambda: {**published_shapes("sd2"), "embedder.model.visual.proj": (8, 8)},
        lambda: {**published_shapes("sd2"), "noise_augmentor.data_mean": (1, 768)},
    ],
    "gligen": [lambda: sd1(**{f"{UNET}position_net.linears.0.weight": (512, 832)})],
    "video": [lambda: sd1(**{f"{UNET}input_blocks.1.1.time_stack.0.norm1.weight": (320,)})],
    "cut_down": [
        lambda: without(sdxl(), f"{UNET}middle_block.1."),
        lambda: without(sd1(), f"{UNET}middle_block."),
        lambda: without(sd1(), f"{UNET}input_blocks.11.", f"{UNET}output_blocks.2."),
        lambda: sdxl(**{f"{UNET}input_blocks.4.1.transformer_blocks.2.attn2.to_k.weight": (640, 2048)}),
    ],
    "conditioned": [lambda: {k: (*s[:-1], 4096) if "attn2.to_k" in k else s for k, s in sdxl().items()}],
    "flux": [
        lambda: all_in_one("double_blocks.0.img_attn.qkv.weight", "single_blocks.0.linear1.weight"),
        lambda: {"double_blocks.0.img_attn.qkv.weight": (8, 8)},
        lambda: all_in_one("distilled_guidance_layer.in_proj.weight"),
    ],
    "sd3": [
        lambda: all_in_one("joint_blocks.0.x_block.attn.qkv.weight"),
        lambda: {"joint_blocks.0.context_block.adaLN_modulation.1.bias": (8,)},
    ],
    "z_image": [lambda: all_in_one("layers.0.adaLN_modulation.0.weight", "cap_embedder.0.weight")],
    "qwen_image": [lambda: all_in_one("transformer_blocks.0.img_mod.1.weight", "img_in.weight")],
    "transformer": [
        lambda: all_in_one("blocks.0.self_attn.q.weight", "head.modulation"),
        lambda: all_in_one("double_layers.0.attn.w2q.weight"),
        lambda: all_in_one("patchify_proj.weight"),
        lambda: all_in_one("txt_in.individual_token_refiner.blocks.0.adaLN_modulation.1.bias"),
    ],
    "cascade": [lambda: {"down_blocks.1.0.channelwise.0.weight": (8, 8), "clip_txt_mapper.weight": (8, 8)}],
    "quantised": [
        lambda: sd1(**{"scaled_fp8": (0,)}),
        lambda: sd1(**{f"{UNET}input_blocks.1.1.proj_in.scale_weight": ()}),
        lambda: sd1(**{f"{UNET}input_blocks.1.1.proj_in.weight_scale": (1,)}),
        lambda: sd1(**{f"{UNET}input_blocks.1.1.proj_in.comfy_quant": (30,)}),
        lambda: sd1(**{f"{UNET}input_blocks.1.1.proj_in.weight.absmax": (30,)}),
        lambda: sd1(**{f"{UNET}input_blocks.1.1.proj_in.weight.quant_state.bitsandbytes__nf4": (9,)}),
    ],
    "lora": [
        lambda: {"lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight": (4, 320)},
        lambda: {"unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.lora_A.weight": (4, 320)},
        lambda: {"unet.down_blocks.0.attentions.0.processor.to_q_lora.up.weight": (320, 4)},
        lambda: {"lycoris_x.hada_w1_a": (4, 4), "lycoris_x.hada_w1_b": (4, 4)},
    ],
    "controlnet": [
        lambda: {
            "control_model.input_blocks.0.0.weight": (320, 4, 3, 3),
            "control_model.zero_convs.0.0.bias": (9,),
        },
        lambda: {"controlnet_cond_embedding.conv_in.weight": (16, 3, 3, 3), "conv_in.weight": (320, 4, 3, 3)},
    ],
    "adapter": [lambda: {"image_proj.proj.weight": (8, 8)}, lambda: {"body.0.block1.weight": (8, 8)}],
    "motion": [lambda: {"down_blocks.0.motion_modules.0.temporal_transformer.norm.bias": (8,)}],
    "upscaler": [
        lambda: {"model.0.weight": (64, 3, 3, 3), "model.1.sub.0.RDB1.conv1.0.weight": (32, 64, 3, 3)},
        lambda: {"conv_first.weight": (64, 3, 3, 3), "body.0.rdb1.conv1.weight": (32, 64, 3, 3)},
    ],
    "image_encoder": [lambda: {"vision_model.embeddings.class_embedding": (1024,)}],
    "embedding": [lambda: {"emb_params": (2, 768)}, lambda: {"clip_l": (2, 768), "clip_g": (2, 1280)}],
    "vae": [
        lambda: only(published_shapes("sd1"), "first_stage_model."),
        lambda: only(published_shapes("sd1"), "first_stage_model.", "first_stage_model."),
        lambda: only(published_shapes("sd1"), "first_stage_model.", "vae."),
    ],
    "text_encoder": [lambda: only(published_shapes("sd1"), "cond_stage_model.transformer.")],
    "unet": [
        lambda: only(published_shapes("sd1"), UNET, UNET),
        lambda: only(published_shapes("sd1"), UNET),
        lambda: {"down_blocks.0.resnets.0.conv1.weight": (320, 320, 3, 3), "conv_in.weight": (320, 4, 3, 3)},
    ],
    "parts_in_diffusers_names": [lambda: {"unet.down_blocks.0.resnets.0.conv1.weight": (320, 320, 3, 3)}],
}
CASES = [(kind, index) for kind, files in FILES.items() for index in range(len(files))]
NOT_BY_NAMES = {"flow", "consistency"}  # a single file of these has nothing that tells it


def refused(place: Path) -> ModelError:
    """What the list and loading say, which is the same."""
    with pytest.raises(ModelError) as told:
        read_spec(place)
    with pytest.raises(type(told.value)) as loading:
        load(place, "cpu")
    assert (loading.value.message, loading.value.code) == (told.value.message, told.value.code)
    return told.value


def test_every_kind_has_a_file_that_is_one() -> None:
    assert set(FILES) | NOT_BY_NAMES == set(signatures.KINDS)


@pytest.mark.parametrize(("kind", "index"), CASES)
def test_a_file_is_recognised_by_the_names_of_its_weights(kind: str, index: int, tmp_path: Path) -> None:
    error = refused(sparse_file(tmp_path / "m.safetensors", FILES[kind][index]()))
    assert isinstance(error, ModelIncapableError)
    assert error.details["kind"] == kind
    assert error.message.startswith(f"{tmp_path / 'm.safetensors'} is ")
    assert error.hint


@pytest.mark.parametrize("family", ["sd1", "sdxl"])
def test_the_published_checkpoints_are_none_of_them(family: str, tmp_path: Path) -> None:
    shapes = {**published_shapes(family), "model_ema.decay": (), "alphas_cumprod": (1000,)}
    assert read_spec(sparse_file(tmp_path / "m.safetensors", shapes)).family == family


@pytest.mark.parametrize("dtype", ["F8_E4M3", "F8_E5M2"])
def test_plain_float8_is_read(dtype: str, tmp_path: Path) -> None:
    dtypes = {key: dtype for key in published_shapes("sd1") if key.endswith("weight")}
    assert read_spec(sparse_file(tmp_path / "m.safetensors", published_shapes("sd1"), dtypes)).family == "sd1"


@pytest.mark.parametrize("dtype", ["U8", "I8"])
def test_weights_in_integers_are_quantised_whatever_stands_beside_them(dtype: str, tmp_path: Path) -> None:
    dtypes = {f"{UNET}input_blocks.1.1.proj_in.weight": dtype}
    error = refused(sparse_file(tmp_path / "m.safetensors", published_shapes("sd1"), dtypes))
    assert error.details["kind"] == "quantised"
    assert "input_blocks.1.1.proj_in.weight" in error.message


@pytest.mark.parametrize(
    ("metadata", "kind"),
    [
        ({"_quantization_metadata": '{"format_version": "1.0"}'}, "quantised"),
        ({"modelspec.prediction_type": "flow"}, "flow"),
    ],
)
def test_what_a_file_says_of_itself_counts(metadata: dict[str, str], kind: str, tmp_path: Path) -> None:
    error = refused(sparse_file(tmp_path / "m.safetensors", published_shapes("sdxl"), metadata=metadata))
    assert error.details["kind"] == kind


@pytest.mark.parametrize(
    ("metadata", "prediction"),
    [
        ({"modelspec.prediction_type": "v"}, "v_prediction"),
        ({"modelspec.predict_key": "v"}, "v_prediction"),
        ({"modelspec.predict_key": "epsilon"}, "epsilon"),
        ({}, "epsilon"),
    ],
)
def test_its_prediction_is_read_from_the_metadata(
    metadata: dict[str, str], prediction: str, tmp_path: Path
) -> None:
    path = sparse_file(tmp_path / "m.safetensors", published_shapes("sdxl"), metadata=metadata)
    assert read_spec(path).prediction == prediction


def test_a_prediction_that_is_not_known_is_not_taken_for_another(tmp_path: Path) -> None:
    said = {"modelspec.prediction_type": "sample"}
    error = refused(sparse_file(tmp_path / "m.safetensors", published_shapes("sdxl"), metadata=said))
    assert "says that it predicts 'sample'" in error.message


#: Part of a folder, fields of its configuration → kind.
FOLDERS = [
    ("scheduler/scheduler_config.json", {"_class_name": "EDMDPMSolverMultistepScheduler"}, "edm"),
    ("scheduler/scheduler_config.json", {"_class_name": "EDMEulerScheduler"}, "edm"),
    ("scheduler/scheduler_config.json", {"timestep_type": "continuous", "sigma_max": 120.0}, "edm"),
    ("scheduler/scheduler_config.json", {"_class_name": "FlowMatchEulerDiscreteScheduler"}, "flow"),
    ("scheduler/scheduler_config.json", {"use_flow_sigmas": True}, "flow"),
    ("scheduler/scheduler_config.json", {"prediction_type": "flow_prediction"}, "flow"),
    ("scheduler/scheduler_config.json", {"_class_name": "CMStochasticIterativeScheduler"}, "consistency"),
    ("scheduler/scheduler_config.json", {"_class_name": "KarrasVeScheduler"}, "scheduler"),
    ("vae/config.json", {"latents_mean": [0.0] * 4, "latents_std": [1.0] * 4}, "edm"),
    ("vae/config.json", {"_class_name": "AutoencoderTiny"}, "vae_kind"),
    ("unet/config.json", {"in_channels": 9}, "inpainting"),
    ("unet/config.json", {"in_channels": 8}, "edit"),
    ("unet/config.json", {"in_channels": 5}, "depth"),
    ("unet/config.json", {"encoder_hid_dim_type": "text_proj"}, "conditioned"),
    ("unet/config.json", {"addition_embed_type": "image"}, "conditioned"),
    ("unet/config.json", {"class_embed_type": "projection"}, "unclip"),
    ("unet/config.json", {"mid_block_type": None}, "cut_down"),
    ("unet/config.json", {"transformer_layers_per_block": [[0, 2], 4]}, "cut_down"),
    ("unet/config.json", {"reverse_transformer_layers_per_block": [[4, 4], 2]}, "cut_down"),
    ("unet/config.json", {"_class_name": "UNetSpatioTemporalConditionModel"}, "channels"),
    ("unet/config.json", {"quantization_config": {"quant_method": "bitsandbytes"}}, "quantised"),
    ("text_encoder/config.json", {"quantization_config": {"quant_method": "bitsandbytes"}}, "quantised"),
]


@pytest.mark.parametrize(("part", "fields", "kind"), FOLDERS)
def test_a_folder_is_recognised_by_its_configuration(
    part: str, fields: dict[str, Any], kind: str, sd1_folder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(sd1_folder, tmp_path / "m")
    config = json.loads((folder / part).read_text())
    (folder / part).write_text(json.dumps({**config, **fields}))
    error = refused(folder)
    assert error.details["kind"] == kind
    assert error.hint


@pytest.mark.parametrize(
    ("pipeline", "kind"),
    [
        ("FluxPipeline", "flux"),
        ("StableDiffusion3Pipeline", "sd3"),
        ("ZImagePipeline", "z_image"),
        ("QwenImageEditPipeline", "qwen_image"),
        ("PixArtSigmaPipeline", "transformer"),
    ],
)
def test_a_folder_without_a_unet_is_named_by_its_pipeline(pipeline: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "transformer").mkdir()
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": pipeline}))
    assert refused(tmp_path).details["kind"] == kind


def test_every_ddpm_scheduler_of_diffusers_is_taken(sd1_folder: Path, tmp_path: Path) -> None:
    import diffusers

    folder = shutil.copytree(sd1_folder, tmp_path / "m")
    place = folder / "scheduler" / "scheduler_config.json"
    config = json.loads(place.read_text())
    for name in signatures.DDPM:
        assert hasattr(diffusers, name)
        place.write_text(json.dumps({**config, "_class_name": name}))
        assert read_spec(folder).family == "sd1"


def test_v_prediction_and_zero_terminal_snr_go_on_working(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "v", "sdxl", prediction="v_prediction")
    place = folder / "scheduler" / "scheduler_config.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), "rescale_betas_zero_snr": True}))
    process = ddpm_of(load(folder, "cpu"))
    assert read_spec(folder).prediction == process.prediction == "v_prediction"
    assert process.alphas_cumprod[-1] < 1e-6


def test_weights_of_a_folder_are_looked_at_too(sd1_folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(sd1_folder, tmp_path / "m")
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    scale = {"conv_in.weight_scale": weights["conv_in.bias"].clone()}
    save_file({**weights, **scale}, file, {"format": "pt"})
    assert refused(folder).details["kind"] == "quantised"
    save_file({**weights, "conv_in.strange": weights["conv_in.bias"].clone()}, file, {"format": "pt"})
    with pytest.raises(ModelUnreadableError, match=r"no place for, such as conv_in\.strange"):
        load(folder, "cpu")
    file.write_bytes(file.read_bytes()[:-10])
    assert "is incomplete" in refused(folder).message
    file.rename(file.with_name("diffusion_pytorch_model-00001-of-00002.safetensors"))
    assert "holds 1 of 2 files" in refused(folder).message


ODD: dict[str, bytes] = {
    "empty.safetensors": b"",
    "short.safetensors": b"\x10\x00",
    "text.safetensors": b"hello, this is not a model at all",
    "page.safetensors": b"<!DOCTYPE html><html>sign in</html>",
    "pointer.safetensors": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "pickle.safetensors": b"\x80\x02}q\x00.",
    "zip.safetensors": b"PK\x03\x04" + b"0" * 40,
    "gguf.safetensors": b"GGUF\x03\x00\x00\x00" + b"\x00" * 40,
    "long.safetensors": (1 << 62).to_bytes(8, "little") + b"{}",
    "cut.safetensors": (1 << 10).to_bytes(8, "little") + b'{"a": ',
    "list.safetensors": (2).to_bytes(8, "little") + b"[]",
    "nothing.safetensors": (2).to_bytes(8, "little") + b"{}",
    "deep.safetensors": (200_000).to_bytes(8, "little") + b'{"a":' + b"[" * 199_995,
    "no-shape.safetensors": (16).to_bytes(8, "little") + b'{"a":{"b":"c"}} ',
    "numbers.safetensors": (12).to_bytes(8, "little") + b'{"a": 12345}',
    "model.gguf": b"GGUF\x03\x00\x00\x00" + b"\x00" * 40,
    "model.ckpt": b"\x80\x02}q\x00.",
}


def lone_surrogate() -> bytes:
    text = rb'{"\ud800": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]}}'
    return len(text).to_bytes(8, "little") + text + b"\0\0"


@pytest.mark.parametrize("name", [*ODD, "surrogate.safetensors"])
def test_no_odd_file_is_anything_but_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(ODD.get(name) or (b"" if name in ODD else lone_surrogate()))
    error = refused(path)
    str(error).encode()
    assert error.hint


def test_a_list_of_odd_files_answers_and_reads_headers_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty files of gigabytes each: each header is read once, and not again for the next list."""
    for kind, index in CASES[:50]:
        sparse_file(tmp_path / f"{kind}-{index}.safetensors", FILES[kind][index]())
    for name, content in ODD.items():
        (tmp_path / name).write_bytes(content)
    read: list[Path] = []
    real = header.read_header
    monkeypatch.setattr(
        "palimpsest.models.families.stable_diffusion.checkpoint.read_header",
        lambda path: read.append(path) or real(path),
    )
    models = [model for model in list_models(tmp_path) if model["installed"] and model["name"] != "built-in"]
    assert len(models) == 50 + len(ODD)
    assert all("error" in model["details"] for model in models)
    assert len(read) == 50 + len(ODD) - 1  # a .ckpt is refused by its name
    lines = [described(model, catalog.installed_here(tmp_path)[model["name"]]) for model in models]
    assert all(line.startswith("can't be used: it ") for line in lines)
    assert [line for line in lines if str(tmp_path) in line and "weights_only=True" not in line] == []
    list_models(tmp_path)
    assert len(read) == 50 + len(ODD) - 1
