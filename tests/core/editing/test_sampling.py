"""The sampling loop's identities, for every family: what must not change doesn't."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from palimpsest.core.attention.maps import WordMaps
from palimpsest.core.conditioning import Conditioning
from palimpsest.core.editing.sampling import sample
from palimpsest.core.model import DiffusionModel
from palimpsest.core.process import move, pairs
from palimpsest.core.steps import finish
from palimpsest.core.text.prompt import concepts_installed
from palimpsest_client.methods import METHODS
from tiny import tiny_model
from tiny_edit import GUIDANCE, NOTHING, SIZE, SOURCE, STEPS, Wish, fingerprint, inverted, photo, plan, toy

TARGETS = ("a photo of a dog on grass", "a photo of a <my-toy> on wet grass")


@pytest.mark.parametrize("method", ["ddim", "null-text", "null-text-fast"])
@pytest.mark.parametrize("wish", [Wish(weights={"cat": 1.0}), Wish(cross=1.0, self_attention=1.0)])
def test_identical_prompts_reproduce_the_source(model: DiffusionModel, method: str, wish: Wish) -> None:
    with concepts_installed(model, []) as vocabulary:
        source = vocabulary.parse(SOURCE)
        inversion = inverted(model, vocabulary, source, method, inner_steps=1)
        done = finish(sample(plan(model, vocabulary, inversion, source, [source, source], wish)))
    assert (done.latents - done.source).abs().max() < 1e-4


def plainly_sampled(model: DiffusionModel, z: Tensor, cond: Conditioning, null: Conditioning) -> Tensor:
    for t, t_prev in pairs(model.process, model.process.levels(STEPS)):
        with torch.no_grad():
            empty, text = model.predict(z.expand(2, -1, -1, -1), t, Conditioning.cat([null, cond])).chunk(2)
        z = move(model.process, z, empty + GUIDANCE * (text - empty), t, t_prev)
    return z


@pytest.mark.parametrize("method", ["ddim", "direct"])
def test_windows_of_nothing_are_plain_sampling_of_the_target(model: DiffusionModel, method: str) -> None:
    with concepts_installed(model, [toy(model)]) as vocabulary:
        source, targets = vocabulary.parse(SOURCE), [vocabulary.parse(t) for t in TARGETS]
        inversion = inverted(model, vocabulary, source, method)
        done = finish(sample(plan(model, vocabulary, inversion, source, targets, NOTHING)))
        for row, target in zip(done.latents, targets, strict=True):
            cond, null = vocabulary.encode([target], (64, 96)), vocabulary.null((64, 96))
            plain = plainly_sampled(model, inversion.before(0), cond, null)
            assert (row - plain[0]).abs().max() < 1e-4


def test_attention_control_changes_the_outcome(model: DiffusionModel) -> None:
    with concepts_installed(model, [toy(model)]) as vocabulary:
        source, target = vocabulary.parse(SOURCE), vocabulary.parse(TARGETS[1])
        inversion = inverted(model, vocabulary, source)
        free, held = (
            finish(sample(plan(model, vocabulary, inversion, source, [target], wish))).latents
            for wish in (NOTHING, Wish())
        )
    assert (free - held).abs().max() > 1e-3


def test_a_target_is_the_same_alone_and_among_others(model: DiffusionModel) -> None:
    with concepts_installed(model, [toy(model)]) as vocabulary:
        source, targets = vocabulary.parse(SOURCE), [vocabulary.parse(t) for t in TARGETS]
        inversion = inverted(model, vocabulary, source)
        both = finish(sample(plan(model, vocabulary, inversion, source, targets))).latents
        alone = [finish(sample(plan(model, vocabulary, inversion, source, [t]))).latents for t in targets]
    assert (both - torch.cat(alone)).abs().max() < 1e-4


@pytest.mark.parametrize("method", METHODS)
def test_outside_the_selection_the_latent_is_the_photos_exactly(model: DiffusionModel, method: str) -> None:
    mask = torch.zeros(1, 1, *SIZE)
    mask[..., 2:7, 1:5] = 1
    with concepts_installed(model, [toy(model)]) as vocabulary:
        source, targets = vocabulary.parse(SOURCE), [vocabulary.parse(t) for t in TARGETS]
        inversion = inverted(model, vocabulary, source, method, inner_steps=1)
        done = finish(sample(plan(model, vocabulary, inversion, source, targets, mask=mask)))
    difference = (done.latents - photo()).abs()
    outside = mask.expand_as(difference) == 0
    assert difference[outside].max() == 0
    assert difference[~outside].max() > 0


def test_direct_inversion_gives_the_photo_back_exactly(model: DiffusionModel) -> None:
    with concepts_installed(model, [toy(model)]) as vocabulary:
        source = vocabulary.parse(SOURCE)
        inversion = inverted(model, vocabulary, source)
        done = finish(sample(plan(model, vocabulary, inversion, source, [vocabulary.parse(TARGETS[0])])))
    assert torch.equal(done.source, photo())


@pytest.mark.parametrize(
    ("method", "wish", "targets", "per_step"),
    [
        ("direct", Wish(cross=1.0), 1, 3),  # target with and without text, source
        ("direct", Wish(cross=1.0), 2, 5),
        ("direct", NOTHING, 1, 2),  # nothing is asked of the source
        ("ddim", Wish(cross=1.0), 1, 4),
        ("null-text", NOTHING, 2, 4),
        ("null-text", Wish(cross=1.0), 1, 3),
    ],
)
def test_evaluations_are_as_few_as_promised(method: str, wish: Wish, targets: int, per_step: int) -> None:
    model = tiny_model("sd1")
    with concepts_installed(model, [toy(model)]) as vocabulary:
        source = vocabulary.parse(SOURCE)
        inversion = inverted(model, vocabulary, source, method, inner_steps=1)
        prompts = [vocabulary.parse(t) for t in TARGETS[:targets]]
        done = finish(sample(plan(model, vocabulary, inversion, source, prompts, wish)))
    assert done.evaluations == per_step * STEPS


def test_without_guidance_no_empty_prompt_is_evaluated() -> None:
    model = tiny_model("sd1")
    with concepts_installed(model, []) as vocabulary:
        source = vocabulary.parse(SOURCE)
        inversion = inverted(model, vocabulary, source)
        made = plan(model, vocabulary, inversion, source, [vocabulary.parse("a dog")], NOTHING)
        assert finish(sample(replace(made, guidance=1.0))).evaluations == STEPS


def test_a_photo_whose_path_is_stored_comes_out_at_its_end_without_being_sampled() -> None:
    model = tiny_model("sd1")
    with concepts_installed(model, []) as vocabulary:
        source = vocabulary.parse(SOURCE)
        inversion = inverted(model, vocabulary, source, "null-text", inner_steps=1)
        done = finish(sample(plan(model, vocabulary, inversion, source, [source], NOTHING)))
        sampled = replace(inversion, path=None, method="ddim")
        again = finish(sample(plan(model, vocabulary, sampled, source, [source], NOTHING)))
    assert inversion.path is not None
    assert torch.equal(done.source, inversion.path[0])
    assert (done.source - again.source).abs().max() < 1e-4, "it is where the branch would go"
    assert (done.source - photo()).abs().max() > 1e-4, "which is near the photo, not on it"


def test_the_nulls_of_null_text_inversion_are_used_by_the_targets() -> None:
    model = tiny_model("sd1")
    with concepts_installed(model, []) as vocabulary:
        source = vocabulary.parse(SOURCE)
        inversion = inverted(model, vocabulary, source, "null-text", inner_steps=2)
        assert inversion.nulls is not None
        other = replace(inversion, nulls=inversion.nulls + 0.5)
        dog = [vocabulary.parse("a dog")]
        one, two = (finish(sample(plan(model, vocabulary, i, source, dog))) for i in (inversion, other))
    assert (one.latents - two.latents).abs().max() > 1e-4


def test_words_maps_are_read_on_the_way(model: DiffusionModel) -> None:
    with concepts_installed(model, []) as vocabulary:
        source = vocabulary.parse(SOURCE)
        inversion, dog = inverted(model, vocabulary, source), vocabulary.parse("a dog")
        made = plan(model, vocabulary, inversion, source, [dog])
        done = finish(sample(made, WordMaps(source, ["cat", "grass"], made.control.levels.map_size)))
    assert set(done.maps) == {"cat", "grass"}
    for found in done.maps.values():
        assert found.shape == SIZE
        assert (found.min(), found.max()) == (0, 1)


def test_every_step_is_told_with_a_preview() -> None:
    model = tiny_model("sd1")
    with concepts_installed(model, [toy(model)]) as vocabulary:
        source, targets = vocabulary.parse(SOURCE), [vocabulary.parse(t) for t in TARGETS]
        inversion = inverted(model, vocabulary, source)
        steps = list(sample(plan(model, vocabulary, inversion, source, targets)))
    assert [(s.phase, s.index, s.total) for s in steps] == [("edit", i + 1, STEPS) for i in range(STEPS)]
    assert all(s.z0 is not None and s.z0.shape == (2, 4, *SIZE) for s in steps)


def test_a_preview_shows_the_photo_outside_the_selection() -> None:
    model, mask = tiny_model("sd1"), torch.zeros(1, 1, *SIZE)
    mask[..., 2:7, 1:5] = 1
    with concepts_installed(model, [toy(model)]) as vocabulary:
        source, targets = vocabulary.parse(SOURCE), [vocabulary.parse(t) for t in TARGETS]
        inversion = inverted(model, vocabulary, source)
        steps = list(sample(plan(model, vocabulary, inversion, source, targets, mask=mask)))
    for step in steps:
        assert step.z0 is not None
        difference = (step.z0 - photo()).abs()
        assert difference[mask.expand_as(difference) == 0].max() == 0
        assert difference[mask.expand_as(difference) > 0].max() > 0


def test_guidance_does_not_widen_what_a_preview_shows() -> None:
    model = tiny_model("sd1")
    with concepts_installed(model, [toy(model)]) as vocabulary:
        source, target = vocabulary.parse(SOURCE), vocabulary.parse(TARGETS[1])
        made = plan(model, vocabulary, inverted(model, vocabulary, source), source, [target], NOTHING)
        plain, guided = (next(sample(replace(made, guidance=guidance))).z0 for guidance in (1.0, 20.0))
    assert plain is not None
    assert guided is not None
    assert guided.std().item() == pytest.approx(plain.std().item(), rel=1e-5)
    assert (guided - plain).abs().max() > 1e-3


def test_the_same_seed_gives_the_same_bytes_in_a_new_process() -> None:
    tests = Path(__file__).parents[2]
    paths = [str(tests.parent / "backend"), str(tests)]
    program = (
        f"import sys; sys.path[:0] = {paths!r}\n"
        "import torch; torch.set_num_threads(1)\n"
        "from tiny_edit import fingerprint; print(fingerprint())"
    )
    there = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == fingerprint()
