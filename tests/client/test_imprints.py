"""A layer is known again by what it was like when it was put in."""

from __future__ import annotations

import pytest

from palimpsest_client.editor.geometry import Bounds, Extent
from palimpsest_client.editor.imprints import OWN, Digest, Imprint, read_imprint


def test_an_imprint_is_read_as_it_was_kept():
    places = Extent(90, 80), Bounds(3, 4, 50, 60), (-7, 5), (0, 2)
    imprint = Imprint("Katze → <mein-Hund>", *places, "0" * 64, OWN)
    assert read_imprint(imprint.text) == imprint
    assert imprint.text.isascii(), "GIMP keeps nothing else"


@pytest.mark.parametrize("text", ["", "{", "[]", "[2, 3]", '{"name": 1}', "null", "[1, 2, 3, 4, 5, 6, 7]"])
def test_what_is_no_imprint_is_none(text):
    assert read_imprint(text) is None


def test_a_digest_does_not_mind_how_the_pixels_come():
    whole, parts = Digest(), Digest()
    whole.add(bytes(range(200)))
    for start in range(0, 200, 30):
        parts.add(bytes(range(200))[start : start + 30])
    assert whole.text == parts.text
    parts.add(b"\0")
    assert whole.text != parts.text
