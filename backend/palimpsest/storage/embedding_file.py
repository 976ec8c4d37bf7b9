"""The embedding files that textual-inversion tools exchange, read and written without pickle.

One text encoder (SD 1.x, 2.x): one tensor, any key; we write ``emb_params``, as most interfaces do.
SDXL: ``clip_l`` and ``clip_g`` (also read: ``text_encoders_0`` and ``text_encoders_1``).
Rows are (vectors, width). What only we know travels in the header's metadata under one key, so that
the same concept always gives the same bytes.

Everything but the rows is read with the standard library: a library can be listed without torch.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palimpsest.errors import ConceptFileError, ConceptIncompatibleError
from palimpsest.interpreter import to_paste

if TYPE_CHECKING:
    from torch import Tensor

SUFFIX = ".safetensors"
METADATA_KEY = "palimpsest"
ENCODER_KEYS = (("clip_l", "clip_g"), ("text_encoders_0", "text_encoders_1"))
FAMILIES = {(768,): "sd1", (1024,): "sd2", (768, 1280): "sdxl"}  # widths of the public checkpoints
FLOATS = ("F32", "F16", "BF16")
MOST_BYTES = 16 * 2**20  # 77 vectors of both SDXL encoders in float32 are 0.6 MB
MOST_VECTORS = 75  # what fits between the begin and end tokens of CLIP's 77

@dataclass(frozen=True)
class Header:
    """An embedding file without its numbers."""

    keys: tuple[str, ...]  # tensor per text encoder, in the order of the model's encoders
    vectors: int
    widths: tuple[int, ...]
    metadata: dict[str, Any]  # ours; empty for files from elsewhere
    data_start: int  # byte at which the tensors begin

    @property
    def word(self) -> str | None:
        """The word that the file's only tensor is named by, as diffusers names it: ``<sks-dog>``."""
        named = re.fullmatch(r"<(.+)>", self.keys[0]) if len(self.keys) == 1 else None
        return None if named is None else named[1]


def read_header(path: Path) -> Header:
    """Check an embedding file and say what it holds. Raises ConceptFileError."""
    size = _size(path)
    if size > MOST_BYTES:
        raise ConceptFileError(
            f"{path.name} has {size / 2**20:.0f} MB; an embedding file has less than one.",
            "Is it a whole model or a LoRA? Only textual-inversion embeddings can be imported.",
        )
    with path.open("rb") as file:
        raw = _header_bytes(file.read(), path)
    table = _decode_json(raw, path)
    metadata = table.pop("__metadata__", {})
    keys = _encoder_keys(tuple(table), path)
    shapes = [_rows_shape(table[key], key, path) for key in keys]
    if len({vectors for vectors, _ in shapes}) != 1:
        raise ConceptFileError(f"{path.name} holds different numbers of vectors per text encoder: {shapes}.")
    ours = metadata.get(METADATA_KEY) if isinstance(metadata, dict) else None
    described = {} if ours is None else _decode_json(ours, path)
    return Header(keys, shapes[0][0], tuple(width for _, width in shapes), described, 8 + len(raw))


def read_rows(path: Path) -> tuple[Tensor, ...]:
    """The rows per text encoder, float32 (vectors, width). Raises ConceptFileError."""
    import safetensors
    import torch
    from safetensors.torch import load

    header = read_header(path)
    try:
        tensors = load(path.read_bytes())
    except safetensors.SafetensorError as error:
        raise ConceptFileError(f"{path.name} is damaged: {error}") from error
    rows = tuple(tensors[key].float().reshape(header.vectors, -1) for key in header.keys)
    if not all(bool(torch.isfinite(part).all()) for part in rows):
        raise ConceptFileError(f"{path.name} holds numbers that are not finite.")
    return rows


def write_bytes(rows: tuple[Tensor, ...], metadata: dict[str, Any]) -> bytes:
    """A safetensors file as bytes: the same rows and metadata always give the same bytes."""
    from safetensors.torch import save

    keys = ("emb_params",) if len(rows) == 1 else ENCODER_KEYS[0]
    assert len(keys) == len(rows), "no public form for this number of text encoders"
    tensors = {key: part.detach().float().cpu().contiguous() for key, part in zip(keys, rows, strict=True)}
    described = json.dumps(metadata, sort_keys=True, ensure_ascii=True)
    return save(tensors, metadata={METADATA_KEY: described})


def family_of(header: Header, path: Path, family: str | None) -> str:
    """Which models can read these vectors: as told, as the file says, or by their widths."""
    known = header.metadata.get("family") or FAMILIES.get(header.widths)
    if family is not None:
        expected = [widths for widths, name in FAMILIES.items() if name == family]
        if expected and expected[0] != header.widths:
            raise ConceptIncompatibleError(
                f"{path.name} holds vectors of width {_sum(header.widths)}; {family!r} needs "
                f"{_sum(expected[0])}.",
                f"It is for {known!r}." if known else "Nothing we know reads vectors of this width.",
            )
        return family
    if known is None:
        raise ConceptIncompatibleError(
            f"{path.name} holds vectors of width {_sum(header.widths)}, which no known model family has.",
            f"Known: {', '.join(f'{_sum(w)} ({name})' for w, name in FAMILIES.items())}. "
            "Name the family if it is for another one.",
        )
    return str(known)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise ConceptFileError(f"Can't read {path}: {error.strerror}.") from error


def _header_bytes(content: bytes, path: Path) -> bytes:
    """A safetensors file is the header's length in 8 bytes, the header as JSON, the tensors."""
    length = int.from_bytes(content[:8], "little")
    if length <= len(content) - 8 and content[8:9] == b"{":
        return content[8 : 8 + length]
    if content[:2] == b"PK" or content[:1] == b"\x80":  # torch's two pickled formats
        raise _pickled(path)
    raise ConceptFileError(f"{path.name} is not a safetensors file, or it was cut short.")


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


def _decode_json(raw: bytes | str, path: Path) -> dict[str, Any]:
    try:
        decoded = json.loads(raw)
    except (ValueError, TypeError, RecursionError) as error:
        raise ConceptFileError(f"{path.name} has an unreadable header.") from error
    if not isinstance(decoded, dict):
        raise ConceptFileError(f"{path.name} has an unreadable header.")
    return decoded


def _encoder_keys(present: tuple[str, ...], path: Path) -> tuple[str, ...]:
    for pair in ENCODER_KEYS:
        if set(pair) == set(present):
            return pair
    if len(present) == 1:
        return present
    shown = ", ".join(sorted(present)[:4]) or "nothing"
    raise ConceptFileError(
        f"{path.name} is no textual-inversion embedding: it holds {len(present)} tensors ({shown}).",
        "Expected one tensor, or the pair clip_l and clip_g.",
    )


def _rows_shape(entry: Any, key: str, path: Path) -> tuple[int, int]:
    """(vectors, width) of one tensor's header entry; a single vector may have one dimension."""
    dtype, shape = (entry.get("dtype"), entry.get("shape")) if isinstance(entry, dict) else (None, None)
    sides = shape if isinstance(shape, list) else []
    whole = all(isinstance(side, int) and side > 0 for side in sides)
    if dtype not in FLOATS or not whole or len(sides) not in (1, 2):
        raise ConceptFileError(f"{path.name}: tensor {key!r} is {dtype} {shape}, not rows of numbers.")
    vectors, width = math.prod(sides[:-1]), sides[-1]
    if vectors > MOST_VECTORS:
        raise ConceptFileError(f"{path.name} holds {vectors} vectors; no prompt can carry that many.")
    return vectors, width


def _sum(widths: tuple[int, ...]) -> str:
    return "+".join(str(width) for width in widths)
