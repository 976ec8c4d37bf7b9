"""The embedding files that textual-inversion tools exchange, read and written without pickle.

One text encoder (SD 1.x, 2.x): one tensor, any key; we write ``emb_params``, as most interfaces do.
SDXL: ``clip_l`` and ``clip_g`` (also read: ``text_encoders_0`` and ``text_encoders_1``).
Rows are (vectors, width). A concept that was learned with detail has its adapters in the same file, under the
names of a LoRA file (``storage.adapter_tensors``); for other tools each half is written alone. What only we
know travels in the header's metadata under one key, so that
the same concept always gives the same bytes.

Nothing here needs torch, and the rows alone need NumPy: a server reads strangers' files itself, with bounds
on all that they say (``storage.header``), and without a process for each of them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from palimpsest.errors import ConceptFileError, ConceptIncompatibleError
from palimpsest.interpreter import to_paste
from palimpsest.storage import header
from palimpsest.storage.adapter_tensors import AdapterArrays, is_adapter, packed, rank_of, unpacked
from palimpsest.storage.files import open_regular, read_regular
from palimpsest.storage.header import HeaderError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SUFFIX = ".safetensors"
METADATA_KEY = "palimpsest"
ENCODER_KEYS = (("clip_l", "clip_g"), ("text_encoders_0", "text_encoders_1"))
FLOATS = ("F32", "F16", "BF16")
MOST_BYTES = 4 * 2**20  # 75 vectors of both SDXL encoders in float32 are 0.6 MB
MOST_WITH_ADAPTERS = 256 * 2**20  # rank 8 of all attention in SDXL is 46 MB
MOST_HEADER_BYTES = 2**20  # with a thumbnail in it
DEEPEST = 6  # levels of what is said of a concept
MOST_FAMILY = 64  # characters
MOST_VECTORS = 75  # what fits between the begin and end tokens of CLIP's 77


@dataclass(frozen=True)
class Header:
    """An embedding file without its numbers."""

    keys: tuple[str, ...]  # tensor per text encoder, in the order of the model's encoders
    vectors: int
    widths: tuple[int, ...]
    metadata: dict[str, Any]  # ours; empty for files from elsewhere
    data_start: int  # byte at which the tensors begin
    rank: int | None = None  # of the adapters; None = rows alone

    @property
    def word(self) -> str | None:
        """The word that the file's only tensor is named by, as diffusers names it: ``<sks-dog>``."""
        named = re.fullmatch(r"<(.+)>", self.keys[0]) if len(self.keys) == 1 else None
        return None if named is None else named[1]


def read_header(path: Path) -> Header:
    """Check an embedding file and say what it holds. Raises ConceptFileError."""
    size = _size(path)
    if size > MOST_WITH_ADAPTERS:
        raise _too_large(path, size)
    try:
        with open_regular(path) as file:
            table, data_start = _read_table(file, path, size)
    except OSError as error:
        raise ConceptFileError(f"Can't read {path}: {error.strerror}.") from error
    metadata = table.pop("__metadata__", {})
    rank = rank_of(table, path.name)
    keys = _encoder_keys(tuple(key for key in table if not is_adapter(key)), path, rank)
    if rank is None and size > MOST_BYTES:
        raise _too_large(path, size)
    shapes = [_rows_shape(table[key], key, path) for key in keys]
    if len({vectors for vectors, _ in shapes}) != 1:
        raise ConceptFileError(f"{path.name} holds different numbers of vectors per text encoder: {shapes}.")
    ours = metadata.get(METADATA_KEY) if isinstance(metadata, dict) else None
    described = {} if ours is None else _described(ours, path)
    return Header(keys, shapes[0][0], tuple(width for _, width in shapes), described, data_start, rank)


@dataclass(frozen=True)
class Numbers:
    """All that a concept's file holds besides its header."""

    rows: tuple[NDArray[np.float32], ...]  # per text encoder, (vectors, width)
    adapters: AdapterArrays | None = None


def read_numbers(path: Path) -> Numbers:
    """The rows and the adapters, float32. Raises ConceptFileError."""
    import numpy as np
    import safetensors

    found = read_header(path)
    try:
        tensors = dict(safetensors.deserialize(read_regular(path, MOST_WITH_ADAPTERS)))
    except OSError as error:
        raise ConceptFileError(f"Can't read {path}: {error.strerror}.") from error
    except safetensors.SafetensorError as error:
        raise ConceptFileError(f"{path.name} is damaged: {error}") from error
    floats = {key: _floats(tensor).reshape(tensor["shape"]) for key, tensor in tensors.items()}
    if not all(bool(np.isfinite(part).all()) for part in floats.values()):
        raise ConceptFileError(f"{path.name} holds numbers that are not finite.")
    rows = tuple(floats[key].reshape(found.vectors, -1) for key in found.keys)
    return Numbers(rows, unpacked(floats, path.name))


def _floats(tensor: dict[str, Any]) -> NDArray[np.float32]:
    """NumPy has no bfloat16: it is the upper half of a float32."""
    import numpy as np

    if tensor["dtype"] == "BF16":
        halves = np.frombuffer(tensor["data"], "<u2").astype(np.uint32)
        return np.left_shift(halves, 16).view(np.float32)
    kind = {"F32": "<f4", "F16": "<f2"}[tensor["dtype"]]
    return np.frombuffer(tensor["data"], kind).astype(np.float32)


def write_bytes(numbers: Numbers, metadata: dict[str, Any]) -> bytes:
    """A safetensors file as bytes: the same numbers and metadata always give the same bytes.

    Without rows it is a LoRA file.
    """
    import numpy as np
    from safetensors.numpy import save

    rows = numbers.rows
    keys = {0: (), 1: ("emb_params",), 2: ENCODER_KEYS[0]}[len(rows)]  # the public forms
    tensors = {key: np.ascontiguousarray(part, np.float32) for key, part in zip(keys, rows, strict=True)}
    described = json.dumps(metadata, sort_keys=True, ensure_ascii=True)
    return save({**tensors, **packed(numbers.adapters)}, metadata={METADATA_KEY: described})


def data_start(content: bytes) -> int:
    """The byte at which the tensors of ``write_bytes`` begin."""
    return 8 + int.from_bytes(content[:8], "little")


def family_of(found: Header, path: Path, family: str | None, published: Mapping[tuple[int, ...], str]) -> str:
    """Which models can read these vectors: as asked for, as the file says, or by their widths.

    ``published``: families that are known, by the widths of their text encoders.
    """
    known = text_field(found, "family", MOST_FAMILY, path) or published.get(found.widths)
    if family is not None:
        expected = [widths for widths, name in published.items() if name == family]
        if expected and expected[0] != found.widths:
            raise ConceptIncompatibleError(
                f"{path.name} holds vectors of width {_sum(found.widths)}; {family!r} needs "
                f"{_sum(expected[0])}.",
                f"It is for {known!r}." if known else "Nothing we know reads vectors of this width.",
            )
        return family
    if known is None:
        raise ConceptIncompatibleError(
            f"{path.name} holds vectors of width {_sum(found.widths)}, which no known model family has.",
            f"Known: {', '.join(f'{_sum(w)} ({name})' for w, name in published.items())}. "
            "Name the family if it is for another one.",
        )
    return known


def text_field(found: Header, field: str, most: int, path: Path) -> str:
    """A text of the file's description; empty if it isn't there. Raises ConceptFileError."""
    text = found.metadata.get(field, "")
    if not isinstance(text, str) or len(text) > most:
        fault = f"has {len(text)} characters" if isinstance(text, str) else f"is a {type(text).__name__}"
        raise ConceptFileError(f"{path.name}: its {field} {fault}; it is a text of at most {most}.")
    return text


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise ConceptFileError(f"Can't read {path}: {error.strerror}.") from error


def _too_large(path: Path, size: int) -> ConceptFileError:
    return ConceptFileError(
        f"{path.name} has {size / 2**20:.0f} MB; an embedding file has less than one.",
        "Is it a whole model or a LoRA? Only textual-inversion embeddings and concepts that were exported "
        "here can be imported.",
    )


def _read_table(file: BinaryIO, path: Path, size: int) -> tuple[dict[str, Any], int]:
    """A safetensors file is the header's length in 8 bytes, the header as JSON, the tensors."""
    try:
        return header.read_header(file, MOST_HEADER_BYTES)
    except HeaderError as error:
        if size > MOST_BYTES:
            raise _too_large(path, size) from error
        file.seek(0)
        start = file.read(2)
        if start == b"PK" or start[:1] == b"\x80":  # torch's two pickled formats
            raise _pickled(path) from error
        raise ConceptFileError(f"{path.name} is not a safetensors file: {error}.") from error


def _pickled(path: Path) -> ConceptFileError:
    target = path.with_suffix(SUFFIX)
    if target == path:  # a pickle that is called safetensors
        target = path.with_name(f"{path.stem}-converted{SUFFIX}")
    command = to_paste("palimpsest.storage.unpickle", "embedding", path, target)
    return ConceptFileError(
        f"{path.name} is pickled: opening it could run a stranger's code.",
        f"Convert it once, which reads numbers and nothing else (weights_only=True): {command}",
        pickled=True,
    )


def _described(text: Any, path: Path) -> dict[str, Any]:
    """What the file says of the concept."""
    try:
        return header.parse(text, DEEPEST, "its description") if isinstance(text, str) else {}
    except HeaderError as error:
        raise ConceptFileError(f"{path.name} can't be used: {error}.") from error


def _encoder_keys(present: tuple[str, ...], path: Path, rank: int | None) -> tuple[str, ...]:
    for pair in ENCODER_KEYS:
        if set(pair) == set(present):
            return pair
    if len(present) == 1:
        return present
    if rank is not None and not present:
        raise ConceptFileError(
            f"{path.name} is a LoRA without a word: it holds adapters and no rows.",
            "Export the concept whole (palimpsest concepts export NAME FILE), and import that file.",
        )
    shown = ", ".join(sorted(present)[:4]) or "nothing"
    raise ConceptFileError(
        f"{path.name} is no textual-inversion embedding: it holds {len(present)} tensors ({shown}).",
        "Expected one tensor, or the pair clip_l and clip_g.",
    )


def _rows_shape(entry: Any, key: str, path: Path) -> tuple[int, int]:
    """(vectors, width) of one tensor's header entry; a single vector may have one dimension."""
    dtype, shape = (entry.get("dtype"), entry.get("shape")) if isinstance(entry, dict) else (None, None)
    sides = shape if isinstance(shape, list) else []
    whole = all(type(side) is int and side > 0 for side in sides)
    if dtype not in FLOATS or not whole or len(sides) not in (1, 2):
        raise ConceptFileError(f"{path.name}: tensor {key!r} is {dtype} {shape}, not rows of numbers.")
    vectors, width = math.prod(sides[:-1]), sides[-1]
    if vectors > MOST_VECTORS:
        raise ConceptFileError(f"{path.name} holds {vectors} vectors; no prompt can carry that many.")
    return vectors, width


def _sum(widths: tuple[int, ...]) -> str:
    return "+".join(str(width) for width in widths)
