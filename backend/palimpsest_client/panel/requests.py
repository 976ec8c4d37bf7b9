"""From what is filled in and captured to the jobs that are sent, and back from jobs to layers.

A job carries its ``Origin``, so that a result can be put into its place after a restart of editor and
backend, from what the backend keeps alone.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Callable, Optional, Tuple

from ..editor.editor import CANVAS, Capture, DocumentFacts, LayerResult
from ..editor.geometry import Bounds, Extent
from ..editor.png import read_layout
from ..editor.regions import RegionSettings, crop_around
from ..fields.controls import (
    MIDDLE,
    Form,
    Settings,
    edit_fields,
    growth,
    position,
    sliders_of,
    view_fields,
)
from ..fields.operations import OPERATIONS, PHRASE, WEIGHTS, WHOLE
from ..fields.settings import kept_beside, settings_in
from ..http.submission import Submission
from ..text.wording import say
from .origins import Origin, origin_in_id

Crop = Callable[[DocumentFacts], Optional[Bounds]]  # the part of the canvas that is needed; None = all of it
RECIPE_FORMAT = 1
LONGEST_NAME = 60


class RecipeError(ValueError):
    """A layer's recipe that can't be read; ``str`` of it says why."""


@dataclass(frozen=True)
class LayerEdit:
    """A layer's recipe, read: what was filled in, and from which pictures it was made."""

    form: Form
    image: str  # sha256
    selection: Optional[str]
    bounds: Bounds  # of the picture on the canvas
    selected: Optional[Bounds]  # around what was selected, before it was grown; None = not known or nothing
    source: str = CANVAS  # or LAYER: what the picture was of
    canvas: Optional[Extent] = None  # how large it was; None = made before that was kept
    loras: Tuple[Any, ...] = ()  # with which it was made, as its request has them: no panel sets them yet


def job_id(editor: str) -> str:
    """One of its own for every job, by which an editor knows its own again."""
    return f"{editor}-{secrets.token_hex(12)}"


def crop_needed(facts: DocumentFacts, settings: Settings, native: int, granularity: int) -> Bounds | None:
    """The part of the canvas that the backend may look at; None = all of it. Its own choice of a region is
    the same there as on the whole canvas. ``native``, ``granularity``: the model's, in pixels."""
    if facts.selection is None:
        return None
    most = settings.feather if settings.grow is None else settings.grow  # that it is grown by
    canvas, part = Extent(facts.width, facts.height), facts.selection
    for reach in {0, most}:
        region_settings = RegionSettings(native, granularity, settings.context, settings.working_size, reach)
        part = part.union(crop_around(canvas, facts.selection, region_settings))
    return part.union(facts.selection.grown(most, canvas))


def all_of_it(facts: DocumentFacts) -> None:
    """A ``Crop``."""


def pictures_of(capture: Capture) -> Mapping[str, bytes]:
    if capture.selection is None:
        return {"image": capture.image}
    return {"image": capture.image, "selection": capture.selection}


def ahead(capture: Capture) -> Mapping[str, Callable[[], str]]:
    return {"image": capture.arrived}


def edit_submission(editor: str, form: Form, capture: Capture, origin: Origin) -> Submission:
    """``origin``: of the capture."""
    request, id, note = edit_fields(form), job_id(editor), origin.note()
    return Submission(
        "edit", request, pictures_of(capture), ("layer",), id=id, origin=note, ahead=ahead(capture)
    )


def renewal_submission(editor: str, form: Form, edit: LayerEdit, origin: Origin) -> Submission:
    """The same pictures as before; they are on the backend. ``origin``: of those. With the same model the
    edit keeps its LoRAs."""
    request = {**edit_fields(form), "image": edit.image, "selection": edit.selection}
    if edit.loras and form.settings.model == edit.form.settings.model:
        request["loras"] = list(edit.loras)
    return Submission("edit", request, {}, ("layer",), id=job_id(editor), origin=origin.note())


def invert_submission(editor: str, form: Form, capture: Capture) -> Submission:
    request = {"source_prompt": form.source_prompt.strip(), **view_fields(form.settings)}
    return Submission("invert", request, pictures_of(capture), None, id=job_id(editor), ahead=ahead(capture))


def attention_submission(editor: str, form: Form, word: str, capture: Capture) -> Submission:
    request = {"source_prompt": form.source_prompt.strip(), "word": word, **view_fields(form.settings)}
    pictures, id = {"image": capture.image}, job_id(editor)
    return Submission("attention", request, pictures, ("selection",), id=id, ahead=ahead(capture))


def describe_submission(editor: str, form: Form, capture: Capture) -> Submission:
    request = {"model": form.settings.model}
    return Submission(
        "describe", request, pictures_of(capture), None, id=job_id(editor), ahead=ahead(capture)
    )


# From jobs to layers.


def layer_name(request: Mapping[str, Any]) -> str:
    """cat → my-toy; as people see it in the list of layers."""
    said = OPERATIONS[request["operation"]].layer(request)
    said = said.replace("<", "").replace(">", "")
    return said if len(said) <= LONGEST_NAME else said[: LONGEST_NAME - 1] + "…"


def region_of(recipe: Mapping[str, Any]) -> Bounds:
    """What was worked on, of the picture that was sent."""
    left, top, right, bottom = recipe["region"]["box"]
    return Bounds(left, top, right - left, bottom - top)


def shown_of(recipe: Mapping[str, Any]) -> Bounds:
    """What a result's pictures show, of the picture that was sent: all of it, or the region alone."""
    if recipe["request"].get("extent") == "region":
        return region_of(recipe)
    return Bounds(0, 0, *recipe["region"]["canvas"])


def content_of(result: Mapping[str, Any], origin: Origin, selection: Bounds | None) -> Bounds:
    """Where a result's layer isn't empty: within the region that was worked on, and the grown selection."""
    worked = region_of(result["recipe"]).moved(origin.x, origin.y)
    if selection is None:
        return worked
    found = worked.intersect(selection.grown(result.get("grown", 0)))
    return worked if found.empty else found


def recipe_text(
    job: str,
    result: Mapping[str, Any],
    bounds: Bounds,
    content: Bounds,
    selection: Bounds | None,
    origin: Origin,
    form: Form | None,
) -> str:
    """What is kept with a layer. ``form``: what was filled in, where it is known."""
    told: dict[str, Any] = {
        "palimpsest": RECIPE_FORMAT,
        "job": job,
        "bounds": list(bounds),
        "content": list(content),
        "selected": None if selection is None else list(selection),
        "source": origin.source,
        "canvas": None if origin.canvas is None else list(origin.canvas),
        "recipe": result["recipe"],
    }
    if form is not None:
        told["seconds"] = dict(form.operands)
        told["settings"] = kept_beside(form.settings)
    return json.dumps(told, ensure_ascii=False)


def layer_result(
    job: str,
    image: bytes,
    result: Mapping[str, Any],
    origin: Origin,
    selection: Bounds | None,
    form: Form | None,
) -> LayerResult:
    """What the editor puts on its canvas. Raises ValueError for what is no PNG."""
    extent = read_layout(image).extent
    shown = shown_of(result["recipe"])
    bounds = Bounds(origin.x + shown.x, origin.y + shown.y, extent.width, extent.height)
    content = content_of(result, origin, selection)
    text = recipe_text(job, result, bounds, content, selection, origin, form)
    name = layer_name(result["recipe"]["request"])
    return LayerResult(image, bounds, name, text, content, source=origin.source, canvas=origin.canvas)


def read_recipe(text: str) -> LayerEdit:
    """Raises RecipeError."""
    try:
        told = json.loads(text)
        if told["palimpsest"] != RECIPE_FORMAT:
            raise RecipeError(say("recipe-version", version=told["palimpsest"]))
        request = told["recipe"]["request"]
        form = form_of(request, told.get("seconds", {}), told.get("settings", {}))
        bounds, selected = Bounds(*told["bounds"]), told.get("selected", told["content"])
        selected = None if selected is None else Bounds(*selected)
        source, canvas = made_from(told)
        sent = sent_of(bounds, told["recipe"])
        pictures, loras = (request["image"], request["selection"]), tuple(request.get("loras", ()))
        return LayerEdit(form, *pictures, sent, selected, source, canvas, loras)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RecipeError(f"{type(error).__name__}: {error}") from error


def sent_of(bounds: Bounds, recipe: Mapping[str, Any]) -> Bounds:
    """Where the picture that was sent lies, of which a layer with these bounds may show the region alone."""
    if recipe["request"].get("extent") != "region":
        return bounds
    shown = shown_of(recipe)
    return Bounds(bounds.x - shown.x, bounds.y - shown.y, *recipe["region"]["canvas"])


def made_from(told: Mapping[str, Any]) -> Tuple[str, Optional[Extent]]:
    """A recipe's source and canvas. Recipes that don't say them have a job whose id does."""
    if "source" not in told:
        origin = origin_in_id(told["job"])
        return origin.source, origin.canvas
    return str(told["source"]), None if told["canvas"] is None else Extent(*told["canvas"])


def form_of(request: Mapping[str, Any], seconds: Mapping[str, str], sliders: Mapping[str, float]) -> Form:
    """What must be filled in to ask for the same again."""
    operation, target = request["operation"], request["target_prompt"]
    form = Form(
        operation=operation, source_prompt=request["source_prompt"], settings=settings_of(request, sliders)
    )
    asks = OPERATIONS[operation].asks
    if asks == WEIGHTS:
        return replace(form, weights={word: position(of) for word, of in request["weights"].items()})
    second = seconds.get(operation, target if asks == WHOLE else "")
    form = form.with_operand(second)
    if asks == PHRASE and form.composed_target != target:
        form = form.with_own_target(target)
    return form


def settings_of(request: Mapping[str, Any], sliders: Mapping[str, float]) -> Settings:
    """Windows that no slider explains are shown under Advanced."""
    found = sliders_of(request)
    settings = settings_in({**request, "grow": None}, {**found, **sliders})
    grow = request.get("grow", 0)  # layers of earlier versions were made without growing
    if grow is not None and grow != growth(request["operation"], settings):
        settings = replace(settings, grow=grow)
    if settings.structure != MIDDLE or found.get("structure") == MIDDLE:
        return settings
    windows = {name: request["control"][name] for name in ("cross", "self_attention")}
    return replace(settings, **{name: None if told is None else told[1] for name, told in windows.items()})
