"""Concepts as other tools write them, for the tests of taking them in."""

from __future__ import annotations

import json
import struct


def embedding(value: float = 0.5, described: str | None = None) -> bytes:
    """A one-vector Stable Diffusion 1 embedding, as other tools write it; ``described``: of the concept."""
    head: dict[str, object] = {"emb_params": {"dtype": "F32", "shape": [1, 768], "data_offsets": [0, 3072]}}
    if described is not None:
        head["__metadata__"] = {"palimpsest": described}
    header = json.dumps(head).encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + struct.pack("<f", value) * 768
