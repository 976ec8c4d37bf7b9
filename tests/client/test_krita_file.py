"""The Krita file is a sound archive that holds what its document names; Krita opens it in other tests."""

from __future__ import annotations

import io
import zipfile
from xml.etree import ElementTree

from palimpsest_client.krita.file import NAME, layer_with_mask

KRITA = "{http://www.calligra.org/DTD/krita}"


def test_every_node_that_is_named_has_its_tiles():
    with zipfile.ZipFile(io.BytesIO(layer_with_mask())) as archive:
        assert archive.testzip() is None
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        document = ElementTree.fromstring(archive.read("maindoc.xml"))
        names = set(archive.namelist())
        image = document.find(f"{KRITA}IMAGE")
        assert image is not None
        assert image.get("name") == NAME
        (layer,) = document.iter(f"{KRITA}layer")
        (mask,) = document.iter(f"{KRITA}mask")
        for file in (layer.get("filename"), f"{mask.get('filename')}.pixelselection"):
            assert {f"{NAME}/layers/{file}", f"{NAME}/layers/{file}.defaultpixel"} <= names
