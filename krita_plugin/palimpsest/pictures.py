"""PNG files decoded by Qt, for Krita's nodes and selections. Runs on worker threads: knows no document."""

from __future__ import annotations

from ._client.editor.geometry import Bounds
from ._client.editor.slices import WorkError
from ._client.krita.pictures import GREY, Read
from ._client.text.wording import say
from .qt import QBuffer, QImage, QImageReader, QIODevice

FORMATS = {  # bits of a value → Qt's name, bytes of a pixel
    GREY: (QImage.Format.Format_Grayscale8, 1),
    8: (QImage.Format.Format_ARGB32, 4),
    16: (QImage.Format.Format_RGBA64, 8),
}


def decode(content: bytes) -> Read:
    """Through a reader: unlike ``QImage.fromData`` it lets Python's other threads run meanwhile."""
    buffer = QBuffer()
    buffer.setData(content)
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    if hasattr(reader, "setAllocationLimit"):  # Qt 6 refuses what is larger than 256 MB
        reader.setAllocationLimit(0)
    image = reader.read()
    if image.isNull():
        raise WorkError(say("unreadable", reason=reader.errorString()))
    return lambda part, depth: cut(image, part, depth)


def cut(image: QImage, part: Bounds, depth: int) -> bytes:
    format, size = FORMATS[depth]
    image = image.copy(*part).convertToFormat(format)
    return b"".join([image.constScanLine(row).asstring(part.width * size) for row in range(part.height)])
