"""Adapters act on the rows they are meant for, to the last bit on no other, and leave nothing behind."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from palimpsest.core.adapters import Adaptation, Adapters, LowRank, adapted, first_adapters, projections
from palimpsest.core.concept import Concept
from palimpsest.core.conditioning import Conditioning
from palimpsest.core.editing.draw import draw, start_noise
from palimpsest.core.editing.edit import Options, edit
from palimpsest.core.model import DiffusionModel
from palimpsest.core.steps import finish
from palimpsest.core.text.prompt import concepts_installed
from palimpsest.errors import ConceptIncompatibleError
from tiny import tiny_model
from tiny_edit import SIZE, adapters, detailed, inverted, photo, toy

SOURCE, TARGET = "a photo of a cat on grass", "a photo of a <my-toy> on grass"


def conditioning(model: DiffusionModel, batch: int) -> Conditioning:
    with concepts_installed(model, []) as vocabulary:
        return vocabulary.encode([vocabulary.parse(SOURCE)] * batch)


@torch.no_grad()
def look(model: DiffusionModel, batch: int = 3) -> Tensor:
    z = torch.cat([photo(seed=i) for i in range(batch)])
    return model.predict(z, 500, conditioning(model, batch))


def test_only_the_chosen_rows_change(model: DiffusionModel) -> None:
    before = look(model)
    with adapted(model.network, Adaptation([adapters(model)])) as adaptation:
        assert torch.equal(look(model), before), "none are chosen yet"
        adaptation.begin([(1,)])
        some = look(model)
        adaptation.begin([(0, 1, 2)])
        everywhere = look(model)
    assert torch.equal(some[[0, 2]], before[[0, 2]])
    assert (some[1] - before[1]).abs().max() > 1e-3
    assert (everywhere - some)[[0, 2]].abs().max() > 1e-3
    assert (everywhere[1] - some[1]).abs().max() < 1e-5


def interrupted(model: DiffusionModel) -> None:
    with adapted(model.network, Adaptation([adapters(model)])) as adaptation:
        adaptation.begin([(0, 1, 2)])
        look(model)
        raise KeyboardInterrupt


def test_the_network_is_afterwards_as_it_was(model: DiffusionModel) -> None:
    before, weights = look(model), {k: v.clone() for k, v in model.network.module.state_dict().items()}
    with pytest.raises(KeyboardInterrupt):
        interrupted(model)
    assert torch.equal(look(model), before)
    assert not any(module._forward_hooks for module in model.network.module.modules())
    after = model.network.module.state_dict()
    assert list(after) == list(weights)
    assert all(torch.equal(after[name], weight) for name, weight in weights.items())


def test_they_are_the_update_of_the_weights_that_the_paper_writes(model: DiffusionModel) -> None:
    chosen = replace(adapters(model), alpha=3.0)
    with adapted(model.network, Adaptation([chosen])) as adaptation:
        adaptation.begin([(0, 1, 2)])
        ours = look(model)
    places = projections(model.network)
    with torch.no_grad():
        for place, part in chosen.parts.items():
            places[place].weight += 3.0 / 2 * part.up @ part.down
    assert (look(model) - ours).abs().max() < 1e-4


def test_several_sets_add_up(model: DiffusionModel) -> None:
    one, two = adapters(model, 7), adapters(model, 8)
    places = zip(one.parts.items(), two.parts.values(), strict=True)
    summed = Adapters(
        {
            name: LowRank(torch.cat([a.down, b.down]), torch.cat([a.up, b.up], dim=1))
            for (name, a), b in places
        },
        alpha=2 * one.alpha,
    )
    with adapted(model.network, Adaptation([one, two])) as adaptation:
        adaptation.begin([(1, 2), (2,)])
        both = look(model)
    with adapted(model.network, Adaptation([one, summed])) as adaptation:
        adaptation.begin([(1,), (2,)])
        assert (look(model) - both).abs().max() < 1e-4


def test_new_ones_change_nothing_and_every_part_gets_a_gradient(model: DiffusionModel) -> None:
    before = look(model)
    first = first_adapters(model.network, 4, "all", seed=1)
    assert all(part.down.shape[0] == part.up.shape[1] == 4 for part in first.parts.values())
    assert len(first.parts) == 4 * len(model.network.module.attn_processors)
    learned = first.with_tensors([t.clone().requires_grad_() for t in adapters(model).tensors])
    with adapted(model.network, Adaptation([first])) as adaptation:
        adaptation.begin([(0, 1, 2)])
        assert torch.equal(look(model), before)
    with torch.enable_grad(), adapted(model.network, Adaptation([learned])) as adaptation:
        adaptation.begin([(0,)])
        model.predict(photo(), 500, conditioning(model, 1)).square().sum().backward()
    assert all(t.grad is not None and t.grad.abs().max() > 0 for t in learned.tensors)
    assert all(weight.grad is None for weight in model.network.module.parameters())


def test_those_of_the_words_reading_are_key_and_value_of_cross_attention() -> None:
    unet = tiny_model("sd1").network
    found = projections(unet, "cross")
    assert len(found) == 2 * sum("attn2" in name for name in unet.module.attn_processors)
    assert all(name.endswith(("attn2_to_k", "attn2_to_v")) for name in found)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_they_follow_the_networks_precision(dtype: torch.dtype) -> None:
    model = tiny_model("sd1")
    model.network.module.to(dtype)
    before = look(model)
    with adapted(model.network, Adaptation([adapters(model)])) as adaptation:
        adaptation.begin([(1,)])
        after = look(model)
    assert torch.equal(after[[0, 2]], before[[0, 2]])
    assert not torch.equal(after[1], before[1])


@pytest.mark.parametrize("method", ["ddim", "null-text", "direct"])
def test_an_edit_has_them_in_its_targets_and_never_in_the_photo(model: DiffusionModel, method: str) -> None:
    selection = torch.zeros(1, 1, *SIZE)
    selection[..., 2:6, 3:9] = 1
    outcome = []
    for concept in (toy(model), detailed(model)):
        with concepts_installed(model, [concept]) as vocabulary:
            source = vocabulary.parse(SOURCE)
            targets = [vocabulary.parse(text) for text in (TARGET, "a photo of a dog on grass")]
            inversion = inverted(model, vocabulary, source, method)
            chosen = Options(maps=("cat",))
            steps = edit(model, vocabulary, inversion, source, targets, "replace", chosen, selection)
            outcome.append((inversion, finish(steps)))
    (inversion, plain), (again, done) = outcome
    assert torch.equal(inversion.latents, again.latents)
    assert torch.equal(done.source, plain.source)
    assert torch.equal(done.maps["cat"], plain.maps["cat"])
    assert torch.equal(done.latents[1], plain.latents[1]), "a target that doesn't name it"
    assert (done.latents[0] - plain.latents[0]).abs().max() > 1e-3
    outside = (selection == 0).expand_as(done.source)
    assert torch.equal(done.latents[:1][outside], plain.latents[:1][outside])


def test_a_picture_has_them_where_its_word_is_written(model: DiffusionModel) -> None:
    noise = start_noise(model, 0)

    def drawn(concept_detailed: bool, text: str) -> Tensor:
        concept = detailed(model) if concept_detailed else toy(model)
        with concepts_installed(model, [concept]) as vocabulary:
            return finish(draw(model, vocabulary, [vocabulary.parse(text)], noise, 3.0, 2))

    assert torch.equal(drawn(True, SOURCE), drawn(False, SOURCE))
    assert (drawn(True, TARGET) - drawn(False, TARGET)).abs().max() > 1e-3


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[list[tuple[int, ...]]]:
    """The rows that the adapters of a subject and of a style are begun with."""
    rows: list[list[tuple[int, ...]]] = []
    monkeypatch.setattr(Adaptation, "begin", lambda _, some: rows.append([tuple(each) for each in some]))
    return rows


def both_kinds(model: DiffusionModel) -> list[Concept]:
    return [detailed(model), replace(detailed(model), placeholder="<ink>", kind="style")]


PROMPTS = [TARGET, "a photo of <ink> on grass", SOURCE]


def test_drawn_a_subject_has_them_without_words_too_and_a_style_only_with_them(
    model: DiffusionModel, begun: list[list[tuple[int, ...]]]
) -> None:
    """Rows 0 to 2 are the prompts without words, 3 to 5 with them."""
    with concepts_installed(model, both_kinds(model)) as vocabulary:
        noise = start_noise(model, 0).expand(3, -1, -1, -1)
        prompts = [vocabulary.parse(text) for text in PROMPTS]
        finish(draw(model, vocabulary, prompts, noise, 3.0, 2))
    assert begun == [[(0, 3), (4,)]]


@pytest.mark.parametrize("method", ["ddim", "direct"])
def test_in_an_edit_too_and_never_the_photos_own_branch(
    model: DiffusionModel, begun: list[list[tuple[int, ...]]], method: str
) -> None:
    """A photo that samples is before the targets in both halves of the batch; one that is looked at alone has
    none."""
    with concepts_installed(model, both_kinds(model)) as vocabulary:
        inversion = inverted(model, vocabulary, vocabulary.parse(SOURCE), method)
        begun.clear()
        targets = [vocabulary.parse(text) for text in PROMPTS]
        finish(edit(model, vocabulary, inversion, vocabulary.parse(SOURCE), targets, "replace"))
    seen = {tuple(map(tuple, map(sorted, rows))) for rows in begun}
    assert seen == {"ddim": {((1, 5), (6,))}, "direct": {((0, 3), (4,)), ((), ())}}[method]


def test_those_of_another_network_are_refused_before_anything_is_touched() -> None:
    model, other = tiny_model("sd1"), tiny_model("sd1", channels=(16, 64))
    concept = replace(toy(model), adapters=adapters(other))
    with (
        pytest.raises(ConceptIncompatibleError, match="learned with detail for another network"),
        concepts_installed(model, [concept]),
    ):
        pass
