"""An edit that begins like the last one goes on from where they part, and ends as if it had begun anew."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from palimpsest.core.attention.record import Record
from palimpsest.core.editing.edit import Options, edit
from palimpsest.core.editing.sampling import Edited
from palimpsest.core.editing.trajectory import Trajectory, alike
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


def made(
    model: DiffusionModel,
    target: str = TARGET,
    operation: str = "replace",
    before: Trajectory | None = None,
    grown: int = 0,
    shows: str = SOURCE,
    learned: int = 7,
    beside: bool = False,
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
        run = edit(*given, [prompt], operation, chosen, mask, None, staying, record, before)
        return finish(run)


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


def test_for_every_family(model: DiffusionModel) -> None:
    last = made(model)
    again = made(model, before=last.trajectory, cross=(0.0, 0.75))
    assert again.evaluations == 2
    assert torch.equal(again.latents, made(model, cross=(0.0, 0.75)).latents)


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


def test_what_adds_up_maps_on_the_way_is_taken_whole() -> None:
    """Their sums are not kept."""
    model = tiny_model("sd1")
    last = made(model, maps=("cat",))
    assert last.trajectory is None
    again = made(model, before=made(model).trajectory, maps=("cat",))
    assert again.evaluations == last.evaluations == 2 * STEPS
    assert torch.equal(again.maps["cat"], last.maps["cat"])


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
