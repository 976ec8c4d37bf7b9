"""What is filled in for a picture is there again when the panel is closed and opened."""

from __future__ import annotations

from dataclasses import replace

import pytest

from client.desk import SHOWS, Desk, fill


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
