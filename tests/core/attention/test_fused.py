"""Controlled attention in whole UNets: the fused path is the published one, and nothing stays behind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from explicit_path import WAYS
from palimpsest.core.attention.blend import BlendSettings, LocalBlend
from palimpsest.core.attention.control import AttentionControl, Rows
from palimpsest.core.attention.cross import refine
from palimpsest.core.attention.injection import SelfControl
from palimpsest.core.attention.key_mask import KeyMask
from palimpsest.core.attention.maps import Levels
from palimpsest.core.attention.region_words import RegionWords
from palimpsest.core.attention.target import TargetControl
from palimpsest.core.attention.windows import step_table
from palimpsest.core.conditioning import Conditioning
from palimpsest.core.editing.sampling import Plan, sample
from palimpsest.core.model import DiffusionModel
from palimpsest.core.steps import finish
from palimpsest.core.text.alignment import align
from palimpsest.core.text.prompt import Vocabulary, concepts_installed
from palimpsest.errors import ModelIncapableError
from tiny import tiny_model
from tiny_edit import SIZE, Wish, inverted, photo, plan, toy

SOURCE = "a photo of a cat sitting on grass"
CLOSE = 1e-4

WISHES = {
    "replace": ("a photo of a dog sitting on grass", Wish(cross=1.0)),
    "one token by three": ("a photo of a <my-toy> sitting on grass", Wish(pairs=[("cat", "<my-toy>")])),
    "refine": ("a photo of a red cat sitting on wet grass", Wish()),
    "reweight": (SOURCE, Wish(weights={"cat": 3.0, "grass": -1.0})),
    "refine and reweight": ("a photo of a red <my-toy> on grass", Wish(weights={"<my-toy>": 2.0})),
    "windows per word": ("a photo of a dog on snow", Wish(words={"dog": (0.25, 0.5), "snow": 0.0})),
}


def made(
    model: DiffusionModel,
    vocabulary: Vocabulary,
    targets: list[str],
    wish: Wish,
    size: tuple[int, int] = SIZE,
) -> Plan:
    source = vocabulary.parse(SOURCE)
    inversion = inverted(model, vocabulary, source, "ddim", size=size)
    return plan(model, vocabulary, inversion, source, [vocabulary.parse(t) for t in targets], wish)


@pytest.mark.parametrize("name", WISHES)
def test_the_fused_path_is_the_published_one(model: DiffusionModel, name: str) -> None:
    target, wish = WISHES[name]
    with concepts_installed(model, [toy(model)]) as vocabulary:
        results = []
        for way in WAYS:
            with way():
                results.append(finish(sample(made(model, vocabulary, [target], wish))).latents)
    assert (results[0] - results[1]).abs().max() <= CLOSE


def test_the_fused_path_blends_several_targets_as_the_published_one(model: DiffusionModel) -> None:
    results, masks = [], []
    for way in WAYS:
        with way(), concepts_installed(model, [toy(model)]) as vocabulary:
            targets = ["a photo of a dog sitting on grass", "a photo of a <my-toy> sitting on grass"]
            both = made(model, vocabulary, targets, Wish())
            prompts = [vocabulary.parse(target) for target in targets]
            high = BlendSettings(threshold=0.985)  # maps of random weights are almost flat
            words = ["cat", "dog", "<my-toy>"]
            blend = LocalBlend(both.control, vocabulary.parse(SOURCE), prompts, words, settings=high)
            results.append(finish(sample(replace(both, blend=blend))).latents)
            masks.append(blend.masks(SIZE))
    assert 0 < masks[-1].mean() < 1  # the blend did something
    assert (results[0] - results[1]).abs().max() <= CLOSE


def test_the_fused_path_is_the_published_one_for_regions(model: DiffusionModel) -> None:
    region = torch.zeros(1, 1, *SIZE)
    region[..., 2:6, 3:9] = 1
    results = []
    for way in WAYS:
        with way(), concepts_installed(model, []) as vocabulary:
            source = vocabulary.parse(SOURCE)
            target = vocabulary.parse(SOURCE + " and a dog")
            alignment = align(source, target)
            control = TargetControl(
                refine(alignment),
                step_table(4, target, 0.5, {}),
                SelfControl(0.5, 1.0, free=region),
                KeyMask(region),
                (RegionWords(tuple(sorted(alignment.inserted)), region),),
            )
            one = made(model, vocabulary, [target.text], Wish())
            bounded = AttentionControl([control], 4, one.control.levels)
            results.append(finish(sample(replace(one, control=bounded))).latents)
    assert (results[0] - results[1]).abs().max() <= CLOSE


class Sizes(TorchDispatchMode):
    """The last two sizes of every tensor that any operation gives."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[int, ...]] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **({} if kwargs is None else kwargs))
        for tensor in out if isinstance(out, (tuple, list)) else (out,):
            if isinstance(tensor, Tensor):
                self.seen.add(tuple(tensor.shape[-2:]))
        return out


def test_no_matrix_of_pixels_by_pixels_is_formed_on_the_fused_path(family: str) -> None:
    model = tiny_model(family, sample=20)
    pixels = {400, 100}  # neither is a width of these networks
    seen = {}
    for way in WAYS:
        with way(), concepts_installed(model, []) as vocabulary:
            target = "a photo of a dog sitting on grass"
            one = made(model, vocabulary, [target], Wish(self_attention=1.0), size=(20, 20))
            with Sizes() as sizes:
                next(sample(one))
        seen[way] = {shape for shape in sizes.seen if len(shape) == 2 and shape[0] == shape[1]}
    fused, formed = seen.values()
    assert not any(shape[0] in pixels for shape in fused)
    assert any(shape[0] in pixels for shape in formed)  # the detector would have seen it


def conditioned(model: DiffusionModel) -> Conditioning:
    with concepts_installed(model, []) as vocabulary:
        return vocabulary.encode([vocabulary.parse(SOURCE)] * 2)


def predicted(model: DiffusionModel, cond: Conditioning) -> Tensor:
    with torch.no_grad():
        return model.predict(photo().expand(2, -1, -1, -1), 501, cond)


def nothing(model: DiffusionModel) -> AttentionControl:
    control = AttentionControl([TargetControl()], 4, Levels.of(model.network, SIZE))
    control.begin(0, Rows((1,), source=0))
    return control


def test_uncontrolled_attention_is_that_of_diffusers_bit_for_bit(model: DiffusionModel) -> None:
    cond = conditioned(model)
    plain = predicted(model, cond)
    with model.network.attending(nothing(model)):
        assert torch.equal(predicted(model, cond), plain)


@pytest.mark.parametrize("fails", [False, True])
def test_the_unet_is_left_as_it_was(model: DiffusionModel, fails: bool) -> None:
    cond = conditioned(model)
    processors, plain = model.network.module.attn_processors, predicted(model, cond)

    def use() -> None:
        with model.network.attending(nothing(model)):
            if fails:
                raise RuntimeError("in the middle")

    if fails:
        with pytest.raises(RuntimeError):
            use()
    else:
        use()
    assert model.network.module.attn_processors == processors
    assert torch.equal(predicted(model, cond), plain)


def test_an_edit_closed_early_leaves_the_model_as_it_was(model: DiffusionModel) -> None:
    cond = conditioned(model)
    processors, plain = model.network.module.attn_processors, predicted(model, cond)
    with concepts_installed(model, []) as vocabulary:
        steps = sample(made(model, vocabulary, ["a photo of a dog"], Wish()))
        next(steps)
        assert model.network.module.attn_processors != processors
        steps.close()
    assert model.network.module.attn_processors == processors
    assert not model.network.module._forward_hooks
    assert torch.equal(predicted(model, cond), plain)


def test_levels_are_read_from_the_unet_and_keep_height_and_width() -> None:
    levels = Levels.of(tiny_model("sd1").network, (9, 13))
    assert levels.sizes == ((9, 13), (5, 7))
    assert levels.size_of(35) == (5, 7)
    assert Levels.of(tiny_model("sdxl").network, (9, 13)).cross == {(5, 7)}


def test_maps_are_read_at_the_coarsest_level_that_has_enough_cells() -> None:
    def chosen(*cross: tuple[int, int], side: int = 16) -> tuple[int, int]:
        return Levels(cross[0], cross, frozenset(cross), side).map_size

    assert chosen((64, 64), (32, 32), (16, 16), (8, 8)) == (16, 16)
    assert chosen((96, 64), (48, 32), (24, 16), (12, 8)) == (24, 16)
    assert chosen((64, 64), (32, 32)) == (32, 32)
    assert chosen((8, 8), (4, 4)) == (8, 8)
    assert chosen((24, 16), (12, 8), (6, 4), side=8) == (12, 8)


def test_an_attention_layer_of_another_kind_is_refused() -> None:
    model = tiny_model("sd1")
    cond = conditioned(model)
    with model.network.attending(nothing(model)), pytest.raises(ModelIncapableError, match="attention"):
        model.network.module(
            photo().expand(2, -1, -1, -1),
            501,
            encoder_hidden_states=cond.context,
            encoder_attention_mask=torch.ones(2, cond.context.shape[1]),
        )
