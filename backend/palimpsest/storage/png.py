"""PNG at 8 and 16 bits: looked over before anybody decodes it, and written without loss.

Pillow reads no 16-bit colour without throwing the low bytes away and writes none at all, checks no
checksum of the image data, and unpacks text and profiles under limits of its own. So this module
examines the file first (`examine`), hands on what is needed to decode it (`png_rows`) and what else the
picture carries, and has an encoder (`encode`) whose output depends on nothing but its arguments: no
time, no program name. A damaged chunk without which the pixels are whole is left out, and said.
W3C Portable Network Graphics (Third Edition); section numbers below are its.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from palimpsest.errors import ImageUnreadableError, ImageUnsupportedError

Chunks = Sequence[tuple[bytes, bytes]]
SIGNATURE = b"\x89PNG\r\n\x1a\n"
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}  # table 11.1
KINDS = {1: 0, 2: 4, 3: 2, 4: 6}  # channels to colour type
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = (  # the passes of an interlaced file: first row, first column, step down, step across
    (0, 0, 8, 8),
    (0, 4, 8, 8),
    (4, 0, 8, 4),
    (0, 2, 4, 4),
    (2, 0, 4, 2),
    (0, 1, 2, 2),
    (1, 0, 2, 1),
)
PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}  # what the pixels are made of
COLOUR = {b"cICP": 4, b"sRGB": 1, b"gAMA": 4, b"cHRM": 32}  # what numbers mean (11.3.2), and its length
TEXTS = {b"tEXt", b"zTXt", b"iTXt"}
CARRIED = {*COLOUR, *TEXTS, b"iCCP", b"pHYs", b"eXIf", b"acTL"}  # the others are left behind
MAX_PROFILE = 16 << 20  # bytes of an unpacked colour profile; the largest printer profiles have 3 MB
HDR_TRANSFERS = {16: "PQ", 18: "HLG"}  # cICP transfer characteristics (ITU-T H.273)
FILTERS = (0, 1, 2, 4)  # None, Sub, Up and Paeth (table 9.1)
BLOCK = 1 << 22  # bytes packed by themselves
CACHED = 1 << 17  # bytes filtered at a time: with all that is made of them they stay in the cache
THREADS = min(8, os.cpu_count() or 1)
ZLIB_HEADER, ADLER = b"\x78\x01", 65521  # RFC 1950, 2.2 and 9


@dataclass(frozen=True)
class Examined:
    """A file that has been looked over. ``packed``: the compressed image data, in parts."""

    width: int
    height: int
    depth: int
    colour: int  # 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGBA
    interlaced: bool
    packed: tuple[memoryview, ...] = field(repr=False)
    palette: bytes | None = field(repr=False)
    transparency: bytes | None = field(repr=False)
    carried: tuple[tuple[bytes, bytes], ...] = field(repr=False)  # (kind, body) of ``CARRIED``
    notices: tuple[str, ...] = ()

    def body(self, kind: bytes) -> bytes | None:
        """The first chunk of a kind, if there is one."""
        return next((body for found, body in self.carried if found == kind), None)

    @property
    def frames(self) -> int:
        animation = self.body(b"acTL")
        return 1 if animation is None else max(1, int.from_bytes(animation[:4], "big"))


def examine(data: bytes) -> Examined:
    """Check signature, chunk lengths, checksums and order; decode nothing.

    Raises ImageUnreadableError for a file whose pixels are damaged, ImageUnsupportedError for an HDR one.
    """
    first: dict[bytes, bytes] = {}
    carried: list[tuple[bytes, bytes]] = []
    packed: list[memoryview] = []
    notices: list[str] = []
    for kind, body in _chunks(data, notices):
        if not first and kind != b"IHDR":
            raise damaged(f"it starts with {kind!r} instead of a header")
        if kind == b"IDAT":
            packed.append(body)
        elif kind in CARRIED:
            carried.append((kind, bytes(body)))
        first.setdefault(kind, bytes(body) if kind in PIXELS and kind != b"IDAT" else b"")
    for kind in (b"IHDR", b"IDAT", b"IEND"):
        if kind not in first:
            raise damaged(f"{kind.decode()} is missing")
    shape = _header(first[b"IHDR"])
    _check_transparency(first.get(b"tRNS"), shape[3])
    sound = tuple((kind, body) for kind, body in carried if _sound(kind, body, notices))
    found = Examined(
        *shape, tuple(packed), first.get(b"PLTE"), first.get(b"tRNS"), sound, tuple(dict.fromkeys(notices))
    )
    _refuse_hdr(found.body(b"cICP"))
    return found


def passes(found: Examined) -> Iterator[tuple[int, int, int, int, int, int]]:
    """(first row, first column, step down, step across, width, height) of each pass; one if it isn't
    interlaced (section 8.1). Empty passes are left out."""
    for top, left, down, across in ADAM7 if found.interlaced else ((0, 0, 1, 1),):
        width, height = -(-(found.width - left) // across), -(-(found.height - top) // down)
        if width > 0 and height > 0:
            yield top, left, down, across, width, height


def row_bytes(found: Examined, width: int) -> int:
    """Bytes of a row without its filter's number (section 7.2)."""
    return -(-width * found.depth * CHANNELS[found.colour] // 8)


def _chunks(data: bytes, notices: list[str]) -> Iterator[tuple[bytes, memoryview]]:
    """(type, body) for each chunk up to IEND; damaged ones that the pixels don't need are left out."""
    at, view = len(SIGNATURE), memoryview(data)
    while at < len(data):
        if at + 12 > len(data):
            raise damaged("it is cut off")
        length, kind = struct.unpack_from(">I4s", data, at)
        stop = at + 12 + length
        if stop > len(data):
            raise damaged(f"it is cut off within {kind!r}")
        (checksum,) = struct.unpack_from(">I", data, stop - 4)
        if zlib.crc32(view[at + 4 : stop - 4]) == checksum:
            yield kind, view[at + 8 : stop - 4]
        elif kind in PIXELS or not (kind.isalpha() and kind[:1].islower()):  # 5.4: small letter = ancillary
            raise damaged(f"the checksum of {kind!r} is wrong")
        else:
            notices.append(_left_out(kind, "its checksum is wrong"))
        at = stop
        if kind == b"IEND":
            break
    if at < len(data):
        notices.append(f"{len(data) - at} bytes after the end of the picture were left out.")


def _sound(kind: bytes, body: bytes, notices: list[str]) -> bool:
    """Whether an ancillary chunk has the length that it must have."""
    wanted = {**COLOUR, b"pHYs": 9, b"acTL": 8}.get(kind)
    if wanted is None or len(body) == wanted:
        return True
    notices.append(_left_out(kind, f"it has {len(body)} bytes instead of {wanted}"))
    return False


def _left_out(kind: bytes, why: str) -> str:
    return f"The picture's {kind.decode('latin-1')} chunk is damaged ({why}) and was left out."


def _header(body: bytes) -> tuple[int, int, int, int, bool]:
    if len(body) != 13:
        raise damaged(f"its header has {len(body)} bytes instead of 13")
    width, height, depth, colour, method, filters, interlace = struct.unpack(">IIBBBBB", body)
    sound = width and height and depth in DEPTHS.get(colour, ()) and (method, filters) == (0, 0)
    if not sound or interlace > 1:
        raise damaged(f"its header makes no sense ({width} x {height}, {depth} bit, colour type {colour})")
    return width, height, depth, colour, bool(interlace)


def _refuse_hdr(cicp: bytes | None) -> None:
    if cicp is not None and cicp[1] in HDR_TRANSFERS:
        raise ImageUnsupportedError(
            f"This is an HDR picture ({HDR_TRANSFERS[cicp[1]]}).",
            "Tone-map it to an ordinary 8- or 16-bit picture first.",
        )


def profile_in(body: bytes) -> bytes:
    """The colour profile in an iCCP chunk. Raises ValueError that says why there is none."""
    _, _, packed = body.partition(b"\0")
    try:
        inflate = zlib.decompressobj()
        profile = inflate.decompress(packed[1:], MAX_PROFILE)
    except zlib.error as error:
        raise ValueError(f"it can't be unpacked: {error}") from error
    if not inflate.eof:
        raise ValueError(f"it is cut off, or larger than {MAX_PROFILE >> 20} MB")
    return profile


def _check_transparency(body: bytes | None, colour: int) -> None:
    wanted = {0: 2, 2: 6}.get(colour)
    if body is not None and wanted is not None and len(body) != wanted:
        raise damaged(f"its transparent colour has {len(body)} bytes instead of {wanted}")


def damaged(why: str) -> ImageUnreadableError:
    return ImageUnreadableError(f"The PNG file is damaged: {why}.", "Save or copy the picture again.")


class Rows(Protocol):
    """A picture (H, W, channels) that gives some rows when it is asked for them: ``rows[top:bottom]``."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> Any: ...
    def __getitem__(self, rows: slice, /) -> NDArray[Any]: ...


def encode(pixels: NDArray[Any] | Rows, icc: bytes | None = None, chunks: Chunks = ()) -> bytes:
    """A PNG of (H, W) grey, (H, W, 2) grey + alpha, (H, W, 3) RGB or (H, W, 4) RGBA; uint8 or uint16.

    ``chunks``: further ones, as (kind, body), to be written before the image data.
    The same arguments give the same bytes (with the same zlib), on however many processors. Filtered photos
    are packed by run lengths and Huffman codes alone: as small as with zlib's string matching, in a third of
    its time.
    """
    rows: Rows = pixels[..., None] if isinstance(pixels, np.ndarray) and pixels.ndim == 2 else pixels
    assert rows.dtype in (np.uint8, np.uint16), rows.dtype
    height, width, channels = rows.shape
    depth = np.dtype(rows.dtype).itemsize * 8
    header = struct.pack(">IIBBBBB", width, height, depth, KINDS[channels], 0, 0, 0)
    parts = [SIGNATURE, _chunk(b"IHDR", header)]
    if icc is not None:
        parts.append(_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc, 9)))
    parts += [_chunk(kind, body) for kind, body in chunks]
    parts += [_chunk(b"IDAT", body) for body in _compressed(rows)]
    return b"".join([*parts, _chunk(b"IEND", b"")])


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _compressed(rows: Rows) -> Iterator[bytes]:
    """The zlib stream (RFC 1950), in parts. Blocks of rows are filtered and packed side by side; each ends on
    a byte, so that their stream is the same however many threads there are."""
    height, width, channels = rows.shape
    count = max(1, BLOCK // max(1, width * channels * rows.dtype.itemsize))

    def packed(top: int) -> tuple[bytes, int, int]:
        """With the checksum and the number of the bytes that were packed."""
        filtered = _filtered(_lines(rows, top, min(top + count, height)), channels * rows.dtype.itemsize)
        deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS, strategy=zlib.Z_RLE)
        body = deflate.compress(filtered.data)
        end = zlib.Z_FINISH if top + count >= height else zlib.Z_FULL_FLUSH
        return body + deflate.flush(end), zlib.adler32(filtered.data), filtered.size

    yield ZLIB_HEADER
    low, high, before = 1, 0, b""
    with ThreadPoolExecutor(THREADS) as pool:
        for body, checksum, size in pool.map(packed, range(0, height, count)):
            if before:
                yield before
            high = (high + (checksum >> 16) + size * (low - 1)) % ADLER
            low = (low + (checksum & 0xFFFF) - 1) % ADLER
            before = body
    yield before + struct.pack(">I", high << 16 | low)


def _lines(rows: Rows, top: int, bottom: int) -> NDArray[np.uint8]:
    """(1 + n, bytes) the row above, which is zeros above the picture, and n rows as the file has them."""
    band = rows[max(0, top - 1) : bottom]
    lines = np.ascontiguousarray(band.astype(band.dtype.newbyteorder(">"))).view(np.uint8)
    lines = lines.reshape(len(band), -1)
    return lines if top else np.concatenate([np.zeros_like(lines[:1]), lines])


def _filtered(lines: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """Each row but the first behind its filter's number: (n, 1 + bytes). The filter with the smallest sum of
    absolute differences is taken per row (12.7), out of None, Sub, Up and Paeth; Average hardly ever wins by
    much and costs as much as the others."""
    out = np.zeros((len(lines) - 1, 1 + lines.shape[1]), np.uint8)
    if not lines.any():  # most of a layer
        return out
    count = max(1, CACHED // max(1, lines.shape[1]))
    for top in range(0, len(out), count):
        band = out[top : top + count]
        _filter(lines[top + 1 : top + 1 + len(band)], lines[top : top + len(band)], step, band)
    return out


def _filter(raw: NDArray[np.uint8], up: NDArray[np.uint8], step: int, out: NDArray[np.uint8]) -> None:
    """Into ``out`` (n, 1 + bytes)."""
    candidates = np.stack([raw] * len(FILTERS))
    candidates[1, :, step:] -= raw[:, :-step]
    candidates[2] -= up
    candidates[3, :, :step] -= up[:, :step]
    candidates[3, :, step:] -= _paeth(raw[:, :-step], up[:, step:], up[:, :-step])
    costs = np.minimum(candidates, -candidates).sum(2, dtype=np.int64)
    best = costs.argmin(axis=0)
    for index, number in enumerate(FILTERS):
        rows = best == index
        out[rows, 0] = number
        out[rows, 1:] = candidates[index, rows]


def _paeth(a: NDArray[np.uint8], b: NDArray[np.uint8], c: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Of left, above and corner the one nearest to left + above - corner (9.4); ties in this order.

    How far the corner is, is the sum or the difference of the other two distances; a sum is never nearest.
    """
    to_a, to_b = np.maximum(b, c) - np.minimum(b, c), np.maximum(a, c) - np.minimum(a, c)
    nearer, farther = np.minimum(to_a, to_b), np.maximum(to_a, to_b)
    found = np.where(to_a <= to_b, a, b)
    np.copyto(found, c, where=((b >= c) != (a >= c)) & (farther - nearer < nearer))
    return found
