"""Weights that lie in main memory compute, and give gradients, as if they were on the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from palimpsest.bench.peaks import CARD, LiveBytes
from palimpsest.core.model import DiffusionModel
from palimpsest.core.networks.lending import lend
from palimpsest.core.networks.unet import UNet
from palimpsest.core.text.prompt import concepts_installed
from tiny import tiny_model
from tiny_edit import toy

SENTENCE = "a photo of a <my-toy> on grass"
CPU = torch.device("cpu")


def networks(model: DiffusionModel) -> list[nn.Module]:
    return [model.network.module, *(part.encoder for part in model.text)]


def led_back(model: DiffusionModel) -> tuple[Tensor, list[Tensor]]:
    """A prediction, and the gradients of a learned word's rows."""
    concept = toy(model)
    rows = [row.requires_grad_(True) for row in concept.rows]
    with concepts_installed(model, [concept]) as vocabulary:
        conditioning = vocabulary.encode([vocabulary.parse(SENTENCE)])
        z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
        predicted = model.predict(z, 500, conditioning)
    return predicted.detach(), list(torch.autograd.grad(predicted.square().mean(), rows))


def test_predictions_and_gradients_are_the_same_bytes(family: str) -> None:
    expected, gradients = led_back(tiny_model(family))
    model = tiny_model(family)
    for network in networks(model):
        lend(network, CPU)
    got, found = led_back(model)
    assert torch.equal(got, expected)
    assert all(torch.equal(a, b) for a, b in zip(found, gradients, strict=True))


class Mixed(TorchDispatchMode):
    """Fails where an operation is given tensors of both devices; numbers and moves are none."""

    def __torch_dispatch__(self, func: Any, types: Sequence[type], args: Any = (), kwargs: Any = None) -> Any:
        given = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
        places = {each.device.type for each in given if each.ndim}
        moves = func in (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)
        assert moves or len(places) < 2, f"{func} with {places}"
        return func(*args, **(kwargs or {}))


def test_nothing_is_computed_with_weights_that_are_away(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DiffusionModel, "_require_finite", lambda *_: None)
    model = tiny_model(family)
    for network in networks(model):
        lend(network, CARD)
    object.__setattr__(model, "network", UNet(model.network.module, CARD))
    with Mixed(), concepts_installed(model, [toy(model)]) as vocabulary, torch.no_grad():
        conditioning = vocabulary.encode([vocabulary.parse(SENTENCE)])
        assert conditioning.context.device == CARD
        assert model.predict(torch.zeros(1, 4, 8, 8, device=CARD), 500, conditioning).shape[1] == 4
    weights = [tensor for network in networks(model) for tensor in network.state_dict().values()]
    assert {weight.device for weight in weights} == {CPU}


def test_a_graph_keeps_no_lent_weight_and_fetches_it_again() -> None:
    layers = nn.Sequential(*(nn.Linear(256, 256, bias=False) for _ in range(4))).requires_grad_(False)
    lend(layers, CARD)
    x = torch.empty(1, 256, device=CARD).requires_grad_(True)
    weight = 256 * 256 * 4
    with LiveBytes([x]) as counted:
        y = layers(x).sum()
        assert counted.live < weight < counted.peak < 2 * weight
        (gradient,) = torch.autograd.grad(y, [x])
        assert counted.live < weight < counted.peak < 2.1 * weight
    assert gradient.shape == x.shape


def test_weights_are_home_after_an_error_too() -> None:
    layer = nn.Linear(2, 2)
    lend(layer, CARD)
    with pytest.raises(RuntimeError):
        layer(torch.zeros(1, 3, device=CARD))
    assert layer.weight.device == CPU
    outside = torch.ones(2, requires_grad=True)
    (outside * outside).sum().backward()  # nothing is packed any more
    assert outside.grad is not None
