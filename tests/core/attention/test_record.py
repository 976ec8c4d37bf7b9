"""What edits take from the photo's attention is what DDIM inversion saw, kept or looked at again."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from palimpsest.core.attention.record import Record, look, recorded_levels
from palimpsest.core.editing import edit as editing
from palimpsest.core.editing.edit import Options, edit
from palimpsest.core.editing.sampling import sample
from palimpsest.core.inversion import InvertSettings, ddim, invert
from palimpsest.core.model import DiffusionModel
from palimpsest.core.steps import finish
from palimpsest.core.text.prompt import concepts_installed
from tiny import tiny_model
from tiny_edit import GUIDANCE, SIZE, SOURCE, STEPS, Wish, detailed, inverted, photo, plan

TARGET = "a photo of a <my-toy> on grass"
WITHOUT = 2 * STEPS  # evaluations: the target with words and without


def test_the_noisiest_levels_are_recorded_as_far_as_there_is_room(model: DiffusionModel) -> None:
    """By the size that a level really has."""
    with concepts_installed(model, []) as vocabulary:
        cond, record = vocabulary.encode([vocabulary.parse(SOURCE)], (64, 96)), Record()
        levels, tokens = model.process.levels(STEPS), cond.context.shape[1]
        with torch.no_grad():
            record.keep(levels[0], look(model, photo(), levels[0], cond)[1])
    for room, most in ((2.0, 2), (1.99, 1), (0.5, 0), (100.0, STEPS)):
        limit = int(room * record.size)
        assert recorded_levels(model.network, SIZE, tokens, levels, limit) == set(levels[:most])


def test_to_look_changes_nothing_of_what_is_predicted(model: DiffusionModel) -> None:
    with concepts_installed(model, []) as vocabulary:
        cond = vocabulary.encode([vocabulary.parse(SOURCE)], (64, 96))
        level = model.process.levels(STEPS)[0]
        with torch.no_grad():
            plain = model.predict(photo(), level, cond)
            predicted, seen = look(model, photo(), level, cond)
    assert torch.equal(plain, predicted)
    assert len(seen) == len(model.network.sites)
    assert all(q.shape[0] == k.shape[0] == 1 and q.shape[-1] == k.shape[-1] for q, k in seen)


def edited(model: DiffusionModel, recorded: Record | None, record: Record | None) -> tuple[Tensor, int]:
    """The edit's latents and its evaluations. ``recorded`` is the inversion's, ``record`` the edit's."""
    mask = torch.zeros(1, 1, *SIZE)
    mask[..., 2:6, 3:9] = 1
    with concepts_installed(model, [detailed(model)]) as vocabulary:
        source, target = vocabulary.parse(SOURCE), vocabulary.parse(TARGET)
        settings = InvertSettings("direct", STEPS, GUIDANCE)
        inversion = finish(invert(model, vocabulary, photo(), source, settings, record=recorded))
        asked = Options(cross=1.0, self_attention=1.0)
        made = edit(model, vocabulary, inversion, source, [target], "replace", asked, mask, record=record)
        done = finish(made)
    return done.latents, done.evaluations


def test_recorded_or_looked_at_again_the_bytes_are_the_same(model: DiffusionModel) -> None:
    """With a word whose adapters have to be silent meanwhile."""
    kept, empty = Record(), Record()
    hot, hot_cost = edited(model, kept, kept)
    cold, cold_cost = edited(model, None, empty)
    again, again_cost = edited(model, None, empty)
    assert torch.equal(hot, cold)
    assert torch.equal(hot, again)
    assert (hot_cost, cold_cost, again_cost) == (WITHOUT, WITHOUT + STEPS, WITHOUT)


@pytest.mark.parametrize("most", [0, 1, STEPS])
def test_what_there_is_no_room_for_is_in_the_batch(
    model: DiffusionModel, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same pivot: it comes to the same but for rounding, and a hot edit is a cold one to the bit."""
    whole = Record()
    all_recorded, _ = edited(model, whole, whole)
    for module in (ddim, editing):
        monkeypatch.setattr(module, "recorded_levels", lambda *shapes: frozenset(shapes[3][:most]))
    kept = Record()
    hot, hot_cost = edited(model, kept, kept)
    cold, cold_cost = edited(model, None, Record())
    assert kept.size == most * whole.size // STEPS
    assert torch.equal(hot, cold)
    assert (hot - all_recorded).abs().max() < 1e-4
    assert (hot_cost, cold_cost) == (WITHOUT + STEPS - most, WITHOUT + STEPS)


def test_recorded_is_as_in_the_batch(model: DiffusionModel) -> None:
    """Put in the batch where DDIM inversion has evaluated it, one pivot cleaner, the source gives the same to
    1e-5."""
    with concepts_installed(model, []) as vocabulary:
        source, target = vocabulary.parse(SOURCE), vocabulary.parse("a photo of a dog on wet grass")
        inversion = inverted(model, vocabulary, source)
        z = inversion.latents
        cleaner = replace(inversion, path=torch.cat([z[:1], z[:-1]]))
        wish = Wish(cross=1.0, self_attention=1.0)
        batched = finish(sample(plan(model, vocabulary, cleaner, source, [target], wish)))
        made = replace(
            plan(model, vocabulary, inversion, source, [target], wish),
            record=Record(),
            recorded=frozenset(inversion.levels),
        )
        recorded = finish(sample(made))
        free = finish(sample(plan(model, vocabulary, inversion, source, [target], Wish(0.0, {}, 0.0))))
    assert (batched.latents - recorded.latents).abs().max() < 1e-5
    assert (free.latents - recorded.latents).abs().max() > 1e-3


@pytest.mark.parametrize("method", ["ddim", "null-text"])
def test_of_other_methods_nothing_is_recorded(method: str) -> None:
    """Their photo's branch doesn't go along the pivots."""
    model, record = tiny_model("sd1"), Record()
    with concepts_installed(model, []) as vocabulary:
        source = vocabulary.parse(SOURCE)
        inversion = finish(
            invert(model, vocabulary, photo(), source, InvertSettings(method, 2, GUIDANCE), record=record)
        )
        finish(
            edit(model, vocabulary, inversion, source, [vocabulary.parse("a dog")], "replace", record=record)
        )
    assert record.size == 0
