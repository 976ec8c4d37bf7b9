"""What is known of a concept without its numbers, as its file says it. A stranger's file may say anything."""

from __future__ import annotations

import base64
import binascii
import io
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palimpsest.errors import ConceptFileError
from palimpsest.storage.announcement import LOCAL_OWNER
from palimpsest.storage.digests import Digests
from palimpsest.storage.embedding_file import Header, text_field

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

THUMBNAIL_SIDE = 128
MOST_THUMBNAIL_BYTES = 256 * 1024
MOST_NOUN, MOST_OWNER, MOST_TEXT = 200, 255, 4096  # characters
MOST_SOURCES = 64
MOST_CHANNELS = 128
MOST_SETTINGS = 4096  # characters, as JSON
_DIGESTS = Digests()  # an SDXL concept with detail has 46 MB


@dataclass(frozen=True)
class Provenance:
    """Where a concept comes from; empty fields are unknown (a file from elsewhere)."""

    origin: str = "learned"  # or "imported"
    model: str = ""
    weights_hash: str = ""  # of the model it was learned with
    steps: int | None = None
    seed: int | None = None
    sources: tuple[str, ...] = ()  # sha256 of the pictures it was learned from
    settings: dict[str, Any] = field(default_factory=dict)  # the other parameters, for the record


@dataclass(frozen=True)
class ConceptCard:
    """What is known about a concept without loading its rows."""

    name: str
    kind: str
    noun: str
    family: str
    vectors: int
    widths: tuple[int, ...]
    rows_hash: str  # sha256 of all its numbers' bytes, adapters included: unchanged by renaming
    provenance: Provenance
    owner: str = LOCAL_OWNER
    thumbnail: bool = False  # whether there is one
    rank: int | None = None  # of its adapters; None = learned without detail

    @property
    def placeholder(self) -> str:
        return f"<{self.name}>"


def card_of(name: str, header: Header, path: Path, family: str) -> ConceptCard:
    known = header.metadata
    try:
        digest = _DIGESTS.of(path, header.data_start)
    except OSError as error:
        raise ConceptFileError(f"Can't read {path}: {error.strerror}.") from error
    owner = text_field(header, "owner", MOST_OWNER, path)
    return ConceptCard(
        name=name,
        kind=kind_of(known),
        noun=text_field(header, "noun", MOST_NOUN, path),
        family=family,
        vectors=header.vectors,
        widths=header.widths,
        rows_hash=digest,
        provenance=provenance_of(known),
        owner=owner if owner else LOCAL_OWNER,
        thumbnail=thumbnail_of(known) is not None,
        rank=header.rank,
    )


def thumbnail_of(known: dict[str, Any]) -> bytes | None:
    """The picture in a file's metadata; a stranger's file may hold anything there."""
    try:
        decoded = base64.b64decode(known.get("thumbnail", ""), validate=True)
    except (binascii.Error, TypeError, ValueError):
        return None
    return decoded if decoded.startswith(b"\x89PNG\r\n") and len(decoded) <= MOST_THUMBNAIL_BYTES else None


def kind_of(known: dict[str, Any]) -> str:
    return "style" if known.get("kind") == "style" else "subject"


def colours_of(known: dict[str, Any]) -> tuple[list[float], list[float]] | None:
    """Mean and deviation of each channel, of a style's latents; a stranger's file may hold anything there."""
    found = known.get("colours")
    if not isinstance(found, list) or len(found) != 2:
        return None
    mean, deviation = found
    sound = all(isinstance(part, list) and all(map(_is_finite, part)) for part in found)
    return (mean, deviation) if sound and 0 < len(mean) == len(deviation) <= MOST_CHANNELS else None


def _is_finite(number: Any) -> bool:
    return type(number) is float and math.isfinite(number)


def provenance_of(known: dict[str, Any]) -> Provenance:
    """What the file says of itself, or less where it was made by a version that says something else."""
    described = known.get("provenance", {"origin": "imported"})
    try:
        found = Provenance(**{**described, "sources": tuple(described.get("sources", ()))})
    except (TypeError, AttributeError):
        return Provenance(origin="imported")
    return found if _is_sound(found) else Provenance(origin="imported")


def _is_sound(provenance: Provenance) -> bool:
    """Whether everything is of its type and short."""
    texts = (provenance.origin, provenance.model, provenance.weights_hash, *provenance.sources)
    numbers = (provenance.steps, provenance.seed)
    return (
        all(isinstance(text, str) and len(text) <= MOST_TEXT for text in texts)
        and all(number is None or type(number) is int for number in numbers)
        and len(provenance.sources) <= MOST_SOURCES
        and isinstance(provenance.settings, dict)
        and len(json.dumps(provenance.settings)) <= MOST_SETTINGS
    )


def make_thumbnail(pixels: NDArray[np.uint8]) -> bytes:
    """A small PNG of a picture, (height, width, 3)."""
    from PIL import Image

    picture = Image.fromarray(pixels)
    picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
