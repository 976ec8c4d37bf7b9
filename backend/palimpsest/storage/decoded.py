"""Pictures as they were last decoded: the next edit of a photo neither reads nor unpacks its file."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from palimpsest.storage.decode import Limits
from palimpsest.storage.images import ImageStore
from palimpsest.storage.pictures import Picture, Selection, read_picture, read_selection

MOST_BYTES = 512 << 20  # kept in memory; a photo of 150 million pixels with 8 bits just fits
Kept = TypeVar("Kept", Picture, Selection)


@dataclass
class DecodedPictures:
    """Those of a store, the last used ones, of ``most`` bytes together; a larger one is not kept.

    What the store no longer has is refused, decoded or not.
    """

    images: ImageStore
    limits: Limits
    most: int = MOST_BYTES
    _kept: OrderedDict[tuple[str, tuple[int, int] | None], Picture | Selection] = field(
        default_factory=OrderedDict, init=False
    )

    def picture(self, image: str) -> Picture:
        """Raises the ImageErrors."""
        return self._found(image, None, Picture, lambda content: read_picture(content, self.limits))

    def selection(self, image: str, size: tuple[int, int]) -> Selection:
        """For a picture of ``size`` (width, height). Raises the ImageErrors and SelectionErrors."""
        return self._found(
            image, size, Selection, lambda content: Selection.of(read_selection(content, size, self.limits))
        )

    def _found(
        self, image: str, size: tuple[int, int] | None, kind: type[Kept], read: Callable[[bytes], Kept]
    ) -> Kept:
        key = image, size
        found = self._kept.pop(key, None)
        if not isinstance(found, kind) or not self.images.has(image):
            found = read(self.images.get(image))
            _freeze(found)
        if _bytes(found) <= self.most:
            self._kept[key] = found
            while self.size > self.most:
                self._kept.popitem(last=False)
        return found

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return sum(map(_bytes, self._kept.values()))


def _bytes(found: Picture | Selection) -> int:
    if isinstance(found, Selection):
        return found.values.nbytes
    alpha = 0 if found.alpha is None else found.alpha.nbytes
    return found.pixels.nbytes + alpha


def _freeze(found: Picture | Selection) -> None:
    arrays = (found.values,) if isinstance(found, Selection) else (found.pixels, found.alpha)
    for array in arrays:
        if array is not None:
            array.flags.writeable = False
