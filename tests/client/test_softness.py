"""What is said of the model's view agrees with what the backend does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from palimpsest.core.picture.region import plan
from palimpsest_client.editor.editor import DocumentFacts
from palimpsest_client.editor.geometry import Bounds
from palimpsest_client.fields.controls import Form
from palimpsest_client.fields.operations import INSERT, REPLACE
from palimpsest_client.fields.settings import Settings
from palimpsest_client.panel.library import Model
from palimpsest_client.panel.softness import seen_by, softness_text, softness_tip

BUILT_IN = Model("built-in", True, {"native_size": 128, "granularity": 16})
LARGE = Model("sd15", True, {"native_size": 512, "granularity": 64})
CANVASES = [(4096, 4096), (4096, 2731), (1000, 300), (640, 480), (100, 90), (7, 2000)]


def facts(canvas: tuple[int, int], selected: Bounds | None = None) -> DocumentFacts:
    return DocumentFacts("1", "photo", *canvas, selected, "Background")


def form(operation: str = REPLACE, **settings) -> Form:
    return replace(Form(operation=operation), settings=replace(Settings(), **settings))


@pytest.mark.parametrize("canvas", CANVASES)
@pytest.mark.parametrize("model", [BUILT_IN, LARGE], ids=lambda model: model.name)
@pytest.mark.parametrize(
    "settings", [{}, {"context": 0.0}, {"working_size": 768}, {"grow": 40}, {"feather": 30}], ids=str
)
@pytest.mark.parametrize("share", [None, 0.1, 0.5, 0.95])
@pytest.mark.parametrize("operation", [REPLACE, INSERT])
def test_it_is_what_the_backend_sees(canvas, model, settings, share, operation):
    width, height = canvas
    selected = mask = None
    if share is not None:
        x, y = width // 10, 0
        selected = Bounds(x, y, max(1, int((width - x) * share)), max(1, int(height * share)))
        mask = np.zeros((height, width), np.uint8)
        mask[selected.y : selected.bottom, selected.x : selected.right] = 255
    filled = form(operation, **settings)
    found = seen_by(model, facts(canvas, selected), filled)
    wanted = filled.settings
    grown = wanted.grow if wanted.grow is not None else (wanted.feather if operation == REPLACE else 0)
    region = plan(
        canvas, mask, model.native_size, model.granularity, wanted.context, wanted.working_size, grown
    )
    assert (found.seen, found.of) == (max(region.inner), max(region.box.size))


def test_it_says_how_much_softer_in_one_line():
    whole = facts((4096, 4096))
    assert softness_text(BUILT_IN, whole, form()) == "The model sees 128 px of 4096 px: 32 × softer."
    assert softness_text(LARGE, whole, form()) == "The model sees 512 px of 4096 px: 8.0 × softer."


def test_the_ways_out_are_in_the_tip():
    whole, part = facts((4096, 4096)), facts((4096, 4096), Bounds(0, 0, 1000, 900))
    assert softness_tip(whole) == "Select what is to change, or take a larger model."
    assert softness_tip(part) == "Select less, take a larger model, or raise Working size."


def test_it_says_nothing_where_nothing_is_lost():
    assert softness_text(LARGE, facts((512, 512)), form()) == ""
    assert softness_text(LARGE, facts((600, 600)), form()) == ""
    assert softness_text(LARGE, facts((4096, 4096), Bounds(9, 9, 100, 100)), form()) == ""
    assert softness_text(None, facts((4096, 4096)), form()) == ""
    assert softness_text(LARGE, None, form()) == ""
    assert softness_text(LARGE, replace(facts((4096, 4096)), refusal="CMYK"), form()) == ""
