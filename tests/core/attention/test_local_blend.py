"""LocalBlend and word maps: where a word is, on maps made by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from palimpsest.core.attention.blend import BlendSettings, LocalBlend
from palimpsest.core.attention.control import AttentionControl
from palimpsest.core.attention.maps import Levels, Size, WordMaps, otsu, stretch
from palimpsest.core.attention.probe import noised_states, probe
from palimpsest.core.attention.target import TargetControl
from palimpsest.core.model import DiffusionModel
from palimpsest.core.steps import finish
from palimpsest.core.text.prompt import concepts_installed
from palimpsest.core.text.tokens import Prompt, parse
from palimpsest.errors import RequestError, WordNotFoundError
from tiny import tiny_tokenizer
from tiny_edit import SIZE, photo

LENGTH = 16
MAP = (11, 16)
TOKENIZER = tiny_tokenizer(tokens=LENGTH)


def read(text: str) -> Prompt:
    return parse(text, [TOKENIZER], [LENGTH], {"<toy>": [(900, 901)]})


SOURCE, TARGET = read("a cat on grass"), read("a <toy> on grass")


def attention(places: dict[int, tuple[int, int]], size: Size = MAP) -> Tensor:
    """(heads, pixels, tokens): each token in ``places`` looks at one cell (row, column)."""
    maps = torch.zeros(2, size[0] * size[1], LENGTH)
    for token, (row, column) in places.items():
        maps[:, row * size[1] + column, token] = 1
    return maps


def blending(
    include: list[str], exclude: list[str] | None = None, start: float = 0.0, size: Size = MAP
) -> LocalBlend:
    control = AttentionControl([TargetControl()], 10, Levels(size, (size,), frozenset({size})))
    settings = BlendSettings(start=start)
    return LocalBlend(control, SOURCE, [TARGET], include, [] if exclude is None else exclude, settings)


def feed(blend: LocalBlend, source: Tensor, target: Tensor) -> None:
    for side, seen in zip(blend.sides, (source, target), strict=True):
        side.include.add(seen)
        side.exclude.add(seen)


def test_the_mask_is_where_the_source_word_or_the_target_word_is() -> None:
    blend = blending(["cat", "<toy>"])
    feed(blend, attention({2: (0, 0)}), attention({2: (10, 15), 3: (10, 15)}))
    mask = blend.masks(MAP)[0, 0]
    expected = torch.zeros(MAP)
    expected[:2, :2] = expected[9:, 14:] = 1  # each cell and its neighbours, by the published pooling
    assert torch.equal(mask, expected)


def test_outside_the_mask_the_target_is_the_source_exactly() -> None:
    blend = blending(["cat", "<toy>"])
    feed(blend, attention({2: (0, 0)}), attention({2: (0, 0)}))
    z_src, z_tgt = torch.randn(1, 4, *MAP), torch.randn(1, 4, *MAP)
    blended = blend.blend(0, z_src, z_tgt)
    inside = blend.masks(MAP)[0] > 0
    assert torch.equal(blended[0][:, inside[0]], z_tgt[0][:, inside[0]])
    assert torch.equal(blended[0][:, ~inside[0]], z_src[0][:, ~inside[0]])


def test_all_tokens_of_a_learned_word_are_added_up() -> None:
    maps = WordMaps(TARGET, ["<toy>"], MAP)
    maps.add(attention({2: (0, 0), 3: (0, 0)}))
    assert maps.mean[0, 0, 0] == 2


def test_an_excluded_word_is_protected() -> None:
    blend = blending(["cat"], exclude=["grass"])
    feed(blend, attention({2: (1, 1), 4: (1, 2)}), attention({}))
    mask = blend.masks(MAP)[0, 0]
    assert mask[1, 1] == 1
    assert mask[1, 2] == 0


def test_a_word_that_looks_nowhere_gives_an_empty_mask_and_no_nan() -> None:
    blend = blending(["cat", "<toy>"])
    feed(blend, attention({}), attention({}))
    z_src, z_tgt = torch.randn(1, 4, *MAP), torch.randn(1, 4, *MAP)
    assert torch.equal(blend.blend(0, z_src, z_tgt), z_src)


def test_the_mask_is_drawn_at_any_latent_size() -> None:
    blend = blending(["cat"])
    feed(blend, attention({2: (0, 0)}), attention({}))
    mask = blend.masks((22, 32))[0, 0]
    assert mask[:4, :4].all()
    assert mask.sum() == 16


def test_a_coarse_map_reaches_no_further_than_a_fine_one() -> None:
    """Its mask is about the cell itself; pooled at its own cells it would be nine of them."""
    blend = blending(["cat"], size=(8, 8))
    feed(blend, attention({2: (4, 4)}, (8, 8)), attention({}, (8, 8)))
    mask = blend.masks((16, 16))[0, 0]
    assert mask[8:10, 8:10].all()
    assert 4 < mask.sum() <= 36


def test_nothing_is_blended_before_its_time() -> None:
    blend = blending(["cat"], start=0.2)
    feed(blend, attention({}), attention({}))
    z_src, z_tgt = torch.zeros(1, 4, *MAP), torch.ones(1, 4, *MAP)
    assert torch.equal(blend.blend(1, z_src, z_tgt), z_tgt)
    assert torch.equal(blend.blend(2, z_src, z_tgt), z_src)


def test_a_word_in_neither_prompt_is_refused_and_the_words_are_listed() -> None:
    with pytest.raises(WordNotFoundError, match="horse") as raised:
        blending(["cat", "horse"])
    assert "<toy>" in raised.value.details["words"]
    with pytest.raises(WordNotFoundError, match="horse"):
        blending(["cat"], exclude=["horse"])
    with pytest.raises(RequestError):
        blending([])


def test_a_map_lies_between_0_and_1_and_a_flat_one_is_empty() -> None:
    assert stretch(torch.tensor([1.0, 2.0, 3.0])).tolist() == [0, 0.5, 1]
    assert stretch(torch.full((2, 2), 0.3)).abs().max() == 0


def test_a_words_map_can_be_probed(model: DiffusionModel) -> None:
    with concepts_installed(model, []) as vocabulary:
        source = vocabulary.parse("a cat on grass")
        maps = finish(probe(model, vocabulary, source, ["cat", "grass"], noised_states(model, photo())))
        assert list(maps) == ["cat", "grass"]
        for found in maps.values():
            assert found.shape == SIZE
            assert found.min() >= 0
            assert found.max() <= 1
            assert found.std() > 0
        with pytest.raises(WordNotFoundError, match="dog"):
            finish(probe(model, vocabulary, source, ["dog"], noised_states(model, photo())))


def test_otsus_threshold_separates_best_of_all_thresholds() -> None:
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.normal(0.2, 0.05, 700), rng.normal(0.7, 0.1, 300)])
    grey = np.rint(values.clip(0, 1) * 255).astype(np.uint8)
    chosen = grey > otsu(grey)

    def between(mask: np.ndarray) -> float:
        share = mask.mean()
        return float(share * (1 - share) * (grey[mask].mean() - grey[~mask].mean()) ** 2)

    others = [between(grey > t) for t in range(grey.min(), grey.max())]
    assert between(chosen) >= max(others) - 1e-9
    assert otsu(np.zeros((4, 4), np.uint8)) == 0
