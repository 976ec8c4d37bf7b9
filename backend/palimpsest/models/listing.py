"""The models that are here and those that can be pulled, with what each of them can do. Without torch.

A list always answers: what can't be told is named, with the reason, and takes nothing else with it.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from palimpsest.contract import BUILT_IN
from palimpsest.errors import ModelUnreadableError, PalimpsestError
from palimpsest.models.catalog import captioners, installed, installed_here
from palimpsest.models.families import read_spec
from palimpsest.models.needs import needs
from palimpsest.models.offers import OFFERS

logger = logging.getLogger(__name__)


class Listing(NamedTuple):
    """models: ``{"name", "installed", "details"}``, the installed ones first, then the catalogue's rest.

    ``details["describes"]``: whether pictures can be described for this model, or people must do it.
    ``details["error"]``: why it can't be used. left_out: ``{"name", "code", "message"}``.
    """

    models: list[dict[str, Any]]
    left_out: list[dict[str, str]]


def list_models(models: Path, others: Sequence[Path] = ()) -> list[dict[str, Any]]:
    """As ``list_all``, without what is left out."""
    return list_all(models, others).models


def list_all(models: Path, others: Sequence[Path] = ()) -> Listing:
    left_out: list[dict[str, str]] = []
    try:
        places = installed(models, others)
    except PalimpsestError as error:  # the list of other tools' folders
        left_out.append({"name": "elsewhere", "code": error.code, "message": error.message})
        places = installed_here(models)
    helpers = captioners(models)
    here = {name: place for name, place in places.items() if os.path.exists(place)}
    offered = {known.name: known.to_json() for known in OFFERS}
    found = []
    for name, place in here.items():
        if not can_be_told(name):
            message = "A model's name is not valid Unicode: rename its file."
            left_out.append({"name": ascii(name), "code": "model_unreadable", "message": message})
            continue
        describes = name == BUILT_IN or bool(helpers)
        details = {**offered.get(name, {}), **capabilities(place), "describes": describes}
        found.append({"name": name, "installed": True, "details": details})
    absent = [name for name in offered if name not in here and name not in helpers]
    found += [{"name": name, "installed": False, "details": offered[name]} for name in absent]
    return Listing(found, left_out)


def can_be_told(value: Any) -> bool:
    """Whether this is JSON that every client reads."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        return True
    except (TypeError, ValueError, RecursionError):
        return False


def capabilities(place: Path) -> dict[str, Any]:
    """What the model's configuration says; ``{"error": …}`` for one that can't be used, and why."""
    try:
        if place.is_dir():
            return _capabilities(place)
        status = place.stat()
        return dict(_of_a_file(place, status.st_mtime_ns, status.st_size))
    except OSError as error:
        return {"error": ModelUnreadableError(f"{place!a} can't be read: {error.strerror}.").to_json()}


@lru_cache(maxsize=1024)
def _of_a_file(place: Path, changed: int, size: int) -> dict[str, Any]:
    """The head of a checkpoint is large: it is read once."""
    return _capabilities(place)


def _capabilities(place: Path) -> dict[str, Any]:
    try:
        spec = read_spec(place)
        details = {**spec.to_json(), "needs": needs(spec.family, spec.native_size, spec.stride)}
    except PalimpsestError as error:
        details = {"error": error.to_json()}
    except Exception as error:  # whatever a stranger's file makes us do, the others are listed
        logger.error("The model %a could not be read: %s", str(place), type(error).__name__)
        return _unusable(place)
    return details if can_be_told(details) else _unusable(place)


def _unusable(place: Path) -> dict[str, Any]:
    error = ModelUnreadableError(
        f"{str(place)!a} says things that can't be used.", "It may be damaged: fetch it again."
    )
    return {"error": error.to_json()}
