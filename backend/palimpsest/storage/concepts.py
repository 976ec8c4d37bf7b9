"""The concept library: a folder with one embedding file per learned word.

A file is complete in itself (rows, provenance, thumbnail), is written to a temporary name first and
then put in place, and is readable by other tools as it lies. Names are letters, digits and dashes and
never become paths (see ``limits``).
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import io
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palimpsest.errors import (
    ConceptExistsError,
    ConceptFileError,
    ConceptNameError,
    ConceptNotFoundError,
)
from palimpsest.limits import is_name, propose_name, require_name
from palimpsest.storage.atomic import write_atomically
from palimpsest.storage.embedding_file import Header, family_of, read_header, read_rows, write_bytes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from palimpsest.core.concept import Concept

SUFFIX = ".safetensors"
THUMBNAIL_SIDE = 128
MOST_THUMBNAIL_BYTES = 256 * 1024


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
    rows_hash: str  # sha256 of the rows' bytes: unchanged by renaming
    provenance: Provenance

    @property
    def placeholder(self) -> str:
        return f"<{self.name}>"


class ConceptLibrary:
    """The concepts in ``folder``, which is made when the first one is saved."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def list(self) -> tuple[ConceptCard, ...]:
        """Every readable concept, by name. What can't be read is told by ``damaged``."""
        cards = []
        for name in self.names():
            with contextlib.suppress(ConceptFileError, ConceptNotFoundError):
                cards.append(self.card(name))
        return tuple(cards)

    def damaged(self) -> tuple[ConceptFileError, ...]:
        """One error per file of the folder that is named like a concept and can't be read."""
        errors = []
        for name in self.names():
            try:
                self.load(name)
            except ConceptFileError as error:
                errors.append(error)
        return tuple(errors)

    def card(self, name: str) -> ConceptCard:
        path = self._existing(name)
        header = read_header(path)
        return _card(name, header, path)

    def load(self, name: str) -> Concept:
        from palimpsest.core.concept import Concept

        card = self.card(name)
        rows = read_rows(self._existing(name))
        return Concept(card.placeholder, rows, card.family, card.kind, card.noun)

    def thumbnail(self, name: str) -> bytes | None:
        """A small PNG of the concept, if it was saved with one."""
        return _thumbnail(read_header(self._existing(name)).metadata)

    def save(
        self,
        concept: Concept,
        provenance: Provenance,
        thumbnail: bytes | None = None,
        replace: bool = False,
    ) -> ConceptCard:
        """Store ``concept`` under its placeholder's name. Raises ConceptExistsError, ConceptNameError."""
        name = require_name(concept.placeholder.strip("<>"))
        path = self._path(name)
        if not replace:
            self._require_free(name)
        metadata = {
            "kind": concept.kind,
            "noun": concept.noun,
            "family": concept.family,
            "name": name,
            "provenance": asdict(provenance),
        }
        if thumbnail is not None:
            metadata["thumbnail"] = base64.b64encode(thumbnail).decode()
        _write(path, write_bytes(concept.rows, metadata), replace)
        return self.card(name)

    def rename(self, name: str, new_name: str) -> ConceptCard:
        """The same concept under a new name; its rows and hash stay as they are."""
        self._require_free(require_name(new_name))
        path = self._existing(name)
        metadata = {**read_header(path).metadata, "name": new_name}
        _write(self._path(new_name), write_bytes(read_rows(path), metadata), replace=False)
        path.unlink()
        return self.card(new_name)

    def remove(self, name: str) -> None:
        self._existing(name).unlink()

    def export_file(self, name: str, target: Path, replace: bool = False) -> Path:
        """Write the concept where other tools can read it, without the thumbnail: an exported file
        holds no picture. In diffusers: ``load_textual_inversion(target, token="<name>")``.
        """
        path = self._existing(name)
        if target.suffix.lower() != SUFFIX:
            raise ConceptFileError(f"{target.name} can't be written: embeddings are exported as {SUFFIX}.")
        metadata = {key: value for key, value in read_header(path).metadata.items() if key != "thumbnail"}
        _write(target, write_bytes(read_rows(path), metadata), replace)
        return target

    def import_file(
        self, source: Path, name: str | None = None, family: str | None = None, replace: bool = False
    ) -> ConceptCard:
        """Take in an embedding file of any of the public forms, ours included.

        ``name``: by default the one it was exported under, else made from the word that its tensor is
        named by (``<sks-dog>``), else from the file's name.
        ``family``: needed only where the file's widths don't say it.
        """
        from palimpsest.core.concept import Concept

        header = read_header(source)
        known = header.metadata
        chosen = _name_of(header, source) if name is None else require_name(name)
        concept = Concept(
            placeholder=f"<{chosen}>",
            rows=read_rows(source),
            family=family_of(header, source, family),
            kind=_kind(known),
            noun=str(known.get("noun", "")),
        )
        provenance = _provenance(known) if known else Provenance(origin="imported")
        return self.save(concept, provenance, _thumbnail(known), replace)

    def names(self) -> tuple[str, ...]:
        found = (path.stem for path in self.folder.glob(f"*{SUFFIX}"))
        return tuple(sorted(stem for stem in found if is_name(stem)))

    def _path(self, name: str) -> Path:
        return self.folder / f"{require_name(name)}{SUFFIX}"

    def _existing(self, name: str) -> Path:
        path = self._path(name)
        if not path.is_file():
            known = ", ".join(f"<{other}>" for other in self.names())
            hint = f"There are: {known}." if known else "The library is empty: learn or import one first."
            raise ConceptNotFoundError(f"There is no concept <{name}>.", hint, name=name)
        return path

    def _require_free(self, name: str) -> None:
        if self._path(name).exists():
            raise ConceptExistsError(
                f"There is a concept <{name}> already.",
                "Choose another name, or say that it is to be replaced.",
                name=name,
            )


def _name_of(header: Header, source: Path) -> str:
    """The name that a file gives itself. Raises ConceptNameError where none can be made of it."""
    if header.word is not None and "name" not in header.metadata:
        with contextlib.suppress(ConceptNameError):
            return propose_name(header.word)
    return propose_name(str(header.metadata.get("name", source.stem)))


def make_thumbnail(pixels: NDArray[np.uint8]) -> bytes:
    """A small PNG of a picture, (height, width, 3)."""
    from PIL import Image

    picture = Image.fromarray(pixels)
    picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _card(name: str, header: Header, path: Path) -> ConceptCard:
    known = header.metadata
    with path.open("rb") as file:
        file.seek(header.data_start)
        digest = hashlib.sha256(file.read()).hexdigest()
    return ConceptCard(
        name=name,
        kind=_kind(known),
        noun=str(known.get("noun", "")),
        family=family_of(header, path, None),
        vectors=header.vectors,
        widths=header.widths,
        rows_hash=digest,
        provenance=_provenance(known),
    )


def _thumbnail(known: dict[str, Any]) -> bytes | None:
    """The picture in a file's metadata; a stranger's file may hold anything there."""
    try:
        decoded = base64.b64decode(known.get("thumbnail", ""), validate=True)
    except (binascii.Error, TypeError, ValueError):
        return None
    return decoded if decoded.startswith(b"\x89PNG\r\n") and len(decoded) <= MOST_THUMBNAIL_BYTES else None


def _kind(known: dict[str, Any]) -> str:
    return "style" if known.get("kind") == "style" else "subject"


def _provenance(known: dict[str, Any]) -> Provenance:
    """What the file says of itself, or less where it was made by a version that says something else."""
    told = known.get("provenance", {"origin": "imported"})
    try:
        return Provenance(**{**told, "sources": tuple(told.get("sources", ()))})
    except (TypeError, AttributeError):
        return Provenance(origin="imported")


def _write(path: Path, content: bytes, replace: bool) -> None:
    try:
        write_atomically(path, content, replace)
    except FileExistsError as error:
        raise ConceptExistsError(f"{path} exists already.", "Say that it is to be replaced.") from error
