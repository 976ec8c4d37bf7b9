"""Concepts as other tools write them, for the tests of taking them in."""

from __future__ import annotations

import json
import struct

import numpy as np

from palimpsest.storage.adapter_tensors import AdapterArrays
from palimpsest.storage.embedding_file import Numbers, write_bytes


def embedding(value: float = 0.5, described: str | None = None) -> bytes:
    """A one-vector Stable Diffusion 1 embedding, as other tools write it; ``described``: of the concept."""
    head: dict[str, object] = {"emb_params": {"dtype": "F32", "shape": [1, 768], "data_offsets": [0, 3072]}}
    if described is not None:
        head["__metadata__"] = {"palimpsest": described}
    header = json.dumps(head).encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + struct.pack("<f", value) * 768


def with_adapters(megabytes: int) -> bytes:
    """The same with adapters of rank 8 beside it, as this program exports a concept with detail."""
    pair = (np.full((8, 1 << 12), 0.5, np.float32), np.full((1 << 12, 8), 0.5, np.float32))
    arrays = AdapterArrays({f"place_{number}": pair for number in range(4 * megabytes)}, 8.0)
    return write_bytes(Numbers((np.full((1, 768), 0.5, np.float32),), arrays), {})
