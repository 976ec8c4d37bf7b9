"""Which models lie on this machine, and under which names. Torch is not imported."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import palimpsest.builtin
from palimpsest.contract import BUILT_IN
from palimpsest.errors import ModelNotFoundError, ModelUnreadableError, Text
from palimpsest.models import linked_folders
from palimpsest.models.spec import read_json

REFUSED = (".ckpt", ".gguf")  # models that can't be read are listed, too, so that the list says why
CAPTIONERS = ("blip",)  # model types, as transformers names them


def built_in_folder() -> Path:
    """The small model that comes with the product: a folder like any other."""
    return Path(palimpsest.builtin.__file__).parent / "weights"


def installed_here(models: Path) -> dict[str, Path]:
    """Name → place of the built-in model and of everything in the ``models`` folder."""
    places = {BUILT_IN: built_in_folder()}
    for path in _inside(models):
        if os.path.isfile(path / "model_index.json"):  # unlike a Path's own, false where one may not look
            places[path.name] = path
        elif path.suffix == ".safetensors" and os.path.isfile(path) and not _is_given(path):
            places[path.stem] = path
        elif path.suffix in REFUSED and os.path.isfile(path):
            places[path.name] = path
    return places


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _is_given(path: Path) -> bool:
    """Whether a file is the VAE that was put beside a checkpoint: m.vae.safetensors for m.safetensors."""
    checkpoint = path.with_suffix("")
    return checkpoint.suffix == ".vae" and checkpoint.with_suffix(".safetensors").is_file()


def installed(models: Path, others: Sequence[Path] = ()) -> dict[str, Path]:
    """The same, and what lies in the folders of other tools: ``others`` and those that were added.

    Of two models with one name the second is called by its folder, too: ``name (folder)``.
    """
    places = installed_here(models)
    for folder in dict.fromkeys((*others, *linked_folders.linked(models))):
        for name, place in linked_folders.models_in(folder):
            if place not in places.values():
                free = name if name not in places else f"{name} ({place.parent.name})"
                places.setdefault(free, place)
    return places


def captioners(models: Path) -> dict[str, Path]:
    """Name → folder of everything in the ``models`` folder that describes pictures."""
    found = sorted(models.glob("*/config.json")) if models.is_dir() else []
    return {path.parent.name: path.parent for path in found if _model_type(path) in CAPTIONERS}


def _model_type(config: Path) -> str:
    """What transformers calls it; nothing for a file that can't be read."""
    try:
        return str(read_json(config).get("model_type", ""))
    except ModelUnreadableError:
        return ""


def names_path(name: str, models: Path, others: Sequence[Path] = ()) -> bool:
    """Whether ``name`` is a place on this machine rather than the name of an installed model."""
    looks_so = Path(name).is_absolute() or "/" in name or os.path.exists(name)
    return looks_so and name not in installed_here(models) and name not in installed(models, others)


def find(name: str, models: Path, paths_allowed: bool = True, others: Sequence[Path] = ()) -> Path:
    """The place of the model called ``name``, which may also be a path unless ``paths_allowed`` is off.

    Raises ModelNotFoundError that lists what there is.
    """
    near = installed_here(models)
    if name in near:
        return near[name]
    places = installed(models, others)
    if name in places:
        return places[name]
    if paths_allowed and names_path(name, models, others):
        return Path(name)
    raise ModelNotFoundError(
        Text("model-not-there", model=name),
        Text("models-there", names=", ".join(places), place=str(models)),
    )
