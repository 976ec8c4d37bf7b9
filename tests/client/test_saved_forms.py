"""What is filled in for a picture is there again when the panel is closed and opened."""

from __future__ import annotations

import json
import threading

import pytest

from client.desk import SHOWS, Desk, fill
from client.scripted import ScriptedEditor
from palimpsest_client import json_file
from palimpsest_client.editor.editor import DocumentFacts
from palimpsest_client.fields.controls import Form
from palimpsest_client.fields.settings import Settings
from palimpsest_client.panel.saved_forms import NOTES, SavedForms, form_to_json, read_notes


@pytest.fixture
def again(tmp_path):
    """Closes a desk's panel and opens another; the editor goes on."""
    made: list[Desk] = []

    def opened(desk: Desk) -> Desk:
        desk.panel.stop()
        made.append(Desk(tmp_path, editor=desk.editor).ready())
        return made[-1]

    yield opened
    for desk in made:
        desk.panel.stop()


def test_a_picture_without_a_file_keeps_its_words_while_it_is_open(tmp_path, again):
    desk = Desk(tmp_path).ready()
    fill(desk.panel)
    desk.panel.draft.set(feather=21)
    desk.editor.change(key="d2")
    desk.until(lambda s: s.document.key == "d2")
    fill(desk.panel, "insert", "a hat")
    later = again(desk)
    assert (later.state.form.operation, later.state.form.operand) == ("insert", "a hat")
    later.editor.change(key="d1")
    later.until(lambda s: s.document.key == "d1")
    assert (later.state.form.source_prompt, later.state.form.settings.feather) == (SHOWS, 21)
    later.editor.change(key="d3")
    later.until(lambda s: s.document.key == "d3")
    assert later.state.form.source_prompt == "", "another picture has none"


def test_words_of_a_picture_that_was_saved_meanwhile_stay(tmp_path, again):
    desk = Desk(tmp_path).ready()
    fill(desk.panel)
    desk.editor.change(file="/photos/new.png")
    assert again(desk).state.form.source_prompt == SHOWS


@pytest.mark.parametrize("note", ["", "{", "[]", '{"operation": "replace"}', "[" * 100_000])
def test_a_note_that_cannot_be_read_is_none(tmp_path, note):
    desk = Desk(tmp_path)
    desk.editor.notes["d1"] = note
    desk.ready()
    assert desk.state.form.source_prompt == ""
    desk.panel.stop()


def test_what_two_editors_keep_for_files_stays(tmp_path):
    """Both are open: neither has read what the other wrote since."""
    one, other = (SavedForms(tmp_path, Settings(), ScriptedEditor()) for _ in range(2))
    for saved, file in ((one, "/a.png"), (other, "/b.png"), (one, "/c.png")):
        facts = DocumentFacts(file, file, 64, 48, None, "Background", file=file)
        saved.keep(facts, Form(source_prompt=f"a photo of {file}"))
        saved.save()
    assert sorted(read_notes(tmp_path / NOTES)) == ["/a.png", "/b.png", "/c.png"]
    one.forget()
    other.save()
    assert read_notes(tmp_path / NOTES) == {}, "what was forgotten stays so"


def test_editors_that_save_at_the_same_time_lose_nothing(tmp_path):
    files = [f"/{number}.png" for number in range(40)]

    def keep(mine: list[str]) -> None:
        saved = SavedForms(tmp_path, Settings(), ScriptedEditor())
        for file in mine:
            facts = DocumentFacts(file, file, 64, 48, None, "Background", file=file)
            saved.keep(facts, Form(source_prompt="a photo"))
            saved.save()

    patience, json_file.PATIENCE = json_file.PATIENCE, 120.0
    try:
        threads = [threading.Thread(target=keep, args=(files[start::4],)) for start in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        json_file.PATIENCE = patience
    assert sorted(read_notes(tmp_path / NOTES)) == sorted(files)


def test_files_of_earlier_versions_are_read_and_written_as_they_were(tmp_path):
    """What lies in people's homes: its names stay."""
    kept = {
        "operation": "insert",
        "first": "a cat on grass",
        "seconds": {"insert": "a hat", "replace": "a dog on grass"},
        "sentences": {"insert": "a cat with a hat on grass"},
        "weights": {"cat": 0.5},
        "settings": {"model": "built-in", "structure": 0.25},
        "apart": {"restyle": {"structure": 0.75}},
    }
    (tmp_path / NOTES).write_text(json.dumps({"/a.png": kept}), encoding="utf-8")
    facts = DocumentFacts("d1", "a", 64, 48, None, "Background", file="/a.png")
    form = SavedForms(tmp_path, Settings(), ScriptedEditor()).form(facts)
    assert (form.operation, form.source_prompt) == ("insert", "a cat on grass")
    assert (form.operand, form.target_prompt) == ("a hat", "a cat with a hat on grass")
    assert (form.weights, form.settings.structure) == ({"cat": 0.5}, 0.25)
    assert form.with_operation("replace").operand == "a dog on grass"
    assert form.with_operation("restyle").settings.structure == 0.75
    written = form_to_json(form)
    assert {name: written[name] for name in kept if name != "settings"} == {
        name: value for name, value in kept.items() if name != "settings"
    }
