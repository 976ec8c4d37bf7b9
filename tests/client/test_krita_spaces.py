"""What is sent of Krita's colour spaces, and which documents can't be edited."""

from __future__ import annotations

import pytest

from palimpsest_client.editor.geometry import Extent
from palimpsest_client.krita.spaces import edited, refused, sent, sent_layout


@pytest.mark.parametrize("model", ["RGBA", "GRAYA"])
def test_rgb_and_grey_are_edited_as_they_are(model):
    assert refused(model) == ("", "")


@pytest.mark.parametrize(("model", "name"), [("CMYKA", "CMYK"), ("LABA", "Lab"), ("NEW", "NEW")])
def test_another_model_is_named_and_a_copy_offered(model, name):
    refusal, remedy = refused(model)
    assert name in refusal
    assert "RGB" in remedy


def test_the_copy_is_as_deep_as_the_document_or_16_bits():
    assert [edited(depth).depth for depth in ("U8", "U16", "F32", "NEW")] == ["U8", "U16", "F32", "U16"]
    assert edited("U8") == sent("RGBA", False)


@pytest.mark.parametrize(("model", "channels", "blue_first"), [("RGBA", 4, True), ("GRAYA", 2, False)])
@pytest.mark.parametrize(("deep", "bits"), [(False, 8), (True, 16)])
def test_pixels_are_laid_out_as_krita_gives_them(model, channels, blue_first, deep, bits):
    layout = sent_layout(sent(model, deep), Extent(3, 2))
    assert (layout.channels, layout.depth, layout.blue_first) == (channels, bits, blue_first)
