"""Null-text inversion (Mokady et al. 2022), algorithm 1, with the published constants.

Sampling with guidance leaves the pivots. At each timestep the unconditional ("null-text") embedding is
moved until one guided step from where sampling is now meets the next pivot:

    min_N ‖ z*_{t-1} - D(z̃_t, ε(z̃_t, N) + w·(ε(z̃_t, C) - ε(z̃_t, N))) ‖²

with Adam at a rate falling from 1e-2 to 5e-3, at most 10 inner steps, each timestep starting from the
embedding of the one before. As published, the early stop compares the loss *before* the last step and
allows more error later: L < 1e-5 + 2e-5·i.

Where sampling went with these embeddings is kept: it is the photo's branch of every edit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from palimpsest.core.conditioning import Conditioning
from palimpsest.core.gradient import gradient
from palimpsest.core.inversion.ddim import ddim_inversion
from palimpsest.core.inversion.method import Cost, Found, Method, Photo
from palimpsest.core.model import DiffusionModel
from palimpsest.core.process import Level, guided, pairs, step
from palimpsest.core.steps import Step, Steps
from palimpsest.errors import RequestError


@dataclass(frozen=True)
class NullTextSettings:
    """The published constants. At step i the rate is ``rate``·(1 - i/``rate_decay_steps``).

    ``from_caption``: the embedding begins as the caption's, not as the empty prompt's. ``asks_first``: no
    step is taken where the loss is small enough before it.
    """

    inner_steps: int = 10
    rate: float = 1e-2
    rate_decay_steps: float = 100.0
    stop: float = 1e-5
    stop_growth: float = 2e-5
    from_caption: bool = False
    asks_first: bool = False


def optimise_nulls(
    model: DiffusionModel,
    pivots: Tensor,  # (steps + 1, 1, c, h, w), z_0 … z_T
    cond: Conditioning,
    null: Conditioning,
    levels: tuple[Level, ...],
    guidance: float,
    settings: NullTextSettings,
) -> Steps[tuple[Tensor, Tensor]]:
    """One embedding per timestep, (steps, 1, tokens, width) float32, noisiest first, and where sampling goes
    with them, (steps + 1, 1, c, h, w) float32, cleanest first.

    Only the embedding gets gradients; the model's weights are frozen and stay without any.
    """
    context = (cond if settings.from_caption else null).context.detach().float()
    nulls, path = list[Tensor](), [pivots[-1]]
    for i, (level, cleaner) in enumerate(pairs(model.process, levels)):
        step = _Timestep(model, path[0], pivots[-2 - i], cond, null, level, cleaner, guidance)
        text = step.text()
        context, loss = step.optimise(text, context, i, settings)
        z, preview = step.advance(text, context)
        nulls.append(context)
        path.insert(0, z)
        yield Step("optimise", i + 1, len(levels), z0=preview, loss=loss)
    return torch.stack(nulls), torch.stack(path)


@dataclass(frozen=True)
class _Timestep:
    """One outer iteration: from ``z`` at ``level`` towards the pivot ``goal`` at ``cleaner``."""

    model: DiffusionModel
    z: Tensor
    goal: Tensor
    cond: Conditioning
    null: Conditioning
    level: Level
    cleaner: Level
    guidance: float

    @torch.no_grad()
    def text(self) -> Tensor:
        """What is predicted with the caption."""
        return self.model.predict(self.z, self.level, self.cond)

    @torch.enable_grad()
    def optimise(
        self, text: Tensor, context: Tensor, i: int, settings: NullTextSettings
    ) -> tuple[Tensor, float | None]:
        """The moved embedding, and the loss that it was last measured to have."""
        moved = context.clone().requires_grad_(True)
        rate = settings.rate * (1 - i / settings.rate_decay_steps)
        adam = torch.optim.Adam([moved], lr=rate)
        measured = None
        for _ in range(settings.inner_steps):
            reached, _ = self._reached(text, moved)
            loss = F.mse_loss(reached, self.goal)
            measured = loss.item()
            enough = measured < settings.stop + i * settings.stop_growth
            if enough and settings.asks_first:
                break
            (moved.grad,) = gradient(loss, [moved], self.model.dtype)
            adam.step()
            if enough:
                break  # after the step, by the loss before it: as published
        return moved.detach(), measured

    @torch.no_grad()
    def advance(self, text: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """The guided sampling step with the embedding found, and its estimate of z_0."""
        return self._reached(text, context)

    def _reached(self, text: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        null = self.model.predict(self.z, self.level, self.null.with_context(context))
        prediction = guided(null, text, self.guidance)
        return step(self.model.process, self.z, prediction, self.level, self.cleaner)


class NullText(Method):
    """The pivots by DDIM inversion, then the null embeddings that lead along them."""

    whole = True

    def constants(self, inner_steps: int = NullTextSettings.inner_steps) -> NullTextSettings:
        return NullTextSettings(inner_steps=inner_steps)

    def invert(self, photo: Photo, constants: NullTextSettings | None) -> Steps[Found]:
        chosen = constants or self.constants()
        if chosen.inner_steps < 0:
            raise RequestError(f"{chosen.inner_steps} inner steps were asked for.", "0 or more.")
        pivots = yield from ddim_inversion(photo)
        nulls, path = yield from optimise_nulls(
            photo.model, pivots, photo.cond, photo.null, photo.levels, photo.guidance, chosen
        )
        return Found(pivots, nulls, path)

    def cost(self, constants: NullTextSettings | None) -> Mapping[str, Cost]:
        inner = (constants or self.constants()).inner_steps
        return {**super().cost(constants), "optimise": Cost(forward=2 + inner, backward=inner)}


METHOD = NullText()
