"""LoRAs are found where they lie, also in other tools' folders, and told by what their files say."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from lora_files import make
from palimpsest.models import linked_folders
from palimpsest.models.loras.library import LoraLibrary
from tiny import tiny_model

PUBLISHED = {768: "sd1", 1024: "sd2", 2048: "sdxl"}


def small(path: Path, width: int = 768, **metadata: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    place = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
    pair = {f"{place}.lora_down.weight": torch.zeros(8, width), f"{place}.lora_up.weight": torch.zeros(32, 8)}
    save_file(pair, path, metadata)
    return path


def test_its_own_folder_and_those_of_other_tools(tmp_path: Path) -> None:
    library = LoraLibrary(tmp_path / "models", (tmp_path / "ComfyUI" / "models",))
    small(library.folder / "ink.safetensors")
    small(library.folder / "styles" / "ink.safetensors")
    small(tmp_path / "ComfyUI" / "models" / "loras" / "glass.safetensors")
    save_file({"weight": torch.zeros(3)}, tmp_path / "ComfyUI" / "models" / "vae.safetensors")
    checkpoints = tmp_path / "webui" / "Stable-diffusion"
    checkpoints.mkdir(parents=True)
    small(tmp_path / "webui" / "Lora" / "clay.safetensors")
    (tmp_path / "models").mkdir()
    linked_folders.write(tmp_path / "models", (checkpoints,))
    small(tmp_path / "mine" / "wood.safetensors")
    linked_folders.add(tmp_path / "models", tmp_path / "mine")
    assert list(library.places()) == ["ink", "ink (styles)", "glass", "clay", "wood"]
    assert library.find("ink (styles)") == library.folder / "styles" / "ink.safetensors"


def test_a_card_has_base_rank_words_and_picture(tmp_path: Path) -> None:
    library = LoraLibrary(tmp_path / "models")
    for width, base in PUBLISHED.items():
        path = small(library.folder / f"{base}.safetensors", width)
        card = library.card(base)
        assert (card.base, card.context, card.rank, card.bytes) == (base, width, 8, path.stat().st_size)
    tags = json.dumps({"10_x": {"sks dog": 20, "grass": 13, "rare": 1}, "5_y": {"sks dog": 5}})
    picture = library.folder / "tagged.preview.png"
    small(library.folder / "tagged.safetensors", ss_tag_frequency=tags)
    picture.write_bytes(b"")
    small(library.folder / "stated.safetensors", 768, **{"modelspec.trigger_phrase": "ink wash, sumi"})
    small(library.folder / "odd.safetensors", ss_tag_frequency="[" * 5000)
    assert library.card("tagged").words == ("sks dog", "grass")
    assert library.card("tagged").picture == str(picture)
    assert library.card("stated").words == ("ink wash", "sumi")
    assert library.card("odd").words == ()
    (library.folder / "broken.safetensors").write_bytes(b"nonsense")
    assert library.card("broken").error


def test_the_base_is_told_by_metadata_where_no_layer_tells(tmp_path: Path) -> None:
    library = LoraLibrary(tmp_path / "models")
    made = {"lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": torch.zeros(2, 8)}
    for said, base in (("sdxl_base_v1-0", "sdxl"), ("sd_v2_768_v", "sd2"), ("sd_v1", "sd1"), ("?", None)):
        library.folder.mkdir(parents=True, exist_ok=True)
        save_file(made, library.folder / "x.safetensors", {"ss_base_model_version": said})
        assert library.card("x").base == base


def test_kroneckers_factors_tell_the_base_too(tmp_path: Path) -> None:
    library = LoraLibrary(tmp_path / "models")
    make(tiny_model("sdxl"), "lokr").save(library.folder / "x.safetensors")
    assert library.card("x").context == 56
