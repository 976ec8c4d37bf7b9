"""What learning is made of: the noun it starts from, the sentences, the views, the rule to stop."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from palimpsest.core.learning.noun import noun_rows, spread
from palimpsest.core.learning.stopping import Dvar
from palimpsest.core.learning.templates import STYLE_TEMPLATES, SUBJECT_TEMPLATES, fill, templates_for
from palimpsest.core.learning.views import View, ViewSettings, encode_views, grouped
from palimpsest.core.picture.region import Mask
from palimpsest.core.steps import finish
from palimpsest.errors import RequestError, SelectionEmptyError
from tiny import tiny_model, tiny_tokenizer


# ── the noun ──────────────────────────────────────────────────────────────────────────────────────
def test_as_many_vectors_as_tokens_are_the_tokens() -> None:
    tokens = torch.randn(3, 5)
    assert torch.equal(spread(tokens, 3), tokens)


@pytest.mark.parametrize(("n", "vectors"), [(1, 1), (1, 4), (2, 3), (3, 2), (7, 3), (5, 1)])
def test_spreading_keeps_order_and_norms(n: int, vectors: int) -> None:
    tokens = torch.randn(n, 6, generator=torch.Generator().manual_seed(n))
    rows = spread(tokens, vectors)
    assert rows.shape == (vectors, 6)
    low, high = tokens.norm(dim=1).min(), tokens.norm(dim=1).max()
    assert float(rows.norm(dim=1).min()) >= float(low) - 1e-5
    assert float(rows.norm(dim=1).max()) <= float(high) + 1e-5
    if vectors >= n:
        nearest = [int((tokens - row).norm(dim=1).argmin()) for row in rows]
        assert nearest == sorted(nearest)
        assert set(nearest) == set(range(n))


def test_the_mean_of_a_long_noun_points_between_its_tokens() -> None:
    rows = spread(torch.tensor([[2.0, 0.0], [0.0, 2.0]]), 1)
    assert torch.allclose(rows, torch.tensor([[math.sqrt(2), math.sqrt(2)]]))


def test_repeated_vectors_differ_a_little_and_by_seed() -> None:
    model = tiny_model("sdxl")
    for rows, other in zip(
        noun_rows(model, "cat", 3, 0.02, 0), noun_rows(model, "cat", 3, 0.02, 1), strict=True
    ):
        assert torch.equal(rows[0], other[0])
        assert 0 < float((rows[1] - rows[0]).norm() / rows[0].norm()) < 0.1
        assert not torch.equal(rows[1], rows[2])
        assert not torch.equal(rows[1], other[1])


@pytest.mark.parametrize("noun", ["squirrel", "small squirrel"])
def test_a_noun_the_model_only_spells_is_refused_with_what_it_knows(noun: str) -> None:
    with pytest.raises(RequestError, match=r"'squirrel': it spells it in . pieces.*toy"):
        noun_rows(tiny_model("sd1"), noun, 2, 0.02, 0)


def test_an_empty_noun_is_refused() -> None:
    with pytest.raises(RequestError, match="empty"):
        noun_rows(tiny_model("sd1"), "  ", 2, 0.02, 0)


# ── the sentences ─────────────────────────────────────────────────────────────────────────────────
class WholeWords:
    """A tokenizer that knows every word, as CLIP's knows every common one."""

    def __call__(self, text: str, add_special_tokens: bool) -> dict[str, list[int]]:
        return {"input_ids": [hash(word) for word in text.split()]}


def test_a_full_vocabulary_keeps_every_template() -> None:
    assert templates_for("subject", [WholeWords()]) == SUBJECT_TEMPLATES
    assert templates_for("style", [WholeWords(), WholeWords()]) == STYLE_TEMPLATES


def test_a_small_vocabulary_keeps_what_it_can_read() -> None:
    """The tiny vocabulary has no "image", "one", "close" or "clear"."""
    kept = templates_for("subject", [WholeWords(), tiny_tokenizer()])
    assert "a photo of a {}" in kept
    assert "the {}" in kept
    assert not any(word in template for template in kept for word in ("image", "one", "close", "clear"))
    assert "a painting in the style of {}" in templates_for("style", [tiny_tokenizer()])


def test_every_template_has_one_place() -> None:
    for template in SUBJECT_TEMPLATES + STYLE_TEMPLATES:
        assert fill(template, "<x>").count("<x>") == 1
    for bad in ("a photo", "{} and {}"):
        with pytest.raises(RequestError, match="once"):
            fill(bad, "<x>")


# ── the views ─────────────────────────────────────────────────────────────────────────────────────
def views_of(picture: np.ndarray, mask: Mask | None = None, **settings: object) -> tuple[View, ...]:
    chosen = ViewSettings(**settings)  # type: ignore[arg-type]
    return finish(encode_views(tiny_model("sd1"), [picture], [mask], chosen, seed=1))


def a_picture(height: int, width: int) -> np.ndarray:
    smooth = torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    grown = functional.interpolate(smooth, (height, width), mode="bilinear")
    return grown[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize(("height", "width"), [(300, 200), (70, 211), (1, 500), (33, 47)])
def test_views_keep_the_picture_s_shape(height: int, width: int) -> None:
    model = tiny_model("sd1")
    for view in views_of(a_picture(height, width), per_picture=2):
        rows, columns = view.shape
        assert max(rows, columns) * model.stride <= 1.5 * model.native_size + model.granularity
        assert rows * model.stride % model.granularity == columns * model.stride % model.granularity == 0
        wanted = min(1.5, max(2 / 3, height / width)) if 0.5 < height / width < 2 else None
        if wanted is not None:
            assert rows / columns == pytest.approx(height / width, rel=0.35)
        assert torch.isfinite(view.mean).all()
        assert (view.std > 0).all()


def test_the_first_view_is_the_whole_picture_and_the_others_differ() -> None:
    picture = a_picture(64, 64)
    model = tiny_model("sd1")
    first, *others = views_of(picture, per_picture=4)
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None] * 2 - 1
    assert torch.allclose(first.mean, model.encode(pixels)[0], atol=1e-4)
    for index, view in enumerate(others):
        assert not any(torch.allclose(view.mean, other.mean) for other in [first, *others[:index]])


def test_views_are_the_same_for_the_same_seed() -> None:
    one, two = (views_of(a_picture(90, 70), per_picture=3) for _ in range(2))
    assert all(torch.equal(a.mean, b.mean) for a, b in zip(one, two, strict=True))


def test_the_subject_is_in_every_view_and_weighs_more() -> None:
    mask = np.zeros((200, 300), np.uint8)
    mask[150:180, 10:50] = 255
    for view in views_of(a_picture(200, 300), mask, per_picture=6, outside_weight=0.1):
        assert float(view.weight.min()) == pytest.approx(0.1)
        assert float(view.weight.max()) == pytest.approx(1.0)
        cells = float((view.weight - 0.1).sum() / 0.9)
        # 40 x 30 subject pixels are shown at 1:1 or smaller, each latent cell is 8 x 8 of them
        assert 0.3 * 1200 / 64 <= cells <= 1.4 * 1200 / 64


def test_without_a_mask_everything_weighs_the_same() -> None:
    assert all((view.weight == 1).all() for view in views_of(a_picture(64, 64)))


def test_an_empty_mask_is_told() -> None:
    with pytest.raises(SelectionEmptyError):
        views_of(a_picture(64, 64), np.zeros((64, 64), np.uint8))


def test_only_every_second_view_is_mirrored_and_only_if_asked() -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[:, :16] = 255  # the left quarter
    for mirrored in (False, True):
        for number, view in enumerate(views_of(a_picture(64, 64), mask, per_picture=4, mirrored=mirrored)):
            left, right = view.weight[..., :4].sum(), view.weight[..., 4:].sum()
            assert bool(left < right) == (mirrored and number % 2 == 1)


def test_only_views_of_one_shape_share_a_batch() -> None:
    views = [*views_of(a_picture(64, 64), per_picture=3), *views_of(a_picture(60, 120), per_picture=2)]
    groups = grouped(views, 2)
    assert sorted(index for group in groups for index in group) == list(range(5))
    assert all(len(group) <= 2 and len({views[index].shape for index in group}) == 1 for group in groups)


# ── the rule to stop ──────────────────────────────────────────────────────────────────────────────
def evaluations(curve: str, n: int = 200) -> list[float]:
    """Loss curves as they are met: a fall to a floor, a steady fall, no fall at all."""
    noise = np.random.default_rng(0).normal(0, 0.01, n)
    at = np.arange(n)
    falls = {"floor": np.exp(-at / 10), "ramp": 1 - at / n, "exponential": np.exp(-at / 10) - noise}
    return list(falls[curve] + noise)


def test_it_stops_after_the_fall_and_not_before() -> None:
    losses = evaluations("floor")
    rule = Dvar(window=30)
    stopped = next(n for n in range(1, 200) if rule.satisfied(losses[:n]))
    assert 40 <= stopped <= 80  # the fall ends near 30, then a window has to be seen
    assert not any(rule.satisfied(losses[:n]) for n in range(31))


def test_it_never_stops_on_a_steady_fall() -> None:
    losses = evaluations("ramp")
    assert not any(Dvar(window=30).satisfied(losses[:n]) for n in range(1, 200))


def test_a_longer_window_waits_longer() -> None:
    losses = evaluations("floor")
    first = [next(n for n in range(1, 200) if Dvar(window=w).satisfied(losses[:n])) for w in (20, 40)]
    assert first[0] < first[1]
