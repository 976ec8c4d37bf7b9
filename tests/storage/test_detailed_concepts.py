"""A concept learned with detail is one file, whole; and each half is a file that other tools read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers.loaders.lora_pipeline import StableDiffusionLoraLoaderMixin, StableDiffusionXLLoraLoaderMixin
from diffusers.utils.state_dict_utils import convert_unet_state_dict_to_peft
from safetensors.torch import load, load_file, save_file

from palimpsest.core.adapters import Adapters, LowRank, projections
from palimpsest.core.colours import Colours
from palimpsest.core.concept import Concept
from palimpsest.core.model import DiffusionModel
from palimpsest.errors import ConceptFileError
from palimpsest.models.families import published_widths
from palimpsest.storage.concept_card import Provenance
from palimpsest.storage.concepts import ConceptLibrary
from palimpsest.storage.embedding_file import METADATA_KEY, MOST_BYTES
from palimpsest.tasks.inversions import concept_hashes
from tiny import tiny_model
from tiny_edit import detailed, toy

LEARNED = Provenance("learned", "built-in", "abc", 150, 0)


@pytest.fixture
def library(tmp_path: Path) -> ConceptLibrary:
    return ConceptLibrary(tmp_path / "concepts", published_widths())


def assert_same(one: Concept, other: Concept) -> None:
    assert all(torch.equal(a, b) for a, b in zip(one.rows, other.rows, strict=True))
    assert one.adapters is not None
    assert other.adapters is not None
    assert sorted(one.adapters.parts) == sorted(other.adapters.parts)
    assert one.adapters.alpha == other.adapters.alpha
    assert all(torch.equal(a, b) for a, b in zip(one.adapters.tensors, other.adapters.tensors, strict=True))


def test_it_comes_back_whole(library: ConceptLibrary, model: DiffusionModel) -> None:
    concept = detailed(model)
    card = library.save(concept, LEARNED)
    assert_same(library.load("my-toy"), concept)
    assert (card.rank, card.vectors) == (2, 3)
    renamed = library.rename("my-toy", "old-toy")
    assert renamed.rows_hash == card.rows_hash
    assert_same(library.load("old-toy"), concept)
    assert library.damaged() == ()


def in_colours(model: DiffusionModel) -> Concept:
    return replace(detailed(model), kind="style", colours=Colours(torch.arange(4) / 3, torch.ones(4)))


def test_a_styles_colours_come_back_and_other_tools_files_have_no_tensor_of_them(
    library: ConceptLibrary, tmp_path: Path
) -> None:
    concept = in_colours(tiny_model("sd1"))
    plain = replace(concept, colours=None)
    library.save(concept, LEARNED)
    library.rename("my-toy", "old-toy")
    file = library.export_file("old-toy", tmp_path / "toy.safetensors")
    library.import_file(file, "again")
    assert concept.colours is not None
    for name in ("old-toy", "again"):
        colours = library.load(name).colours
        assert colours is not None
        assert torch.equal(colours.stacked, concept.colours.stacked)
    assert list(load(library.exported("old-toy", "embedding"))) == ["emb_params"]
    assert concept_hashes(concept) != concept_hashes(plain), "an edit's recipe names them"


@pytest.mark.parametrize(
    "wrong", ["red", [[1.0]], [[1.0], [1.0, 2.0]], [[1.0], ["2"]], [[], []], [[1.0] * 999] * 2, [[1.0], [1]]]
)
def test_colours_that_cannot_be_are_no_colours(
    library: ConceptLibrary, tmp_path: Path, wrong: object
) -> None:
    said = json.dumps({"kind": "style", "colours": wrong})
    save_file({"emb_params": torch.ones(2, 768)}, tmp_path / "odd.safetensors", {METADATA_KEY: said})
    library.import_file(tmp_path / "odd.safetensors", "odd")
    assert library.load("odd").colours is None


def test_its_hash_is_of_the_adapters_too(library: ConceptLibrary) -> None:
    model = tiny_model("sd1")
    cards = [
        library.save(replace(concept, placeholder=f"<toy-{number}>"), LEARNED)
        for number, concept in enumerate((toy(model), detailed(model), detailed(model, seed=9)))
    ]
    assert len({card.rows_hash for card in cards}) == 3
    assert [card.rank for card in cards] == [None, 2, 2]


def test_its_export_is_imported_whole(library: ConceptLibrary, model: DiffusionModel, tmp_path: Path) -> None:
    card = library.save(detailed(model), LEARNED)
    file = library.export_file("my-toy", tmp_path / "toy.safetensors")
    again = ConceptLibrary(tmp_path / "elsewhere", published_widths())
    taken = again.import_file(file)
    assert (taken.name, taken.rank, taken.rows_hash) == ("my-toy", 2, card.rows_hash)
    assert taken.provenance == LEARNED
    assert_same(again.load("my-toy"), detailed(model))


def test_the_embedding_alone_is_a_concept_without_detail(library: ConceptLibrary, tmp_path: Path) -> None:
    model = tiny_model("sd1")
    library.save(detailed(model), LEARNED)
    file = library.export_file("my-toy", tmp_path / "toy.safetensors", part="embedding")
    assert list(load_file(file)) == ["emb_params"], "as diffusers reads an embedding"
    taken = library.import_file(file, "again")
    assert taken.rank is None
    assert library.load("again").adapters is None


def test_diffusers_finds_every_projection_in_the_lora(library: ConceptLibrary, model: DiffusionModel) -> None:
    """By its own reader of LoRA files and its own way to name their tensors for a network."""
    concept = detailed(model)
    library.save(concept, LEARNED)
    mixin = StableDiffusionXLLoraLoaderMixin if model.family == "sdxl" else StableDiffusionLoraLoaderMixin
    read, alphas = mixin.lora_state_dict(load(library.exported("my-toy", "lora")))[:2]
    named = convert_unet_state_dict_to_peft(
        {key.removeprefix("unet."): tensor for key, tensor in read.items() if key.startswith("unet.")}
    )
    assert concept.adapters is not None
    assert len(named) == len(read) == 2 * len(concept.adapters.parts)
    assert alphas is not None
    assert set(alphas.values()) == {concept.adapters.alpha}
    paths = {path.replace(".", "_"): path for path, _ in model.network.module.named_modules()}
    for place in projections(model.network):
        part = concept.adapters.parts[place]
        assert torch.equal(named[f"{paths[place]}.lora_A.weight"], part.down)
        assert torch.equal(named[f"{paths[place]}.lora_B.weight"], part.up)


def test_what_has_no_adapters_has_no_lora(library: ConceptLibrary) -> None:
    library.save(toy(tiny_model("sd1")), LEARNED)
    with pytest.raises(ConceptFileError, match="learned without detail"):
        library.exported("my-toy", "lora")
    assert library.exported("my-toy", "embedding") == library.exported("my-toy")


def test_a_lora_without_a_word_is_refused(library: ConceptLibrary, tmp_path: Path) -> None:
    library.save(detailed(tiny_model("sd1")), LEARNED)
    file = library.export_file("my-toy", tmp_path / "lora.safetensors", part="lora")
    with pytest.raises(ConceptFileError, match="LoRA without a word") as caught:
        library.import_file(file)
    assert "Export the concept whole" in str(caught.value.hint)


def test_more_than_four_megabytes_of_adapters_are_no_whole_model(library: ConceptLibrary) -> None:
    """Those of a real network are larger than any embedding."""
    part = LowRank(torch.randn(8, 4096), torch.randn(4096, 8))
    adapters = Adapters({f"place_{number}": part for number in range(20)}, 8.0)
    library.save(replace(toy(tiny_model("sd1")), adapters=adapters), LEARNED)
    assert (library.folder / "my-toy.safetensors").stat().st_size > MOST_BYTES
    assert library.card("my-toy").rank == 8


STRANGE = {
    "half a pair": lambda tensors, key: tensors.pop(f"{key}.lora_up.weight"),
    "no strength": lambda tensors, key: tensors.pop(f"{key}.alpha"),
    "other ranks": lambda tensors, key: tensors.update(
        {f"{key}.lora_down.weight": torch.ones(3, 4), f"{key}.lora_up.weight": torch.ones(4, 3)}
    ),
    "a pair apart": lambda tensors, key: tensors.update({f"{key}.lora_up.weight": torch.ones(4, 5)}),
    "half precision": lambda tensors, key: tensors.update(
        {f"{key}.lora_up.weight": tensors[f"{key}.lora_up.weight"].half()}
    ),
    "other strengths": lambda tensors, key: tensors.update({f"{key}.alpha": torch.tensor(9.0)}),
    "no numbers": lambda tensors, key: tensors.update(
        {f"{key}.lora_up.weight": tensors[f"{key}.lora_up.weight"] * torch.nan}
    ),
    "another layer": lambda tensors, _: tensors.update({"lora_unet_conv_in.lora_mid.weight": torch.ones(1)}),
    "a name out of bounds": lambda tensors, _: tensors.update({"lora_unet_../x.alpha": torch.ones(())}),
}


@pytest.mark.parametrize("what", STRANGE)
def test_a_strangers_adapters_are_refused(what: str, library: ConceptLibrary, tmp_path: Path) -> None:
    library.save(detailed(tiny_model("sd1")), LEARNED)
    tensors = load(library.exported("my-toy"))
    key = next(name for name in tensors if name.endswith(".alpha")).removesuffix(".alpha")
    STRANGE[what](tensors, key)
    file = tmp_path / "strange.safetensors"
    save_file(tensors, file, metadata={METADATA_KEY: '{"name": "strange", "family": "sd1"}'})
    with pytest.raises(ConceptFileError, match=r"strange\.safetensors"):
        library.import_file(file)
    assert library.names() == ("my-toy",)
