"""A learned subject's own pictures, cut out: beside its embedding file, which other tools read and which may
be passed on. An exported concept holds no picture, and so these stay where they are.

One safetensors file: a tensor per picture, (height, width, 4) of bytes, red, green, blue and opacity. Its
metadata says which rows it belongs to: after another word of the same name was written it counts for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from palimpsest.errors import ConceptFileError
from palimpsest.storage.files import open_regular, read_regular
from palimpsest.storage.header import HeaderError, read_header

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SUFFIX = ".cutouts"
MOST_SIDE = 512  # pixels of a cut-out's longer side
MOST_PICTURES = 20  # that a concept can be learned from
MOST_HEADER_BYTES = 1 << 16
MOST_BYTES = MOST_PICTURES * MOST_SIDE * MOST_SIDE * 4 + MOST_HEADER_BYTES + 8
ROWS = "rows_hash"  # "rows" in older files, whose large pictures are scrambled: they count for nothing


def to_bytes(cutouts: Sequence[NDArray[np.uint8]], rows_hash: str) -> bytes:
    """``cutouts``: (height, width, 4) each, in their order. ``rows_hash``: of the concept's rows."""
    import numpy as np
    from safetensors.numpy import save

    # save writes an array's memory as it lies there.
    tensors = {f"{i:02}": np.ascontiguousarray(cutout) for i, cutout in enumerate(cutouts)}
    return save(tensors, metadata={ROWS: rows_hash})


def read(path: Path, rows_hash: str) -> tuple[NDArray[np.uint8], ...]:
    """In their order; none where there is no file, or where it belongs to other rows.
    Raises ConceptFileError for a file that can't be read."""
    import numpy as np
    import safetensors

    if not path.exists():
        return ()
    try:
        with open_regular(path) as file:
            table, _ = read_header(file, MOST_HEADER_BYTES)
        if table.get("__metadata__", {}).get(ROWS) != rows_hash:
            return ()
        tensors = dict(safetensors.deserialize(read_regular(path, MOST_BYTES)))
        found = [_pixels(tensors[name]) for name in sorted(tensors)]
    except OSError as error:
        raise _damaged(path, str(error.strerror)) from error
    except (HeaderError, safetensors.SafetensorError, AttributeError, ValueError) as error:
        raise _damaged(path, str(error)) from error
    return tuple(np.ascontiguousarray(pixels) for pixels in found)


def _pixels(tensor: dict[str, object]) -> NDArray[np.uint8]:
    """Raises ValueError for what is no cut-out."""
    import numpy as np

    shape, content = tensor["shape"], tensor["data"]
    assert isinstance(shape, list)
    assert isinstance(content, (bytes, bytearray))
    if tensor["dtype"] != "U8" or len(shape) != 3 or shape[2] != 4 or not 0 < max(shape) <= MOST_SIDE:
        raise ValueError(f"a tensor is {tensor['dtype']} {shape}, not a cut-out")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _damaged(path: Path, why: str) -> ConceptFileError:
    return ConceptFileError(
        f"The pictures in {path.name} can't be read: {why}.",
        "Learn the word again, or begin from noise (--begin-from noise).",
    )
