"""Presets: kept by a name for one operation, shared by both editors, never lost and never a trap."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from client.scripted import ScriptedEditor
from palimpsest_client.fields.controls import Form
from palimpsest_client.fields.presets import DAMAGED, LONGEST, PRESETS, Presets
from palimpsest_client.fields.settings import CONTROLS, Settings, settings_from_json
from palimpsest_client.panel.panel import Panel
from palimpsest_client.views.controls_view import preset_menu

SOFT = Form("restyle", settings=Settings(structure=0.2, feather=30, steps=20, seed=5, model="other"))


def test_what_is_kept_is_given_back_and_the_pictures_own_stays(tmp_path: Path):
    assert Presets(tmp_path).keep(SOFT, "  soft ") == ""
    again = Presets(tmp_path)
    assert (again.names("restyle"), again.names("replace")) == (("soft",), ())
    now = Form("restyle", settings=Settings(seed=9, model="mine", source="layer", guidance=4.0))
    made = again.applied(now, "soft").settings
    assert made == Settings(
        structure=0.2, feather=30, steps=20, seed=9, model="mine", source="layer", guidance=None
    )
    assert again.chosen(replace(now, settings=made)) == "soft"
    assert again.chosen(now) == ""


def test_they_are_renamed_replaced_and_deleted(tmp_path: Path):
    presets = Presets(tmp_path)
    for name in ("b", "A"):
        assert presets.keep(SOFT, name) == ""
    assert presets.names("restyle") == ("A", "b")
    assert presets.rename("restyle", "b", "c") == ""
    assert presets.keep(Form("restyle"), "c") == "", "the same name: replaced"
    assert presets.applied(SOFT, "c").settings.feather == 8
    assert presets.remove("restyle", "A") == ""
    assert Presets(tmp_path).names("restyle") == ("c",)


def test_what_cant_be_done_is_said(tmp_path: Path):
    presets = Presets(tmp_path)
    presets.keep(SOFT, "soft")
    presets.keep(SOFT, "other")
    assert presets.keep(SOFT, " ") == presets.rename("restyle", "soft", "") == "Give the settings a name."
    assert presets.keep(SOFT, "x" * (LONGEST + 1)) == "A name has at most 60 characters."
    assert presets.rename("restyle", "soft", "other") == "There are settings named “other” already."
    assert presets.rename("restyle", "none", "new") == "There are no settings named “none” any more."
    assert Presets(tmp_path).names("restyle") == ("other", "soft")


def test_what_the_other_editor_kept_meanwhile_stays(tmp_path: Path):
    krita, gimp = Presets(tmp_path), Presets(tmp_path)
    assert krita.keep(SOFT, "krita's") == gimp.keep(SOFT, "GIMP's") == ""
    krita.look()
    assert krita.names("restyle") == gimp.names("restyle") == ("GIMP's", "krita's")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"restyle": 3}', "[" * 100_000, "\udc80"])
def test_a_damaged_file_is_said_and_set_aside(tmp_path: Path, content: str):
    damaged = content.encode("utf-8", "surrogateescape")
    (tmp_path / PRESETS).write_bytes(damaged)
    presets = Presets(tmp_path)
    assert presets.names("restyle") == ()
    assert presets.look().startswith("Your presets can't be read from ")
    assert (tmp_path / PRESETS).read_bytes() == damaged, "looking changes nothing"
    assert presets.keep(SOFT, "soft") == ""
    assert (tmp_path / DAMAGED).read_bytes() == damaged
    assert Presets(tmp_path).names("restyle") == ("soft",)


def test_values_that_cant_be_are_left_as_recommended(tmp_path: Path):
    odd = {
        "structure": "x",
        "feather": True,
        "steps": -4,
        "guidance": 1e400,
        "method": "magic",
        "new": 1,
        "grow": 3,
    }
    (tmp_path / PRESETS).write_text(json.dumps({"restyle": {"odd": odd, "none": 7}}))
    presets = Presets(tmp_path)
    assert presets.applied(Form("restyle"), "odd").settings == Settings(grow=3)
    assert presets.applied(Form("restyle"), "none").settings == Settings()


def test_a_folder_that_cant_be_written_to_loses_nothing(tmp_path: Path):
    (tmp_path / "file").write_text("")
    presets = Presets(tmp_path / "file" / "folder")
    assert presets.keep(SOFT, "soft").startswith("The presets can't be written to ")
    assert presets.names("restyle") == ()


@pytest.mark.parametrize("name", CONTROLS)
def test_settings_of_a_file_are_within_their_limits(name: str):
    control = CONTROLS[name]
    odd = [object(), [], {}, True, float("nan"), -1, 1e300, 10**30, *([] if control.automatic else [None])]
    odd += [] if control.limits is None and not control.choices else ["no such choice"]
    for value in odd:
        assert getattr(settings_from_json({name: value}), name) == control.default
    assert settings_from_json(None) == Settings()


def test_the_panel_keeps_and_uses_them(tmp_path: Path):
    panel = Panel("krita", ScriptedEditor(), lambda state: None, tmp_path)
    panel.draft.choose_operation("restyle")
    panel.draft.set(structure=0.2)
    panel.draft.keep_preset("soft")
    assert (panel.state.presets, panel.state.preset) == (("soft",), "soft")
    panel.draft.recommend("structure")
    assert panel.state.preset == ""
    panel.draft.use_preset("soft")
    assert panel.form.settings.structure == 0.2
    panel.draft.rename_preset("soft", "softer")
    panel.draft.choose_operation("replace")
    assert panel.state.presets == ()
    panel.draft.choose_operation("restyle")
    panel.draft.delete_preset("softer")
    assert panel.state.presets == ()
    panel.draft.keep_preset("")
    assert panel.state.message == "Give the settings a name."


def test_the_menu_has_what_can_be_done(tmp_path: Path):
    panel = Panel("krita", ScriptedEditor(), lambda state: None, tmp_path)
    (keep,) = preset_menu(panel)
    assert (keep.text, keep.value) == ("Keep these settings…", "")
    assert keep.ask == "Keep these settings under the name:"
    panel.draft.set(structure=0.2)
    keep.do("soft")
    panel.draft.set(structure=0.3)
    keep.do("other")
    told = [(entry.text, entry.chosen, bool(entry.ask)) for entry in preset_menu(panel)]
    assert told == [
        ("other", True, False),
        ("soft", False, False),
        ("Keep these settings…", None, True),
        ("Rename “other”…", None, True),
        ("Delete “other”", None, False),
    ]
    preset_menu(panel)[1].do()
    assert panel.form.settings.structure == 0.2
    preset_menu(panel)[3].do("softer")
    preset_menu(panel)[4].do()
    assert [entry.text for entry in preset_menu(panel)] == ["other", "Keep these settings…"]


def test_the_menu_says_that_a_file_is_damaged(tmp_path: Path):
    (tmp_path / PRESETS).write_text("{")
    panel = Panel("gimp", ScriptedEditor(), lambda state: None, tmp_path)
    preset_menu(panel)
    assert panel.state.message.startswith("Your presets can't be read from ")
