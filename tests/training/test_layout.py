"""The model folder's promises: diffusers reads it, sizes are its own, words can be added, hashes hold."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline

from palimpsest.builtin import grammar
from palimpsest.errors import ModelUnreadableError
from palimpsest.models.spec import read_own
from palimpsest.training import layout
from palimpsest.training.layout import PROVENANCE, USE, Parts
from palimpsest.training.presets import miniature, preset
from palimpsest.training.tokenizer import build_tokenizer, encode
from palimpsest.training.warm_start import inherit

SMALL = miniature(preset("cpu"))


def fresh(words: tuple[str, ...] = grammar.vocabulary(), context: int = 48, seed: int = 0) -> Parts:
    shape = replace(SMALL, seed=seed, text=replace(SMALL.text, context=context))
    return layout.build(shape, build_tokenizer(words, context))


def rows_of(parts: Parts) -> torch.Tensor:
    """The table of token rows, as it lies in the encoder."""
    tensors = parts.text_encoder.state_dict()
    return next(t for key, t in tensors.items() if key.endswith("token_embedding.weight"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("model")
    use = {"family": "demo", "native_size": SMALL.size, "guidance": 3.0, "steps": 2}
    layout.save(fresh(), target, use, {"name": "tiny"})
    return target


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> StableDiffusionPipeline:
    loaded = StableDiffusionPipeline.from_pretrained(folder, torch_dtype=torch.float32, local_files_only=True)
    loaded.set_progress_bar_config(disable=True)
    return loaded


def test_diffusers_draws_at_the_native_size_without_being_told(pipeline: StableDiffusionPipeline) -> None:
    drawn = pipeline("a red ball on grass", num_inference_steps=2, guidance_scale=3.0, return_dict=False)
    assert drawn[0][0].size == (SMALL.size, SMALL.size)


def test_a_saved_model_is_the_model_that_was_saved(folder: Path) -> None:
    old, new = fresh(), layout.load(folder)
    for before, after in zip(old.modules(), new.modules(), strict=True):
        for key, tensor in before.state_dict().items():
            assert torch.equal(after.state_dict()[key], tensor.half().to(tensor.dtype))


def test_files_name_neither_the_disk_they_came_from_nor_pickles(folder: Path) -> None:
    assert not list(folder.rglob("*.bin"))
    for file in folder.rglob("*.json"):
        assert "_name_or_path" not in file.read_text(encoding="utf-8")


def test_the_provenance_hashes_every_weight_file(folder: Path) -> None:
    stored = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))["sha256"]
    files = {f.relative_to(folder).as_posix(): f for f in folder.rglob("*.safetensors")}
    assert len(files) == 3
    assert stored == {name: hashlib.sha256(f.read_bytes()).hexdigest() for name, f in files.items()}


def test_the_loader_accepts_what_the_model_says_of_its_use(folder: Path) -> None:
    assert read_own(folder / USE)["guidance"] == 3.0


def test_a_word_can_be_added_to_tokenizer_and_encoder(folder: Path) -> None:
    parts = layout.load(folder)
    rows = rows_of(parts).clone()
    parts.tokenizer.add_tokens(["<my-toy>"])
    parts.text_encoder.resize_token_embeddings(len(parts.tokenizer))
    grown = rows_of(parts)
    assert grown.shape[0] == len(parts.tokenizer) == len(rows) + 1
    assert torch.equal(grown[:-1], rows)
    tokens = torch.tensor(encode(parts.tokenizer, ["a <my-toy> on grass"]))
    read = parts.text_encoder.forward(tokens).last_hidden_state
    assert read is not None
    assert torch.isfinite(read).all()


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnreadableError, match=r"model_index\.json"):
        layout.load(tmp_path)


class TestWarmStart:
    """A new model takes over what an older one knows, whatever rows its words lie in."""

    def start(self) -> tuple[Parts, Parts]:
        new = fresh(("a", "red", "sea", "violet"), context=12, seed=2)
        return new, fresh(("red", "water", "a"), context=8, seed=1)

    def rows(self, parts: Parts, words: str) -> torch.Tensor:
        ids = parts.tokenizer(words, add_special_tokens=False)["input_ids"]
        return rows_of(parts)[ids]

    def test_words_keep_their_meaning_by_spelling(self) -> None:
        new, old = self.start()
        inherit(new, old)
        assert torch.equal(self.rows(new, "a red"), self.rows(old, "a red"))
        assert torch.equal(self.rows(new, "sea"), self.rows(old, "water"))

    def test_unknown_words_stay_random_but_as_large_as_the_known(self) -> None:
        new, old = self.start()
        rows_of(old).mul_(3)
        before = self.rows(new, "violet")
        inherit(new, old)
        after = self.rows(new, "violet")
        torch.testing.assert_close(after / after.norm(), before / before.norm())
        assert 2 < after.norm() / before.norm() < 4

    def test_later_positions_repeat_the_last_known_one(self) -> None:
        new, old = self.start()
        inherit(new, old)
        name = "position_embedding.weight"
        source = next(t for k, t in old.text_encoder.state_dict().items() if k.endswith(name))
        target = next(t for k, t in new.text_encoder.state_dict().items() if k.endswith(name))
        assert torch.equal(target[:8], source)
        assert torch.equal(target[8:], source[7:].expand(4, -1))

    def test_every_other_tensor_is_taken_over(self) -> None:
        new, old = self.start()
        report = inherit(new, old)
        assert report.left == ()
        for part in ("vae", "unet"):
            for key, tensor in getattr(old, part).state_dict().items():
                assert torch.equal(getattr(new, part).state_dict()[key], tensor)

    def test_more_latent_channels_begin_as_the_older_model(self) -> None:
        """The channels both have are encoded and decoded as before to the last bit, denoised to rounding."""
        old, new = fresh(seed=1), self.wider()
        report = inherit(new, old)
        assert report.left == ()
        for parts in (old, new):
            for module in parts.modules():
                module.eval()
        x = torch.rand(1, 3, SMALL.size, SMALL.size) * 2 - 1
        (older,), channels = old.vae.encode(x, return_dict=False), SMALL.vae.latent_channels
        (newer,) = new.vae.encode(x, return_dict=False)
        assert torch.equal(newer.mean[:, :channels], older.mean)
        assert torch.equal(newer.logvar[:, :channels], older.logvar)
        assert newer.mean[:, channels:].std() > 0
        z = newer.mean
        (picture,) = new.vae.decode(cast(torch.FloatTensor, z), return_dict=False)
        (known,) = old.vae.decode(cast(torch.FloatTensor, z[:, :channels]), return_dict=False)
        assert torch.equal(picture, known)
        text = torch.randn(1, 4, SMALL.text.width)
        denoised = new.unet(z, 500, text).sample[:, :channels]
        torch.testing.assert_close(denoised, old.unet(z[:, :channels], 500, text).sample)

    def wider(self) -> Parts:
        vae = replace(SMALL.vae, latent_channels=SMALL.vae.latent_channels + 4)
        return layout.build(replace(SMALL, seed=2, vae=vae), build_tokenizer(grammar.vocabulary(), 48))
