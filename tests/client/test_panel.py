"""The panel without a widget, against a scripted backend and editor: what is shown, sent and done."""

from __future__ import annotations

import json
from dataclasses import replace
from gettext import NullTranslations

from client.desk import SHOWS, Desk, fill
from client.scripted import picture
from palimpsest.errors import Text, noticed
from palimpsest_client.editor.geometry import Bounds
from palimpsest_client.text.language import catalogue
from palimpsest_client.text.sentences import Word
from palimpsest_client.text.wording import say, speak


def test_an_edit_goes_from_the_words_to_a_layer(desk):
    desk.editor.select_bounds(Bounds(10, 10, 20, 12))
    desk.until(lambda s: s.document.selection is not None)
    fill(desk.panel)
    assert desk.state.changes_text == "cat → dog"
    assert desk.state.cannot_apply == ""
    desk.panel.apply()
    assert desk.state.progress is not None
    desk.until(lambda s: desk.backend.submitted)
    sent = desk.backend.submitted[0]
    assert (sent["kind"], sent["request"]["operation"]) == ("edit", "replace")
    assert set(sent["request"]) >= {"image", "selection", "source_prompt", "target_prompt", "feather"}
    desk.backend.tell("started", device="cpu", attempt=1)
    desk.backend.tell("progressed", phase="inverting", index=18, total=50, seconds_left=12.0)
    desk.until(lambda s: s.progress.text == "Inverting the photo · 18 of 50 · 12 s")
    assert desk.state.progress.fraction == 18 / 50
    assert desk.state.cannot_ask == "Wait until this job is done, or press Cancel."
    assert desk.state.cannot_apply == "", "it would wait its turn"
    preview = desk.backend.keep(picture(8, 8))
    desk.backend.tell("previewed", image=preview, name="preview")
    desk.until(lambda s: s.preview == picture(8, 8))
    desk.backend.finish_edit()
    desk.idle()
    assert desk.state.outcome.text == "New layer “cat → dog”. 0 pixels changed outside the selection."
    assert desk.state.fidelity == "This photo is remembered: it can be reproduced at 34 dB"
    (layer,) = desk.editor.inserted
    assert (layer.name, layer.bounds, layer.content) == (
        "cat → dog",
        Bounds(0, 0, 64, 48),
        Bounds(10, 10, 20, 12),
    )
    assert layer.updates is None
    assert json.loads(layer.recipe)["recipe"]["request"]["source_prompt"] == SHOWS


def test_what_a_result_has_to_say_stands_behind_it(desk):
    left = Text("mirror-image-unknown")
    fill(desk.panel)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    try:
        speak(catalogue("de"))
        desk.backend.finish_edit(**noticed(left))
        desk.idle()
        assert desk.state.outcome_text.endswith(" " + say("mirror-image-unknown"))
    finally:
        speak(NullTranslations())
    assert say("mirror-image-unknown") == left not in desk.state.outcome_text
    assert desk.state.outcome_tip == left


def test_what_remembering_has_to_say_stands_behind_how_well_it_is(desk):
    fill(desk.panel)
    desk.panel.remember()
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.finish({}, reconstruction_psnr=34.2, **noticed(Text("profile-as-srgb")))
    desk.idle()
    told = "This photo is remembered: it can be reproduced at 34 dB"
    assert desk.state.outcome_text == f"{told} {Text('profile-as-srgb')}"


def test_cancel_while_reading_while_waiting_and_while_running(desk):
    fill(desk.panel)
    desk.editor.hold = True
    desk.panel.apply()
    assert desk.state.progress.text == "Reading the picture"
    desk.panel.cancel()
    assert desk.state.outcome.text == "Cancelled."
    desk.editor.release()
    assert desk.backend.submitted == []
    desk.editor.hold = False
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.ahead = 2
    desk.until(lambda s: s.progress.text == "Waiting: 2 jobs before yours.")
    desk.panel.cancel()
    assert desk.state.progress.text == "Cancelling…"
    desk.idle()
    assert desk.state.outcome.text == "Cancelled."
    assert desk.editor.inserted == []
    assert desk.state.cannot_apply == ""


def test_errors_come_with_their_next_step(desk):
    fill(desk.panel)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    error = {"code": "out_of_memory", "message": "The memory of cuda is not enough.", "hint": "--x"}
    desk.backend.tell("failed", error={**error, "details": {}})
    desk.idle()
    assert desk.state.outcome.text == "The memory of cuda is not enough."
    (offer,) = desk.state.offers
    assert offer.text == "Try at 64 px"
    desk.panel.take(offer.key)
    desk.until(lambda s: len(desk.backend.submitted) == 2)
    assert desk.backend.submitted[1]["request"]["inversion"]["working_size"] == 64
    desk.backend.tell(
        "failed", error={"code": "word_not_found", "message": "Broken.", "hint": "Mend it.", "details": {}}
    )
    desk.idle()
    assert (desk.state.outcome.kind, desk.state.outcome.text) == ("error", "Broken. Mend it.")
    desk.panel.draft.write_source_prompt("other words")
    assert desk.state.outcome is None


def test_a_document_that_was_closed_meanwhile_loses_nothing(desk):
    fill(desk.panel)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    desk.editor.refuses = "The picture was closed."
    desk.backend.finish_edit()
    desk.idle()
    said = "The picture was closed. The result is kept under Results."
    other = replace(desk.editor.opened, key="d2")
    assert desk.state.outcome.text == said
    desk.editor.facts = None  # and the panel sees that it is
    desk.panel.look()
    assert desk.state.document is None
    assert desk.state.outcome.text == said
    desk.editor.facts = other
    desk.panel.look()
    fill(desk.panel)
    assert (desk.state.fidelity, desk.state.can_remember) == ("", True), "it was of the closed one"


def test_words_become_controls(desk):
    desk.panel.draft.write_source_prompt(SHOWS)
    assert desk.state.words == ("cat", "grass")
    assert desk.panel.draft.begin_replacing("cat") == Word("cat", 13, 16)
    assert (desk.state.form.operation, desk.state.form.operand) == ("replace", SHOWS)
    desk.panel.draft.write_operand("a photo of a white dog on grass")
    assert desk.panel.draft.begin_replacing("grass") == Word("grass", 26, 31)
    assert desk.panel.draft.begin_replacing("cat") == Word("white dog", 13, 22), "what it has become"
    desk.panel.draft.write_operand("a photo of grass")
    assert desk.panel.draft.begin_replacing("cat") == Word("cat", 13, 16)
    assert desk.state.form.operand == SHOWS, "where it is left out, the sentence begins anew"
    desk.panel.draft.emphasise("grass")
    assert desk.state.form.operation == "reweight"
    assert desk.state.cannot_apply == ""


def test_each_document_keeps_its_words_also_for_the_next_time(tmp_path):
    desk = Desk(tmp_path).ready()
    first = replace(desk.editor.opened, file="/photos/one.png")
    desk.editor.facts = first
    desk.until(lambda s: s.document == first)
    fill(desk.panel)
    desk.panel.draft.set(feather=21)
    desk.editor.facts = replace(first, key="d2", name="two.png", file="")
    desk.until(lambda s: s.document.key == "d2")
    assert (desk.state.form.source_prompt, desk.state.form.settings.feather) == ("", 21)
    desk.editor.facts = first
    desk.until(lambda s: s.document.key == "d1")
    assert desk.state.form.source_prompt == SHOWS
    desk.panel.stop()
    later = Desk(tmp_path).ready()
    later.editor.facts = replace(first, key="other")
    later.until(lambda s: s.document.key == "other")
    assert (later.state.form.source_prompt, later.state.form.settings.feather) == (SHOWS, 21)
    later.panel.stop()


def test_edit_again_uses_the_last_words_on_a_new_document(desk):
    fill(desk.panel)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.finish_edit()
    desk.idle()
    desk.editor.change(key="d2")
    desk.until(lambda s: s.document.key == "d2")
    desk.panel.again()
    desk.until(lambda s: len(desk.backend.submitted) == 2)
    assert desk.backend.submitted[1]["request"]["source_prompt"] == SHOWS


def test_after_the_last_step_it_is_said_what_is_done(desk):
    fill(desk.panel)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.tell("started", device="cpu", attempt=1)
    desk.backend.tell("progressed", phase="editing", index=30, total=30, seconds_left=0.0)
    desk.backend.tell("progressed", phase="laying", index=0, total=0, seconds_left=None)
    desk.until(lambda s: s.progress.text == "Laying it over the picture")
    assert desk.state.progress.fraction is None
    desk.backend.tell("progressed", phase="saving", index=1, total=4, seconds_left=None)
    desk.until(lambda s: s.progress.text == "Saving the result · 1 of 4")
