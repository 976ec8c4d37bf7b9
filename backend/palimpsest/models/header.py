"""What stands at the beginning of a safetensors file, read with bounds and without torch.

The format: 8 bytes with the header's length, the header as JSON, the tensors one after the other.
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from palimpsest.errors import ModelNotFoundError, ModelUnreadableError, Text
from palimpsest.storage.header import parse

LARGEST = 16 << 20  # bytes; SDXL's 2,500 tensors take 0.4 MB, the rest is for metadata
LENGTH = 8

#: What reading and parsing raise for files that no saver writes.
UNREADABLE = (
    *(OSError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError),
    struct.error,
)

#: How files begin that people rename or fetch by mistake → what they are, and what to do.
BEGINNINGS: tuple[tuple[bytes, str, str], ...] = (
    (b"GGUF", "a GGUF file, whose weights are quantised", "Use the same model in float16 as .safetensors."),
    (b"PK\x03\x04", "a pickle file or an archive", "Get the model as .safetensors."),
    (b"\x80", "a pickle file", "Get the model as .safetensors."),
    (b"version https://git-lfs", "a pointer of Git LFS", "Fetch the file itself: git lfs pull."),
    (b"<", "a web page", "Fetch the file itself, signed in where its page asks for that."),
)


@dataclass(frozen=True)
class Header:
    """Names, shapes and types of a file's tensors, and what it says of itself."""

    shapes: Mapping[str, tuple[int, ...]]
    dtypes: Mapping[str, str]  # as safetensors names them: "F16", "BF16", "F8_E4M3", "U8" …
    metadata: Mapping[str, str]
    stated_size: int  # bytes of the whole file, as the header has it


def read_header(path: Path) -> Header:
    """Raises ModelNotFoundError, ModelUnreadableError for anything that is no safetensors file."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ValueError("it is no regular file")  # a pipe would never answer
        with path.open("rb") as file:
            start = file.read(64)
            _refuse_known_beginnings(path, start)
            (length,) = struct.unpack("<Q", start[:LENGTH])
            if length > LARGEST:
                raise ValueError(f"a header of {length} bytes")
            file.seek(LENGTH)
            raw = file.read(length)
        if len(raw) < length:
            raise ValueError(f"its header ends after {len(raw)} of {length} bytes")
        return _parse(parse(raw), LENGTH + length)
    except FileNotFoundError as error:
        raise ModelNotFoundError(f"There is no model {path}.", "Check the path.") from error
    except UNREADABLE as error:
        raise ModelUnreadableError(
            Text("model-damaged", file=str(path), reason=_short(error)), Text("maybe-damaged")
        ) from error


def require_whole(path: Path, header: Header) -> None:
    """Raises ModelUnreadableError for a file that was cut short."""
    size = path.stat().st_size
    if size < header.stated_size:
        raise ModelUnreadableError(
            Text("model-cut-short", file=str(path), n=size, of=header.stated_size), Text("fetch-again")
        )


def _refuse_known_beginnings(path: Path, start: bytes) -> None:
    for mark, what, instead in BEGINNINGS:
        if start.startswith(mark) and start[LENGTH : LENGTH + 1] != b"{":
            raise ModelUnreadableError(f"{path} is {what}, not a safetensors file.", instead)


def _parse(content: dict[str, Any], start: int) -> Header:
    """Raises what ``UNREADABLE`` names."""
    metadata = {key: str(value) for key, value in content.pop("__metadata__", {}).items()}
    for name in content:
        name.encode()  # a lone surrogate is a ValueError here, and could not be printed later
    shapes = {name: tuple(int(side) for side in entry["shape"]) for name, entry in content.items()}
    dtypes = {name: str(entry["dtype"]) for name, entry in content.items()}
    ends = [int(entry["data_offsets"][1]) for entry in content.values()]
    return Header(shapes, dtypes, metadata, start + max(ends, default=0))


def _short(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
