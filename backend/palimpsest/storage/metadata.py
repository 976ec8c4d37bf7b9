"""What else a photo carries: who made it, when and where (EXIF, XMP, text), and its resolution.

It goes along into the merged picture, with two changes. Orientation becomes 1, because what is written is
upright. Thumbnails are blanked: they show the photo as it was before the edit, with what was removed.
EXIF 2.32 (a TIFF structure, TIFF 6.0 section 2); XMP part 3; PNG (Third Edition), 11.3.3.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

PREFIX = b"Exif\0\0"
XMP_KEYWORD = b"XML:com.adobe.xmp"
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
ORIENTATION, RESOLUTION, EXIF, INTEROPERABILITY = 274, 282, 34665, 40965
SIDES = ((256, 257), (282, 283), (40962, 40963))  # of width and height, swapped by a quarter turn
THUMBNAIL = 513, 514  # where it starts, how long it is
MOST_TEXT = 1 << 20  # bytes of one text chunk, unpacked; Pillow and browsers take no longer ones
MOST_XMP = 4 << 20
TURNED_XMP = re.compile(rb"""(tiff:Orientation(?:\s*=\s*["']|\s*>\s*))[2-8]""")
XMP_ORIENTATION = re.compile(rb"""tiff:Orientation(?:\s*=\s*["']|\s*>\s*)([1-8])""")
THUMBNAILS_START = re.compile(rb"<(\w+):Thumbnails\b")
THUMBNAILS_END = re.compile(rb"</(\w+):Thumbnails\s*>")


@dataclass(frozen=True)
class Metadata:
    """Ready to be written. ``density``: the body of a pHYs chunk; ``texts``: PNG's, (kind, body)."""

    exif: bytes | None = None
    xmp: bytes | None = None
    texts: tuple[tuple[bytes, bytes], ...] = ()
    density: bytes | None = None

    def resolution(self) -> Iterator[tuple[bytes, bytes]]:
        """The chunk that a layer gets too."""
        if self.density is not None:
            yield b"pHYs", self.density

    def chunks(self) -> Iterator[tuple[bytes, bytes]]:
        """Everything, for `png.encode`."""
        yield from self.resolution()
        if self.exif is not None:
            yield b"eXIf", self.exif
        if self.xmp is not None:
            yield b"iTXt", XMP_KEYWORD + bytes(5) + self.xmp
        yield from self.texts


class Exif(NamedTuple):
    """An EXIF block that was looked through."""

    block: bytes | None  # upright and without thumbnail, to be written; None if nothing can be read
    orientation: int | None  # 1 to 8; None where it has no such tag
    adobe_rgb: bool  # the camera says that its numbers are Adobe RGB's
    resolution: bool  # whether it names one
    sound: bool


NO_EXIF = Exif(None, None, False, False, True)


class _Entry(NamedTuple):
    tag: int
    at: int  # of its twelve bytes
    start: int  # of its value
    size: int


def read_exif(data: bytes) -> Exif:
    """Look through an EXIF block and put it right in place, so that maker notes stay where they are."""
    block = bytearray(data.removeprefix(PREFIX))
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(block[:4]))
    if order is None or len(block) < 8:
        return NO_EXIF._replace(sound=False)
    reader = _Reader(block, order)
    (first,) = struct.unpack_from(order + "I", block, 4)
    entries = reader.entries(first)
    if not entries:
        return NO_EXIF._replace(sound=False)
    has_orientation = any(entry.tag == ORIENTATION for entry in entries)
    turn = reader.number(entries, ORIENTATION, 1)
    turn = turn if 1 <= turn <= 8 else 1
    details = reader.entries(reader.number(entries, EXIF, 0))
    interoperability = reader.entries(reader.number(details, INTEROPERABILITY, 0))
    reader.drop_thumbnail(first)
    reader.turn_upright(entries, details, turn)
    adobe_rgb = reader.text(interoperability, 1) == b"R03"
    resolution = any(entry.tag == RESOLUTION for entry in entries)
    return Exif(bytes(block), turn if has_orientation else None, adobe_rgb, resolution, reader.sound)


class _Reader:
    """The directories of a TIFF structure; ``sound`` says whether all lay within the block."""

    def __init__(self, block: bytearray, order: str) -> None:
        self.block, self.order, self.sound = block, order, True

    def entries(self, at: int) -> list[_Entry]:
        if at == 0:
            return []
        found = []
        if not 8 <= at <= len(self.block) - 2:
            self.sound = False
            return []
        (count,) = struct.unpack_from(self.order + "H", self.block, at)
        for place in range(at + 2, at + 2 + 12 * count, 12):
            if place + 12 > len(self.block):
                self.sound = False
                break
            tag, kind, number = struct.unpack_from(self.order + "HHI", self.block, place)
            size = SIZES.get(kind, 1) * number
            start = place + 8
            if size > 4:
                (start,) = struct.unpack_from(self.order + "I", self.block, place + 8)
            if start + size > len(self.block):
                self.sound = False
                continue
            found.append(_Entry(tag, place, start, size))
        return found

    def number(self, entries: list[_Entry], tag: int, default: int) -> int:
        for entry in entries:
            if entry.tag == tag and entry.size in (2, 4):
                kind = self.order + ("H" if entry.size == 2 else "I")
                return struct.unpack_from(kind, self.block, entry.start)[0]
        return default

    def text(self, entries: list[_Entry], tag: int) -> bytes:
        for entry in entries:
            if entry.tag == tag:
                return bytes(self.block[entry.start : entry.start + entry.size]).rstrip(b"\0")
        return b""

    def turn_upright(self, entries: list[_Entry], details: list[_Entry], turn: int) -> None:
        for entry in entries:
            if entry.tag == ORIENTATION and entry.size == 2:
                struct.pack_into(self.order + "H", self.block, entry.start, 1)
        if 5 <= turn <= 8:
            places = {entry.tag: entry.at for entry in (*entries, *details)}
            for one, other in SIDES:
                if one in places and other in places:
                    self._swap(places[one] + 2, places[other] + 2)  # kind, count and value

    def _swap(self, one: int, other: int) -> None:
        block = self.block
        block[one : one + 10], block[other : other + 10] = block[other : other + 10], block[one : one + 10]

    def drop_thumbnail(self, first: int) -> None:
        """The second directory is the thumbnail's: unlink it, and blank what it points to."""
        (count,) = struct.unpack_from(self.order + "H", self.block, first)
        link = first + 2 + 12 * count
        if link + 4 > len(self.block):
            return
        (second,) = struct.unpack_from(self.order + "I", self.block, link)
        entries = self.entries(second)
        start, length = (self.number(entries, tag, 0) for tag in THUMBNAIL)
        self._blank(start, start + length)
        for entry in entries:
            self._blank(entry.start, entry.start + entry.size)
        struct.pack_into(self.order + "I", self.block, link, 0)

    def _blank(self, start: int, stop: int) -> None:
        stop = min(stop, len(self.block))
        if 8 <= start < stop:
            self.block[start:stop] = bytes(stop - start)


def upright_xmp(packet: bytes) -> bytes | None:
    """Without thumbnails and turned upright; None if it isn't text or is too long."""
    if len(packet) > MOST_XMP:
        return None
    try:
        packet.decode()
    except UnicodeDecodeError:
        return None
    return without_thumbnails(TURNED_XMP.sub(rb"\g<1>1", packet))


def without_thumbnails(packet: bytes) -> bytes:
    """Each from its start tag to the next end tag of the same name; the tags are listed once, in order."""
    ends: dict[bytes, deque[re.Match[bytes]]] = {}
    for found in THUMBNAILS_END.finditer(packet):
        ends.setdefault(found[1], deque()).append(found)
    kept, at = [], 0
    for start in THUMBNAILS_START.finditer(packet):
        left = ends.get(start[1], deque())
        while left and left[0].start() < start.end():
            left.popleft()
        if left and start.start() >= at:
            kept.append(packet[at : start.start()])
            at = left.popleft().end()
    return b"".join((*kept, packet[at:]))


def xmp_orientation(packet: bytes) -> int:
    found = XMP_ORIENTATION.search(packet)
    return 1 if found is None else int(found[1])


def is_xmp(body: bytes) -> bool:
    """Whether an iTXt chunk holds an XMP packet."""
    return body.startswith(XMP_KEYWORD + b"\0")


def xmp_in(body: bytes) -> bytes:
    """The packet in such a chunk. Raises ValueError if it is damaged."""
    _, _, rest = body.partition(b"\0")
    packed, (_, _, text) = rest[:1] == b"\1", rest[2:].split(b"\0", 2)
    return _unpacked(text, MOST_XMP) if packed else text


def check_text(kind: bytes, body: bytes) -> bool:
    """Whether a text chunk goes along: whole, not endless, and no picture's profile in disguise.

    Raises ValueError if it is damaged.
    """
    keyword, _, rest = body.partition(b"\0")
    if not 1 <= len(keyword) <= 79:
        raise ValueError("it has no keyword")
    if keyword.startswith(b"Raw profile type"):
        return False  # EXIF and the like as ImageMagick keeps it, with orientation and thumbnails
    if kind == b"zTXt":
        _unpacked(rest[1:], MOST_TEXT)
    elif kind == b"iTXt":
        text = rest[2:].split(b"\0", 2)[-1]
        if rest[:1] == b"\1":
            text = _unpacked(text, MOST_TEXT)
        text.decode()
    return len(body) <= MOST_TEXT


def _unpacked(packed: bytes, most: int) -> bytes:
    try:
        inflate = zlib.decompressobj()
        found = inflate.decompress(packed, most)
    except zlib.error as error:
        raise ValueError(f"it can't be unpacked: {error}") from error
    if not inflate.eof:
        raise ValueError(f"it is cut off, or longer than {most >> 20} MB")
    return found


def density_of(dots_per_inch: object, turn: int = 1) -> bytes | None:
    """A pHYs chunk's body from Pillow's ``dpi``, after turning; None for what is no resolution."""
    try:
        across, down = (round(float(value) / 0.0254) for value in dots_per_inch)  # type: ignore[union-attr]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    if not (0 < across < 2**31 and 0 < down < 2**31):
        return None
    return turned_density(struct.pack(">IIB", across, down, 1), turn)


def turned_density(body: bytes, turn: int) -> bytes:
    """A quarter turn swaps across and down."""
    return body[4:8] + body[:4] + body[8:] if 5 <= turn <= 8 else body
