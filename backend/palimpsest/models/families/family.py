"""What a model family is to the rest: how its models are told, what they can do, and how they are loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from palimpsest.models.families.modules import Modules
from palimpsest.models.plan import Plan
from palimpsest.models.spec import Spec

if TYPE_CHECKING:
    import torch

    from palimpsest.core.model import DiffusionModel

HALVES = ("bfloat16", "float16")  # half precisions, the better one first


@dataclass(frozen=True)
class Family:
    """One folder in ``models/families``. Torch is imported by ``load`` only.

    ``claims``: whether a folder or file is of this family, told without reading weights. What it raises
    as a PalimpsestError counts as no.
    ``read_spec``: what the model can do. Raises a ModelError for one that can't be used.
    ``load``: the model, frozen, on a device; with a file that remembers the hashes of weights (or None), the
    folders whose tokenizer a model may use that comes without one, and what of it stays on the device. Raises
    a ModelError.
    ``folders``: those of a published repository that are downloaded, beside ``model_index.json``.
    ``widths``: by what an embedding's family is told that doesn't say it: its name, by the widths of the
    published text encoders.
    ``modules``: the layers that a LoRA may update; None: LoRAs aren't for this family. Raises a ModelError.
    """

    claims: Callable[[Path], bool]
    read_spec: Callable[[Path], Spec]
    load: Callable[[Path, torch.device, Path | None, Sequence[Path], Plan], DiffusionModel]
    folders: tuple[str, ...] = ()
    widths: Mapping[tuple[int, ...], str] = field(default_factory=dict)
    modules: Callable[[Path], Modules] | None = None
