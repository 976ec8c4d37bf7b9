"""A photo is inverted once and remembered, until room is needed.

An entry is a safetensors file of named tensors and text, under a key made of everything that has a
bearing on it. Entries carry a hash of their content; one that doesn't match is noticed, dropped and
made again. The least recently used go first when the cache outgrows its limit.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from palimpsest.errors import DiskFullError, StorageError
from palimpsest.storage.atomic import write_atomically
from palimpsest.storage.images import IDENTITY

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

VERSION = 2  # raise it when older and newer code must not use each other's inversions
SUFFIX = ".safetensors"
Put = Literal["kept", "over the limit", "not written"]
log = logging.getLogger(__name__)


def pixels_hash(pixels: NDArray[Any]) -> str:
    """sha256 of an array's values, shape and type, however it lies in memory."""
    import numpy as np

    digest = hashlib.sha256(f"{pixels.dtype.name} {pixels.shape}".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def key(**parts: Any) -> str:
    """The key for these circumstances: pixels, prompt, weights, every parameter. JSON values only.

    A value that JSON can't hold is an error here, because two different ones might look alike.
    """
    text = json.dumps({"version": VERSION, **parts}, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Entry:
    tensors: dict[str, Tensor]
    metadata: dict[str, str]


class InversionCache:
    """``limit`` in bytes on the disk; 0 switches the cache off. Safe for several processes."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self.limit = limit

    def get(self, key: str) -> Entry | None:
        """The entry on the CPU, now the most recently used; None if it isn't there or was damaged."""
        path = self._path(key)
        if not path.is_file():
            return None
        try:
            entry = _read(path, key)
        except FileNotFoundError:
            return None  # removed by another process meanwhile
        except Exception as error:  # whatever is wrong with the file, it can be made again
            log.warning("The remembered inversion %s is damaged and was dropped: %s", key, error)
            _drop(path)
            return None
        with contextlib.suppress(OSError):  # a cache that can't be written can still be read
            os.utime(path)
        return entry

    def put(self, key: str, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> Put:
        """Remember it if it can be: it may be larger than the limit, the disk full, the folder read-only.

        That is no reason to lose the work that the entry was made for.
        """
        content = _bytes(key, tensors, metadata)
        if len(content) > self.limit:
            return "over the limit"
        path = self._path(key)
        replaced = path.stat().st_size if path.is_file() else 0
        self.make_room(len(content) - replaced)
        try:
            write_atomically(path, content)
        except (DiskFullError, StorageError) as error:
            log.info("An inversion could not be remembered: %s", error)
            return "not written"
        return "kept"

    def make_room(self, wanted: int = 0) -> None:
        """Drop the least recently used until ``wanted`` more bytes are within the limit."""
        entries = sorted(self._entries(), key=lambda entry: (entry[1], entry[0].name))
        total = sum(size for _, _, size in entries) + wanted
        for path, _, size in entries:
            if total <= self.limit:
                return
            total -= size if _drop(path) else 0

    def size(self) -> int:
        """Bytes on the disk."""
        return sum(size for _, _, size in self._entries())

    def clear(self) -> None:
        """Forget everything."""
        for path, _, _ in self._entries():
            _drop(path)

    def _entries(self) -> list[tuple[Path, int, int]]:
        found = []
        for path in self.folder.glob("*" + SUFFIX):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue  # removed by another process meanwhile
            found.append((path, status.st_mtime_ns, status.st_size))
        return found

    def _path(self, key: str) -> Path:
        assert IDENTITY.fullmatch(key), key
        return self.folder / (key + SUFFIX)


def _drop(path: Path) -> bool:
    """False if the system won't let go of it now (on Windows: another process reads it)."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("Can't remove %s: %s", path, error.strerror)
        return False
    return True


def _bytes(key: str, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    from safetensors.torch import save

    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    described = {"content": _content_hash(key, plain, metadata), "metadata": dict(metadata)}
    return save(plain, {"entry": json.dumps(described, sort_keys=True)})  # one item: their order is random


def _read(path: Path, key: str) -> Entry:
    from safetensors.torch import load

    content = path.read_bytes()  # not mapped: the file may be dropped while its tensors are in use
    tensors = load(content)
    length = int.from_bytes(content[:8], "little")
    described = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["entry"])
    found = _content_hash(key, tensors, described["metadata"])
    if described["content"] != found:
        raise ValueError(f"its content has the hash {found}, it should be {described['content']}")
    return Entry(tensors, described["metadata"])


def _content_hash(key: str, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    """Over key, names, types, shapes and every byte, so a file under a wrong name is noticed too."""
    import torch

    digest = hashlib.sha256(json.dumps([key, dict(metadata)], sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
