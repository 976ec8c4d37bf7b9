"""A learned word: k embedding rows per text encoder."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Concept:
    """``placeholder`` (for instance ``<my-toy>``) stands for ``vectors`` consecutive tokens in a prompt.

    ``rows[i]`` belongs to the model's i-th text encoder: float32, (vectors, width of that encoder).
    """

    placeholder: str
    rows: tuple[Tensor, ...]
    family: str
    kind: str = "subject"  # or "style"
    noun: str = ""  # the class noun it was initialised from: a "toy", a "painting"

    @property
    def vectors(self) -> int:
        return int(self.rows[0].shape[0])
