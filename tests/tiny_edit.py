"""A photo, its captions and an edit of them on a tiny random model, for the tests of the engine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from palimpsest.core.adapters import Adapters, first_adapters
from palimpsest.core.attention.control import AttentionControl
from palimpsest.core.attention.cross import refine, reweight
from palimpsest.core.attention.injection import SelfControl
from palimpsest.core.attention.maps import Levels
from palimpsest.core.attention.target import TargetControl
from palimpsest.core.attention.windows import Window, step_table
from palimpsest.core.concept import Concept
from palimpsest.core.editing.edit import Options, edit
from palimpsest.core.editing.sampling import Plan
from palimpsest.core.inversion import Inversion, InvertSettings, invert, method_named, picture_size
from palimpsest.core.model import DiffusionModel
from palimpsest.core.steps import finish
from palimpsest.core.text.alignment import align
from palimpsest.core.text.prompt import Vocabulary, concepts_installed
from palimpsest.core.text.tokens import Prompt
from tiny import tiny_model

SOURCE = "a photo of a cat on grass"
STEPS = 4
GUIDANCE = 3.0
SIZE = (8, 12)  # latent height and width: never square, or a √pixels would go unnoticed


def photo(size: tuple[int, int] = SIZE, seed: int = 1) -> Tensor:
    return torch.randn(1, 4, *size, generator=torch.Generator().manual_seed(seed))


def toy(model: DiffusionModel, name: str = "<my-toy>", vectors: int = 3, seed: int = 5) -> Concept:
    generator = torch.Generator().manual_seed(seed)
    rows = tuple(0.1 * torch.randn(vectors, part.width, generator=generator) for part in model.text)
    return Concept(name, rows, model.family, noun="toy")


def adapters(model: DiffusionModel, seed: int = 7, layers: str = "all") -> Adapters:
    """Of rank 2, far from nil."""
    first = first_adapters(model.network, 2, layers, seed)
    generator = torch.Generator().manual_seed(seed)
    return first.with_tensors(
        [0.5 * torch.randn(tensor.shape, generator=generator) for tensor in first.tensors]
    )


def detailed(model: DiffusionModel, name: str = "<my-toy>", seed: int = 7) -> Concept:
    """A concept as if learned with detail."""
    return replace(toy(model, name), adapters=adapters(model, seed))


def inverted(
    model: DiffusionModel,
    vocabulary: Vocabulary,
    source: Prompt,
    method: str = "direct",
    steps: int = STEPS,
    inner_steps: int = 2,
    size: tuple[int, int] = SIZE,
) -> Inversion:
    settings = InvertSettings(method, steps, GUIDANCE, method_named(method).constants(inner_steps))
    return finish(invert(model, vocabulary, photo(size), source, settings))


@dataclass(frozen=True)
class Wish:
    """What an edit in a test does to each target's attention."""

    cross: Window = 0.8
    words: Mapping[str, Window] = field(default_factory=dict)
    self_attention: Window = 0.5
    weights: Mapping[str, float] = field(default_factory=dict)
    pairs: Sequence[tuple[str, str]] = ()

    def control(self, source: Prompt, target: Prompt, steps: int) -> TargetControl:
        return TargetControl(
            reweight(refine(align(source, target, self.pairs)), target, self.weights),
            step_table(steps, target, self.cross, self.words),
            SelfControl(self.self_attention, limit=1.0),
        )


NOTHING = Wish(cross=0.0, self_attention=0.0)


def plan(
    model: DiffusionModel,
    vocabulary: Vocabulary,
    inversion: Inversion,
    source: Prompt,
    targets: Sequence[Prompt],
    wish: Wish | None = None,
    mask: Tensor | None = None,
) -> Plan:
    wished = Wish() if wish is None else wish
    height, width = inversion.latents.shape[-2:]
    size = picture_size(model, inversion.latents)
    controls = [wished.control(source, target, inversion.steps) for target in targets]
    null = vocabulary.null(size)
    return Plan(
        model=model,
        inversion=inversion,
        source=vocabulary.encode([source], size),
        targets=vocabulary.encode(targets, size),
        nulls=null.expand(len(targets)),
        source_null=null,
        control=AttentionControl(controls, inversion.steps, Levels.of(model.network, (height, width))),
        guidance=GUIDANCE,
        start=inversion.before(0).expand(len(targets), -1, -1, -1),
        mask=mask,
    )


def fingerprint() -> str:
    """The bytes of one edit that uses a seed."""
    model, mask = tiny_model("sd1"), torch.zeros(1, 1, *SIZE)
    mask[..., 2:6, 3:9] = 1
    with concepts_installed(model, [toy(model)]) as vocabulary:
        source = vocabulary.parse(SOURCE)
        target = vocabulary.parse("a photo of a cat and a <my-toy> on grass")
        inversion = inverted(model, vocabulary, source, "null-text", inner_steps=1)
        done = finish(edit(model, vocabulary, inversion, source, [target], "insert", Options(seed=7), mask))
    return hashlib.sha256(done.latents.numpy().tobytes()).hexdigest()
