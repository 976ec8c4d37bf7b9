"""What is said to be remembered: only of the pixels, the selection and the words that were inverted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from client.desk import SHOWS, Desk, fill
from palimpsest_client.editor.geometry import Bounds

TEXT = "This photo is remembered: it can be reproduced at 34 dB"


@pytest.fixture
def remembered(desk: Desk) -> Desk:
    """The photo is, with a selection in it."""
    desk.editor.select_bounds(Bounds(10, 10, 20, 12))
    desk.until(lambda s: s.document.selection is not None)
    fill(desk.panel)
    assert (desk.state.fidelity, desk.state.can_remember) == ("", True)
    remember(desk)
    assert not desk.state.can_remember
    desk.panel.draft.set(strength=0.6)  # what came of the job is told no more
    assert desk.state.fidelity == TEXT
    return desk


def remember(desk: Desk) -> None:
    sent = len(desk.backend.submitted)
    desk.panel.remember()
    desk.until(lambda s: len(desk.backend.submitted) > sent)
    desk.backend.finish({}, reconstruction_psnr=34.2)
    desk.idle()


def put(**facts: object) -> Callable[[Desk], None]:
    def change(desk: Desk) -> None:
        desk.editor.change(**facts)

    return change


def painted(desk: Desk) -> None:
    desk.editor.pixels["d1"] = "with a stroke"


CHANGES = {
    "another selection": (put(selection=Bounds(1, 1, 9, 9)), put(selection=Bounds(10, 10, 20, 12))),
    "nothing selected": (put(selection=None), put(selection=Bounds(10, 10, 20, 12))),
    "another shape": (put(mark="another"), put(mark="")),
    "painted on": (painted, lambda desk: desk.editor.pixels.clear()),
    "another size": (put(width=48, height=64), put(width=64, height=48)),
    "another picture": (put(key="d2"), put(key="d1")),
    "other words": (
        lambda desk: desk.panel.draft.write_source_prompt(SHOWS + " and sand"),
        lambda desk: desk.panel.draft.write_source_prompt(SHOWS),
    ),
    "other steps": (
        lambda desk: desk.panel.draft.set(steps=7),
        lambda desk: desk.panel.draft.set(steps=None),
    ),
    "one layer alone": (
        lambda desk: desk.panel.draft.set(source="layer"),
        lambda desk: desk.panel.draft.set(source="canvas"),
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_was_remembered_of_one_photo_is_not_said_of_another(remembered: Desk, what: str):
    """And is said again when it is the same again."""
    there, back = CHANGES[what]
    there(remembered)
    remembered.until(lambda s: s.fidelity == "")
    fill(remembered.panel) if what == "another picture" else None
    remembered.until(lambda s: s.can_remember)
    back(remembered)
    remembered.until(lambda s: s.fidelity == TEXT and not s.can_remember)


def test_several_photos_are_known_at_a_time(remembered: Desk):
    remembered.editor.select_bounds(Bounds(1, 1, 9, 9))
    remembered.until(lambda s: s.can_remember)
    remember(remembered)
    for bounds in (Bounds(10, 10, 20, 12), Bounds(1, 1, 9, 9)):
        remembered.editor.select_bounds(bounds)
        remembered.until(lambda s, now=bounds: s.document.selection == now)
        assert not remembered.state.can_remember


def test_that_a_photo_was_just_remembered_is_not_told_of_another(desk: Desk):
    fill(desk.panel)
    remember(desk)
    assert desk.state.outcome_text == TEXT
    painted(desk)
    desk.until(lambda s: s.outcome_text == "")


def test_guidance_matters_only_to_the_method_that_inverts_with_it(remembered: Desk):
    remembered.panel.draft.set(guidance=4.0)
    assert remembered.state.fidelity == TEXT
    remembered.panel.draft.set(method="null-text")
    assert remembered.state.fidelity == ""
    remember(remembered)
    remembered.panel.draft.set(guidance=5.0)
    assert remembered.state.fidelity == ""


def test_what_is_painted_while_it_is_inverted_counts(desk: Desk):
    fill(desk.panel)
    desk.panel.remember()
    desk.until(lambda s: desk.backend.submitted)
    painted(desk)
    desk.backend.finish({}, reconstruction_psnr=34.2)
    desk.idle()
    desk.until(lambda s: s.can_remember)


def test_an_edit_remembers_its_photo_too(desk: Desk):
    """As long as its layer is in hand, and again when that is undone; not under the layer."""
    fill(desk.panel)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.finish_edit()
    desk.idle()
    assert (desk.state.updating, desk.state.fidelity) == ("cat → dog", TEXT)
    desk.panel.new_layer_instead()
    desk.until(lambda s: s.fidelity == "" and s.can_remember)
    desk.editor.pixels.clear()  # the layer is undone
    desk.until(lambda s: s.fidelity == TEXT and not s.can_remember)


def test_a_result_that_is_looked_at_is_not_taken_for_the_photo(remembered: Desk):
    remembered.editor.pixels["d1"] = "with the preview"
    remembered.panel.gallery._asked = True
    remembered.until(lambda s: True)
    assert remembered.state.fidelity == TEXT
    remembered.panel.gallery._asked = False
    remembered.until(lambda s: s.fidelity == "")
