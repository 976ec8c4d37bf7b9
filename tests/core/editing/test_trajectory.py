"""An edit that begins like the last one goes on from where they part, and ends as if it had begun anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from palimpsest.core.attention.blend import BlendSettings
from palimpsest.core.attention.record import Record
from palimpsest.core.editing.edit import Options, edit
from palimpsest.core.editing.sampling import Edited
from palimpsest.core.editing.trajectory import Reached, Trajectory, alike
from palimpsest.core.model import DiffusionModel
from palimpsest.core.steps import finish
from palimpsest.core.text.prompt import concepts_installed
from tiny import tiny_model
from tiny_edit import SIZE, SOURCE, STEPS, detailed, inverted

TARGET = "a photo of a <my-toy> on grass"
USUAL = {"cross": (0.0, 1.0), "self_attention": (0.0, 0.5)}
CHANGES: dict[str, tuple[dict[str, Any], int]] = {
    "nothing": ({}, 0),
    "structure, late": ({"cross": (0.0, 0.75)}, 1),
    "self-attention, halfway": ({"self_attention": (0.0, 0.75)}, 2),
    "structure, from the second step": ({"cross": (0.0, 0.25)}, 3),
    "a word's factor": ({"weights": {"grass": 2.0}}, STEPS),
    "a word's window": ({"cross_words": {"grass": (0.0, 0.5)}}, 2),
    "seed": ({"seed": 1}, STEPS),
    "guidance": ({"guidance": 2.0}, STEPS),
    "variations": ({"variations": 2}, 2 * STEPS),
    "other attention at every step": ({"recipe": {"self_limit": 0.01}}, STEPS),
    "a selection blind to itself, late": ({"recipe": {"key_mask": (0.5, 1.0)}}, 2),
}


LATE = BlendSettings(start=0.5)
READ: dict[str, dict[str, Any]] = {
    "words' maps": {"maps": ("cat", "grass")},
    "LocalBlend": {"selected": False},
    "LocalBlend, protecting a word": {"selected": False, "blend_exclude": ("grass",)},
    "LocalBlend and words' maps": {"selected": False, "maps": ("cat",)},
}


def made(
    model: DiffusionModel,
    target: str = TARGET,
    operation: str = "replace",
    before: Trajectory | None = None,
    grown: int = 0,
    shows: str = SOURCE,
    learned: int = 7,
    beside: bool = False,
    selected: bool = True,
    **options: Any,
) -> Edited:
    """``learned``: the seed of the word's adapters; ``beside``: something stands there that must stay."""
    mask, things = torch.zeros(1, 1, *SIZE), torch.zeros(1, 1, *SIZE)
    mask[..., 2 : 6 + grown, 3:9] = 1
    things[..., 2:6, 10:] = 1
    with concepts_installed(model, [detailed(model, seed=learned)]) as vocabulary:
        source = vocabulary.parse(shows)
        inversion, record = inverted(model, vocabulary, source), Record()
        given = model, vocabulary, inversion, source
        finish(edit(*given, [source], "reweight", Options(cross=1.0), record=record))  # all levels recorded
        prompt, chosen = vocabulary.parse(target), Options(**{**USUAL, **options})
        staying = things if beside else None
        selection = mask if selected else None
        run = edit(*given, [prompt], operation, chosen, selection, None, staying, record, before)
        return finish(run)


def test_its_size_is_of_all_that_its_tensors_hold() -> None:
    begun, step, latents, maps = (torch.zeros(length) for length in (1, 10, 100, 1000))
    reached = (Reached(latents, ((maps, 2), (None, 0))),)
    kept = Trajectory((begun, "weights", (None, 0.5)), ((step,), (step[:5],)), reached)
    assert kept.size == 4 * 1111


@pytest.mark.parametrize("change", CHANGES)
def test_only_the_steps_that_differ_are_taken_and_the_bytes_are_the_same(change: str) -> None:
    """Each step of a target is two evaluations."""
    model = tiny_model("sd1")
    options, steps = CHANGES[change]
    last = made(model)
    again, anew = made(model, before=last.trajectory, **options), made(model, **options)
    assert torch.equal(again.latents, anew.latents)
    assert again.evaluations == 2 * steps
    assert change == "nothing" or not torch.equal(again.latents[:1], last.latents)


@pytest.mark.parametrize("read", ["nothing", "LocalBlend"])
def test_for_every_family(read: str, model: DiffusionModel) -> None:
    usual = READ.get(read, {})
    last = made(model, **usual)
    again = made(model, before=last.trajectory, cross=(0.0, 0.75), **usual)
    assert again.evaluations == 2
    assert torch.equal(again.latents, made(model, cross=(0.0, 0.75), **usual).latents)


@pytest.mark.parametrize(
    "other",
    [
        {"target": "a photo of a dog on grass"},
        {"shows": "a photo of a dog on grass"},
        {"operation": "reweight"},
        {"grown": 1},
        {"learned": 8},
        {"beside": True, "recipe": {"key_mask": (0.0, 1.0)}},
    ],
)
def test_of_other_words_another_operation_or_selection_nothing_is_taken_over(other: dict[str, Any]) -> None:
    model = tiny_model("sd1")
    again = made(model, before=made(model).trajectory, **other)
    assert again.evaluations == 2 * STEPS
    assert torch.equal(again.latents, made(model, **other).latents)


@pytest.mark.parametrize("read", READ)
@pytest.mark.parametrize("change", ["nothing", "structure, late", "self-attention, halfway", "variations"])
def test_where_maps_are_added_up_their_sums_go_on(read: str, change: str) -> None:
    model, (options, steps) = tiny_model("sd1"), CHANGES[change]
    last = made(model, **READ[read])
    again = made(model, before=last.trajectory, **READ[read], **options)
    anew = made(model, **READ[read], **options)
    assert torch.equal(again.latents, anew.latents)
    assert list(again.maps) == list(READ[read].get("maps", ()))
    assert all(torch.equal(again.maps[word], anew.maps[word]) for word in anew.maps)
    assert (again.evaluations, anew.evaluations) == (2 * steps, 2 * len(anew.latents) * STEPS)


def test_a_third_edit_goes_on_from_the_sums_that_the_second_one_went_on_from() -> None:
    model, blend = tiny_model("sd1"), READ["LocalBlend"]
    second = made(model, before=made(model, **blend).trajectory, cross=(0.0, 0.5), **blend)
    third = made(model, before=second.trajectory, cross=(0.0, 0.25), **blend)
    assert third.evaluations == 2 * 3
    assert torch.equal(third.latents, made(model, cross=(0.0, 0.25), **blend).latents)


def test_the_threshold_of_localblend_acts_from_where_it_blends() -> None:
    model, other = tiny_model("sd1"), replace(LATE, threshold=1.0)
    last = made(model, selected=False, blend_settings=LATE)
    again = made(model, selected=False, blend_settings=other, before=last.trajectory)
    assert again.evaluations == 2 * 2
    assert torch.equal(again.latents, made(model, selected=False, blend_settings=other).latents)
    assert not torch.equal(again.latents, last.latents)


@pytest.mark.parametrize("read", [*READ, "nothing"])
def test_of_an_edit_that_reads_other_maps_nothing_is_taken_over(read: str) -> None:
    model, others = tiny_model("sd1"), {**READ, "nothing": {}}
    last = made(model, **others[read])
    for other, options in others.items():
        if other != read:
            assert made(model, before=last.trajectory, **options).evaluations == 2 * STEPS


def test_what_must_stay_beside_the_selection_is_a_fact_too() -> None:
    model, blind = tiny_model("sd1"), {"key_mask": (0.0, 1.0)}
    last = made(model, recipe=blind)
    assert made(model, before=last.trajectory, recipe=blind).evaluations == 0
    again = made(model, before=last.trajectory, beside=True, recipe=blind)
    assert again.evaluations == 2 * STEPS
    assert torch.equal(again.latents, made(model, beside=True, recipe=blind).latents)


def test_alike_is_to_the_last_bit() -> None:
    one = (torch.zeros(2), "a", None, (1, torch.ones(1)))
    assert alike(one, (torch.zeros(2), "a", None, (1, torch.ones(1))))
    assert not alike(one, (torch.zeros(2), "a", None, (1, torch.ones(1) + 1e-7)))
    assert not alike(one, (torch.zeros(2), "a", None, (1, None)))
    assert not alike(one, (torch.zeros(2), "a", None, (1.0, torch.ones(1))))
    assert not alike(one, one[:3])
    assert not alike(torch.zeros(2), torch.zeros(2).double())
