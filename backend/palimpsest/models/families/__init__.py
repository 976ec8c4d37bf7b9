"""The model families that are known: each is a folder here, found by itself.

A source is a folder, or one ``.safetensors`` file. The first family that claims it reads and loads it; what
none claims goes to Stable Diffusion, which says what is wrong with it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from palimpsest.errors import ModelIncapableError, OutOfMemoryError, PalimpsestError, Text
from palimpsest.models.families.family import Family
from palimpsest.models.families.modules import Modules
from palimpsest.models.families.stable_diffusion import FAMILY as STABLE_DIFFUSION
from palimpsest.models.plan import HIGH, Plan
from palimpsest.models.spec import Spec

if TYPE_CHECKING:
    import torch

    from palimpsest.core.model import DiffusionModel


@cache
def families() -> tuple[Family, ...]:
    """By the names of their folders."""
    folders = sorted(found.name for found in pkgutil.iter_modules(__path__) if found.ispkg)
    return tuple(importlib.import_module(f"{__name__}.{name}").FAMILY for name in folders)


def family_of(source: Path) -> Family:
    return next((family for family in families() if _claims(family, source)), STABLE_DIFFUSION)


def folders() -> tuple[str, ...]:
    """Of a published repository, those that a family needs."""
    return tuple(dict.fromkeys(folder for family in families() for folder in family.folders))


def published_widths() -> dict[tuple[int, ...], str]:
    """The families that are told by the widths of an embedding's rows, one per text encoder."""
    return {widths: name for family in families() for widths, name in family.widths.items()}


def _claims(family: Family, source: Path) -> bool:
    try:
        return family.claims(source)
    except PalimpsestError:  # it can't be read: so it isn't told by this
        return False


def read_spec(source: Path) -> Spec:
    """The capabilities of a model, without its weights and without torch. Raises a ModelError."""
    return family_of(source).read_spec(source)


def read_modules(source: Path) -> Modules:
    """The layers of a model that a LoRA may update, without its weights. Raises a ModelError."""
    modules = family_of(source).modules
    if modules is None:
        raise ModelIncapableError(f"LoRAs can't be used with {source.name}.", "Leave the LoRA out.")
    return modules(source)


def load(
    source: Path,
    device: torch.device | str | None = None,
    memory: Path | None = None,
    tokenizer_sources: Sequence[Path] = (),
    plan: Plan = HIGH,
) -> DiffusionModel:
    """The model, frozen and ready, from what lies on this machine; nothing reaches for the network.

    ``device``: by default the fastest. ``memory``: a JSON file that remembers the hashes of weight files (see
    ``weights_hash``). ``tokenizer_sources``: model folders whose tokenizer may be used where there is none.
    ``plan``: what of it stays on the device.
    Raises a ModelError that names what is missing, damaged or unsupported; OutOfMemoryError.
    """
    import torch

    from palimpsest.models.libraries import quiet_libraries
    from palimpsest.models.precision import default_device

    where = default_device() if device is None else torch.device(device)
    with quiet_libraries(), _memory_errors(source, where):
        return family_of(source).load(source, where, memory, tokenizer_sources, plan)


@contextmanager
def _memory_errors(source: Path, device: torch.device) -> Iterator[None]:
    import torch

    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise OutOfMemoryError(
            Text("model-beyond-memory", model=source.name, device=str(device)), Text("smaller-model")
        ) from error
