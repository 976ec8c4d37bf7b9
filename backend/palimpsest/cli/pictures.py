"""The picture files that a command names: judged before anything slow begins, then sent to a backend."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from palimpsest.errors import (
    ImageError,
    ImageNotFoundError,
    ImageTooLargeError,
    ImageUnreadableError,
    SelectionError,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from palimpsest.settings import Settings
    from palimpsest.storage.decode import Limits
    from palimpsest.storage.pictures import Picture


SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif")


class PictureStore(Protocol):
    def put(self, file: Path) -> str: ...


@dataclass
class Pictures:
    """What a request says of a picture is the hash of its bytes, so it can be made without a backend."""

    settings: Settings
    named: dict[str, Path] = field(default_factory=dict)

    def name(self, file: Path) -> str:
        """The file's sha256. Raises an ImageError for what its first bytes show to be unusable."""
        from palimpsest.storage.decode import check_header

        content = read(file, self.settings.max_image_bytes)
        with naming(file):
            check_header(content, self.limits)
        hash = hashlib.sha256(content).hexdigest()
        self.named[hash] = file
        return hash

    def name_if(self, file: Path | None) -> str | None:
        return None if file is None else self.name(file)

    def names(self, files: Iterable[Path]) -> tuple[str, ...]:
        return tuple(self.name(file) for file in files)

    def put(self, store: PictureStore) -> None:
        for file in self.named.values():
            store.put(file)

    def read(self, file: Path) -> Picture:
        """Decoded. Raises the ImageErrors, with the file's name."""
        from palimpsest.storage.pictures import read_picture

        content = read(file, self.settings.max_image_bytes)
        with naming(file):
            return read_picture(content, self.limits)

    def size(self, file: Path) -> tuple[int, int]:
        """Width and height, upright, without decoding. Raises the ImageErrors, with the file's name."""
        from palimpsest.storage.decode import size_of

        content = read(file, self.settings.max_image_bytes)
        with naming(file):
            return size_of(content, self.limits)

    def selection(self, file: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
        """Of a photo of ``size``. Raises the ImageErrors and SelectionErrors, with the file's name."""
        from palimpsest.storage.pictures import read_selection

        content = read(file, self.settings.max_image_bytes)
        with naming(file):
            return read_selection(content, size, self.limits)

    @property
    def limits(self) -> Limits:
        from palimpsest.storage.decode import Limits

        return Limits(self.settings.max_pixels, self.settings.max_image_bytes)


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """What is wrong with a picture is said with its file's name."""
    try:
        yield
    except (ImageError, SelectionError) as error:
        raise type(error)(f"{file}: {error.message}", error.hint, **error.details) from error


def expanded(places: Iterable[Path]) -> list[Path]:
    """Files as they are, folders as the pictures in them."""
    return [file for place in places for file in (pictures_in(place) if os.path.isdir(place) else [place])]


def pictures_in(folder: Path) -> list[Path]:
    """Its picture files by name, not those in folders below.

    Raises ImageNotFoundError where there is none, ImageUnreadableError.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        what = f"{folder} can't be read: {error.strerror}."
        raise ImageUnreadableError(what, "Check the folder.") from error
    found = [path for path in files if path.suffix.lower() in SUFFIXES]
    if not found:
        raise ImageNotFoundError(f"There is no photo in the folder {folder}.", "Check the path.")
    return found


def read(file: Path, most: int) -> bytes:
    """Raises ImageNotFoundError, ImageTooLargeError, ImageUnreadableError."""
    from palimpsest.storage.files import read_regular

    try:
        content = read_regular(file, most)
    except FileNotFoundError as error:
        raise ImageNotFoundError(f"There is no file {file}.", "Check the path.") from error
    except OSError as error:
        raise ImageUnreadableError(f"{file} can't be read: {error.strerror}.", "Check the file.") from error
    if len(content) > most:
        raise ImageTooLargeError(
            f"{file} has more than {most} bytes, which is the most that is read.",
            "PALIMPSEST_MAX_IMAGE_BYTES sets the limit.",
        )
    return content
