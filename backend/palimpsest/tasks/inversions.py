"""A photo is inverted once: from the cache, or now and then into the cache."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import NamedTuple

from torch import Tensor

from palimpsest.contract import InversionSettings
from palimpsest.core.attention.record import Record
from palimpsest.core.concept import Concept
from palimpsest.core.finite import all_finite
from palimpsest.core.inversion import Inversion, InvertSettings, method_named, reach_of
from palimpsest.core.inversion import invert as inverting
from palimpsest.core.model import DiffusionModel
from palimpsest.core.text.prompt import Vocabulary
from palimpsest.core.text.tokens import Prompt
from palimpsest.errors import NotRememberedError, RequestError, Text
from palimpsest.jobs.events import Events
from palimpsest.storage import inversions
from palimpsest.tasks.canvas import Canvas
from palimpsest.tasks.context import TaskContext, canonical, model_identity
from palimpsest.tasks.progress import PHASES, PhaseTimer, with_progress
from palimpsest_client.methods import METHODS


def with_defaults(settings: InversionSettings, model: DiffusionModel) -> InversionSettings:
    """The settings with the model's recommendations filled in. Raises RequestError."""
    steps = model.steps if settings.steps is None else settings.steps
    guidance = model.guidance if settings.guidance is None else settings.guidance
    if steps > model.process.most_steps:
        raise RequestError(f"{steps} steps can't be taken.", f"Give 1 to {model.process.most_steps}.")
    return replace(settings, steps=steps, guidance=guidance)


def inversion_phases(settings: InversionSettings, wanted: int | None = None) -> dict[str, tuple[int, float]]:
    """The phases of an inversion of the ``wanted`` cleanest levels for ``PhaseTimer``, costs in UNet
    evaluations."""
    assert settings.steps is not None
    method = method_named(settings.method)
    costs = method.cost(method.constants(settings.inner_steps))
    reach = reach_of(settings.method, wanted, settings.steps)
    # An evaluation backwards costs about as much as one forwards.
    return {PHASES[phase]: (reach, cost.forward + cost.backward) for phase, cost in costs.items()}


NOT_KEPT = {"over the limit": Text("photo-over-limit"), "not written": Text("photo-not-kept")}
"""What is told of a photo that couldn't be remembered."""


class Reproducible(NamedTuple):
    """A photo that an edit can begin from."""

    inversion: Inversion
    remembered: bool  # as far as it was asked for
    record: Record  # of what attention saw; empty where nothing of it is in memory
    notices: tuple[str, ...] = ()  # what people should know of it


def load_or_invert(
    context: TaskContext,
    canvas: Canvas,
    vocabulary: Vocabulary,
    source: Prompt,
    settings: InversionSettings,
    timer: PhaseTimer,
    wanted: int | None = None,
    draft: bool = False,
) -> Events[Reproducible]:
    """The photo's inversion as far as its ``wanted`` cleanest levels (None: all). One that was remembered
    less far is gone on with. ``settings`` must have its defaults.

    For a ``draft``, which answers soon or not at all, raises NotRememberedError where nothing of it is
    remembered; what is missing of one takes no longer than the draft itself.
    """
    key = inversion_key(canvas, vocabulary.concepts, source, settings)
    found = cached_inversion(context, canvas, key, settings)
    if found is None and draft:
        raise NotRememberedError(Text("not-remembered", prompt=source.text), Text("apply-remembers"))
    _ = canvas.roundtrip  # an autoencoder that gives NaN is found before the UNet's work is done
    assert settings.guidance is not None
    assert settings.steps is not None
    record = context.record_of(key, anew=found is None)
    if found is not None and found.reach >= reach_of(settings.method, wanted, settings.steps):
        return Reproducible(found, True, record)
    constants = method_named(settings.method).constants(settings.inner_steps)
    chosen = InvertSettings(settings.method, settings.steps, settings.guidance, constants)
    steps = inverting(canvas.model, vocabulary, canvas.z0, source, chosen, wanted, found, record)
    made = yield from with_progress(steps, timer)
    put = context.inversions.put(key, *made.to_tensors())
    told = () if put == "kept" or context.inversions.limit == 0 else (NOT_KEPT[put],)
    return Reproducible(made, False, record, told)


def cached_inversion(
    context: TaskContext, canvas: Canvas, key: str, settings: InversionSettings
) -> Inversion | None:
    """The photo's inversion as far as it is remembered. ``settings`` must have its defaults."""
    assert settings.guidance is not None
    entry = context.inversions.get(key)
    if entry is None or not all_finite(*entry.tensors.values()):
        return None
    found = Inversion.from_tensors(entry.tensors, entry.metadata)
    return _moved(replace(found, guidance=settings.guidance), canvas.z0)


UNNEEDED = {"guidance": None, "inner_steps": None}
"""In every key, also of methods that don't depend on them: so it is of photos that are remembered already."""


def inversion_key(
    canvas: Canvas, concepts: tuple[Concept, ...], source: Prompt, settings: InversionSettings
) -> str:
    """Everything that has a bearing on the inversion, and nothing that hasn't."""
    depends = {name: getattr(settings, name) for name in METHODS[settings.method].depends}
    return inversions.key(
        pixels=inversions.pixels_hash(canvas.pixels.numpy()),
        prompt=source.text,
        concepts={concept.placeholder: rows_hashes(concept) for concept in concepts_of(source, concepts)},
        model=model_identity(canvas.model),
        method=settings.method,
        steps=settings.steps,
        **{**UNNEEDED, **depends},
    )


def concepts_of(prompt: Prompt, concepts: tuple[Concept, ...]) -> tuple[Concept, ...]:
    """Those of ``concepts`` that the prompt names."""
    names = {word.text for word in prompt.words}
    return tuple(concept for concept in concepts if concept.placeholder in names)


def rows_hashes(concept: Concept) -> list[str]:
    """Of all that an inversion knows of a concept: adapters have no part in it."""
    return [inversions.pixels_hash(rows.numpy()) for rows in concept.rows]


def concept_hashes(concept: Concept) -> list[str]:
    """Of all that decides what comes out where the concept is used: its rows, adapters and colours."""
    adapters, colours = concept.adapters, concept.colours
    hashes = rows_hashes(concept)
    if colours is not None:
        hashes.append(inversions.pixels_hash(colours.stacked.numpy()))
    if adapters is None:
        return hashes
    parts = {
        place: [inversions.pixels_hash(tensor.cpu().numpy()) for tensor in (part.down, part.up)]
        for place, part in adapters.parts.items()
    }
    content = canonical({"parts": parts, "alpha": adapters.alpha})
    return [*hashes, hashlib.sha256(content.encode()).hexdigest()]


def _moved(inversion: Inversion, like: Tensor) -> Inversion:
    parts = {name: getattr(inversion, name) for name in ("latents", "nulls", "path", "noises")}
    return replace(inversion, **{name: part.to(like) for name, part in parts.items() if part is not None})
