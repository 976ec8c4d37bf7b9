"""The sampling loop of an edit: the photo's own branch and the targets side by side.

Attention control lets a target attend as the source does at the same step. How the source branch moves is
the inversion's business (``source_moves``):

  it samples in the targets' batch, with the same guidance
  or it is put on its stored path after each step; it is in the batch only where something needs its
  attention, and not even there if that is recorded (``Plan.record``)

Where there are null embeddings of each timestep (``nulls``), all branches have those.

After each step LocalBlend and then the latent mask take their part of the source back; outside the
mask a target's latent is a copy of the stored pivot, so its difference to the photo's is exactly 0.

The adapters of concepts learned with detail are active in the targets' rows alone: a style's in the
conditional ones, a subject's in the unconditional ones too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from palimpsest.core.adapters import Adaptation, adapted
from palimpsest.core.attention.blend import LocalBlend
from palimpsest.core.attention.control import AttentionControl, Rows
from palimpsest.core.attention.maps import WordMaps
from palimpsest.core.attention.record import Layers, Record, look
from palimpsest.core.conditioning import Conditioning
from palimpsest.core.count import counted
from palimpsest.core.editing.trajectory import Facts, Reached, Trajectory
from palimpsest.core.inversion import Inversion, method_named
from palimpsest.core.model import DiffusionModel
from palimpsest.core.process import Level, guided, move, pairs
from palimpsest.core.steps import Step, Steps


@dataclass(frozen=True)
class Plan:
    """Everything the loop needs. ``targets`` has one row per target."""

    model: DiffusionModel
    inversion: Inversion
    source: Conditioning  # (1, …)
    targets: Conditioning  # (targets, …)
    nulls: Conditioning  # (targets, …): the targets' unconditional rows
    source_null: Conditioning | None  # (1, …); None: guidance leads away from its own caption, nowhere
    control: AttentionControl
    guidance: float
    start: Tensor  # (targets, c, h, w): the targets' latents where sampling begins
    first: int = 0  # the sampling step where it begins
    blend: LocalBlend | None = None
    mask: Tensor | None = None  # (1, 1, h, w) of 0 and 1; None = all may change
    record: Record | None = None  # the source is looked at as in its inversion; None: where its branch is
    recorded: frozenset[Level] = frozenset()  # the levels that ``record`` is for
    adaptation: Adaptation = field(default_factory=lambda: Adaptation(()))
    adapting: tuple[tuple[int, ...], ...] = ()  # per set of ``adaptation``, the targets that have it
    adapting_nulls: tuple[tuple[int, ...], ...] = ()  # … and those whose unconditional rows have it


@dataclass(frozen=True)
class Edited:
    """The outcome, latents float32."""

    latents: Tensor  # (targets, c, h, w): the edited pictures
    source: Tensor  # (1, c, h, w): the photo as this method reproduces it
    evaluations: int  # of the network, one per sample of every batch
    maps: Mapping[str, Tensor]  # word of the source prompt -> (h, w) in [0, 1]
    trajectory: Trajectory | None = None  # None: nothing could go on from it


def sample(plan: Plan, words: WordMaps | None = None, before: Trajectory | None = None) -> Steps[Edited]:
    """Run the edit. The network is controlled only while this generator is alive.

    ``words``: maps of the source prompt to read on the way; for them the source is needed at every step.
    ``before``: of an earlier edit; the steps that this one shares with it are not taken again.
    """
    if words is not None:
        plan.control.source_maps.append(words)
    trajectory = _trajectory(plan)
    reached = [] if trajectory is None else list(trajectory.shared(before))
    z_tgt = _resumed(plan, reached[-1]) if reached else plan.start
    first, model = plan.first + len(reached), plan.model
    z_src = plan.inversion.source(plan.inversion.steps - first)
    levels, network = pairs(model.process, plan.inversion.levels), model.network
    with counted(model) as count, network.attending(plan.control), adapted(network, plan.adaptation):
        for step in range(first, len(levels)):
            z_src, z_tgt, preview = _advance(plan, step, *levels[step], z_src, z_tgt)
            reached.append(Reached(z_tgt, tuple(store.sum for store in plan.control.stores)))
            yield Step("edit", step - plan.first + 1, len(levels) - plan.first, z0=preview)
    maps = {} if words is None else words.normalised(plan.control.levels.latent)
    done = None if trajectory is None else replace(trajectory, reached=tuple(reached))
    return Edited(z_tgt, z_src, count.evaluations, maps, done)


def _resumed(plan: Plan, reached: Reached) -> Tensor:
    """The targets' latents there; the maps go on from their sums."""
    for store, found in zip(plan.control.stores, reached.sums, strict=True):
        store.sum = found
    return reached.latents


def _trajectory(plan: Plan) -> Trajectory | None:
    """Before its first step. None where the photo's branch moves."""
    if plan.record is None:
        return None
    inversion, model, steps = plan.inversion, plan.model, plan.inversion.steps
    told = tuple(part.tensors for part in (plan.source, plan.targets, plan.nulls))
    adapters = tuple(some.facts for some in plan.adaptation.sets)
    photo = inversion.method, inversion.levels, inversion.latents[: steps - plan.first + 1], told
    words = adapters, plan.adapting, plan.adapting_nulls
    read = tuple((store.columns, *store.size) for store in plan.control.stores)
    begun = (model.weights_hash, *photo, *words, read, plan.guidance, plan.mask, plan.first, plan.start)
    return Trajectory(begun, tuple(_facts(plan, step) for step in range(plan.first, steps)))


def _facts(plan: Plan, step: int) -> Facts:
    """All that decides this step and not every other one."""
    blend = None if plan.blend is None else plan.blend.facts(step)
    return blend, *(one.facts(step, plan.inversion.steps) for one in plan.control.targets)


@torch.no_grad()
def _advance(
    plan: Plan, step: int, level: Level, cleaner: Level, z_src: Tensor, z_tgt: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """One step of all branches, and what the targets look like by now."""
    source, target, text = _guided(plan, step, level, z_src, z_tgt)
    process, pivot = plan.model.process, plan.inversion.after(step).to(z_tgt)
    text_z0 = process.split(z_tgt, text, level)[0]
    noise, method = plan.inversion.noise(step), method_named(plan.inversion.method)
    z_tgt, z0 = method.step(process, z_tgt, target, level, cleaner, noise)
    preview = _preview(plan, z0, text_z0)
    if source is None:
        z_src = plan.inversion.source(plan.inversion.steps - step - 1).to(z_tgt)
    else:
        z_src = move(process, z_src, source, level, cleaner)
    if plan.blend is not None:
        z_tgt = plan.blend.blend(step, z_src, z_tgt)
    if plan.mask is not None:
        z_tgt = torch.where(plan.mask.to(z_tgt.device) > 0, z_tgt, pivot)
    return z_src, z_tgt, preview


def _preview(plan: Plan, guided: Tensor, text: Tensor) -> Tensor:
    """The targets' estimate of z_0 to look at: ``guided``, with the spread of ``text``, in the photo.

    At the noisiest steps guidance drives the estimate to twice its spread, and colours with it (Lin et al.
    2024, section 3.4, whose rescaling this is). Only what is shown is rescaled, nothing that is sampled.
    """
    seen = guided * (_spread(text) / _spread(guided))
    if plan.mask is None:
        return seen
    photo = plan.inversion.after(plan.inversion.steps - 1).to(seen)
    return torch.where(plan.mask.to(seen.device) > 0, seen, photo)


def _spread(z: Tensor) -> Tensor:
    """Standard deviation of each row  # (n, 1, 1, 1)"""
    return z.std(dim=(1, 2, 3), keepdim=True)


def _guided(
    plan: Plan, step: int, level: Level, z_src: Tensor, z_tgt: Tensor
) -> tuple[Tensor | None, Tensor, Tensor]:
    """The guided predictions of the source, None if it doesn't sample, and of the targets; the targets'
    conditional one."""
    branch = _Batch(plan, step)
    seen = z_src if plan.record is None else plan.inversion.after(step).to(z_tgt)
    predicted = plan.model.predict(branch.latents(seen, z_tgt), level, branch.conditioning)
    cond, null = predicted[branch.targets], predicted[branch.nulls]
    method = method_named(plan.inversion.method)
    target = method.guide(null, cond, plan.guidance) if branch.guided else cond
    if not branch.source_moves:
        return None, target, cond
    source = predicted[branch.source_at][None]
    if branch.with_source_null:
        source = guided(predicted[:1], source, plan.guidance)
    return source, target, cond


def _recorded(plan: Plan, step: int) -> Layers | None:
    """What the source's attention layers see at this step: from the record, or from one evaluation, as in
    DDIM inversion. None where that isn't for the record."""
    record, level = plan.record, plan.inversion.levels[step]
    if record is None or level not in plan.recorded:
        return None
    kept = record.get(level, plan.model.device)
    if kept is not None:
        return kept
    plan.adaptation.begin([() for _ in plan.adapting])
    _, layers = look(plan.model, plan.inversion.after(step), level, plan.source)
    record.keep(level, layers)
    return record.get(level, plan.model.device)  # laid out as it will be the next time: the same bytes


class _Batch:
    """Rows of one call of the network: [source null], target nulls, [source], targets."""

    def __init__(self, plan: Plan, step: int) -> None:
        n = len(plan.targets.context)
        self.guided = plan.guidance != 1
        self.source_moves = plan.inversion.source_moves
        needed = plan.control.needs_source(step)
        recorded = _recorded(plan, step) if needed else None
        self.with_source = self.source_moves or (needed and recorded is None)
        self.with_source_null = self.source_moves and self.guided and plan.source_null is not None
        first_null = int(self.with_source_null)
        self.source_at = first_null + (n if self.guided else 0)
        first_target = self.source_at + int(self.with_source)
        nulls = tuple(range(first_null, first_null + n)) if self.guided else ()
        targets = tuple(range(first_target, first_target + n))
        self.nulls, self.targets = slice(first_null, self.source_at), slice(first_target, first_target + n)
        self.rows = Rows(targets, self.source_at if self.with_source else None, nulls)
        self.conditioning = self._conditioning(plan, step)
        plan.control.begin(step, self.rows, recorded)
        sets = zip(plan.adapting, plan.adapting_nulls, strict=True)
        plan.adaptation.begin(
            [(*(targets[i] for i in some), *(nulls[i] for i in others if nulls)) for some, others in sets]
        )

    def _conditioning(self, plan: Plan, step: int) -> Conditioning:
        source_null, nulls = plan.source_null, plan.nulls
        if plan.inversion.nulls is not None:
            found = plan.inversion.nulls[step].to(nulls.context)
            source_null = None if source_null is None else source_null.with_context(found)
            nulls = nulls.with_context(found.expand_as(nulls.context))
        parts = [source_null] if self.with_source_null and source_null is not None else []
        parts += [nulls] if self.guided else []
        parts += [plan.source] if self.with_source else []
        return Conditioning.cat([*parts, plan.targets])

    def latents(self, z_src: Tensor, z_tgt: Tensor) -> Tensor:
        parts = [z_src] if self.with_source_null else []
        parts += [z_tgt] if self.guided else []
        parts += [z_src] if self.with_source else []
        return torch.cat([*parts, z_tgt])
