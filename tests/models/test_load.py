"""A folder in the diffusers layout loads frozen, exact, without the network, or says what is wrong."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from original_naming import copy_without
from palimpsest.errors import (
    ModelIncapableError,
    ModelNotFoundError,
    ModelUnreadableError,
    PickledModelError,
    RequestError,
)
from palimpsest.models.catalog import built_in_folder
from palimpsest.models.families import load, read_spec
from palimpsest.models.families.stable_diffusion.kinds import kind_of
from palimpsest.models.precision import unet_dtype, vae_dtype
from tiny import ddpm_of, tiny_folder, tiny_model


def test_the_folder_gives_back_the_same_model(family: str, tmp_path: Path) -> None:
    loaded, expected = load(tiny_folder(tmp_path / "m", family), "cpu"), tiny_model(family)
    pairs = [(expected.network.module, loaded.network.module), (expected.vae, loaded.vae)]
    pairs += [(a.encoder, b.encoder) for a, b in zip(expected.text, loaded.text, strict=True)]
    for want, got in pairs:
        assert all(torch.equal(v, got.state_dict()[k]) for k, v in want.state_dict().items())
    assert [(p.hidden_state, p.pooled) for p in loaded.text] == [
        (p.hidden_state, p.pooled) for p in expected.text
    ]
    assert torch.equal(ddpm_of(loaded).alphas_cumprod, ddpm_of(expected).alphas_cumprod)
    assert (loaded.family, loaded.native_size, loaded.granularity) == (family, 64, 16)


def test_everything_is_frozen_float32_and_in_eval_mode(family: str, tmp_path: Path) -> None:
    model = load(tiny_folder(tmp_path / "m", family), "cpu")
    for network in (model.network.module, model.vae, *(part.encoder for part in model.text)):
        assert not network.training
        assert all(p.dtype is torch.float32 and not p.requires_grad for p in network.parameters())


def test_half_precision_files_are_float32_on_the_cpu(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "m", "sd1")
    for file in folder.glob("*/*.safetensors"):
        save_file({k: v.half() for k, v in load_file(file).items()}, file, {"format": "pt"})
        file.rename(file.with_name(file.name.replace(".safetensors", ".fp16.safetensors")))
    model = load(folder, "cpu")
    assert {model.network.module.dtype, model.vae.dtype, model.text[0].encoder.dtype} == {torch.float32}
    assert model.encode(torch.zeros(1, 3, 16, 16)).isfinite().all()


def test_loading_touches_no_network(sd1_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert load(sd1_folder, "cpu").family == "sd1"


def test_the_hash_follows_weights_and_configuration(tmp_path: Path) -> None:
    """Moving a model or touching its files changes nothing; a weight or a parameter does."""
    memory = tmp_path / "memory.json"
    folder = tiny_folder(tmp_path / "m", "sd1")
    first = load(folder, "cpu", memory).weights_hash
    moved = folder.rename(tmp_path / "elsewhere")
    assert load(moved, "cpu", memory).weights_hash == first
    assert load(tiny_folder(tmp_path / "b", "sd1", seed=1), "cpu", memory).weights_hash != first
    config = moved / "scheduler" / "scheduler_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "beta_end": 0.013}))
    assert load(moved, "cpu", memory).weights_hash != first


def test_the_hash_is_remembered_until_the_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from palimpsest.models import weights_hash as module

    memory, file = tmp_path / "memory.json", tmp_path / "w.safetensors"
    file.write_bytes(b"first")
    first = module.weights_hash([file], tmp_path, memory)
    reads: list[Path] = []
    original = module._sha256
    monkeypatch.setattr(module, "_sha256", lambda path: reads.append(path) or original(path))
    assert module.weights_hash([file], tmp_path, memory) == first
    assert reads == []
    file.write_bytes(b"longer content")
    assert module.weights_hash([file], tmp_path, memory) != first
    memory.write_text("not json")
    assert module.weights_hash([file], tmp_path, memory) != first


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("unet/config.json", r"unet/config\.json missing"),
        ("scheduler", r"scheduler/scheduler_config\.json missing"),
        ("vae/diffusion_pytorch_model.safetensors", r"vae holds no diffusion_pytorch_model\.safetensors"),
        ("tokenizer", r"no readable tokenizer"),
    ],
)
def test_what_is_missing_is_named(part: str, says: str, sd1_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelUnreadableError, match=says):
        load(copy_without(sd1_folder, tmp_path / "m", part), "cpu")


def test_damaged_files_are_named(sd1_folder: Path, tmp_path: Path) -> None:
    folder = copy_without(sd1_folder, tmp_path / "m")
    config = folder / "unet" / "config.json"
    original = config.read_text()
    config.write_text(original[:40])
    with pytest.raises(ModelUnreadableError, match=r"unet/config\.json can't be read"):
        load(folder, "cpu")
    config.write_text('{"sample_size": 8}')
    with pytest.raises(ModelUnreadableError, match="block_out_channels"):
        load(folder, "cpu")
    config.write_text(original)
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelUnreadableError, match=r"is incomplete: "):
        load(folder, "cpu")


def test_a_missing_weight_is_never_filled_with_random_numbers(sd1_folder: Path, tmp_path: Path) -> None:
    for part, key in (("unet", "conv_out.bias"), ("text_encoder", "final_layer_norm.weight")):
        folder = copy_without(sd1_folder, tmp_path / part)
        (file,) = (folder / part).glob("*.safetensors")
        weights = load_file(file)
        del weights[key if key in weights else f"text_model.{key}"]
        save_file(weights, file, {"format": "pt"})
        with pytest.raises(ModelUnreadableError, match=r"lacks 1 weights"):
            load(folder, "cpu")


def test_pickled_weights_are_refused(sd1_folder: Path, tmp_path: Path) -> None:
    folder = copy_without(sd1_folder, tmp_path / "m", "unet/diffusion_pytorch_model.safetensors")
    (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(PickledModelError, match=r"diffusion_pytorch_model\.bin.*convert it once"):
        load(folder, "cpu")


def test_other_kinds_of_model_are_refused_by_name(sd1_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError):
        load(tmp_path / "nowhere", "cpu")
    folder = copy_without(sd1_folder, tmp_path / "flux", "unet")
    (folder / "transformer").mkdir()
    with pytest.raises(ModelIncapableError, match="diffusion transformer"):
        load(folder, "cpu")
    inpainting = copy_without(sd1_folder, tmp_path / "inpainting")
    config = inpainting / "unet" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "in_channels": 9}))
    with pytest.raises(ModelIncapableError, match="inpainting"):
        read_spec(inpainting)


def test_a_foreign_tokenizer_is_noticed(sd1_folder: Path, tmp_path: Path) -> None:
    folder = copy_without(sd1_folder, tmp_path / "m")
    tokenizer = tiny_model("sd1").text[0].tokenizer
    tokenizer.add_tokens(["<one>", "<two>"])
    tokenizer.save_pretrained(folder / "tokenizer")
    with pytest.raises(ModelUnreadableError, match="belong to different models"):
        load(folder, "cpu")


def test_a_model_may_state_its_own_recommendations(sd1_folder: Path, tmp_path: Path) -> None:
    folder = copy_without(sd1_folder, tmp_path / "m")
    own = {"family": "demo", "guidance": 3.0, "steps": 30, "native_size": 128, "map_side": 8}
    (folder / "palimpsest.json").write_text(json.dumps(own))
    model, spec = load(folder, "cpu"), read_spec(folder)
    assert (model.family, model.guidance, model.steps, model.native_size) == ("demo", 3.0, 30, 128)
    assert model.map_side == spec.map_side == 8
    assert (spec.family, spec.guidance, spec.steps, spec.native_size) == ("demo", 3.0, 30, 128)
    (folder / "palimpsest.json").write_text('{"guidence": 3}')
    with pytest.raises(ModelUnreadableError, match="'guidence'"):
        read_spec(folder)


def test_the_stated_sites_are_the_ones_that_exist(family: str, tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "m", family)
    unet = load(folder, "cpu").network.module
    names = [name for name, _ in unet.named_modules() if name.endswith(".attn2")]
    for site in read_spec(folder).sites:
        place = "mid_block." if site.place == "mid" else site.place.replace(".", "_blocks.") + "."
        assert sum(name.startswith(place) for name in names) == site.cross
        names = [name for name in names if not name.startswith(place)]
    assert names == []


def test_precision_is_half_only_where_it_is_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu, cuda, mps = (torch.device(name) for name in ("cpu", "cuda", "mps"))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    halves = {family: kind_of(family).halves for family in ("sd1", "sd2", "sdxl", "demo", "another")}
    assert unet_dtype(cpu, halves["sdxl"]) is torch.float32
    assert unet_dtype(cuda, halves["sd2"]) is torch.bfloat16
    assert unet_dtype(cuda, halves["another"]) is torch.bfloat16
    assert unet_dtype(mps, halves["sd1"]) is torch.float16
    assert unet_dtype(mps, halves["sd2"]) is torch.float32
    assert {unet_dtype(device, halves["demo"]) for device in (cpu, cuda, mps)} == {torch.float32}
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)
    assert unet_dtype(cuda, halves["sdxl"]) is torch.float16
    assert unet_dtype(cuda, halves["sd2"]) is torch.float32


@pytest.mark.parametrize("instruction", ["avx512_bf16", "amx_bf16"])
def test_a_processor_that_computes_in_bfloat16_does_so_unless_forbidden(
    instruction: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    halves = {family: kind_of(family).halves for family in ("sd1", "sd2", "sdxl", "demo")}

    def found(**capabilities: bool) -> list[torch.dtype]:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
        return [dtype(cpu, each) for dtype in (unet_dtype, vae_dtype) for each in halves.values()]

    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    monkeypatch.setenv("PALIMPSEST_PRECISION", "auto")
    half, whole = torch.bfloat16, torch.float32
    assert found(avx2=True, **{instruction: True}) == 2 * [half, half, half, whole]
    assert found(avx2=True, **{instruction: False}) == 8 * [whole]
    monkeypatch.setenv("PALIMPSEST_PRECISION", "float32")
    assert found(**{instruction: True}) == 8 * [whole]
    monkeypatch.setenv("PALIMPSEST_PRECISION", "float23")
    with pytest.raises(RequestError, match="Known: auto, float32"):
        found(**{instruction: True})
    monkeypatch.delenv("PALIMPSEST_PRECISION")
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert unet_dtype(cpu, halves["sd1"]) is vae_dtype(cuda, halves["sd1"]) is whole


def test_a_model_in_bfloat16_is_loaded_and_gives_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PALIMPSEST_PRECISION", "auto")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    model = load(tiny_folder(tmp_path / "m", "sd1"), "cpu")
    assert model.dtype is model.vae.dtype is torch.bfloat16
    assert model.text[0].encoder.dtype is torch.float32
    z = model.encode(torch.zeros(1, 3, 64, 64))
    assert z.dtype is model.decode(z).dtype is torch.float32


@pytest.mark.parametrize("family", ["sd1", "demo"])
def test_a_loaded_model_recommends_what_its_capabilities_tell(family: str, tmp_path: Path) -> None:
    """The built-in model's small text encoder learns in fewer steps."""
    source = built_in_folder() if family == "demo" else tiny_folder(tmp_path / "m", family)
    steps = {"sd1": (400, 400), "demo": (100, 500)}[family]
    spec, model = read_spec(source), load(source, "cpu")
    assert (spec.to_json()["learning_steps"], spec.to_json()["detail_steps"]) == steps
    assert (model.learning.quick.steps, model.learning.detailed.steps) == steps
    assert model.learning.quick.adapters is None is not model.learning.detailed.adapters
