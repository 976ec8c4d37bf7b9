"""Numbers that are none end the work where they appear, and no figure is made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from palimpsest.core.attention.probe import noised_states, probe
from palimpsest.core.editing.draw import draw, start_noise
from palimpsest.core.editing.sampling import sample
from palimpsest.core.finite import all_finite, require_finite
from palimpsest.core.gradient import gradient
from palimpsest.core.inversion import InvertSettings, invert
from palimpsest.core.inversion.null_text import NullTextSettings
from palimpsest.core.learning.learn import Lesson, learn
from palimpsest.core.learning.settings import LearnSettings
from palimpsest.core.learning.views import ViewSettings, encode_views
from palimpsest.core.model import DiffusionModel
from palimpsest.core.picture.composite import quantise
from palimpsest.core.steps import Steps
from palimpsest.core.text.prompt import Vocabulary, concepts_installed
from palimpsest.errors import NotFiniteError
from tiny import tiny_model
from tiny_edit import inverted, photo, plan

SOURCE = "a photo of a cat on grass"


def spoil(network: Any, value: float = float("nan")) -> None:
    """One number among many thousands, in the last convolution, so that all before it is sound."""
    last = [p for p in network.parameters() if p.ndim == 4][-1]
    with torch.no_grad():
        last.view(-1)[0] = value


def spoil_at(model: DiffusionModel, evaluation: int) -> Callable[[], None]:
    """The UNet gives one NaN in its ``evaluation``-th answer (from 1). Returns what takes this back."""
    seen = 0

    def hook(_module: Any, _args: Any, output: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen == evaluation:
            output.sample.view(-1)[3] = float("nan")
        return output

    return model.network.module.register_forward_hook(hook).remove


class Count:
    steps = 0

    def exhaust(self, steps: Steps[Any]) -> None:
        for _ in steps:
            self.steps += 1


def steps_until_refused(steps: Steps[Any], match: str) -> int:
    done = Count()
    with pytest.raises(NotFiniteError, match=match) as refused:
        done.exhaust(steps)
    assert refused.value.code == "not_finite"
    assert refused.value.hint
    return done.steps


def inverting(model: DiffusionModel, vocabulary: Vocabulary) -> Steps[Any]:
    return invert(model, vocabulary, photo(), vocabulary.parse(SOURCE), InvertSettings("direct", 4, 3.0))


def optimising(model: DiffusionModel, vocabulary: Vocabulary) -> Steps[Any]:
    settings = InvertSettings("null-text", 4, 3.0, NullTextSettings(inner_steps=1))
    return invert(model, vocabulary, photo(), vocabulary.parse(SOURCE), settings)


def looking(model: DiffusionModel, vocabulary: Vocabulary) -> Steps[Any]:
    source = vocabulary.parse(SOURCE)
    return probe(model, vocabulary, source, ["cat"], noised_states(model, photo()))


def drawing(model: DiffusionModel, vocabulary: Vocabulary) -> Steps[Any]:
    return draw(model, vocabulary, [vocabulary.parse(SOURCE)], start_noise(model, 0), 3.0, 4)


@pytest.mark.parametrize(
    ("work", "evaluation", "done"),
    [(inverting, 3, 2), (optimising, 3, 2), (optimising, 4 + 3 + 2, 4 + 1), (looking, 2, 1), (drawing, 3, 2)],
)
def test_it_ends_at_the_step_where_the_number_appears(
    work: Callable[[DiffusionModel, Vocabulary], Steps[Any]], evaluation: int, done: int
) -> None:
    model = tiny_model("sd1")
    with concepts_installed(model, []) as vocabulary:
        remove = spoil_at(model, evaluation)
        assert steps_until_refused(work(model, vocabulary), "UNet at timestep") == done
        remove()


def test_an_edit_ends_at_the_step_where_the_number_appears(model: DiffusionModel) -> None:
    with concepts_installed(model, []) as vocabulary:
        source, target = vocabulary.parse(SOURCE), vocabulary.parse("a photo of a dog on grass")
        made = plan(model, vocabulary, inverted(model, vocabulary, source), source, [target])
        remove = spoil_at(model, 2)
        assert steps_until_refused(sample(made), "UNet at timestep") == 1
        remove()


def test_learning_ends_and_is_no_word() -> None:
    model = tiny_model("sd1")
    pictures = [np.random.default_rng(i).random((64, 64, 3), np.float32) for i in range(3)]
    *_, views = _run(encode_views(model, pictures, [None] * 3, ViewSettings(per_picture=1)))
    remove = spoil_at(model, 4)
    settings = LearnSettings(steps=5, warmup=1, exam_every=1, exam_size=2, batch=1)
    assert steps_until_refused(learn(model, views, Lesson("<toy>", "cat"), settings), "UNet") == 1
    remove()


def _run(steps: Steps[Any]) -> list[Any]:
    found: list[Any] = []
    while True:
        try:
            found.append(next(steps))
        except StopIteration as stop:
            return [*found, stop.value]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_the_autoencoder_is_named(value: float) -> None:
    pixels = torch.zeros(1, 3, 64, 64)
    model = tiny_model("sd1")
    spoil(model.vae.decoder, value)
    z = model.encode(pixels)
    with pytest.raises(NotFiniteError, match=r"decoder.*float32"):
        model.decode(z)
    spoil(model.vae.encoder, value)
    with pytest.raises(NotFiniteError, match="encoder"):
        model.encode(pixels)


def test_the_text_encoder_is_named_and_not_the_unet() -> None:
    model = tiny_model("sd1")
    with torch.no_grad():
        model.text[0].encoder.get_input_embeddings().weight.fill_(float("nan"))
    with concepts_installed(model, []) as vocabulary, pytest.raises(NotFiniteError, match="text encoder"):
        list(inverting(model, vocabulary))


def test_half_precision_is_told_to_use_float32_and_float32_another_file() -> None:
    bad = torch.tensor([1.0, float("inf")])
    with pytest.raises(NotFiniteError) as half:
        require_finite(bad, "The UNet", torch.float16)
    with pytest.raises(NotFiniteError) as single:
        require_finite(bad, "The UNet")
    assert "--device cpu" in half.value.hint
    assert "--device cpu" not in single.value.hint
    assert "another" in single.value.hint
    assert half.value.details == {"precision": "float16", "share": 0.5}


def test_what_is_finite_comes_through_as_it_is() -> None:
    values = torch.tensor([1.0, -3.4e38])
    assert require_finite(values, "The UNet") is values
    assert all_finite(values, None)
    assert not all_finite(values, torch.tensor(float("nan")))


def test_no_colour_is_made_of_them() -> None:
    with pytest.raises(NotFiniteError):
        quantise(np.array([0.5, np.nan]), 255)
    with pytest.raises(NotFiniteError):
        quantise(np.array([0.5, np.inf]), 65535)


@pytest.mark.parametrize("factor", [1e-9, 1e-4, 1.0, 1e4])
def test_a_gradient_through_float16_neither_vanishes_nor_overflows(factor: float) -> None:
    """Through one float16 multiplication; the loss is so small or so large that one fixed scale fails."""
    row = torch.tensor([1.5, -2.0], requires_grad=True)
    loss = ((row.half() * torch.tensor([2.0, 3.0], dtype=torch.float16)).float() * factor).sum()
    (found,) = gradient(loss, [row], torch.float16)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, torch.tensor([2.0, 3.0]) * factor, rtol=2e-3, atol=0)


def test_a_gradient_that_no_scale_makes_finite_is_refused() -> None:
    row = torch.tensor([1.0], requires_grad=True)
    loss = (row.half().float() * 1e6).sum()
    with pytest.raises(NotFiniteError, match=r"gradient.*float16"):
        gradient(loss, [row], torch.float16)
