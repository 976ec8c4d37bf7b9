"""What GIMP's layers are made from."""

from __future__ import annotations

import pytest

from palimpsest_client.gimp.pasting import space_of


@pytest.mark.parametrize(
    ("precision", "space"),
    [
        ("u8-non-linear", "RGB_NON_LINEAR"),
        ("half-perceptual", "RGB_PERCEPTUAL"),
        ("float-linear", "RGB_LINEAR"),
    ],
)
def test_layers_are_mixed_in_the_pictures_own_encoding(precision: str, space: str):
    assert space_of(precision) == space
