"""The models that are here and those that can be pulled, with what each of them can do. Without torch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from palimpsest.contract import BUILT_IN
from palimpsest.errors import PalimpsestError
from palimpsest.models.catalog import captioners, installed
from palimpsest.models.checkpoint import read_spec
from palimpsest.models.offers import OFFERS


def list_models(models: Path, others: Sequence[Path] = ()) -> list[dict[str, Any]]:
    """``{"name", "installed", "details"}``: the installed ones first, then the rest of the catalogue.

    ``details["describes"]``: whether pictures can be described for this model, or people must do it.
    """
    helpers = captioners(models)
    here = {name: place for name, place in installed(models, others).items() if place.exists()}
    offered = {known.name: known.to_json() for known in OFFERS}
    found = [
        {
            "name": name,
            "installed": True,
            "details": {
                **offered.get(name, {}),
                **capabilities(place),
                "describes": name == BUILT_IN or bool(helpers),
            },
        }
        for name, place in here.items()
    ]
    absent = [name for name in offered if name not in here and name not in helpers]
    return found + [{"name": name, "installed": False, "details": offered[name]} for name in absent]


def capabilities(place: Path) -> dict[str, Any]:
    """What the model's configuration says; ``{"error": …}`` for one that can't be used, and why."""
    if place.is_dir():
        return _capabilities(place)
    told = place.stat()
    return dict(_of_a_file(place, told.st_mtime_ns, told.st_size))


@lru_cache(maxsize=1024)
def _of_a_file(place: Path, changed: int, size: int) -> dict[str, Any]:
    """The head of a checkpoint is large: it is read once."""
    return _capabilities(place)


def _capabilities(place: Path) -> dict[str, Any]:
    try:
        return read_spec(place).to_json()
    except PalimpsestError as error:
        return {"error": error.to_json()}
