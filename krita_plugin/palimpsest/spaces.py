"""Colour spaces: Krita converts pixels, in hidden documents so that nothing shows in anybody's undo history.

A node that belongs to the user's document would leave "Convert Layer Color Space" there, even before it
is added. So one small hidden document is kept, and each use works in a clone of it, whose own history
goes away with it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Callable

from krita import Document, Krita, Node

from ._client.editor.geometry import Bounds
from ._client.editor.packing import pack
from ._client.editor.picture_file import PictureFile
from ._client.editor.slices import Steps, WorkError
from ._client.krita.file import layer_with_mask
from ._client.krita.spaces import Space, most, sent_for, sent_layout
from ._client.text.wording import say
from .qt import QByteArray

SIDE = 256  # of the square in which pixels are converted; where they came from doesn't matter
Read = Callable[[int, int, int, int], QByteArray]
RENEWED = 64  # conversions after which a clone makes room: it remembers all of them


def space_of(thing: Document | Node) -> Space:
    return Space(thing.colorModel(), thing.colorDepth(), thing.colorProfile())


class Backstage:
    """The hidden document. Opened when first needed; that takes Krita a tenth of a second."""

    def __init__(self) -> None:
        self._document: Document | None = None

    def open(self) -> Document:
        if self._document is None or self._document not in Krita.instance().documents():  # closed by others
            self._document = open_hidden(layer_with_mask())
        return self._document

    @contextmanager
    def clone(self) -> Iterator[Document]:
        clone = self.open().clone()
        try:
            yield clone
        finally:
            discard(clone)


class Converter:
    """Pixels from one space to another. ``close`` it."""

    def __init__(self, backstage: Backstage, source: Space, target: Space) -> None:
        self._backstage, self._source, self._target = backstage, source, target
        self._document: Document | None = None
        self._blank: Node | None = None
        self._used = 0

    def convert(self, pixels: bytes) -> bytes:
        """Straight alpha; ``most`` pixels, so that it takes no longer than a step may."""
        if self._source == self._target:
            return pixels
        count = len(pixels) // self._source.pixel_bytes
        rows = -(-count // SIDE)
        padding = bytes((rows * SIDE - count) * self._source.pixel_bytes)
        node = self._empty_node()
        node.setPixelData(QByteArray(pixels + padding), 0, 0, SIDE, rows)
        node.setColorSpace(*self._target)
        return node.pixelData(0, 0, SIDE, rows).data()[: count * self._target.pixel_bytes]

    def _empty_node(self) -> Node:
        if self._used % RENEWED == 0:
            self.close()
            self._document = self._backstage.open().clone()
            self._blank = self._document.createNode("pixels", "paintlayer")
            self._blank.setColorSpace(*self._source)
        self._used += 1
        return self._blank.duplicate()

    def close(self) -> None:
        if self._document is not None:
            discard(self._document)
            self._document = self._blank = None


def pack_png(backstage: Backstage, space: Space, part: Bounds, read: Read, file: PictureFile) -> Steps[bytes]:
    """``part`` of what ``read`` (x, y, width, height) gives in ``space``, in sRGB or grey, into ``file``."""
    target = sent_for(space)
    layout = sent_layout(target, part.extent)
    with closing(Converter(backstage, space, target)) as converter:
        step = most(space, target)
        return (yield from pack(layout, part, step, lambda b: converter.convert(read(*b).data()), file))


def open_hidden(content: bytes) -> Document:
    """A document without a window. In batch mode, or Krita would ask about a missing profile."""
    krita = Krita.instance()
    asked = krita.batchmode()
    with tempfile.TemporaryDirectory(prefix="palimpsest-") as folder:
        file = Path(folder) / "palimpsest.kra"
        file.write_bytes(content)
        krita.setBatchmode(True)
        try:
            document = krita.openDocument(str(file))
        finally:
            krita.setBatchmode(asked)
    if document is None:
        raise WorkError(say("no-template"))
    return document


def discard(document: Document) -> None:
    document.setModified(False)
    document.close()
