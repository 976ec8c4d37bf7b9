"""Which LoRAs lie on this machine, under which names, and what their files say of them. Without torch.

They lie in the folder ``loras`` beside that of the models, and where other tools' folders are looked into:
also in ``loras`` and ``Lora`` beside a folder of theirs that holds checkpoints alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from palimpsest.errors import LoraFileError, LoraNotFoundError, ModelError, PalimpsestError
from palimpsest.models import linked_folders
from palimpsest.models.header import Header, read_header, require_whole
from palimpsest.models.loras.layout import base_of, context_of, is_lora, rank_of

FOLDER = "loras"
BESIDE = ("loras", "Lora", "LyCORIS")  # ComfyUI, A1111's interface
PICKLED = (".pt", ".ckpt", ".bin", ".pth")
PICTURES = (".preview.png", ".png", ".preview.jpg", ".jpg", ".preview.jpeg", ".jpeg", ".webp")
SAID = 12  # names that an error lists
MOST_WORDS = 8  # trigger words that are told


@dataclass(frozen=True)
class LoraCard:
    """What is told of one."""

    name: str
    path: str
    bytes: int
    base: str | None = None  # "sd1", say; None where neither its layers nor its metadata tell
    context: int | None = None  # width of the text that its base reads
    rank: int | None = None  # the largest
    words: tuple[str, ...] = ()  # that it was trained with
    title: str | None = None
    picture: str | None = None  # file of a picture beside it
    error: str | None = None  # why it can't be used

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def shown(self) -> dict[str, Any]:
        """What other machines are told: no places on this one."""
        return {name: value for name, value in asdict(self).items() if name not in ("path", "picture")}


@dataclass(frozen=True)
class LoraLibrary:
    """``models``: the folder of the models; ``others``: folders of other tools that are looked into."""

    models: Path
    others: tuple[Path, ...] = ()

    @property
    def folder(self) -> Path:
        return self.models.parent / FOLDER

    def places(self) -> dict[str, Path]:
        """Name → file. Of two with one name the second is called by its folder, too: ``name (folder)``."""
        places: dict[str, Path] = {}
        for place in self._files():
            name = place.stem if place.stem not in places else f"{place.stem} ({place.parent.name})"
            places.setdefault(name, place)
        return places

    def find(self, name: str) -> Path:
        """Raises LoraNotFoundError, LoraFileError for one that is pickled."""
        places = self.places()
        if name in places:
            return places[name]
        for suffix in PICKLED:
            if (self.folder / f"{name}{suffix}").is_file():
                raise LoraFileError(
                    f"{name}{suffix} is a pickle file, which can run any program when it is read, so "
                    "Palimpsest doesn't read it.",
                    "Get the LoRA as .safetensors.",
                    lora=name,
                )
        there = ", ".join(sorted(places)[:SAID]) + (", …" if len(places) > SAID else "")
        raise LoraNotFoundError(
            f"There is no LoRA called {name!r}.",
            f"There are: {there or 'none'}. LoRAs (.safetensors) are looked for in {self.folder}, and in the "
            "folders of other tools: palimpsest models add.",
            lora=name,
        )

    def card(self, name: str) -> LoraCard:
        """Raises what ``find`` raises; what is wrong with a file that is there, the card says."""
        return card_of(name, self.find(name))

    def list(self) -> list[LoraCard]:
        """By name."""
        return [card_of(name, place) for name, place in sorted(self.places().items())]

    def _files(self) -> Iterator[Path]:
        """The folder's own first; in others only what is told to be a LoRA."""
        seen: set[Path] = set()
        for place in linked_folders.files_in(self.folder):
            seen.add(place)
            yield place
        for folder in dict.fromkeys((*self.others, *linked_folders.linked(self.models))):
            for root in (folder, *(folder.parent / name for name in BESIDE)):
                for place in linked_folders.files_in(root):
                    if place not in seen and linked_folders.holds_lora(place):
                        seen.add(place)
                        yield place


def card_of(name: str, path: Path) -> LoraCard:
    size = path.stat().st_size if path.is_file() else 0
    try:
        header = read_lora_header(path)
    except PalimpsestError as error:
        return LoraCard(name, str(path), size, error=error.message)
    if not is_lora(header):
        return LoraCard(name, str(path), size, error=f"{path.name} is no LoRA.")
    return LoraCard(
        name,
        str(path),
        size,
        base_of(header),
        context_of(header),
        rank_of(header),
        trigger_words(header),
        header.metadata.get("modelspec.title") or None,
        picture_beside(path),
    )


def read_lora_header(path: Path) -> Header:
    """Raises LoraFileError."""
    try:
        header = read_header(path)
        require_whole(path, header)
    except ModelError as error:
        raise LoraFileError(error.message, error.hint) from error
    return header


def trigger_words(header: Header) -> tuple[str, ...]:
    """The stated phrase; else the words that most of its training pictures were captioned with."""
    phrase = header.metadata.get("modelspec.trigger_phrase", "").strip()
    if phrase:
        return tuple(part.strip() for part in phrase.split(",") if part.strip())[:MOST_WORDS]
    try:
        folders: Any = json.loads(header.metadata.get("ss_tag_frequency", "{}"))
        counts: Counter[str] = Counter()
        for tags in folders.values():
            counts.update({str(tag).strip(): int(count) for tag, count in tags.items()})
    except (ValueError, TypeError, AttributeError, RecursionError):
        return ()
    most = max(counts.values(), default=0)
    return tuple(tag for tag, count in counts.most_common(MOST_WORDS) if tag and count * 2 >= most)


def picture_beside(path: Path) -> str | None:
    places = (path.with_name(path.stem + suffix) for suffix in PICTURES)
    return next((str(place) for place in places if place.is_file()), None)
