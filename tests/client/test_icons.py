"""Every operation has an icon that both editors can draw in the colour of their text."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from palimpsest_client.controls import OPERATIONS
from palimpsest_client.icons import FOLDER, colored, icon_file

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_icon_takes_the_colour_it_is_given(operation: str) -> None:
    root = ElementTree.fromstring(colored(operation, "#12ab34"))
    assert (root.get("width"), root.get("height")) == ("16", "16")
    shapes = list(root)
    assert {shape.tag for shape in shapes} == {SVG + "path"}  # GTK recolours fills alone
    assert {(shape.get("fill"), shape.get("stroke")) for shape in shapes} == {("#12ab34", None)}


def test_there_is_one_for_each_operation_and_no_other() -> None:
    assert {icon_file(operation) for operation in OPERATIONS} == set(FOLDER.iterdir())
