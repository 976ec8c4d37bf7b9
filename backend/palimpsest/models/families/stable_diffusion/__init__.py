"""Stable Diffusion 1.x, 2.x and SDXL, and the built-in model, which is built as they are.

A folder in the diffusers layout, or a single ``.safetensors`` checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from palimpsest.errors import ModelNotFoundError
from palimpsest.models.families.family import Family
from palimpsest.models.families.stable_diffusion.checkpoint import read_spec
from palimpsest.models.families.stable_diffusion.folder import PICKLED, pickled_error
from palimpsest.models.families.stable_diffusion.kinds import KINDS
from palimpsest.models.families.stable_diffusion.modules import modules_of
from palimpsest.models.plan import Plan

if TYPE_CHECKING:
    import torch

    from palimpsest.core.model import DiffusionModel


def _load(
    source: Path, device: torch.device, memory: Path | None, tokenizer_sources: Sequence[Path], plan: Plan
) -> DiffusionModel:
    if source.is_dir():
        from palimpsest.models.families.stable_diffusion.load import load_folder

        return load_folder(source, device, memory, plan=plan)
    if source.suffix in PICKLED:
        raise pickled_error(source)
    if not source.is_file():
        raise ModelNotFoundError(f"There is no model {source}.", "Check the path.")
    from palimpsest.models.families.stable_diffusion.single_file import load_checkpoint

    return load_checkpoint(source, device, memory, tokenizer_sources, plan)


FAMILY = Family(
    claims=lambda source: False,
    read_spec=read_spec,
    load=_load,
    folders=("unet", "vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "scheduler"),
    widths={kind.widths: name for name, kind in KINDS.items() if kind.widths},
    modules=modules_of,
)
"""It claims nothing: it takes what no other family does."""
