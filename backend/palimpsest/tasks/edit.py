"""Edit a photo: region → inversion (remembered or made) → attention-controlled edit → composite → files."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from palimpsest.contract import GROWTH, EditRequest
from palimpsest.core.attention.blend import BlendSettings
from palimpsest.core.count import counted
from palimpsest.core.editing.edit import Options, levels_needed
from palimpsest.core.editing.edit import edit as editing
from palimpsest.core.editing.sampling import Edited
from palimpsest.core.picture.composite import Composite
from palimpsest.core.text.phrases import content_words
from palimpsest.core.text.prompt import Vocabulary, concepts_installed
from palimpsest.core.text.tokens import Prompt
from palimpsest.errors import Text, noticed
from palimpsest.jobs.events import Events, Finished, Progressed
from palimpsest.storage.png import encode
from palimpsest.tasks import validation
from palimpsest.tasks.canvas import Begun, Canvas, View, model_png, open_canvas
from palimpsest.tasks.context import TaskContext
from palimpsest.tasks.inversions import Reproducible, inversion_phases, load_or_invert, with_defaults
from palimpsest.tasks.mirror import Mirrored, mirrored, shown_mirror, without
from palimpsest.tasks.progress import PhaseTimer, Preview, memory_errors, thumbnail, with_progress
from palimpsest.tasks.recipe import recipe_loras, recipe_of
from palimpsest.tasks.start import (
    Subject,
    beside,
    drawing_phases,
    drawings_of,
    latents_of,
    noise_of,
    recipe_views,
    start_of,
    subject_of,
    views_of,
)
from palimpsest_client.fields.operations import OPERATIONS

EVALUATIONS = 2.0  # per step of an edit, about: target, target without words


@dataclass(frozen=True)
class Pictures:
    """The outcome decoded, (1, 3, h, w) in [-1, 1] at the working size each."""

    source: Tensor  # the photo as the method reproduces it
    edited: tuple[Tensor, ...]  # one per result


@dataclass(frozen=True)
class Outcome:
    """One edit, before it is written anywhere."""

    photo: Reproducible
    edited: Edited
    rows: Sequence[tuple[Tensor, Begun | None]]  # each result's latent (c, h, w); the view that it began from
    mirror: Mirrored  # what a mirror beside it makes of the pictures


def edit(context: TaskContext, request: EditRequest) -> Events[None]:
    """Artifacts: layer, composite, thumbnail, reconstruction, layer:2 … of further variations, map:<word>;
    as large as the picture, or as its region, whose place is the recipe's ``region.box``.

    Of a draft: draft, draft:2 … alone; its result has no recipe, for there is nothing to do again.
    """
    started = time.monotonic()
    validation.require_valid(request)
    loras = context.loras_of(request.model, request.loras)
    yield from context.load(request.model)
    model = context.models.get(request.model)
    request = replace(
        request,
        target_prompt=validation.target_of(request),
        inversion=with_defaults(request.inversion, model),
        grow=grow_of(request),
    )
    concepts = context.concepts_in(request.source_prompt, request.target_prompt)
    request = replace(request, begin_from=start_of(context, request, concepts))
    subject = subject_of(context, request, concepts)
    size = request.inversion.working_size
    view = View(request.image, request.selection, request.context, size, grow_of(request))
    canvas = open_canvas(context, model, view)
    shown = shown_mirror(context, canvas, request)
    with (
        memory_errors(context.device, *_memory_texts(canvas, request)),
        counted(model) as count,
        concepts_installed(model, concepts, loras) as vocabulary,
    ):
        outcome = yield from _run(context, canvas, vocabulary, request, subject, shown)
        evaluations = count.evaluations
    canvas = without(canvas, outcome.mirror.left)
    if request.draft:
        yield from _finish_draft(context, canvas, outcome, request, started)
        return
    with memory_errors(context.device, *_memory_texts(canvas, request)):
        pictures = yield from _decoded(canvas, outcome)
        layers = yield from _composited(canvas, pictures, outcome, request)
        written = canvas.alone if request.extent == "region" else canvas
        artifacts = yield from _store(context, written, outcome.edited, pictures, layers)
        yield Progressed("comparing", 0, 0)
        report = _report(canvas, outcome, pictures, layers)
    yield Finished(
        artifacts,
        {
            **report,
            **outcome.mirror.told,
            **noticed(
                *context.notices(model, request.source_prompt, request.target_prompt),
                *canvas.picture.notices,
                *outcome.photo.notices,
                *outcome.mirror.notices,
            ),
            "unet_evaluations": evaluations,
            "seconds": round(time.monotonic() - started, 3),
            "recipe": {
                **recipe_of(request, model, canvas, concepts),
                **recipe_views(subject),
                **recipe_loras(loras),
            },
        },
    )


def _run(
    context: TaskContext,
    canvas: Canvas,
    vocabulary: Vocabulary,
    request: EditRequest,
    subject: Subject | None,
    shown: Tensor | None,
) -> Events[Outcome]:
    """Everything that needs the model and its concepts."""
    source, target = vocabulary.parse(request.source_prompt), vocabulary.parse(request.target_prompt)
    options = options_of(request, source)
    wanted = levels_wanted(request, options)
    phases = {
        **drawing_phases(canvas.model, request),
        "editing": (wanted, EVALUATIONS * pictures_of(request)),
    }
    timer = PhaseTimer({**inversion_phases(request.inversion, wanted), **phases})
    photo = yield from load_or_invert(
        context, canvas, vocabulary, source, request.inversion, timer, wanted, request.draft
    )
    if photo.remembered:
        timer = PhaseTimer(phases)
    views = yield from views_of(canvas, vocabulary, request, subject)
    if not views:
        views = yield from drawings_of(context, canvas, vocabulary, request, timer)
    things = yield from beside(canvas, vocabulary, request)
    steps = editing(
        canvas.model,
        vocabulary,
        photo.inversion,
        source,
        [target],
        request.operation,
        options,
        canvas.latent_mask,
        views=latents_of(views, canvas.model.stride),
        staying=things,
        record=photo.record,
        before=context.trajectory,
    )
    preview = Preview(canvas.model, context.images, context.previews and not request.draft)
    edited = yield from with_progress(steps, timer, preview)
    context.trajectory = edited.trajectory
    rows = _rows(edited.latents, views, request)
    mirror = yield from mirrored(canvas, vocabulary, request, shown, rows)
    return Outcome(photo, edited, rows, mirror)


def _finish_draft(
    context: TaskContext, canvas: Canvas, outcome: Outcome, request: EditRequest, started: float
) -> Events[None]:
    """A small picture of each variation or pair of windows, as its thumbnail would be."""
    yield Progressed("decoding", 0, 0)
    with memory_errors(context.device, *_memory_texts(canvas, request)):
        pictures = [
            encode(thumbnail(canvas.preview(_picture(canvas, outcome, number), request.feather, begun)))
            for number, (_, begun) in enumerate(outcome.rows)
        ]
    names = ["draft" if number == 1 else f"draft:{number}" for number in range(1, len(pictures) + 1)]
    artifacts = {name: context.images.put(content) for name, content in zip(names, pictures, strict=True)}
    yield Finished(artifacts, {"draft": True, "seconds": round(time.monotonic() - started, 3)})


def grow_of(request: EditRequest) -> int:
    """Pixels of the picture that the selection is grown by; nothing grows where nothing is selected."""
    if request.selection is None:
        return 0
    if request.grow is not None:
        return request.grow
    return min(request.feather, int(GROWTH.most)) if OPERATIONS[request.operation].clears else 0


def levels_wanted(request: EditRequest, options: Options) -> int:
    """How many noise levels of the photo, from the clean end, the edit needs; defaults are filled in."""
    assert request.inversion.steps is not None
    viewed = request.begin_from in ("view", "drawing")
    selected = request.selection is not None
    return levels_needed(request.operation, options, request.inversion.steps, selected, viewed)


def options_of(request: EditRequest, source: Prompt) -> Options:
    """The contract's words in those of ``core/editing/edit.py``."""
    control, renoise = request.control, {"noise": 1.0, "photo": 0.0}.get(request.begin_from)
    figures = {"blend": control.blend, "noise": noise_of(request), "renoise": renoise}
    return Options(
        pairs=request.pairs,
        weights=request.weights,
        cross=control.cross,
        cross_words=control.cross_words,
        self_attention=control.self_attention,
        recipe={name: figure for name, figure in figures.items() if figure is not None},
        blend_include=control.blend_include,
        blend_exclude=control.blend_exclude,
        blend_settings=BlendSettings(threshold=control.blend_threshold),
        seed=request.seed,
        variations=request.variations,
        maps=content_words(source.words) if request.maps else (),
        windows=tuple((windows.cross, windows.self_attention) for windows in request.windows),
    )


def pictures_of(request: EditRequest) -> int:
    """How many are made in one batch."""
    return request.variations * max(1, len(request.windows))


def _memory_texts(canvas: Canvas, request: EditRequest) -> tuple[Text, Text]:
    width, height = canvas.working_size
    many = pictures_of(request)
    if many > 1:
        what = Text("what-editing-variations", width=width, height=height, n=many)
        return what, Text("fewer-variations")
    return Text("what-editing", width=width, height=height), Text("lower-size-option")


def _decoded(canvas: Canvas, outcome: Outcome) -> Events[Pictures]:
    pictures: list[Tensor] = []
    many = len(outcome.edited.latents)
    for number in range(many):
        yield Progressed("decoding", number, _parts(many))
        pictures.append(_picture(canvas, outcome, number))
    return Pictures(canvas.decoded(outcome.edited.source), tuple(pictures))


def _picture(canvas: Canvas, outcome: Outcome, number: int) -> Tensor:
    """A result as the model sees it, (1, 3, h, w) in [-1, 1], with what a mirror shows."""
    if outcome.mirror.pictures:
        return outcome.mirror.pictures[number]
    return canvas.decoded(outcome.edited.latents[number][None])


def _composited(
    canvas: Canvas, pictures: Pictures, outcome: Outcome, request: EditRequest
) -> Events[list[Composite]]:
    """Each variation over the picture. In a large one this takes long: what is done is told."""
    layers: list[Composite] = []
    total = _parts(len(pictures.edited))
    for picture, (_, begun) in zip(pictures.edited, outcome.rows, strict=True):
        yield Progressed("laying", len(layers), total)
        layers.append(canvas.lay(canvas.sharpened(picture, begun), request.feather))
    return layers


def _parts(results: int) -> int:
    """The total to tell of: of a single one nothing is half done."""
    return results if results > 1 else 0


def _rows(latents: Tensor, views: Sequence[Begun], request: EditRequest) -> list[tuple[Tensor, Begun | None]]:
    """Each result's latent (c, h, w), and the view that it began from, if it began from one."""
    if not views:
        return [(row, None) for row in latents]
    seeds = (request.seed + number % request.variations for number in range(len(latents)))
    return [(row, views[seed % len(views)]) for row, seed in zip(latents, seeds, strict=True)]


def _store(
    context: TaskContext,
    canvas: Canvas,
    edited: Edited,
    decoded: Pictures,
    layers: Sequence[Composite],
) -> Events[dict[str, str]]:
    """All encoded first, then stored: nothing is half there when encoding fails."""
    pictures: dict[str, bytes] = {}
    total = 2 * len(layers)
    for number, made in enumerate(layers, start=1):
        suffix = "" if number == 1 else f":{number}"
        yield Progressed("saving", 2 * number - 2, total)
        pictures[f"layer{suffix}"] = canvas.layer_png(made)
        yield Progressed("saving", 2 * number - 1, total)
        pictures[f"composite{suffix}"] = canvas.merged_png(made)
        pictures[f"thumbnail{suffix}"] = encode(thumbnail(canvas.seen(made)))
    pictures["reconstruction"] = model_png(decoded.source)
    for word, grid in edited.maps.items():
        pictures[f"map:{word}"] = canvas.grey_png(canvas.grey(grid))
    return {name: context.images.put(content) for name, content in pictures.items()}


def _report(
    canvas: Canvas, outcome: Outcome, pictures: Pictures, layers: Sequence[Composite]
) -> dict[str, Any]:
    return {
        "reconstruction_psnr": canvas.psnr(pictures.source),
        "roundtrip_psnr": canvas.psnr(canvas.roundtrip),  # the best the autoencoder can reproduce
        "pixels_changed_outside": max(made.pixels_changed_outside for made in layers),
        "grown": canvas.grow,  # pixels; outside is outside the grown selection
        "pixels_changed_by_growing": max(canvas.changed_by_growing(made) for made in layers),
        "outside_psnr": canvas.outside_psnr(pictures.edited[0]),
        "pixels_changed_inside": [made.pixels_changed_inside for made in layers],
        "remembered": outcome.photo.remembered,
    }
