"""Pictures by the sha256 of their bytes: stored once, never altered, checked whenever they are read."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from palimpsest.errors import ImageHashError, ImageNotFoundError, StorageError, Text
from palimpsest.storage.atomic import write_atomically

CHUNK = 1 << 20
IDENTITY = re.compile(r"[0-9a-f]{64}")


def identity(content: bytes) -> str:
    """The id of these bytes."""
    return hashlib.sha256(content).hexdigest()


class ImageStore:
    """``folder/ab/abcd….``: two levels, so that no folder grows to millions of entries.

    An id is 64 hexadecimal digits and nothing else, so no id can be a path out of the folder.
    Several processes may read and write at once: a file appears whole or not at all.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, content: bytes, expected: str | None = None) -> str:
        """Store the bytes and return their id. Storing them again changes nothing.

        ``expected``: the id the sender says they have. Raises ImageHashError if that isn't so,
        DiskFullError, StorageError.
        """
        found = identity(content)
        if expected is not None and _checked(expected) != found:
            raise ImageHashError(
                f"The picture's sha256 is {found}, not {expected}.",
                "It was damaged on its way: send it again.",
            )
        if self.has(found) and self.path(found).stat().st_size == len(content):
            os.utime(self.path(found))  # it is in use again: what is fresh is not removed
        else:
            write_atomically(self.path(found), content)
        return found

    def get(self, image: str) -> bytes:
        """The bytes, whole and right. Raises ImageNotFoundError, ImageHashError, StorageError."""
        path = self.path(image)
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise ImageNotFoundError(Text("picture-not-there", image=image), Text("send-first")) from error
        except OSError as error:
            raise StorageError(f"Can't read {path}: {error.strerror}.", "Check the disk.") from error
        if identity(content) != image:
            raise self._damaged(image)
        return content

    def check(self, image: str) -> Path:
        """Where the picture is, after reading all of it: whole and right. Raises as ``get`` does."""
        path = self.path(image)
        digest = hashlib.sha256()
        try:
            with path.open("rb") as file:
                for chunk in iter(lambda: file.read(CHUNK), b""):
                    digest.update(chunk)
        except FileNotFoundError as error:
            raise ImageNotFoundError(Text("picture-not-there", image=image), Text("send-first")) from error
        except OSError as error:
            raise StorageError(f"Can't read {path}: {error.strerror}.", "Check the disk.") from error
        if digest.hexdigest() != image:
            raise self._damaged(image)
        return path

    def _damaged(self, image: str) -> ImageHashError:
        """Removed, so that ``has`` tells the truth and it can be sent or made again."""
        self.discard(image)
        return ImageHashError(Text("picture-broken-here", image=image), Text("send-or-make-again"))

    def has(self, image: str) -> bool:
        return self.path(image).is_file()

    def path(self, image: str) -> Path:
        """Where the picture is, or would be. Raises ImageNotFoundError for anything that isn't an id."""
        return self.folder / _checked(image)[:2] / image

    def discard(self, image: str) -> None:
        """Forget a picture; it is no error if it isn't there."""
        try:
            self.path(image).unlink(missing_ok=True)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                raise StorageError(f"Can't remove {image}: {error.strerror}.") from error

    def __iter__(self) -> Iterator[str]:
        """The ids of all pictures, in no order."""
        for path in self.folder.glob("??/*"):
            if IDENTITY.fullmatch(path.name) and path.parent.name == path.name[:2]:
                yield path.name


def _checked(image: str) -> str:
    if not IDENTITY.fullmatch(image):
        raise ImageNotFoundError(
            f"{image!r} is no picture's id.", "An id is the sha256 of the file: 64 digits 0-9a-f."
        )
    return image
