"""A mirror's law is read off the photo, and another thing is shown by it; without it the old image stays."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from palimpsest.core.picture.reflection import law_of, lay

SIDE, SHARE = 96, 0.5
GLASS, GROUND = (0.8, 0.88, 0.9), (0.3, 0.5, 0.2)
PANE = (slice(20, 76), slice(56, 92))


def flat(colour: tuple[float, float, float]) -> Tensor:
    return torch.tensor(colour)[None, :, None, None].expand(1, 3, SIDE, SIDE).clone()


def opacity(form: str) -> Tensor:
    """An L, whose image has to be turned round, or a bar: both stand on row 80."""
    alpha = torch.zeros(1, 1, SIDE, SIDE)
    alpha[..., 40:80, 14:24] = 1
    if form == "L":
        alpha[..., 68:80, 14:42] = 1
    return alpha


def mirror(picture: Tensor, alpha: Tensor) -> Tensor:
    """Beside a ground with a thing the pane, and in it the thing's image, half as large and flipped."""
    shown = picture * 1
    shown[..., PANE[0], PANE[1]] = flat(GLASS)[..., PANE[0], PANE[1]]
    image = torch.zeros(1, 1, SIDE, SIDE)
    colours = torch.zeros(1, 3, SIDE, SIDE)
    for y in range(SIDE):
        for x in range(SIDE):
            at = round(28 - (x - 74) / 0.5), round(80 + (y - 70) / 0.5)
            if 0 <= at[0] < SIDE and 0 <= at[1] < SIDE and alpha[0, 0, at[1], at[0]] > 0:
                image[..., y, x] = 1
                colours[..., y, x] = picture[..., at[1], at[0]]
    return shown + SHARE * image * (colours - shown)


def scene(form: str, colour: tuple[float, float, float]) -> tuple[Tensor, Tensor, Tensor]:
    """The picture with its mirror, the same without, and the thing's opacity."""
    alpha = opacity(form)
    plain = flat(GROUND) * (1 - alpha) + flat(colour) * alpha
    return mirror(plain, alpha), plain, alpha


def where() -> Tensor:
    """Selected loosely around the image."""
    inside = torch.zeros(1, 1, SIDE, SIDE)
    inside[..., 46:74, 62:86] = 1
    return inside


def test_the_law_is_found() -> None:
    photo, _, alpha = scene("L", (0.9, 0.2, 0.1))
    law = law_of(photo, alpha, where())
    assert law is not None
    assert law.scale == pytest.approx(0.5, abs=0.06)
    assert law.share == pytest.approx(SHARE, abs=0.08)
    assert law.explained > 0.6


@pytest.mark.parametrize("form", ["L", "bar"])
def test_another_thing_is_shown_by_it_and_the_old_one_no_more(form: str) -> None:
    photo, _, old = scene("L", (0.9, 0.2, 0.1))
    truth, edited, new = scene(form, (0.1, 0.2, 0.8))
    law = law_of(photo, old, where())
    assert law is not None
    laid = lay(photo, edited, old, new, where(), law)
    inside = where()[0, 0] > 0

    def far(a: Tensor, b: Tensor) -> float:
        return float((a - b)[..., inside].abs().mean())

    assert far(laid, truth) < 0.35 * far(photo, truth)
    assert torch.equal(laid[..., ~inside], photo[..., ~inside])


def test_of_a_pane_that_shows_nothing_of_the_thing_there_is_no_law() -> None:
    _, plain, alpha = scene("L", (0.9, 0.2, 0.1))
    empty = plain * 1
    empty[..., PANE[0], PANE[1]] = flat(GLASS)[..., PANE[0], PANE[1]]
    assert law_of(empty, alpha, where()) is None
    assert law_of(empty, torch.zeros_like(alpha), where()) is None
