"""Nothing that samples, inverts or learns knows which noise process it has: here it is a flow."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

from palimpsest.core.conditioning import Conditioning
from palimpsest.core.editing.draw import draw, start_noise
from palimpsest.core.editing.edit import Options, edit
from palimpsest.core.inversion import Inversion
from palimpsest.core.learning.learn import Lesson, learn
from palimpsest.core.learning.settings import LearnSettings
from palimpsest.core.learning.views import View
from palimpsest.core.model import DiffusionModel
from palimpsest.core.networks.unet import UNet
from palimpsest.core.process import Flow, pairs
from palimpsest.core.steps import finish
from palimpsest.core.text.prompt import concepts_installed
from tiny import tiny_model
from tiny_edit import GUIDANCE, SIZE, STEPS, inverted, photo

SHIFT = 3.0


class Hearing(UNet):
    """Hears 1000 σ, as Stable Diffusion 3 does."""

    def __call__(self, z: Tensor, level: float | Tensor, conditioning: Conditioning) -> Tensor:
        return super().__call__(z, 1000 * level, conditioning)


@pytest.fixture
def model() -> DiffusionModel:
    plain = tiny_model("sd1")
    return replace(plain, network=Hearing(plain.network.module), process=Flow(SHIFT))


def test_a_picture_is_drawn_by_eulers_steps(model: DiffusionModel) -> None:
    with concepts_installed(model, []) as vocabulary, torch.no_grad():
        prompt, noise = vocabulary.parse("a photo of a cat"), start_noise(model, 3)
        ours = finish(draw(model, vocabulary, [prompt], noise, GUIDANCE, STEPS))
        null, cond = vocabulary.null(), vocabulary.encode([prompt])
        z = noise
        for level, cleaner in pairs(model.process, model.process.levels(STEPS)):
            empty, text = (model.network(z, level, told) for told in (null, cond))
            z = z + (cleaner - level) * (empty + GUIDANCE * (text - empty))
    assert torch.allclose(ours, z, atol=1e-4)


@pytest.mark.parametrize("method", ["direct", "ddim", "null-text"])
@pytest.mark.parametrize("operation", ["replace", "remove", "restyle"])
def test_an_edit_changes_what_is_selected_and_nothing_else(
    model: DiffusionModel, method: str, operation: str
) -> None:
    selection = torch.zeros(1, 1, *SIZE)
    selection[..., 2:6, 3:8] = 1
    with concepts_installed(model, []) as vocabulary:
        source, target = vocabulary.parse("a photo of a cat"), vocabulary.parse("a photo of a dog")
        inversion = inverted(model, vocabulary, source, method)
        chosen = Options(variations=2)
        done = finish(edit(model, vocabulary, inversion, source, [target], operation, chosen, selection))
    changed = (done.latents != photo()).any(dim=1, keepdim=True)
    assert not changed[(selection == 0).expand(2, -1, -1, -1)].any()
    assert changed[(selection == 1).expand(2, -1, -1, -1)].all()
    assert done.latents.isfinite().all()


def test_the_first_pivots_step_is_eulers_backwards(model: DiffusionModel) -> None:
    with concepts_installed(model, []) as vocabulary, torch.no_grad():
        source = vocabulary.parse("a photo of a cat")
        inversion = inverted(model, vocabulary, source)
        level = inversion.levels[-1]
        said = model.network(photo(), level, vocabulary.encode([source]))
    assert torch.allclose(inversion.latents[1], photo() + level * said, atol=1e-5)


def test_an_inversion_of_a_flow_can_be_kept(model: DiffusionModel) -> None:
    with concepts_installed(model, []) as vocabulary:
        inversion = inverted(model, vocabulary, vocabulary.parse("a photo of a cat"))
    tensors, metadata = inversion.to_tensors()
    again = Inversion.from_tensors(load(save(tensors)), metadata)
    assert again.levels == inversion.levels == Flow(SHIFT).levels(STEPS)


def test_a_word_is_learned(model: DiffusionModel) -> None:
    spread, weight = torch.full_like(photo()[0], 0.1), torch.ones(1, *SIZE)
    views = [View(picture, photo(seed=picture)[0], spread, weight) for picture in range(3)]
    settings = LearnSettings(steps=12, exam_every=4)
    learned = finish(learn(model, views, Lesson("<toy>", "cat"), settings))
    assert min(learned.exams) < learned.exams[0]
