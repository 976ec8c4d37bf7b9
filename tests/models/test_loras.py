"""LoRAs of every layout come to what their published formulas say, in the rows that have them alone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.loaders import lora_conversion_utils as conversion
from safetensors.torch import save_file
from torch import Tensor

from lora_files import LAYOUTS, Made, make, merged
from palimpsest.core.adapters import adapted, layers
from palimpsest.core.lora import Lora, Strengthened
from palimpsest.core.model import DiffusionModel
from palimpsest.core.text.prompt import Vocabulary, concepts_installed
from palimpsest.errors import LoraError, LoraFileError, LoraIncompatibleError
from palimpsest.models.families import read_modules
from palimpsest.models.families.modules import Modules
from palimpsest.models.loras.read import read_lora
from tiny import tiny_folder, tiny_model

FAMILIES = ("sd1", "sd2", "sdxl")
SENTENCES = ("a photo of a cat on grass", "a photo of a dog on grass")


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Modules]:
    root = tmp_path_factory.mktemp("models")
    return {family: read_modules(tiny_folder(root / family, family)) for family in FAMILIES}


def read(made: Made, path: Path, modules: Modules) -> Lora:
    return read_lora(made.save(path), path.stem, modules, f"tiny-{modules.family}")


@torch.no_grad()
def predicted(model: DiffusionModel, vocabulary: Vocabulary, with_loras: bool) -> Tensor:
    prompts = [vocabulary.parse(sentence) for sentence in SENTENCES]
    z = torch.randn(2, 4, 8, 12, generator=torch.Generator().manual_seed(1))
    adaptation = vocabulary.adaptation()
    adaptation.begin(vocabulary.adapting(prompts if with_loras else ()))
    with adapted(model.network, adaptation):
        return model.predict(z, 500, vocabulary.encode(prompts, with_loras=with_loras))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_its_formula_merged_into_the_weights(
    modules: dict[str, Modules], tmp_path: Path, family: str, layout: str
) -> None:
    model = tiny_model(family)
    made = make(model, layout)
    lora = read(made, tmp_path / "x.safetensors", modules[family])
    with concepts_installed(model, [], [(lora, 1.0)]) as vocabulary:
        ours, plain = predicted(model, vocabulary, True), predicted(model, vocabulary, False)
    other = merged(model, made)
    with concepts_installed(other, []) as vocabulary:
        theirs = predicted(other, vocabulary, False)
    with concepts_installed(model, []) as vocabulary:
        before = predicted(model, vocabulary, False)
    assert torch.equal(before, plain), "the network and the rows without it stay what they are"
    assert (theirs - before).abs().max() > 1e-2
    assert (ours - theirs).abs().max() < 1e-5 * max(1.0, float(theirs.abs().max()))


@pytest.mark.parametrize("family", FAMILIES)
def test_kohyas_names_lead_where_diffusers_own_reading_leads(
    modules: dict[str, Modules], tmp_path: Path, family: str
) -> None:
    made = make(tiny_model(family), "kohya")
    lora = read(made, tmp_path / "x.safetensors", modules[family])
    told, _ = conversion._convert_non_diffusers_lora_to_diffusers(dict(made.tensors))
    parts = {
        "unet": lora.network,
        **dict(zip(("text_encoder", "text_encoder_2"), lora.encoders, strict=False)),
    }
    downs = {key: value for key, value in told.items() if key.endswith("down.weight")}
    assert len(downs) == sum(map(len, parts.values()))
    for key, down in downs.items():
        which, _, path = key.partition(".")
        path = path.replace(".processor.to_out_lora", ".to_out.0").replace(".processor", "")
        for ending in (".lora_linear_layer.down.weight", ".lora.down.weight", "_lora.down.weight"):
            path = path.removesuffix(ending)
        path = path.removesuffix(".down.weight")
        if which != "unet":  # in the words of diffusers' UNet
            path = re.sub(r"\.to_out(_lora)?$", ".out_proj", path)
            path = re.sub(r"\.to_([qkv])(_lora)?$", r".\1_proj", path)
        part: Any = parts[which][path.removeprefix("text_model.").replace(".", "_")]
        assert torch.equal(part.down, down), key


def test_strength_scales_what_it_changes_and_none_is_nothing(
    modules: dict[str, Modules], tmp_path: Path
) -> None:
    model = tiny_model("sd1")
    lora = read(make(model, "dora", text=False), tmp_path / "x.safetensors", modules["sd1"])
    place, part = next(iter(lora.network.items()))
    layer = layers(model.network.module)[place]
    x = torch.randn(2, 3, layer.weight.shape[1]) if layer.weight.ndim == 2 else torch.randn(2, 16, 4, 4)
    whole = part.of(layer, x)
    half = Strengthened(lora.network, -0.5, lora.sha256).of(place, layer, x)
    assert torch.allclose(half, -0.5 * whole)
    with concepts_installed(model, [], [(lora, 0.0)]) as vocabulary:
        assert not vocabulary.adaptation().sets


def test_alpha_is_read_from_pefts_metadata(modules: dict[str, Modules], tmp_path: Path) -> None:
    made = make(tiny_model("sd1"), "peft")
    made.metadata["lora_adapter_metadata"] = json.dumps({"unet.lora_alpha": 2, "unet.r": 4})
    lora = read(made, tmp_path / "x.safetensors", modules["sd1"])
    assert {part.scale for part in lora.network.values()} == {0.5}
    assert {part.scale for part in lora.encoders[0].values()} == {1.0}


def broken(made: Made, how: str) -> Made:
    first = next(iter(made.tensors))
    if how == "half":
        del made.tensors[next(key for key in made.tensors if "lora_up" in key)]
    elif how == "nan":
        made.tensors[first][0] = float("nan")
    elif how == "unknown":
        for name in ("lora_unet_down_blocks_7_thing.lora_down.weight", "lora_unet_other.lora_up.weight"):
            made.tensors[name] = torch.zeros(4, 4)
    elif how == "no lora":
        made.tensors = {"weight": torch.zeros(3)}
    return made


@pytest.mark.parametrize(
    ("how", "error", "said"),
    [
        ("half", LoraFileError, "x is half a LoRA: of the update of .* only .*lora_down"),
        ("nan", LoraFileError, "numbers that aren't finite"),
        ("unknown", LoraIncompatibleError, "2 of .* tensors, the first is 'lora_unet_down_blocks_7_thing"),
        ("no lora", LoraFileError, "x is no LoRA"),
    ],
)
def test_what_cant_be_used_is_refused_and_says_why(
    modules: dict[str, Modules], tmp_path: Path, how: str, error: type[LoraError], said: str
) -> None:
    made = broken(make(tiny_model("sd1"), "kohya"), how)
    with pytest.raises(error, match=said):
        read(made, tmp_path / "x.safetensors", modules["sd1"])


def test_one_for_another_base_names_both(modules: dict[str, Modules], tmp_path: Path) -> None:
    made = make(tiny_model("sdxl"), "kohya")
    with pytest.raises(LoraIncompatibleError, match="reads text of width 56; tiny-sd1 is sd1"):
        read(made, tmp_path / "x.safetensors", modules["sd1"])
    narrow = make(tiny_model("sd1", channels=(16, 64)), "kohya")
    model = tiny_model("sd1")
    lora = read(narrow, tmp_path / "x.safetensors", modules["sd1"])
    with (
        pytest.raises(LoraIncompatibleError, match=r"x doesn't fit the model \(sd1\)"),
        concepts_installed(model, [], [(lora, 1.0)]),
    ):
        pass


def test_files_that_are_damaged_or_pickled_are_refused(modules: dict[str, Modules], tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"lora_unet_a.lora_down.weight": torch.zeros(64, 64)}, path)
    whole = path.read_bytes()
    for content, said in (
        (whole[:-100], "incomplete"),
        (b"PK\x03\x04" + whole[:100], "a pickle file or an archive"),
        (b"nonsense", "damaged|can't be read"),
    ):
        path.write_bytes(content)
        with pytest.raises(LoraFileError, match=said):
            read_lora(path, "x", modules["sd1"], "m")
