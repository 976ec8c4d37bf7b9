"""The picture files that a command names: judged before anything slow begins, then sent to a backend."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from palimpsest.errors import ImageError, ImageNotFoundError, ImageTooLargeError, ImageUnreadableError

if TYPE_CHECKING:
    from palimpsest.cli.backend import Backend
    from palimpsest.settings import Settings


@dataclass
class Pictures:
    """What a request says of a picture is the hash of its bytes, so it can be made without a backend."""

    settings: Settings
    named: dict[str, Path] = field(default_factory=dict)

    def name(self, file: Path) -> str:
        """The file's sha256. Raises an ImageError for what its first bytes show to be unusable."""
        from palimpsest.storage.decode import Limits, check_header

        content = read(file, self.settings.max_image_bytes)
        try:
            check_header(content, Limits(self.settings.max_pixels, self.settings.max_image_bytes))
        except ImageError as error:
            raise type(error)(f"{file}: {error.message}", error.hint, **error.details) from error
        hash = hashlib.sha256(content).hexdigest()
        self.named[hash] = file
        return hash

    def name_if(self, file: Path | None) -> str | None:
        return None if file is None else self.name(file)

    def names(self, files: Iterable[Path]) -> tuple[str, ...]:
        return tuple(self.name(file) for file in files)

    def put(self, backend: Backend) -> None:
        for file in self.named.values():
            backend.put(file)


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
