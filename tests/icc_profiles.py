"""Small colour profiles written by the book (ICC.1:2001, version 2.4), for tests only."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

D50 = np.array([0.9642, 1.0, 0.8249])
# Primaries under D50, a row each.
ADOBE = np.array([[0.60974, 0.31111, 0.01947], [0.20528, 0.62567, 0.06087], [0.14919, 0.06322, 0.74457]])
SRGB = np.array([[0.43607, 0.22249, 0.01392], [0.38515, 0.71687, 0.09708], [0.14307, 0.06061, 0.71410]])
PROPHOTO = np.array([[0.79767, 0.28804, 0.0], [0.13519, 0.71188, 0.0], [0.03135, 0.00009, 0.82491]])


def profile(space: bytes, tags: dict[bytes, bytes], connection: bytes = b"XYZ ") -> bytes:
    """Header, tag table and tags; ``space`` is b"RGB " or b"GRAY"."""
    table, body, at = b"", b"", 132 + 12 * len(tags)
    for name, tag in tags.items():
        tag += b"\0" * (-len(tag) % 4)
        table += struct.pack(">4sII", name, at + len(body), len(tag))
        body += tag
    size = at + len(body)
    header = struct.pack(">I4xI4s4s4s12x4s28x", size, 0x02400000, b"mntr", space, connection, b"acsp")
    header = (header + _xyz_number(D50)).ljust(128, b"\0")
    return header + struct.pack(">I", len(tags)) + table + body


def primaries(matrix: np.ndarray, curve: bytes) -> bytes:
    names = (b"rXYZ", b"gXYZ", b"bXYZ")
    tags = {name: b"XYZ \0\0\0\0" + _xyz_number(row) for name, row in zip(names, matrix, strict=True)}
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return profile(b"RGB ", {**_described(), **tags, **curves})


def grey(curve: bytes) -> bytes:
    return profile(b"GRAY", {**_described(), b"kTRC": curve})


def tables(to_xyz: Callable[[np.ndarray], np.ndarray], from_lab: Callable[[np.ndarray], np.ndarray]) -> bytes:
    """Both directions as look-up tables of 17 x 17 x 17 (lut16Type), Lab as connection space."""
    steps = np.linspace(0, 1, 17)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    lab = xyz_to_lab(to_xyz(grid))
    forth = np.stack([lab[:, 0] / 100 * 65280, (lab[:, 1] + 128) * 256, (lab[:, 2] + 128) * 256], axis=-1)
    wanted = grid * np.array([65535 / 652.8, 255.996, 255.996]) - np.array([0, 128, 128])
    reverse = from_lab(wanted) * 65535
    return profile(b"RGB ", {**_described(), b"A2B0": _lut16(forth), b"B2A0": _lut16(reverse)}, b"Lab ")


def gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256)) + b"\0\0"


def sampled(values: np.ndarray) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">I", len(values)) + np.rint(values * 65535).astype(">u2").tobytes()


def parametric(kind: int, *values: float) -> bytes:
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + b"".join(_fixed(value) for value in values)


def xyz_to_lab(xyz: np.ndarray) -> np.ndarray:
    ratio = np.clip(xyz / D50, 0, None)
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=-1)


def lab_to_xyz(lab: np.ndarray) -> np.ndarray:
    y = (lab[:, 0] + 16) / 116
    f = np.stack([y + lab[:, 1] / 500, y, y - lab[:, 2] / 200], axis=-1)
    return np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * D50


def _lut16(values: np.ndarray) -> bytes:
    head = b"mft2\0\0\0\0" + bytes([3, 3, 17, 0]) + b"".join(_fixed(v) for v in (1, 0, 0, 0, 1, 0, 0, 0, 1))
    line = struct.pack(">HH", 0, 65535) * 3
    table = np.clip(np.rint(values), 0, 65535).astype(">u2").tobytes()
    return head + struct.pack(">HH", 2, 2) + line + table + line


def _described() -> dict[bytes, bytes]:
    text = b"test\0"
    described = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + b"\0" * 78
    return {b"desc": described, b"cprt": b"text\0\0\0\0none\0", b"wtpt": b"XYZ \0\0\0\0" + _xyz_number(D50)}


def _xyz_number(values: np.ndarray) -> bytes:
    return b"".join(_fixed(value) for value in values)


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(float(value) * 65536))
