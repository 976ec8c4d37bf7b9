"""What edits take from the photo's attention is what DDIM inversion saw, kept or looked at again."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from palimpsest.core.attention.record import Layers, Record, look
from palimpsest.core.editing.edit import Options, edit
from palimpsest.core.editing.sampling import sample
from palimpsest.core.inversion import InvertSettings, invert
from palimpsest.core.model import DiffusionModel
from palimpsest.core.steps import finish
from palimpsest.core.text.prompt import concepts_installed
from tiny import tiny_model
from tiny_edit import GUIDANCE, SIZE, SOURCE, STEPS, Wish, detailed, inverted, photo, plan

TARGET = "a photo of a <my-toy> on grass"
WITHOUT = 2 * STEPS  # evaluations: the target with words and without


def layers(numbers: int) -> Layers:
    """8 bytes for each number."""
    return ((torch.zeros(1, 1, numbers, 1), torch.zeros(1, 1, numbers, 1)),)


def test_a_record_keeps_the_noisiest_levels_within_its_limit() -> None:
    record = Record(limit=24)
    for level in (1, 5, 3):
        record.keep(level, layers(1))
    assert record.size == 24
    record.keep(9, layers(2))  # the two cleanest go
    assert [level for level in (1, 3, 5, 9) if record.get(level) is not None] == [5, 9]
    record.keep(2, layers(1))  # cleaner than all there are
    record.keep(7, layers(4))  # larger than the limit
    assert record.get(2) is record.get(7) is None
    assert record.size <= 24


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
    kept, small, empty = Record(), Record(), Record()
    hot, hot_cost = edited(model, kept, kept)
    small.limit = kept.size // 2
    part, part_cost = edited(model, small, small)
    alone, alone_cost = edited(model, None, empty)
    again, again_cost = edited(model, None, empty)
    assert torch.equal(hot, part)
    assert torch.equal(hot, alone)
    assert torch.equal(hot, again)
    assert (hot_cost, alone_cost, again_cost) == (WITHOUT, WITHOUT + STEPS, WITHOUT)
    assert WITHOUT < part_cost < WITHOUT + STEPS


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
        made = replace(plan(model, vocabulary, inversion, source, [target], wish), record=Record())
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
