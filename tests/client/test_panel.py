"""The panel without a widget, against a scripted backend and editor: what is shown, sent and done."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from client.desk import SHOWS, Desk, fill
from client.scripted import MODELS, SPEC, Backend, concept, picture
from palimpsest_client.connection import Choice
from palimpsest_client.editor import LayerRecipe
from palimpsest_client.geometry import Bounds
from palimpsest_client.origins import origin_of
from palimpsest_client.protocol import RefusedError
from palimpsest_client.results import Result


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


def test_every_reason_why_apply_is_not_possible_is_a_sentence(desk):
    panel, editor = desk.panel, desk.editor

    def reason(**look):
        desk.until(lambda s: s.document == editor.facts)
        return panel.state.cannot_apply

    facts = editor.facts
    assert reason() == "Say what the picture shows."
    panel.draft.write_first(SHOWS)
    assert reason() == "Both sentences say the same: change a word."
    panel.draft.write_second("")
    assert reason() == "Say what it should show."
    panel.draft.write_second(SHOWS)
    assert reason() == "Both sentences say the same: change a word."
    panel.draft.write_second("a photo of <my-toy> on grass")
    assert reason() == "There is no concept <my-toy>. Learn it, or choose another."
    panel.draft.choose_operation("insert")
    assert reason() == "Select where it should go."
    panel.draft.choose_operation("remove")
    assert reason() == "Select what should go."
    editor.facts = replace(facts, selection=Bounds(0, 0, 5, 5))
    assert reason() == ""
    panel.draft.choose_operation("insert")
    assert reason() == "Say what to insert."
    panel.draft.choose_operation("restyle")
    assert reason() == "Say in which style, or choose one below."
    panel.draft.choose_operation("reweight")
    assert reason() == "Move a word's slider: nothing is emphasised yet."
    panel.draft.weigh("cat", 0.5)
    assert reason() == ""
    panel.draft.set(model="sd15")
    assert reason() == "The model sd15 isn't installed on the backend. Choose another model."
    panel.draft.set(model="built-in")
    editor.facts = replace(facts, refusal="This picture is CMYK.", remedy="Make an RGB copy")
    assert reason() == "This picture is CMYK."
    assert [offer.text for offer in panel.state.offers] == ["Make an RGB copy"]
    panel.take(panel.state.offers[0].key)
    assert editor.remedied == ["d1"]
    editor.facts = None
    assert reason() == "Open a picture to begin."
    panel.apply()
    assert panel.state.outcome.text == "Open a picture to begin."
    assert desk.backend.submitted == []


def test_words_that_the_model_does_not_know_are_named(desk):
    details = {**MODELS[0]["details"], "words": ["a", "photo", "of", "cat", "on", "grass"]}
    desk.backend.the_models = [{**MODELS[0], "details": details}, *MODELS[1:]]
    desk.panel.refresh()
    fill(desk.panel, second="a photo of a <my-toy> on a Table")
    desk.panel.draft.write_first("a photo of a Cat on grass")
    desk.until(lambda s: s.unknown_text)
    assert [[word.text for word in found] for found in desk.state.unknown] == [[], ["Table"]]
    assert desk.state.unknown_text.startswith("Unknown to this model: Table.")
    desk.panel.draft.write_second("a photo of a cat on grass")
    assert not any(desk.state.unknown)
    assert desk.state.unknown_text == ""
    desk.panel.draft.write_first("a (cat:1.4) on grass")
    assert [word.text for word in desk.state.unknown[0]] == ["(cat:1.4)"]
    assert desk.state.unknown_text.startswith("(cat:1.4) gives no weight here")


def test_concepts_for_this_model_and_its_words_complete_what_is_written(desk):
    details = {**MODELS[0]["details"], "words": ["a", "cat", "camel"]}
    desk.backend.the_models = [{**MODELS[0], "details": details}, *MODELS[1:]]
    desk.backend.the_concepts = [concept("camera"), concept("canoe", family="sd1")]
    desk.panel.refresh()
    desk.until(lambda s: s.model is not None and s.model.words and s.concepts)
    found = desk.panel.completion("a ca", 4)
    assert found.candidates == ("<camera>", "camel", "cat")
    assert desk.panel.completion("a <can", 6) is None


def test_a_concept_of_another_family_is_refused_by_name(desk):
    desk.backend.the_concepts = [concept("bear"), concept("big", family="sd1")]
    desk.panel.backend.refresh_concepts()
    desk.until(lambda s: len(s.concepts) == 2)
    assert all(known.thumbnail for known in desk.state.concepts)
    fill(desk.panel, second="a photo of")
    desk.panel.draft.insert_concept("big")
    assert desk.state.form.second == "a photo of <big>"
    assert (
        desk.state.cannot_apply
        == "<big> was learned for another kind of model (sd1). Choose such a model, or another concept."
    )
    desk.panel.draft.write_second("a photo of <bear> on grass")
    assert desk.state.cannot_apply == ""
    assert desk.state.changes_text == "cat → <bear>"


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
    desk.panel.draft.write_first("other words")
    assert desk.state.outcome is None


def test_a_document_that_was_closed_meanwhile_loses_nothing(desk):
    fill(desk.panel)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    desk.editor.refuses = "The picture was closed."
    desk.backend.finish_edit()
    desk.idle()
    said = "The picture was closed. The result is kept under Results."
    other = replace(desk.editor.facts, key="d2")
    assert desk.state.outcome.text == said
    desk.editor.facts = None  # and the panel sees that it is
    desk.panel.look()
    assert desk.state.document is None
    assert desk.state.outcome.text == said
    desk.editor.facts = other
    desk.panel.look()
    fill(desk.panel)
    assert (desk.state.fidelity, desk.state.can_remember) == ("", True), "it was of the closed one"


def test_the_backend_stops_in_the_middle_and_the_job_goes_on(desk):
    fill(desk.panel)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.down = True
    desk.until(lambda s: s.status.kind == "trouble")
    gone = "The backend stopped. Your job is kept and goes on when it is back."
    assert desk.state.status.text == gone
    assert desk.state.progress is not None
    assert (desk.state.progress.text, desk.state.progress.fraction) == ("Waiting for the backend", None)
    desk.backend.down = False
    desk.until(lambda s: s.status.kind == "ready")
    desk.backend.finish_edit()
    desk.idle()
    assert len(desk.editor.inserted) == 1
    assert len(desk.backend.submitted) == 1


@pytest.mark.parametrize(
    ("backend", "text", "offers"),
    [
        (
            Backend(down=True),
            "The backend isn't installed here: run install.py, or connect to another computer.",
            ["Connect to another computer…"],
        ),
        (
            Backend(refusal=RefusedError(401, {"code": "token_invalid", "message": "No."})),
            "The backend at http://127.0.0.1:9 refused the token.",
            ["Choose the token…"],
        ),
        (
            Backend(protocol=1),
            "The backend speaks version 1, this plug-in version 2: run install.py again.",
            ["Copy command"],
        ),
    ],
)
def test_what_is_the_matter_with_the_backend_is_said_with_what_to_do(tmp_path, backend, text, offers):
    desk = Desk(tmp_path, backend)
    desk.panel.start()
    desk.until(lambda s: s.status.text == text)
    assert [offer.text for offer in desk.state.status.offers] == offers
    desk.until(lambda s: s.document is not None)
    assert desk.state.cannot_apply == text
    desk.panel.stop()


def test_starting_the_backend_says_so_and_tells_why_it_failed(tmp_path):
    command = ["/bin/sh", "-c", "echo it is broken; exit 3"]
    (tmp_path / "launch.json").write_text(json.dumps({"command": command}))
    desk = Desk(tmp_path, Backend(down=True))
    desk.panel.start()
    desk.until(lambda s: s.status.text == "Palimpsest's backend isn't running.")
    assert desk.state.status.offers[0].text == "Start it"
    desk.panel.take(desk.state.status.offers[0].key)
    assert desk.state.status.text == "Starting the backend…"
    desk.until(lambda s: s.outcome is not None)
    assert desk.state.outcome.text == "The backend could not be started: it is broken"
    (tmp_path / "launch.json").write_text(json.dumps({"command": ["/bin/sh", "-c", "exit 0"]}))
    desk.panel.backend.start()
    desk.backend.down = False
    desk.until(lambda s: s.status.text == "Ready · built-in model (for trying out) · CPU")
    desk.panel.stop()


def test_another_computer_is_remembered_and_a_token_can_be_given(tmp_path):
    desk = Desk(tmp_path, Backend()).ready()
    reason = desk.panel.backend.connect_to(Choice("nonsense", "t"))
    assert "nonsense" in reason
    assert "For instance http:" in reason
    reason = desk.panel.backend.connect_to(Choice("http://10.0.0.7:8391", ""))
    assert reason == "Paste the token of that backend."
    assert desk.panel.backend.give_token("secret") == ""
    kept = tmp_path / "connection.json"
    assert json.loads(kept.read_text()) == {"address": "http://127.0.0.1:9", "token": "secret"}
    assert kept.stat().st_mode & 0o077 == 0
    assert Desk(tmp_path).panel.backend.choice == Choice("http://127.0.0.1:9", "secret")
    desk.panel.stop()


def test_a_layer_is_opened_again_and_changed(desk):
    fill(desk.panel)
    desk.panel.draft.set(structure=0.25, feather=3)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    first = desk.backend.submitted[0]["request"]
    assert first["control"] == {"cross": [0.0, 0.4], "self_attention": [0.0, 0.2]}
    desk.backend.finish_edit()
    desk.idle()
    desk.panel.draft.write_first("something else")
    desk.panel.reopen()
    assert (desk.state.form.first, desk.state.form.settings.structure) == (SHOWS, 0.25)
    assert desk.state.updating == "cat → dog"
    desk.panel.draft.set(structure=0.75)
    desk.panel.apply()
    desk.until(lambda s: len(desk.backend.submitted) == 2)
    assert desk.backend.submitted[1]["request"]["image"] == first["image"]
    assert len(desk.editor.captured) == 1
    desk.backend.finish_edit()
    desk.idle()
    assert desk.editor.inserted[-1].updates == "layer-1"
    assert desk.state.outcome.text.startswith("Layer “cat → dog” updated.")
    desk.editor.noted = "It was painted on."
    desk.panel.draft.set(structure=0.5)
    desk.panel.apply()
    desk.until(lambda s: len(desk.backend.submitted) == 3)
    desk.backend.finish_edit()
    desk.idle()
    assert desk.state.outcome.text.startswith("New layer “cat → dog”. ")
    assert desk.state.outcome.text.endswith(" It was painted on.")
    desk.panel.new_layer_instead()
    assert desk.state.updating == ""


@pytest.mark.parametrize(("source", "of"), [("canvas", "canvas"), ("layer", "layer-7")])
def test_a_result_knows_what_it_was_made_from(desk, source, of):
    """Also when it is changed, and when it is placed again from the list of results."""
    fill(desk.panel)
    desk.panel.draft.set(source=source)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.finish_edit()
    desk.idle()
    assert desk.editor.inserted[-1].source == of
    desk.panel.reopen()
    desk.panel.apply()
    desk.until(lambda s: len(desk.backend.submitted) == 2)
    desk.backend.finish_edit()
    desk.idle()
    changed = desk.editor.inserted[-1]
    assert (changed.source, changed.updates) == (source, "layer-1")
    job, report = desk.backend.submitted[-1], {"recipe": json.loads(changed.recipe)["recipe"]}
    image, origin = desk.backend.keep(changed.image), origin_of(job["id"], job["origin"])
    result = Result(job["id"], "layer", image, changed.name, changed.bounds, report, origin=origin)
    desk.panel.gallery.keep(result)
    desk.idle()
    assert len(desk.editor.inserted) == 3, desk.state.outcome
    assert desk.editor.inserted[-1].source == source


def test_a_layer_whose_pictures_are_gone_is_left_as_it_is(desk):
    fill(desk.panel)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.finish_edit()
    desk.idle()
    desk.panel.reopen()
    desk.panel.apply()
    desk.until(lambda s: len(desk.backend.submitted) == 2)
    error = {"code": "image_not_found", "message": "No picture.", "hint": "", "details": {}}
    desk.backend.tell("failed", error=error)
    desk.idle()
    assert desk.state.outcome.text.startswith("The picture this layer was made from is not kept any more.")
    assert desk.state.updating == ""
    desk.panel.apply()
    desk.until(lambda s: len(desk.editor.captured) == 2)


def test_a_layer_that_cannot_be_opened_again_says_why(desk):
    desk.panel.reopen()
    assert desk.state.outcome.text == "This layer wasn't made by Palimpsest: choose one that was."
    desk.editor.the_recipe = LayerRecipe("l", "x", "{broken")
    desk.panel.reopen()
    assert desk.state.outcome.text.startswith("This layer's recipe can't be read:")


def test_remember_describe_and_select(desk):
    panel = desk.panel
    panel.describe()
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.finish({}, caption=SHOWS, confidence=0.9)
    desk.idle()
    assert desk.state.form.first == SHOWS
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
    desk.panel.draft.write_first(SHOWS.replace("cat", "dog"))
    assert desk.state.doubtful == ()


def test_a_photo_beyond_the_built_in_model_is_answered_before_apply(desk):
    panel = desk.panel
    fill(panel)
    assert "knows nothing" not in desk.state.sight
    panel.describe()
    desk.until(lambda s: desk.backend.submitted)
    error = {"code": "image_unsupported", "message": "The picture shows nothing known.", "hint": ""}
    desk.backend.tell("failed", error=error)
    desk.idle()
    assert desk.state.outcome.text == "The picture shows nothing known."
    assert [offer.key for offer in desk.state.status.offers + desk.state.offers] == ["get-model"], "once"
    assert desk.state.sight.startswith("The built-in model knows nothing in this picture")
    panel.draft.write_second("a photo of a dog on grass.")
    assert desk.state.sight.startswith("The built-in model knows nothing in this picture")
    assert desk.state.cannot_apply == ""
    panel.draft.set(model="other")
    assert "knows nothing" not in desk.state.sight


def test_a_model_is_fetched_and_seen_to_come(desk):
    row = next(row for row in desk.state.catalogue if row.name == "sd15")
    assert (row.installed, row.title) == (False, "Stable Diffusion 1.5")
    desk.panel.download("sd15")
    assert desk.state.downloading == "sd15"
    desk.until(lambda s: desk.backend.submitted)
    desk.panel.cancel()
    desk.idle()
    assert (desk.state.downloading, desk.state.fetched) == ("", "Cancelled.")


def test_why_a_model_did_not_come_is_told_where_it_was_asked_for(desk):
    desk.panel.download("sd15")
    desk.until(lambda s: desk.backend.submitted)
    assert desk.state.fetched == ""
    error = {"code": "download_failed", "message": "No network.", "hint": "Try again later."}
    desk.backend.tell("failed", error=error)
    desk.idle()
    assert (desk.state.fetched, desk.state.told) == ("No network. Try again later.",) * 2
    fill(desk.panel)
    desk.panel.apply()
    desk.until(lambda s: s.progress is not None)
    assert desk.state.fetched == "", "something else is under way"


def test_a_model_that_nothing_describes_for_says_so(desk):
    desk.backend.the_models[0] = dict(MODELS[0], details=dict(SPEC, describes=False))
    desk.panel.refresh()
    desk.until(lambda s: s.cannot_describe != "")
    assert "palimpsest pull captions" in desk.state.cannot_describe
    desk.panel.describe()
    desk.idle()
    assert desk.backend.submitted == []


def test_words_become_controls(desk):
    desk.panel.draft.write_first(SHOWS)
    assert desk.state.words == ("cat", "grass")
    desk.panel.draft.replace_word("cat", "dog")
    assert (desk.state.form.operation, desk.state.form.second) == ("replace", "a photo of a dog on grass")
    desk.panel.draft.replace_word("grass", "sand")
    assert desk.state.form.second == "a photo of a dog on sand"
    desk.panel.draft.emphasise("grass")
    assert desk.state.form.operation == "reweight"
    assert desk.state.cannot_apply == ""


def test_each_document_keeps_its_words_also_for_the_next_time(tmp_path):
    desk = Desk(tmp_path).ready()
    first = replace(desk.editor.facts, file="/photos/one.png")
    desk.editor.facts = first
    desk.until(lambda s: s.document == first)
    fill(desk.panel)
    desk.panel.draft.set(feather=21)
    desk.editor.facts = replace(first, key="d2", name="two.png", file="")
    desk.until(lambda s: s.document.key == "d2")
    assert (desk.state.form.first, desk.state.form.settings.feather) == ("", 21)
    desk.editor.facts = first
    desk.until(lambda s: s.document.key == "d1")
    assert desk.state.form.first == SHOWS
    desk.panel.stop()
    later = Desk(tmp_path).ready()
    later.editor.facts = replace(first, key="other")
    later.until(lambda s: s.document.key == "other")
    assert (later.state.form.first, later.state.form.settings.feather) == (SHOWS, 21)
    later.panel.stop()


def test_a_word_that_is_learned_elsewhere_is_told_and_is_there_at_its_end(desk):
    desk.backend.running = "learn"
    ready = desk.state.status.text
    desk.until(lambda s: s.status.text == f"{ready} · a word is being learned")
    desk.backend.the_concepts, desk.backend.running = [concept("my-toy")], None
    desk.until(lambda s: s.status.text == ready and s.concepts)


def test_edit_again_uses_the_last_words_on_a_new_document(desk):
    fill(desk.panel)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.finish_edit()
    desk.idle()
    desk.editor.facts = replace(desk.editor.facts, key="d2")
    desk.until(lambda s: s.document.key == "d2")
    desk.panel.again()
    desk.until(lambda s: len(desk.backend.submitted) == 2)
    assert desk.backend.submitted[1]["request"]["source_prompt"] == SHOWS


def test_what_it_should_show_begins_as_what_it_shows_until_one_writes(desk):
    panel = desk.panel
    panel.draft.write_first(SHOWS)
    assert panel.form.second == SHOWS
    assert desk.state.cannot_apply == "Both sentences say the same: change a word."
    panel.draft.write_first(SHOWS + " at night")
    assert panel.form.second == SHOWS + " at night"
    panel.draft.write_second("a photo of a dog on grass")
    panel.draft.write_first(SHOWS)
    assert panel.form.second == "a photo of a dog on grass"
    assert desk.state.changes_text == "cat → dog"
    panel.draft.write_second("")
    assert panel.form.second == "", "what was emptied stays so"
    panel.draft.write_second(SHOWS)
    panel.draft.write_first("a cat")
    assert panel.form.second == "a cat"
    panel.draft.choose_operation("insert")
    assert panel.form.second == ""


def test_a_concept_is_renamed_and_removed(desk):
    desk.backend.the_concepts += [concept("old"), concept("other")]
    desk.panel.backend.refresh_concepts()
    desk.until(lambda s: len(s.concepts) == 2)
    fill(desk.panel, second="a photo of <old> on grass")
    failures = []
    desk.panel.rename_concept("old", "new", failures.append)
    desk.until(lambda s: {c.name for c in s.concepts} == {"new", "other"})
    assert desk.state.form.second == "a photo of <new> on grass"
    assert desk.state.cannot_apply == ""
    desk.panel.backend.remove_concept("other", failures.append)
    desk.until(lambda s: [c.name for c in s.concepts] == ["new"])
    assert failures == []
    desk.panel.backend.remove_concept("other", failures.append)
    desk.until(lambda _: failures == ["There is no concept <other>."])


def test_concepts_that_were_used_or_learned_last_come_first(desk):
    desk.backend.the_concepts += [concept("a"), concept("b"), concept("c")]
    desk.panel.backend.refresh_concepts()
    desk.until(lambda s: [c.name for c in s.concepts] == ["a", "b", "c"])
    fill(desk.panel, second="a photo of <b> on grass")
    desk.panel.apply()
    assert [c.name for c in desk.state.concepts] == ["b", "a", "c"]
    desk.backend.the_concepts += [concept("just-learned")]
    desk.panel.backend.refresh_concepts()
    desk.until(lambda s: [c.name for c in s.concepts] == ["just-learned", "b", "a", "c"])


def test_the_sentence_that_is_made_stands_under_the_field(desk):
    fill(desk.panel, "insert", "a ball")
    assert desk.state.changes_text == "→ a photo of a cat and a ball on grass"
    desk.panel.draft.write_second("كرة")
    assert desk.state.changes_text == "\u200e→ \u2068a photo of a cat and كرة on grass\u2069"
    fill(desk.panel, "reweight")
    assert desk.state.changes_text == ""


def test_a_device_that_is_not_chosen_yet_is_not_named(tmp_path):
    """Before the first job the worker waits to see whether there is a graphics card."""
    backend = Backend()
    backend.device, backend.worker_status = "auto", {}
    desk = Desk(tmp_path, backend).ready()
    assert desk.state.status.text == "Ready · built-in model (for trying out)"
    backend.device = "cuda:0"
    desk.panel.session.ask(lambda _: desk.panel.session._check())
    desk.until(lambda s: s.status.text == "Ready · built-in model (for trying out) · CUDA:0")
    desk.panel.stop()


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
