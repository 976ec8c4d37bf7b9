"""What the backend says about the photo: remembered, described, a word's place."""

from __future__ import annotations

import pytest

from client.desk import SHOWS, fill
from client.scripted import MODELS, SPEC
from palimpsest_client.editor.geometry import Bounds


def test_remember_describe_and_select(desk):
    panel = desk.panel
    panel.describe()
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.finish({}, caption=SHOWS, confidence=0.9)
    desk.idle()
    assert desk.state.form.source_prompt == SHOWS
    panel.remember()
    desk.until(lambda s: len(desk.backend.submitted) == 2)
    assert desk.backend.submitted[1]["kind"] == "invert"
    desk.backend.finish({}, reconstruction_psnr=41.6)
    desk.idle()
    assert desk.state.outcome.text == "This photo is remembered: it can be reproduced at 42 dB"
    panel.select_word("mouse")
    assert desk.state.outcome.text == "Choose a word of “The picture shows”."
    panel.select_word("cat")
    desk.until(lambda s: len(desk.backend.submitted) == 3)
    desk.backend.finish({"map": b"grey", "selection": b"mask"}, selected=0.123)
    desk.idle()
    assert desk.editor.selected == [(b"mask", Bounds(0, 0, 64, 48))]
    assert desk.state.outcome.text == "“cat” is selected: 12 % of the picture."


@pytest.mark.parametrize(
    ("confidence", "says"),
    [(0.93, "Described; change"), (0.72, "fairly sure (72 %)"), (0.31, "it is a guess (31 %)")],
)
def test_how_sure_a_description_is_is_said(desk, confidence, says):
    desk.panel.describe()
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.finish({}, caption=SHOWS, confidence=confidence)
    desk.idle()
    assert says in desk.state.outcome.text


def test_doubtful_words_of_a_description_are_marked_until_they_are_changed(desk):
    desk.panel.describe()
    desk.until(lambda s: desk.backend.submitted)
    doubt = {"start": SHOWS.index("cat"), "stop": SHOWS.index("cat") + 3, "probability": 0.41}
    desk.backend.finish({}, caption=SHOWS, confidence=0.9, doubts=[doubt])
    desk.idle()
    assert [word.text for word in desk.state.doubtful] == ["cat"]
    assert "41 %" in desk.state.hints[0][-1].text
    desk.panel.draft.write_source_prompt(SHOWS.replace("cat", "dog"))
    assert desk.state.doubtful == ()


def test_a_photo_beyond_the_built_in_model_is_answered_before_apply(desk):
    panel = desk.panel
    fill(panel)
    assert "knows nothing" not in desk.state.apply_notice
    panel.describe()
    desk.until(lambda s: desk.backend.submitted)
    error = {"code": "image_unsupported", "message": "The picture shows nothing known.", "hint": ""}
    desk.backend.tell("failed", error=error)
    desk.idle()
    assert desk.state.outcome.text == "The picture shows nothing known."
    assert [offer.key for offer in desk.state.status.offers + desk.state.offers] == ["get-model"], "once"
    assert desk.state.apply_notice.startswith("The built-in model knows nothing in this picture")
    panel.draft.write_operand("a photo of a dog on grass.")
    assert desk.state.apply_notice.startswith("The built-in model knows nothing in this picture")
    assert desk.state.cannot_apply == ""
    panel.draft.set(model="other")
    assert "knows nothing" not in desk.state.apply_notice


def test_a_model_that_nothing_describes_for_says_so(desk):
    desk.backend.the_models[0] = dict(MODELS[0], details=dict(SPEC, describes=False))
    desk.panel.refresh()
    desk.until(lambda s: s.cannot_describe != "")
    assert "palimpsest pull captions" in desk.state.cannot_describe
    desk.panel.describe()
    desk.idle()
    assert desk.backend.submitted == []
