"""The colours of a style, and a photo in them."""

from __future__ import annotations

import torch
from torch import Tensor

from palimpsest.core.colours import Colours

MEAN, DEVIATION = torch.tensor([1.0, -2.0, 0.0, 0.5]), torch.tensor([0.1, 2.0, 1.0, 0.5])


def pictures(count: int, *shape: int, mean: Tensor = MEAN, deviation: Tensor = DEVIATION) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(count, 4, *shape, generator=generator)
    return list(mean[:, None, None] + deviation[:, None, None] * noise)


def test_pictures_that_agree_tell_the_colours_whatever_their_sizes() -> None:
    found = Colours.of([*pictures(3, 40, 50), *pictures(2, 30, 90)])
    assert torch.allclose(found.mean, MEAN, atol=0.06)
    assert torch.allclose(found.deviation, DEVIATION, atol=0.06)
    assert torch.equal(found.stacked, torch.stack([found.mean, found.deviation]))


def test_what_differs_from_picture_to_picture_is_no_colour_of_the_style() -> None:
    """Each has colours of its own, as photos have: what is left of their mean is far less than it."""
    each = [picture + 3 * (-1) ** number for number, picture in enumerate(pictures(4, 40, 50))]
    plain = torch.cat([picture.flatten(1) for picture in each], dim=1).mean(dim=1)
    found = Colours.of(each)
    assert plain.norm() > 1
    assert torch.equal(found.mean, torch.zeros(4))


def test_photos_have_a_styles_colours_after_it_and_each_photo_its_own() -> None:
    photos = torch.stack(pictures(64, 8, 12, mean=torch.zeros(4), deviation=torch.ones(4)))
    given = Colours(MEAN, DEVIATION).given_to(photos)
    cells = given.transpose(0, 1).flatten(1)
    assert torch.allclose(cells.mean(dim=1), MEAN, atol=0.05)
    assert torch.allclose(cells.std(dim=1), DEVIATION, atol=0.05)
    assert torch.equal(given[:, 2], photos[:, 2]), "what is as in photos stays as it is"
