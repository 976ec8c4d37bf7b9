"""What is filled in for a picture is there again when the panel is closed and opened."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from client.desk import SHOWS, Desk, fill
from client.scripted import ScriptedEditor
from palimpsest_client import json_file
from palimpsest_client.editor.editor import DocumentFacts
from palimpsest_client.fields.controls import Form
from palimpsest_client.fields.settings import Settings
from palimpsest_client.panel.saved_forms import NOTES, Notebook, read_notes


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
    desk.editor.facts = replace(desk.editor.facts, key="d2")
    desk.until(lambda s: s.document.key == "d2")
    fill(desk.panel, "insert", "a hat")
    later = again(desk)
    assert (later.state.form.operation, later.state.form.second) == ("insert", "a hat")
    later.editor.facts = replace(later.editor.facts, key="d1")
    later.until(lambda s: s.document.key == "d1")
    assert (later.state.form.first, later.state.form.settings.feather) == (SHOWS, 21)
    later.editor.facts = replace(later.editor.facts, key="d3")
    later.until(lambda s: s.document.key == "d3")
    assert later.state.form.first == "", "another picture has none"


def test_words_of_a_picture_that_was_saved_meanwhile_stay(tmp_path, again):
    desk = Desk(tmp_path).ready()
    fill(desk.panel)
    desk.editor.facts = replace(desk.editor.facts, file="/photos/new.png")
    assert again(desk).state.form.first == SHOWS


@pytest.mark.parametrize("note", ["", "{", "[]", '{"operation": "replace"}', "[" * 100_000])
def test_a_note_that_cannot_be_read_is_none(tmp_path, note):
    desk = Desk(tmp_path)
    desk.editor.notes["d1"] = note
    desk.ready()
    assert desk.state.form.first == ""
    desk.panel.stop()


def test_what_two_editors_keep_for_files_stays(tmp_path):
    """Both are open: neither has read what the other wrote since."""
    one, other = (Notebook(tmp_path, Settings(), ScriptedEditor()) for _ in range(2))
    for notebook, file in ((one, "/a.png"), (other, "/b.png"), (one, "/c.png")):
        facts = DocumentFacts(file, file, 64, 48, None, "Background", file=file)
        notebook.keep(facts, Form(first=f"a photo of {file}"))
        notebook.save()
    assert sorted(read_notes(tmp_path / NOTES)) == ["/a.png", "/b.png", "/c.png"]
    one.forget()
    other.save()
    assert read_notes(tmp_path / NOTES) == {}, "what was forgotten stays so"


def test_editors_that_save_at_the_same_time_lose_nothing(tmp_path):
    files = [f"/{number}.png" for number in range(40)]

    def keep(mine: list[str]) -> None:
        notebook = Notebook(tmp_path, Settings(), ScriptedEditor())
        for file in mine:
            facts = DocumentFacts(file, file, 64, 48, None, "Background", file=file)
            notebook.keep(facts, Form(first="a photo"))
            notebook.save()

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
