"""A Krita file with one empty layer that has a transparency mask.

Krita 5.1 can't make such a mask (one made by ``createNode`` has no pixels, and saving it crashes), and
adding a mask to a layer is an undo step of its own. A layer read from a file has both already, and its
copy goes into a document in one step. Layout of the file: ``mimetype``, ``maindoc.xml``, and for each
node its tiles (none) and its default pixel (transparent).
"""

from __future__ import annotations

import io
import zipfile

NAME = "palimpsest"
MAINDOC = f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE DOC PUBLIC '-//KDE//DTD krita 2.0//EN' 'http://www.calligra.org/DTD/krita-2.0.dtd'>
<DOC xmlns="http://www.calligra.org/DTD/krita" kritaVersion="5.1.5" syntaxVersion="2.0" editor="Krita">
 <IMAGE name="{NAME}" mime="application/x-kra" width="64" height="64" x-res="72" y-res="72"
  colorspacename="RGBA" profile="sRGB-elle-V2-srgbtrc.icc" description="">
  <layers>
   <layer name="layer" filename="layer2" nodetype="paintlayer" colorspacename="RGBA" compositeop="normal"
    uuid="{{370dd07e-5bb3-4250-bfe9-3587177ea43a}}" x="0" y="0" opacity="255" visible="1" locked="0"
    collapsed="0" colorlabel="0" onionskin="0" channelflags="" channellockflags="">
    <masks>
     <mask name="mask" filename="mask3" nodetype="transparencymask"
      uuid="{{95ca865b-983b-4d31-99c9-17ee925a08df}}" x="0" y="0" visible="1" locked="0" colorlabel="0"/>
    </masks>
   </layer>
  </layers>
 </IMAGE>
</DOC>
"""


def layer_with_mask() -> bytes:
    """The file's content. Open it in batch mode: without a profile inside Krita would ask about it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("mimetype"), "application/x-krita")
        archive.writestr("maindoc.xml", MAINDOC)
        for node, pixel in (("layer2", 4), ("mask3.pixelselection", 1)):
            archive.writestr(f"{NAME}/layers/{node}", no_tiles(pixel))
            archive.writestr(f"{NAME}/layers/{node}.defaultpixel", bytes(pixel))
    return file.getvalue()


def no_tiles(pixel: int) -> bytes:
    """Krita's tile file, version 2, of a device with ``pixel`` bytes per pixel and nothing in it."""
    return b"VERSION 2\nTILEWIDTH 64\nTILEHEIGHT 64\nPIXELSIZE %d\nDATA 0\n" % pixel
