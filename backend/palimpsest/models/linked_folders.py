"""Models that other tools already have on this disk: folders that are looked into, and nothing is copied.

Which folders: those of the setting, and those in ``elsewhere.txt`` in the models folder, one path per
line, which ``palimpsest models add`` writes and every process reads anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from palimpsest.errors import ModelNotFoundError, PalimpsestError, RequestError, StorageError
from palimpsest.models.families.stable_diffusion import checkpoint
from palimpsest.models.header import read_header
from palimpsest.models.loras.layout import is_lora
from palimpsest.models.spec import name_of
from palimpsest.storage.atomic import write_atomically

LIST = "elsewhere.txt"
DEPTH = 5  # folders below the one that was named
SUFFIX = ".safetensors"


def linked(models: Path) -> tuple[Path, ...]:
    """The folders that were added. Raises StorageError."""
    try:
        lines = (models / LIST).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"{models / LIST} can't be read: {error}.", "Mend it, or remove it.") from error
    return tuple(Path(line) for line in lines if line.strip())


def add(models: Path, folder: Path) -> Path:
    """Look into ``folder`` from now on. Raises RequestError, ModelNotFoundError for one without models and
    LoRAs."""
    place = folder.expanduser().absolute()
    if not os.path.isdir(place):
        raise RequestError(f"There is no folder {place}.", "Check the path.")
    if next(models_in(place), None) is None and not any(map(holds_lora, files_in(place))):
        raise ModelNotFoundError(
            f"{place} holds no model and no LoRA.",
            f"Models are checkpoints ({SUFFIX}) and folders with a model_index.json, at most {DEPTH} deep.",
        )
    known = linked(models)
    if place not in known:
        write(models, (*known, place))
    return place


def remove(models: Path, folder: Path) -> Path:
    """Look into ``folder`` no longer; nothing in it is touched. Raises RequestError."""
    place, known = folder.expanduser().absolute(), linked(models)
    if place not in known:
        names = ", ".join(map(str, known)) if known else "none"
        raise RequestError(f"{place} is not one of the added folders.", f"Those are: {names}.")
    write(models, tuple(path for path in known if path != place))
    return place


def write(models: Path, folders: tuple[Path, ...]) -> None:
    write_atomically(models / LIST, "".join(f"{path}\n" for path in folders).encode(), reserved=False)


def models_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name and place of every model below ``folder``, in the order of their paths."""
    base = len(folder.parts)
    for place, below, files in os.walk(folder, followlinks=True):
        here = Path(place)
        if "model_index.json" in files:
            below.clear()
            yield name_of(here), here
            continue
        below[:] = sorted(name for name in below if len(here.parts) - base < DEPTH)
        for name in sorted(files):
            if name.endswith(SUFFIX) and is_checkpoint(here / name):
                yield here.joinpath(name).stem, here / name


def files_in(folder: Path) -> Iterator[Path]:
    """Every .safetensors file below ``folder``, in the order of their paths."""
    base = len(folder.parts)
    for place, below, files in os.walk(folder, followlinks=True):
        here = Path(place)
        below[:] = sorted(name for name in below if len(here.parts) - base < DEPTH)
        yield from (here / name for name in sorted(files) if name.endswith(SUFFIX))


def holds_lora(path: Path) -> bool:
    try:
        status = path.stat()
    except OSError:
        return False
    return _holds_lora(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4096)
def _holds_lora(path: Path, changed: int, size: int) -> bool:
    try:
        return is_lora(read_header(path))
    except PalimpsestError:
        return False


def is_checkpoint(path: Path) -> bool:
    """Whether a file is a whole model, and no LoRA, VAE or embedding."""
    try:
        status = path.stat()
    except OSError:
        return False
    return _is_checkpoint(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4096)
def _is_checkpoint(path: Path, changed: int, size: int) -> bool:
    try:
        return checkpoint.is_checkpoint(checkpoint.read_original_header(path))
    except PalimpsestError:
        return False
