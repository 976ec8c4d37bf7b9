"""Photographs are described by a BLIP in the models folder; without one people are told what to do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertTokenizer, BlipConfig, BlipForConditionalGeneration

from palimpsest.contract import DescribeRequest, Doubt
from palimpsest.errors import ModelIncapableError, ModelUnreadableError, NotFiniteError
from palimpsest.models.captioner import Captioner, doubts_of
from palimpsest.models.catalog import captioners, installed
from palimpsest.models.hub import wanted
from palimpsest.models.listing import list_models
from palimpsest.tasks.runner import TaskRunner
from tiny_task import finish, picture, selection

WORDS = "a cat dog on grass sits next to mirror photo of the".split()
MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]"]


def write_captioner(folder: Path) -> Path:
    """A tiny BLIP with random weights, laid out as the published ones are."""
    folder.mkdir(parents=True)
    layers = {"num_hidden_layers": 1, "num_attention_heads": 2, "hidden_size": 16, "intermediate_size": 32}
    small = {**layers, "initializer_range": 0.5}  # large enough that what it sees matters
    marks = {"bos_token_id": 5, "pad_token_id": 0, "eos_token_id": 3, "sep_token_id": 3}
    size = len(MARKS) + len(WORDS)
    text = {**small, **marks, "vocab_size": size, "encoder_hidden_size": 16, "max_position_embeddings": 64}
    config = BlipConfig(text_config=text, vision_config={**small, "image_size": 32, "patch_size": 8})
    torch.manual_seed(0)
    BlipForConditionalGeneration(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join([*MARKS, *WORDS]) + "\n")
    BertTokenizer(str(folder / "vocab.txt"), additional_special_tokens=["[DEC]"]).save_pretrained(folder)
    eye = {"size": {"height": 32, "width": 32}, "image_mean": [0.5] * 3, "image_std": [0.3] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(eye))
    return folder


def described(runner: TaskRunner, **changes: str) -> dict:
    request = DescribeRequest(runner.images.put(picture()), model="sd15")
    return finish(runner.do(replace(request, **changes))).result


def test_a_photograph_is_described_the_same_way_each_time(runner: TaskRunner) -> None:
    write_captioner(runner.models.models / "captions")
    said = described(runner)
    assert set(said["caption"].split()) <= set(WORDS)
    assert 0 < said["confidence"] <= 1
    assert described(runner) == said
    around = described(runner, selection=runner.images.put(selection()))
    assert around["confidence"] != said["confidence"]  # it looked at something else


def test_words_less_probable_than_all_others_are_doubtful(runner: TaskRunner) -> None:
    write_captioner(runner.models.models / "captions")
    said = described(runner)
    for doubt in said["doubts"]:
        assert said["caption"][doubt["start"] : doubt["stop"]] in WORDS
        assert 0 <= doubt["probability"] < 0.5
    assert said["doubts"], "a model of random weights is sure of nothing"


def test_a_words_probability_is_that_of_all_its_pieces() -> None:
    pieces = [("a", 0.9), ("skate", 0.8), ("##board", 0.5), ("on", 0.49), ("grass", 0.5)]
    assert doubts_of("a skateboard on grass", pieces) == (Doubt(2, 12, 0.4), Doubt(13, 15, 0.49))
    assert doubts_of("a skateboard", [("a", 0.1), ("Ġskateboard", 0.1)]) == (), "of another tokenizer"


def test_what_it_says_is_what_transformers_itself_would_say(tmp_path: Path) -> None:
    folder = write_captioner(tmp_path / "captions")
    pixels = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    model = BlipForConditionalGeneration.from_pretrained(folder)
    tokens = model.generate(pixel_values=(pixels - 0.5) / 0.3, max_new_tokens=40, num_beams=1)
    expected = BertTokenizer.from_pretrained(folder).decode(tokens[0], skip_special_tokens=True)
    assert Captioner(folder, torch.device("cpu")).caption(pixels).text == expected.strip()


def test_a_caption_is_not_made_of_nan(runner: TaskRunner) -> None:
    file = write_captioner(runner.models.models / "captions") / "model.safetensors"
    weights = {
        name: torch.full_like(w, torch.nan) if w.ndim == 4 else w for name, w in load_file(file).items()
    }
    save_file(weights, file, {"format": "pt"})
    with pytest.raises(NotFiniteError, match="captioning model"):
        described(runner)


def test_without_one_it_is_said_what_to_do_and_the_list_says_so_before(runner: TaskRunner) -> None:
    with pytest.raises(ModelIncapableError, match=r"own words.*palimpsest pull captions"):
        described(runner)
    models = runner.models.models
    assert {m["name"]: m["details"]["describes"] for m in list_models(models) if m["installed"]} == {
        "built-in": True
    }


def test_it_is_no_model_to_edit_with(runner: TaskRunner, sd1_folder: Path) -> None:
    models = runner.models.models
    write_captioner(models / "captions")
    assert list(installed(models)) == ["built-in"]
    assert list(captioners(models)) == ["captions"]
    assert "captions" not in [model["name"] for model in list_models(models)]


def test_what_is_pulled_is_all_it_needs_and_nothing_pickled() -> None:
    here = ["config.json", "model.safetensors", "preprocessor_config.json", "special_tokens_map.json"]
    here += ["tokenizer.json", "tokenizer_config.json", "vocab.txt"]
    others = [".gitattributes", "README.md", "pytorch_model.bin", "tf_model.h5", "pictures/a.json"]
    assert sorted(wanted(sorted(here + others), None)) == here


def test_a_damaged_one_is_named(runner: TaskRunner) -> None:
    folder = write_captioner(runner.models.models / "captions")
    (folder / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ModelUnreadableError, match="captions"):
        described(runner)
    (folder / "preprocessor_config.json").write_text("{}")
    with pytest.raises(ModelUnreadableError):
        described(runner)
