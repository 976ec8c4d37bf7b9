"""The settings page: with what new pictures begin, the language, and what is forgotten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from client.scripted import ScriptedEditor
from palimpsest_client.fields.settings import CONTROLS, Settings
from palimpsest_client.panel.panel import Panel
from palimpsest_client.panel.preferences import BEGINNING, DEFAULTS, FIELDS, LANGUAGE, read_defaults
from palimpsest_client.text.language import read_language


def panel_in(folder: Path) -> Panel:
    return Panel("krita", ScriptedEditor(), lambda state: None, folder)


def test_new_pictures_begin_with_them(tmp_path: Path):
    panel = panel_in(tmp_path)
    panel.preferences.change("feather", 20)
    panel.preferences.change("variations", 3)
    assert panel.preferences.trouble == ""
    assert panel.form.settings == Settings(), "what is open stays as it is"
    panel.look()
    assert panel.facts is not None
    assert (panel.form.settings.feather, panel.form.settings.variations) == (20, 3)
    again = panel_in(tmp_path)
    assert again.form.settings == Settings(feather=20, variations=3)
    assert [again.preferences.drawn(CONTROLS[name]).value for name in BEGINNING] == [20, 3]


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"feather": "x", "variations": 99, "steps": 5}', "[" * 10**5]
)
def test_what_cant_be_read_is_as_recommended(tmp_path: Path, content: str):
    (tmp_path / DEFAULTS).write_text(content)
    assert read_defaults(tmp_path / DEFAULTS) == Settings()


def test_a_language_is_chosen_from_those_there_are(tmp_path: Path):
    preferences = panel_in(tmp_path).preferences
    choices = dict(preferences.drawn(LANGUAGE).choices)
    assert choices[""] == "as the editor"
    assert choices["en"] == "English"
    preferences.change("language", "en")
    assert (read_language(tmp_path), preferences.drawn(LANGUAGE).value) == ("en", "en")
    preferences.change("language", "")
    assert preferences.drawn(LANGUAGE).value == ""


def test_what_is_kept_here_is_forgotten(tmp_path: Path):
    (tmp_path / "sentences.json").write_text(json.dumps({"/a.png": {}}))
    (tmp_path / "recent.json").write_text('["my-toy"]')
    panel = panel_in(tmp_path)
    panel.preferences.forget()
    assert panel.preferences.trouble == ""
    assert not (tmp_path / "recent.json").exists()
    panel.stop()
    assert not (tmp_path / "sentences.json").exists()
    panel_in(tmp_path).preferences.forget()
    assert not (tmp_path / "sentences.json").exists()


def test_what_cant_be_written_is_said(tmp_path: Path):
    (tmp_path / "file").write_text("")
    preferences = panel_in(tmp_path / "file" / "folder").preferences
    for name, value in (("feather", 9), ("language", "en")):
        preferences.change(name, value)
        assert preferences.trouble.startswith("This can't be kept in ")
    preferences.forget()
    assert preferences.trouble.startswith("They can't be removed")


def test_each_field_has_its_texts():
    assert [control.label for control in FIELDS] == ["Language", "Small preview", "Soft edge", "Variations"]
    assert all(control.tip for control in FIELDS)
