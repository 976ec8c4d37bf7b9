"""From what is filled in to what the backend takes, and back from a layer's recipe to what was filled in."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.scripted import picture
from palimpsest.api import schemas
from palimpsest.contract import BUILT_IN, JOB_ID, KINDS, EditRequest, LoraUse, from_json
from palimpsest.core.editing.recipes import RECIPES
from palimpsest.core.picture import region
from palimpsest.core.text import tokens
from palimpsest.tasks.edit import grow_of
from palimpsest_client.editor.editor import Capture, DocumentFacts, require_fit
from palimpsest_client.editor.geometry import Bounds, Extent
from palimpsest_client.editor.regions import shrunk
from palimpsest_client.editor.slices import WorkError
from palimpsest_client.fields import controls
from palimpsest_client.fields.controls import RECOMMENDED, SHOWN, Form, Settings, edit_fields
from palimpsest_client.fields.operations import OPERATIONS
from palimpsest_client.http.submission import filled
from palimpsest_client.panel import library
from palimpsest_client.panel.origins import Origin, origin_of
from palimpsest_client.panel.requests import (
    LayerEdit,
    RecipeError,
    attention_submission,
    crop_needed,
    describe_submission,
    edit_submission,
    form_of,
    invert_submission,
    layer_name,
    layer_result,
    read_recipe,
    renewal_submission,
)
from palimpsest_client.text.sentences import changes, changes_text, in_style, with_thing, without_thing, words

SHOWS = "a photo of a red ball on grass"
IMAGE = "5" * 64
ORIGIN = Origin("d", "", "photo.png", 300, 200, Extent(900, 700))


def form(operation: str, second: str = "", **settings) -> Form:
    return Form(operation, SHOWS, {operation: second}, {}, {"ball": 0.5}, Settings(**settings))


FORMS = [
    form("replace", "a photo of a <my-toy> on grass", strength=0.9, structure=0.2),
    form("insert", "a blue cube", seed=7, variations=3),
    form("restyle", "an oil painting", structure=1.0, method="null-text", steps=20),
    form("remove", "a red ball", feather=0, context=1.25, working_size=96),
    form("reweight", guidance=4.5, cross=0.3, self_attention=0.7),
]
GROWN = [form("remove", "a red ball", grow=0), form("insert", "a blue cube", grow=12)]


def capture(selection: bool = True) -> Capture:
    bounds = Bounds(300, 200, 64, 48)
    return Capture("d", picture(64, 48), picture(64, 48) if selection else None, bounds)


def request_of(submission) -> dict:
    return filled(submission.request, dict.fromkeys(submission.pictures, IMAGE))


@pytest.mark.parametrize("given", [*FORMS, *GROWN])
def test_the_server_takes_every_request(given):
    for submission in (
        edit_submission("krita", given, capture(), ORIGIN),
        invert_submission("krita", given, capture(False)),
        attention_submission("krita", given, "ball", capture()),
        describe_submission("krita", given, capture()),
    ):
        schemas.SHAPES[KINDS[submission.kind]].model_validate(request_of(submission))
        schemas.Submission.model_validate({"id": submission.id, "origin": submission.origin})


@pytest.mark.parametrize("given", [*FORMS, *GROWN])
def test_a_layers_recipe_gives_back_what_was_filled_in(given):
    """Through the backend's own form of the request, every default filled in."""
    submission = edit_submission("krita", given, capture(), ORIGIN)
    asked = from_json(EditRequest, request_of(submission))
    request = dataclasses.asdict(dataclasses.replace(asked, grow=grow_of(asked)))
    region = {"canvas": [64, 48], "box": [8, 8, 60, 40], "work": [64, 64]}
    result = {"recipe": {"request": request, "region": region}, "grown": 1}
    layer = layer_result(submission.id, picture(64, 48), result, ORIGIN, Bounds(310, 210, 10, 10), given)
    assert (layer.bounds, layer.content) == (Bounds(300, 200, 64, 48), Bounds(309, 209, 12, 12))
    made = read_recipe(layer.recipe)
    assert (made.image, made.selection, made.bounds) == (IMAGE, IMAGE, layer.bounds)
    assert made.selected == Bounds(310, 210, 10, 10), "what is made again grows from here"
    assert edit_fields(made.form) == edit_fields(given)
    assert (made.form.operation, made.form.source_prompt, made.form.operand) == (
        given.operation,
        given.source_prompt,
        given.operand,
    )


def test_a_layer_of_the_region_alone_is_made_again_from_the_whole_picture():
    request = dataclasses.asdict(EditRequest(IMAGE, "remove", SHOWS, selection=IMAGE, extent="region"))
    region = {"canvas": [64, 48], "box": [8, 8, 60, 40], "work": [64, 64]}
    result = {"recipe": {"request": request, "region": region}, "grown": 1}
    layer = layer_result("1", picture(52, 32), result, ORIGIN, Bounds(310, 210, 10, 10), None)
    assert (layer.bounds, layer.content) == (Bounds(308, 208, 52, 32), Bounds(309, 209, 12, 12))
    assert read_recipe(layer.recipe).bounds == Bounds(300, 200, 64, 48)


@pytest.mark.parametrize("model", [BUILT_IN, "another"])
def test_an_edit_that_is_updated_keeps_its_loras_with_its_model(model: str):
    loras = (LoraUse("ink", 0.5),)
    request = dataclasses.asdict(EditRequest(IMAGE, "remove", SHOWS, selection=IMAGE, loras=loras))
    region = {"canvas": [64, 48], "box": [8, 8, 60, 40], "work": [64, 64]}
    result = {"recipe": {"request": request, "region": region}, "grown": 1}
    layer = layer_result("1", picture(64, 48), result, ORIGIN, Bounds(310, 210, 10, 10), None)
    made = read_recipe(layer.recipe)
    chosen = dataclasses.replace(made.form, settings=dataclasses.replace(made.form.settings, model=model))
    sent = from_json(EditRequest, renewal_submission("krita", chosen, made, ORIGIN).request)
    assert sent.loras == (loras if model == BUILT_IN else ())


def test_an_older_recipe_says_only_where_its_layer_is_not_empty():
    request = dataclasses.asdict(EditRequest(IMAGE, "remove", SHOWS, selection=IMAGE))
    region = {"canvas": [64, 48], "box": [8, 8, 60, 40], "work": [64, 64]}
    result = {"recipe": {"request": request, "region": region}, "grown": 1}
    layer = layer_result("1", picture(64, 48), result, ORIGIN, Bounds(310, 210, 10, 10), None)
    told = json.loads(layer.recipe)
    del told["selected"]
    assert read_recipe(json.dumps(told)).selected == layer.content


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"palimpsest": 2}', '{"palimpsest": 1, "recipe": 3}'])
def test_what_is_no_recipe_is_refused(text):
    with pytest.raises(RecipeError):
        read_recipe(text)


def test_sliders_in_the_middle_leave_the_recipe_to_the_backend():
    for operation in OPERATIONS:
        fields = edit_fields(form(operation, "a photo of a dog on grass"))
        assert fields["control"] == {}
        assert fields["weights"] == ({"ball": 2.0} if operation == "reweight" else {})


@pytest.mark.parametrize(
    ("operation", "structure", "strength"),
    [
        ("replace", 0.2, 0.9),
        ("restyle", 1.0, 0.5),
        ("restyle", 0.5, 0.05),
        ("reweight", 0.05, 0.5),
        ("insert", 0.5, 1.0),
    ],
)
def test_a_request_alone_tells_where_its_sliders_stood(operation: str, structure: float, strength: float):
    """As of results that another editor made, or an earlier run."""
    made = form(operation, "a photo of a dog on grass", structure=structure, strength=strength)
    request = edit_fields(made)
    cross, self_attention = RECOMMENDED.get(operation, (None, None))
    recipe = {"cross": cross, "self_attention": self_attention}
    windows = {name: None if end is None else [0.0, end] for name, end in recipe.items()}
    request["control"] = {**windows, **request["control"]}
    again = form_of(request, made.operands, {}).settings
    assert (again.structure, again.strength) == (structure, strength)
    assert (again.cross, again.self_attention) == (None, None)


def test_windows_that_no_slider_leads_to_stay_windows():
    request = edit_fields(form("replace", "a photo of a dog on grass", cross=0.9, self_attention=0.1))
    again = form_of(request, {}, {}).settings
    assert (again.structure, again.cross, again.self_attention) == (0.5, 0.9, 0.1)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_panel_grows_a_selection_as_the_backend_does(operation) -> None:
    edges = Settings(), Settings(feather=3), Settings(feather=0)
    for settings in (*edges, Settings(grow=0), Settings(grow=9)):
        told = {"grow": settings.grow, "feather": settings.feather}
        made = EditRequest(IMAGE, operation, "", selection=IMAGE, **told)
        assert controls.growth(operation, settings) == grow_of(made)


def test_a_layer_made_before_there_was_growing_is_made_again_without() -> None:
    made = dataclasses.asdict(EditRequest(IMAGE, "remove", SHOWS, selection=IMAGE))
    del made["grow"]
    assert form_of(made, {}, {}).settings.grow == 0


def test_the_sliders_middle_is_what_the_backend_recommends():
    assert tuple(RECIPES) == tuple(OPERATIONS)
    assert library.BUILT_IN == BUILT_IN
    for operation, (cross, self_attention) in RECOMMENDED.items():
        recipe = RECIPES[operation].selected
        assert (recipe.cross, recipe.self_attention) == ((0.0, cross), (0.0, self_attention))
    assert {operation for operation in OPERATIONS if "structure" in SHOWN[operation]} == set(RECOMMENDED)


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_on_a_slider_is_never_less_in_the_request(a, b):
    low, high = sorted((a, b))
    for middle in (0.4, 0.6, 0.8, 1.0):
        assert 0 <= controls.around(middle, low) <= controls.around(middle, high) <= 1
    assert controls.strength_factor(low) <= controls.strength_factor(high)
    assert controls.factor(2 * low - 1) <= controls.factor(2 * high - 1)
    assert controls.position(controls.factor(2 * a - 1)) == pytest.approx(2 * a - 1, abs=2e-3)


@given(st.text(alphabet="ab<>-_'’ ,.\n3é", max_size=30))
def test_words_are_those_of_the_backend(text):
    composed = tokens.unicodedata.normalize("NFC", text)
    named = [piece.text for piece in tokens.split(composed) if piece.kind != "mark"]
    assert [word.text for word in words(composed)] == named


@pytest.mark.parametrize(
    ("source", "target", "text"),
    [
        (SHOWS, "a photo of a <my-toy> on grass", "red ball → <my-toy>"),
        (SHOWS, "a photo of a red ball on wet sand", "grass → wet sand"),
        (SHOWS, "a photo of a red ball and a cube on grass", "+ cube"),
        (SHOWS, "a photo of a ball on grass", "− red"),
        (SHOWS, "A photo of a red ball, on grass.", ""),
    ],
)
def test_changes_are_named(source, target, text):
    assert changes_text(changes(source, target)) == text


def test_sentences_are_made_from_the_fields():
    assert with_thing(SHOWS, "a blue cube") == "a photo of a red ball and a blue cube on grass"
    assert in_style(SHOWS, "an oil painting") == "an oil painting of a red ball on grass"
    assert in_style(SHOWS, "<ink>") == "a <ink> of a red ball on grass"
    assert in_style("a cat", "<ink>") == "a <ink> of a cat"
    assert without_thing(SHOWS, "a red ball") == "a photo of grass"
    assert without_thing("a cat next to a mirror", "a mirror") == "a cat"
    assert without_thing("a cat next to a mirror", "a cat") == "a mirror"
    assert without_thing("a photo of a ball and a cube on grass", "a cube") == "a photo of a ball on grass"
    assert without_thing("a catalogue", "a cat") == "a catalogue"


def test_an_updated_layer_keeps_the_size_of_the_canvas_it_was_made_on():
    """It is refused where that was cropped since: the layer would lie in the wrong place."""
    made = LayerEdit(Form(), "0" * 64, None, Bounds(0, 0, 9, 9), Bounds(0, 0, 9, 9), canvas=Extent(300, 200))
    origin = Origin("d").placed(made.bounds, made.source, made.canvas)
    submission = renewal_submission("gimp", Form(), made, origin)
    assert origin_of(submission.id, submission.origin).canvas == (300, 200)
    assert JOB_ID.fullmatch(submission.id)


@pytest.mark.parametrize("now", [Extent(300, 200), Extent(301, 200), Extent(9, 9)])
def test_a_result_fits_the_canvas_it_was_made_from_alone(now: Extent):
    part = Bounds(0, 0, 9, 9)
    if now == (300, 200):
        require_fit(now, part, Extent(300, 200))
    else:
        with pytest.raises(WorkError, match="300 × 200"):
            require_fit(now, part, Extent(300, 200))
    require_fit(now, part, None)
    with pytest.raises(WorkError):
        require_fit(now, Bounds(now.width - 8, 0, 9, 9), None)


@given(
    st.tuples(st.integers(40, 700), st.integers(40, 700)),
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 1), st.floats(0.01, 1)),
    st.sampled_from([0.0, 0.5, 2.0]),
    st.sampled_from([0, 8, 64]),
    st.sampled_from([None, 32, 96, 160]),
    st.integers(0, 64),
)
def test_the_part_that_is_sent_is_looked_at_as_the_whole_would_be(canvas, at, context, grow, size, faint):
    """The backend chooses the same region in the part as on the whole canvas, also where the outermost pixels
    of a soft selection are so faint that they count as black."""
    width, height = canvas
    x, y = int(at[0] * (width - 1)), int(at[1] * (height - 1))
    selection = Bounds(x, y, max(1, int(at[2] * (width - x))), max(1, int(at[3] * (height - y))))
    facts = DocumentFacts("d", "p", width, height, selection, "l")
    part = crop_needed(facts, Settings(context=context, grow=grow, working_size=size), 64, 32)
    assert part is not None
    core = shrunk(selection, faint, Extent(width, height))
    core = selection if core.empty else core
    mask = np.zeros((height, width), np.uint8)
    mask[core.y : core.bottom, core.x : core.right] = 255
    whole = region.plan(canvas, mask, 64, 32, context, size, grow)
    cut = mask[part.y : part.bottom, part.x : part.right]
    own = region.plan(part.extent, cut, 64, 32, context, size, grow)
    assert own.work == whole.work
    assert (own.box.left + part.x, own.box.top + part.y) == (whole.box.left, whole.box.top)
    assert own.box.size == whole.box.size


def test_a_small_selection_of_a_large_picture_is_sent_alone():
    facts = DocumentFacts("d", "p", 8000, 6000, Bounds(4000, 3000, 200, 100), "l")
    part = crop_needed(facts, Settings(), 512, 64)
    assert part is not None
    assert part.width * part.height < 8000 * 6000 / 100
    assert crop_needed(dataclasses.replace(facts, selection=None), Settings(), 512, 64) is None


def test_layers_are_named_after_their_edit():
    requests = [request_of(edit_submission("krita", given, capture(), ORIGIN)) for given in FORMS]
    names = [layer_name(dataclasses.asdict(from_json(EditRequest, request))) for request in requests]
    assert names == ["red ball → my-toy", "+ blue cube", "an oil painting", "− red ball", "ball × 2"]
