"""What is in the way of Apply, and what is wrong with words, said before anything is sent."""

from __future__ import annotations

from dataclasses import replace

from client.desk import SHOWS, fill
from client.scripted import MODELS, concept
from palimpsest_client.editor.geometry import Bounds


def test_every_reason_why_apply_is_not_possible_is_a_sentence(desk):
    panel, editor = desk.panel, desk.editor

    def reason():
        desk.until(lambda s: s.document == editor.facts)
        return panel.state.cannot_apply

    facts = editor.facts
    assert reason() == "Say what the picture shows."
    panel.draft.write_source_prompt(SHOWS)
    assert reason() == "Both sentences say the same: change a word."
    panel.draft.write_operand("")
    assert reason() == "Say what it should show."
    panel.draft.write_operand(SHOWS)
    assert reason() == "Both sentences say the same: change a word."
    panel.draft.write_operand("a photo of <my-toy> on grass")
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
    desk.panel.draft.write_source_prompt("a photo of a Cat on grass")
    desk.until(lambda s: s.unknown_text)
    assert [[word.text for word in found] for found in desk.state.unknown] == [[], ["Table"]]
    assert desk.state.unknown_text.startswith("Unknown to this model: Table.")
    desk.panel.draft.write_operand("a photo of a cat on grass")
    assert not any(desk.state.unknown)
    assert desk.state.unknown_text == ""
    desk.panel.draft.write_source_prompt("a (cat:1.4) on grass")
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
    assert desk.state.form.operand == "a photo of <big>"
    assert (
        desk.state.cannot_apply
        == "<big> was learned for another kind of model (sd1). Choose such a model, or another concept."
    )
    desk.panel.draft.write_operand("a photo of <bear> on grass")
    assert desk.state.cannot_apply == ""
    assert desk.state.changes_text == "cat → <bear>"


def test_what_it_should_show_begins_as_what_it_shows_until_one_writes(desk):
    panel = desk.panel
    panel.draft.write_source_prompt(SHOWS)
    assert panel.form.operand == SHOWS
    assert desk.state.cannot_apply == "Both sentences say the same: change a word."
    panel.draft.write_source_prompt(SHOWS + " at night")
    assert panel.form.operand == SHOWS + " at night"
    panel.draft.write_operand("a photo of a dog on grass")
    panel.draft.write_source_prompt(SHOWS)
    assert panel.form.operand == "a photo of a dog on grass"
    assert desk.state.changes_text == "cat → dog"
    panel.draft.write_operand("")
    assert panel.form.operand == "", "what was emptied stays so"
    panel.draft.write_operand(SHOWS)
    panel.draft.write_source_prompt("a cat")
    assert panel.form.operand == "a cat"
    panel.draft.choose_operation("insert")
    assert panel.form.operand == ""


def test_the_sentence_that_is_made_stands_under_the_field(desk):
    fill(desk.panel, "insert", "a ball")
    assert desk.state.changes_text == "→ a photo of a cat and a ball on grass"
    desk.panel.draft.write_operand("كرة")
    assert desk.state.changes_text == "\u200e→ \u2068a photo of a cat and كرة on grass\u2069"
    fill(desk.panel, "reweight")
    assert desk.state.changes_text == ""
