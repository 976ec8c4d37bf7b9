"""Which models lie on this machine, and under which names. Torch is not imported."""

from __future__ import annotations

from pathlib import Path

import palimpsest.demo
from palimpsest.contract import BUILT_IN
from palimpsest.errors import ModelNotFoundError


def built_in_folder() -> Path:
    """The small model that comes with the product: a folder like any other."""
    return Path(palimpsest.demo.__file__).parent / "weights"


def installed(models: Path) -> dict[str, Path]:
    """Name → place of the built-in model and of everything in the ``models`` folder."""
    places = {BUILT_IN: built_in_folder()}
    for path in sorted(models.iterdir()) if models.is_dir() else ():
        if (path / "model_index.json").is_file():
            places[path.name] = path
        elif path.suffix == ".safetensors" and path.is_file():
            places[path.stem] = path
    return places


def names_path(name: str, models: Path) -> bool:
    """Whether ``name`` is a place on this machine rather than the name of an installed model."""
    if name in installed(models):
        return False
    return Path(name).is_absolute() or "/" in name or Path(name).exists()


def find(name: str, models: Path, paths_allowed: bool = True) -> Path:
    """The place of the model called ``name``, which may also be a path unless ``paths_allowed`` is off.

    Raises ModelNotFoundError that lists what there is.
    """
    places = installed(models)
    if name in places:
        return places[name]
    if paths_allowed and names_path(name, models):
        return Path(name)
    raise ModelNotFoundError(
        f"There is no model called {name!r}.",
        f"There are: {', '.join(places)}. Models are looked for in {models}.",
    )
