"""Operations, Describe and settings have icons that both editors draw in the colour of their text."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from palimpsest_client.fields.operations import OPERATIONS
from palimpsest_client.views.icons import FOLDER, colored, icon_file

NAMES = (*OPERATIONS, "describe", "settings")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", NAMES)
def test_an_icon_takes_the_colour_and_the_size_it_is_given(name: str) -> None:
    root = ElementTree.fromstring(colored(name, "#12ab34"))
    assert (root.get("width"), root.get("height")) == ("16", "16")
    larger = ElementTree.fromstring(colored(name, "#12ab34", 32))
    assert (larger.get("width"), larger.get("height"), larger.get("viewBox")) == ("32", "32", "0 0 16 16")
    shapes = list(root)
    assert {shape.tag for shape in shapes} == {SVG + "path"}  # GTK recolours fills alone
    assert {(shape.get("fill"), shape.get("stroke")) for shape in shapes} == {("#12ab34", None)}


def test_there_is_one_for_each_and_no_other() -> None:
    assert {icon_file(name) for name in NAMES} == set(FOLDER.iterdir())
