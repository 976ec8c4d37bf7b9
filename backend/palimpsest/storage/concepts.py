"""The concept library: a folder with one embedding file per learned word.

A file is complete in itself (rows, adapters if it was learned with detail, provenance, thumbnail), is
written to a temporary name first and then put in place, and names its tensors as public embedding and LoRA
files do. Names are letters, digits and dashes and never become paths (see ``limits``). Everybody may use a
concept; its owner alone, and whoever runs the server, may change it and see its subject's pictures.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from palimpsest.errors import (
    ConceptError,
    ConceptExistsError,
    ConceptFileError,
    ConceptIncompatibleError,
    ConceptNameError,
    ConceptNotFoundError,
    ConceptOwnedError,
    Text,
    in_a_row,
)
from palimpsest.limits import is_name, propose_name, require_name
from palimpsest.storage import cutouts
from palimpsest.storage.adapter_tensors import arrays_of, torch_adapters
from palimpsest.storage.announcement import LOCAL_OWNER
from palimpsest.storage.atomic import PRIVATE, SHARED, write_atomically, written_aside
from palimpsest.storage.concept_card import (
    MOST_NOUN,
    ConceptCard,
    Provenance,
    card_of,
    colours_of,
    kind_of,
    provenance_of,
    thumbnail_of,
)
from palimpsest.storage.embedding_file import (
    Header,
    Numbers,
    data_start,
    family_of,
    read_header,
    read_numbers,
    text_field,
    write_bytes,
)
from palimpsest.storage.revisions import of_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from palimpsest.core.concept import Concept

SUFFIX = ".safetensors"
Part = Literal["whole", "embedding", "lora"]  # of a concept, to be exported


class ConceptLibrary:
    """The concepts in ``folder``, which is made when the first one is saved.

    ``published``: families by the widths of their text encoders, for files that don't name theirs.
    """

    def __init__(self, folder: Path, published: Mapping[tuple[int, ...], str]) -> None:
        self.folder = folder
        self._published = published

    def revision(self) -> str:
        """Another text when a concept came, went or was written, whichever process did that."""
        return of_folder(self.folder)

    def list(self) -> tuple[ConceptCard, ...]:
        """Every readable concept, by name. For what can't be read: ``list_with_errors``, ``damaged``."""
        return self.list_with_errors()[0]

    def list_with_errors(self) -> tuple[tuple[ConceptCard, ...], dict[str, ConceptError]]:
        """Every readable concept, by name; and of those that aren't, why."""
        cards, left_out = [], {}
        for name in self.names():
            try:
                cards.append(self.card(name))
            except ConceptNotFoundError:
                continue  # removed meanwhile
            except (ConceptFileError, ConceptIncompatibleError) as error:
                left_out[name] = error
        return tuple(cards), left_out

    def damaged(self) -> tuple[ConceptError, ...]:
        """One error per file of the folder that is named like a concept and can't be read to its end."""
        errors = []
        for name in self.names():
            try:
                self.card(name)
                read_numbers(self._existing(name))
            except (ConceptFileError, ConceptIncompatibleError) as error:
                errors.append(error)
        return tuple(errors)

    def has(self, name: str) -> bool:
        """Raises ConceptNameError."""
        return self._path(name).exists()

    def card(self, name: str) -> ConceptCard:
        path = self._existing(name)
        header = read_header(path)
        return card_of(name, header, path, family_of(header, path, None, self._published))

    def load(self, name: str) -> Concept:
        import torch

        from palimpsest.core.colours import Colours
        from palimpsest.core.concept import Concept

        card, numbers = self.card(name), read_numbers(self._existing(name))
        known = colours_of(read_header(self._existing(name)).metadata)
        rows = tuple(torch.from_numpy(part) for part in numbers.rows)
        adapters = torch_adapters(numbers.adapters)
        colours = None if known is None else Colours(*torch.tensor(known))
        return Concept(card.placeholder, rows, card.family, card.kind, card.noun, adapters, colours)

    def thumbnail(self, name: str) -> bytes | None:
        """A small PNG of the concept, if it was saved with one."""
        return thumbnail_of(read_header(self._existing(name)).metadata)

    def save(
        self,
        concept: Concept,
        provenance: Provenance,
        thumbnail: bytes | None = None,
        replace: bool = False,
        owner: str = LOCAL_OWNER,
        pictures: Sequence[NDArray[np.uint8]] = (),
    ) -> ConceptCard:
        """Store ``concept`` under its placeholder's name. ``pictures``: of its subject, cut out
        (``cutouts``). Without room for both nothing changes.

        Raises ConceptExistsError, ConceptNameError, ConceptOwnedError, DiskFullError, StorageError.
        """
        name = require_name(concept.placeholder.strip("<>"))
        rows = tuple(part.detach().float().cpu().numpy() for part in concept.rows)
        numbers = Numbers(rows, arrays_of(concept.adapters))
        described = {
            "kind": concept.kind,
            "noun": concept.noun,
            "family": concept.family,
            "provenance": asdict(provenance),
            "owner": owner,
        }
        if concept.colours is not None:
            described["colours"] = concept.colours.stacked.tolist()
        return self._keep(name, numbers, described, thumbnail, replace, pictures)

    def pictures(self, name: str, owner: str = LOCAL_OWNER) -> tuple[NDArray[np.uint8], ...]:
        """Of a learned subject, cut out: (height, width, 4) each. None where it was learned without masks,
        is a style, comes from elsewhere, or is somebody else's: all may use the word, but pictures are their
        owner's. Raises ConceptFileError."""
        card = self.card(name)
        return cutouts.read(self._cutouts(name), card.rows_hash) if owner in (LOCAL_OWNER, card.owner) else ()

    def rename(self, name: str, new_name: str, owner: str = LOCAL_OWNER) -> ConceptCard:
        """The same concept under a new name; its rows and hash stay as they are."""
        self._require_free(require_name(new_name))
        path = self._existing(name)
        self.require_own(name, owner)
        metadata = {**read_header(path).metadata, "name": new_name}
        _write(self._path(new_name), write_bytes(read_numbers(path), metadata), replace=False)
        with contextlib.suppress(FileNotFoundError):
            self._cutouts(name).replace(self._cutouts(new_name))
        path.unlink()
        return self.card(new_name)

    def remove(self, name: str, owner: str = LOCAL_OWNER) -> None:
        path = self._existing(name)
        self.require_own(name, owner)
        path.unlink()
        self._cutouts(name).unlink(missing_ok=True)

    def require_own(self, name: str, owner: str) -> None:
        """Raises ConceptOwnedError unless ``owner`` may change the concept; whoever runs this may."""
        if owner == LOCAL_OWNER:
            return
        with contextlib.suppress(ConceptFileError, ConceptIncompatibleError):
            if self.card(name).owner == owner:
                return
        raise ConceptOwnedError(
            f"The concept <{name}> is somebody else's.", "Use another name for yours.", name=name
        )

    def exported(self, name: str, part: Part = "whole") -> bytes:
        """The concept as a file, without thumbnail and owner: an exported file holds no picture.

        "whole" is what ``import_file`` takes back. Of a concept that was learned with detail other tools
        read each half alone: "embedding" (in diffusers ``load_textual_inversion(file, token="<name>")``) and
        "lora" (``load_lora_weights(file)``). Raises ConceptFileError where there is no such part.
        """
        path, halves = self._existing(name), get_args(Part)
        known, numbers = read_header(path).metadata, read_numbers(path)
        if part not in halves:
            raise ConceptFileError(f"A concept has no part {part!r}.", f"Parts: {', '.join(halves)}.")
        if part == "lora" and numbers.adapters is None:
            raise ConceptFileError(
                f"<{name}> was learned without detail: it is an embedding alone and has no LoRA.",
                "Export it whole, or learn it with detail.",
            )
        if part == "lora":
            return write_bytes(Numbers((), numbers.adapters), {"name": name, "part": part})
        metadata = {key: value for key, value in known.items() if key not in ("thumbnail", "owner")}
        return write_bytes(numbers if part == "whole" else Numbers(numbers.rows), metadata)

    def export_file(self, name: str, target: Path, replace: bool = False, part: Part = "whole") -> Path:
        """``exported`` into a file."""
        return write_exported(target, self.exported(name, part), replace)

    def import_file(
        self,
        source: Path,
        name: str | None = None,
        family: str | None = None,
        replace: bool = False,
        owner: str = LOCAL_OWNER,
    ) -> ConceptCard:
        """Take in an embedding file of any of the public forms, ours included.

        ``name``: by default the one it was exported under, else made from the word that its tensor is
        named by (``<sks-dog>``), else from the file's name.
        ``family``: needed only where the file's widths don't say it.
        """
        header = read_header(source)
        known = header.metadata
        chosen = name_for(source, name)
        provenance = provenance_of(known) if known else Provenance(origin="imported")
        described = {
            "kind": kind_of(known),
            "noun": text_field(header, "noun", MOST_NOUN, source),
            "family": family_of(header, source, family, self._published),
            "provenance": asdict(provenance),
            "owner": owner,
        }
        if colours_of(known) is not None:
            described["colours"] = known["colours"]
        return self._keep(chosen, read_numbers(source), described, thumbnail_of(known), replace)

    def _keep(
        self,
        name: str,
        numbers: Numbers,
        described: dict[str, Any],
        thumbnail: bytes | None,
        replace: bool,
        pictures: Sequence[NDArray[np.uint8]] = (),
    ) -> ConceptCard:
        if not replace:
            self._require_free(name)
        elif self.has(name):
            self.require_own(name, described["owner"])
        metadata = {**described, "name": name}
        if thumbnail is not None:
            metadata["thumbnail"] = base64.b64encode(thumbnail).decode()
        content = write_bytes(numbers, metadata)
        with self._with_pictures(name, pictures, content):
            _write(self._path(name), content, replace)
        return self.card(name)

    @contextlib.contextmanager
    def _with_pictures(
        self, name: str, pictures: Sequence[NDArray[np.uint8]], content: bytes
    ) -> Iterator[None]:
        """Inside the ``with`` the concept's file is written as ``content``: its pictures are on the disk
        before, and take the place of those of another concept of this name after it."""
        if not pictures:
            yield
            self._cutouts(name).unlink(missing_ok=True)
            return
        of_rows = hashlib.sha256(memoryview(content)[data_start(content) :]).hexdigest()
        with written_aside(self._cutouts(name), cutouts.to_bytes(pictures, of_rows)):
            yield

    def names(self) -> tuple[str, ...]:
        found = (path.stem for path in self.folder.glob(f"*{SUFFIX}"))
        return tuple(sorted(stem for stem in found if is_name(stem)))

    def _path(self, name: str) -> Path:
        return self.folder / f"{require_name(name)}{SUFFIX}"

    def _cutouts(self, name: str) -> Path:
        return self.folder / f"{require_name(name)}{cutouts.SUFFIX}"

    def _existing(self, name: str) -> Path:
        path = self._path(name)
        if not path.is_file():
            raise ConceptNotFoundError(Text("concept-not-there", name=name), self._hint(name), name=name)
        return path

    def _hint(self, name: str) -> Text:
        names = self.names()
        if not names:
            return Text("no-concepts-there")
        there = Text("concepts-there", names=", ".join(f"<{other}>" for other in names))
        near = get_close_matches(name.lower(), names, 1)
        return in_a_row([Text("concept-near", name=near[0]), there]) if near else there

    def _require_free(self, name: str) -> None:
        if self._path(name).exists():
            raise ConceptExistsError(
                Text("concept-there", name=name), Text("other-name-or-replace"), name=name
            )


def write_exported(target: Path, content: bytes, replace: bool = False) -> Path:
    """``content``: of an embedding file. Raises ConceptFileError, ConceptExistsError, StorageError."""
    if target.suffix.lower() != SUFFIX:
        raise ConceptFileError(f"{target.name} can't be written: embeddings are exported as {SUFFIX}.")
    _write(target, content, replace, reserved=False, mode=SHARED)
    return target


def name_for(source: Path, name: str | None = None) -> str:
    """What an embedding file is called when it is taken in. Raises ConceptFileError, ConceptNameError."""
    return _name_of(read_header(source), source) if name is None else require_name(name)


def _name_of(header: Header, source: Path) -> str:
    """The name that a file gives itself. Raises ConceptNameError where none can be made of it."""
    if header.word is not None and "name" not in header.metadata:
        with contextlib.suppress(ConceptNameError):
            return propose_name(header.word)
    return propose_name(str(header.metadata.get("name", source.stem)))


def _write(path: Path, content: bytes, replace: bool, reserved: bool = True, mode: int = PRIVATE) -> None:
    try:
        write_atomically(path, content, replace, reserved, mode)
    except FileExistsError as error:
        raise ConceptExistsError(f"{path} exists already.", "Say that it is to be replaced.") from error
