"""Which layers the networks of a model have, by name: what a LoRA's file may update. Without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Modules:
    """``network``: every name that a layer has in files → its place, as ``core.adapters.layers`` names it.
    ``encoders``: the same per text encoder. In names ``_`` stands for ``.``. Some of the layers may be absent
    from a model; none that is there is missing here.

    ``context``: width of the text that the network reads, by which a LoRA's base is told.
    """

    family: str
    context: int
    network: Mapping[str, str]
    encoders: tuple[Mapping[str, str], ...]
