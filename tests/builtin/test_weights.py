"""What is promised of the shipped weights: whole, small, whitened, and obedient to a colour's name."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch

import palimpsest.builtin
from palimpsest.builtin import grammar
from palimpsest.models.spec import read_own
from palimpsest.scenes import scene as scenes
from palimpsest.training.dataset import Order, draw, to_pixels, to_signed
from palimpsest.training.layout import PROVENANCE, USE, Parts, load
from palimpsest.training.pictures import sample
from palimpsest.training.precision import Precision
from palimpsest.training.presets import preset
from palimpsest.training.train_vae import encode_mean

FOLDER = Path(palimpsest.builtin.__file__).parent / "weights"
HERE = Precision(torch.device("cpu"))


@pytest.fixture(scope="module")
def parts() -> Parts:
    return load(FOLDER)


@pytest.fixture(scope="module")
def provenance() -> dict:
    return json.loads((FOLDER / PROVENANCE).read_text(encoding="utf-8"))


def test_the_files_are_those_that_were_trained(provenance: dict) -> None:
    files = {f.relative_to(FOLDER).as_posix(): f for f in FOLDER.rglob("*.safetensors")}
    assert provenance["sha256"] == {
        name: hashlib.sha256(f.read_bytes()).hexdigest() for name, f in files.items()
    }


def test_the_provenance_names_preset_commit_and_steps(provenance: dict) -> None:
    assert len(provenance["commit"]) == 40
    assert provenance["optimiser_steps"]["unet"] > 0
    assert preset(provenance["preset"]).size == read_own(FOLDER / USE)["native_size"]


def test_everything_together_is_at_most_48_megabytes() -> None:
    assert sum(f.stat().st_size for f in FOLDER.rglob("*") if f.is_file()) <= 48e6


def test_every_word_of_the_grammar_is_one_token(parts: Parts) -> None:
    ids = {word: parts.tokenizer(word)["input_ids"] for word in grammar.vocabulary()}
    assert [word for word, tokens in ids.items() if len(tokens) != 3] == []


def test_sizes_agree_with_each_other(parts: Parts) -> None:
    assert parts.unet.config["sample_size"] * 2 ** (len(parts.vae.config["block_out_channels"]) - 1) == 128
    assert parts.unet.config["cross_attention_dim"] == parts.text_encoder.config.hidden_size
    assert parts.tokenizer.model_max_length == parts.text_encoder.config.max_position_embeddings


def test_latents_of_unseen_scenes_have_about_unit_variance(parts: Parts) -> None:
    seen = [draw(Order(seed, 128, 0)) for seed in scenes.VALIDATION_SEEDS[200:264]]
    z = encode_mean(parts.vae, to_signed(to_pixels(seen)), HERE) * parts.vae.config["scaling_factor"]
    assert z.mean((0, 2, 3)).abs().max() < 0.15
    assert (z.std((0, 2, 3)) - 1).abs().max() < 0.15


def test_a_ball_has_the_colour_that_is_named(parts: Parts) -> None:
    """On snow, which has no colour of its own: the strongest pixels are nearest to the colour asked for."""
    named = ("red", "blue", "green", "yellow")
    used = read_own(FOLDER / USE)
    drawn = sample(parts, [f"a photo of a {c} ball on snow" for c in named], HERE, 20, used["guidance"])
    found = [strongest_colour(picture.float(), named) for picture in drawn]
    assert sum(f == c for f, c in zip(found, named, strict=True)) >= 3


def strongest_colour(picture: torch.Tensor, names: tuple[str, ...]) -> str:
    """The name whose hue the 300 most saturated pixels of ``picture`` (3, H, W) have on average."""
    saturation = picture.amax(0) - picture.amin(0)
    rows = saturation.flatten().topk(300).indices
    shown = picture.flatten(1)[:, rows].mean(1)
    references = torch.tensor([scenes.COLOURS[name] for name in names]).float()  # (names, 3)
    hues = references - references.mean(1, keepdim=True)
    likeness = torch.nn.functional.cosine_similarity(hues, (shown - shown.mean())[None])
    return names[int(likeness.argmax())]
