"""A learned word: k embedding rows per text encoder and, if it was learned with detail, adapters."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from palimpsest.core.adapters import Adapters
from palimpsest.core.colours import Colours


@dataclass(frozen=True)
class Concept:
    """``placeholder`` (for instance ``<my-toy>``) stands for ``vectors`` consecutive tokens in a prompt.

    ``rows[i]`` belongs to the model's i-th text encoder: float32, (vectors, width of that encoder).
    ``adapters`` are active only where a prompt names the concept, and never on a photo's own branch.
    """

    placeholder: str
    rows: tuple[Tensor, ...]
    family: str
    kind: str = "subject"  # or "style"
    noun: str = ""  # the class noun it was initialised from: a "toy", a "painting"
    adapters: Adapters | None = None  # learned together with the rows
    colours: Colours | None = None  # of a style's pictures

    @property
    def vectors(self) -> int:
        return int(self.rows[0].shape[0])
