"""Prompt-to-Prompt's edits against the published formulas, written out here on their own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from explicit_path import edited, edited_at
from palimpsest.core.attention.cross import refine, reweight
from palimpsest.core.attention.injection import SelfControl
from palimpsest.core.attention.target import TargetControl
from palimpsest.core.attention.windows import Window, step_table, window_bounds
from palimpsest.core.text.alignment import align
from palimpsest.core.text.tokens import Prompt, parse
from palimpsest.errors import RequestError, WordNotFoundError
from tiny import tiny_tokenizer

LENGTH, STEPS = 16, 10
TOKENIZER = tiny_tokenizer(tokens=LENGTH)


def read(text: str) -> Prompt:
    return parse(text, [TOKENIZER], [LENGTH], {"<toy>": [(900, 901)]})


def maps(seed: int) -> Tensor:
    """Some attention: (heads, pixels, tokens), rows summing to one."""
    logits = torch.randn(2, 6, LENGTH, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return logits.softmax(-1)


SRC, TGT = maps(1), maps(2)


def by_columns(control: TargetControl, step: int) -> Tensor:
    columns = control.columns(step)
    return SRC @ columns.from_source.double() + TGT * columns.own.double()


def test_a_word_swap_takes_the_sources_maps() -> None:
    swap = refine(align(read("a cat on grass"), read("a dog on grass")))
    assert torch.equal(edited(swap, SRC, TGT), SRC)


def test_refine_takes_old_words_from_the_source_and_leaves_new_ones_their_own() -> None:
    source, target = read("a cat on grass"), read("a red cat on grass")
    found = edited(refine(align(source, target)), SRC, TGT)
    new = target.span_of("red")[0]
    assert torch.equal(found[..., new], TGT[..., new])
    for word in ("cat", "on", "grass"):
        theirs, mine = target.span_of(word)[0], source.span_of(word)[0]
        assert torch.equal(found[..., theirs], SRC[..., mine])


def test_reweight_scales_every_token_of_the_word_and_no_other() -> None:
    target = read("a <toy> on grass")
    base = refine(align(read("a cat on grass"), target))
    heavier = edited(reweight(base, target, {"<toy>": 3.0}), SRC, TGT)
    factors = torch.ones(LENGTH, dtype=torch.float64)
    factors[[2, 3]] = 3
    assert torch.allclose(heavier, edited(base, SRC, TGT) * factors)


def test_an_equalizer_of_one_is_the_identity() -> None:
    target = read("a dog on grass")
    base = refine(align(read("a cat on grass"), target))
    same = reweight(base, target, {"dog": 1.0, "grass": 1.0})
    assert torch.equal(edited(same, SRC, TGT), edited(base, SRC, TGT))
    assert torch.equal(same.columns().from_source, base.columns().from_source)
    assert torch.equal(same.columns().own, base.columns().own)


def test_an_equalizer_acts_linearly_and_zero_deletes_the_word() -> None:
    target = read("a cat on grass")
    base = refine(align(target, target))
    at = {c: edited(reweight(base, target, {"cat": c}), SRC, TGT) for c in (0.0, 1.0, 3.0)}
    assert torch.allclose(at[3.0] - at[0.0], 3 * (at[1.0] - at[0.0]))
    assert at[0.0][..., 2].abs().max() == 0


def test_a_weight_for_a_word_that_is_not_there_is_refused() -> None:
    target = read("a cat")
    with pytest.raises(WordNotFoundError, match="dog"):
        reweight(refine(align(target, target)), target, {"dog": 2.0})


@pytest.mark.parametrize("words", [{}, {"red": (0.3, 0.6)}, {"red": 1.0, "dog": 0.0}])
@pytest.mark.parametrize("weights", [{}, {"dog": 2.5}, {"red": -1.0, "grass": 0.0}])
def test_columns_are_the_published_edit(words: dict[str, Window], weights: dict[str, float]) -> None:
    """A' = α ⊙ eq ⊙ (keep ⊙ A_src·M + (1-keep) ⊙ A_tgt) + (1-α) ⊙ A_tgt, step by step."""
    source, target = read("a cat on grass"), read("a red dog on grass")
    control = TargetControl(
        reweight(refine(align(source, target)), target, weights),
        step_table(STEPS, target, 0.8, words),
        SelfControl(),
    )
    pull = {1: 1, 2: None, 3: 2, 4: 3, 5: 4}  # target token -> source token, by hand
    for step in range(STEPS):
        expected = torch.zeros_like(TGT)
        for token in range(LENGTH):
            word = next((w for w in ("red", "dog", "grass") if token in target.span_of(w)), None)
            low, high = window_bounds(words.get(word or "", 0.8), STEPS)
            # BOS stays; EOS and pads go k-th to k-th, the target's tail being one shorter.
            came_from = pull.get(token, token) if token <= 5 else token - 1
            own = TGT[..., token]
            taken = own if came_from is None else SRC[..., came_from]
            if token == LENGTH - 1:
                taken = SRC[..., -2] + SRC[..., -1]
            inside = low <= step < high
            expected[..., token] = taken * weights.get(word or "", 1.0) if inside else own
        assert torch.allclose(edited_at(control, step, SRC, TGT), expected)
        assert torch.allclose(by_columns(control, step), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("window", "steps", "bounds"),
    [
        (0.8, 50, (0, 40)),
        (0.4, 50, (0, 20)),
        (0.5, 50, (0, 25)),
        (1, 50, (0, 50)),
        (0, 50, (0, 0)),
        ((0.2, 0.6), 50, (10, 30)),
        (0.29, 100, (0, 29)),
        ((0.7, 1.0), 10, (7, 10)),
    ],
)
def test_windows_cover_the_published_steps(window: Window, steps: int, bounds: tuple[int, int]) -> None:
    assert window_bounds(window, steps) == bounds


def test_windows_grow_with_their_fraction() -> None:
    ends = [window_bounds(f / 100, 37)[1] for f in range(101)]
    assert ends == sorted(ends)
    assert ends[-1] == 37


@pytest.mark.parametrize("window", [-0.1, 1.1, (0.6, 0.4), (0.0, 2.0)])
def test_a_window_that_is_no_span_of_the_steps_is_refused(window: Window) -> None:
    with pytest.raises(RequestError, match="window"):
        window_bounds(window, 50)


def test_a_window_for_a_word_overrides_the_common_one() -> None:
    table = step_table(STEPS, read("a <toy> on grass"), (0.0, 0.5), {"<toy>": (0.5, 1.0)})
    assert table[:5, 1].all()
    assert not table[:5, 2:4].any()
    assert table[5:, 2:4].all()
