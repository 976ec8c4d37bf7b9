"""Exported concepts are read by diffusers itself, as numbers and as meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from safetensors.torch import load_file

from palimpsest.core.concept import Concept
from palimpsest.core.model import DiffusionModel
from palimpsest.core.text.prompt import concepts_installed
from palimpsest.models.families import published_widths
from palimpsest.storage.concept_card import Provenance
from palimpsest.storage.concepts import ConceptLibrary
from tiny import tiny_model

TEXT = "a photo of a <my-toy> on grass"

SCHEDULER: Any = DDIMScheduler()  # one that pipelines take, though it isn't declared


def exported(model: DiffusionModel, vectors: int, folder: Path) -> tuple[Concept, Path]:
    generator = torch.Generator().manual_seed(vectors)
    rows = tuple(torch.randn(vectors, part.width, generator=generator) * 0.02 for part in model.text)
    concept = Concept("<my-toy>", rows, model.family, noun="toy")
    library = ConceptLibrary(folder / "library", published_widths())
    library.save(concept, Provenance())
    return concept, library.export_file("my-toy", folder / "my-toy.safetensors")


@pytest.mark.parametrize("vectors", [1, 3])
@pytest.mark.parametrize("family", ["sd1", "sd2"])
def test_stable_diffusion_pipelines_load_our_file(tmp_path: Path, family: str, vectors: int) -> None:
    model = tiny_model(family)
    concept, file = exported(model, vectors, tmp_path)
    with concepts_installed(model, [concept]) as vocabulary:
        ours = vocabulary.encode([vocabulary.parse(TEXT)]).context
    part = model.text[0]
    nothing: Any = None  # allowed, though it isn't declared
    pipeline = StableDiffusionPipeline(
        model.vae, part.encoder, part.tokenizer, model.network.module, SCHEDULER, nothing, nothing,
        requires_safety_checker=False,
    )  # fmt: skip
    pipeline.load_textual_inversion(str(file), token="<my-toy>")
    ids = part.tokenizer.convert_tokens_to_ids(["<my-toy>", *(f"<my-toy>_{i}" for i in range(1, vectors))])
    table = part.encoder.get_input_embeddings().weight
    assert torch.equal(table[torch.tensor(ids)], concept.rows[0])
    theirs, _ = pipeline.encode_prompt(TEXT, torch.device("cpu"), 1, False)
    assert torch.allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("vectors", [1, 2])
def test_the_sdxl_pipeline_loads_our_file_into_both_encoders(tmp_path: Path, vectors: int) -> None:
    model = tiny_model("sdxl")
    concept, file = exported(model, vectors, tmp_path)
    with concepts_installed(model, [concept]) as vocabulary:
        ours = vocabulary.encode([vocabulary.parse(TEXT)])
    first, second = model.text
    pipeline = StableDiffusionXLPipeline(
        model.vae, first.encoder, second.encoder, first.tokenizer, second.tokenizer, model.network.module,
        SCHEDULER, add_watermarker=False,
    )  # fmt: skip
    tensors = load_file(file)
    for key, part, rows in zip(("clip_l", "clip_g"), model.text, concept.rows, strict=True):
        assert torch.equal(tensors[key], rows)
        pipeline.load_textual_inversion(
            {"rows": tensors[key]}, token="<my-toy>", text_encoder=part.encoder, tokenizer=part.tokenizer
        )
    on = torch.device("cpu")
    theirs, _, _, _ = pipeline.encode_prompt(TEXT, device=on, do_classifier_free_guidance=False)
    assert torch.allclose(ours.context, theirs, atol=1e-5)
