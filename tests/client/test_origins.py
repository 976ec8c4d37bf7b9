"""Which picture a job was made from, over saving, closing, copying and restarts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from palimpsest.contract import ORIGIN
from palimpsest_client.editor.editor import Capture, DocumentFacts
from palimpsest_client.editor.geometry import Bounds, Extent
from palimpsest_client.panel.origins import PLACE, Origin, Origins, fingerprint, origin_of, read

PHOTO = DocumentFacts("1", "photo.png", 64, 48, None, "Background", file="/photos/photo.png")
NEW = replace(PHOTO, name="Untitled", file="")


def test_an_origin_comes_back_from_the_backend():
    capture = Capture("1", b"", None, Bounds(99999, 7, 9, 9), "{some-layer}", Extent(123456, 123456))
    origin = Origin("ab-1", "cd", "Bäume <3>.kra").of_capture(capture)
    assert origin_of("krita-0", origin.note()) == origin
    assert (origin.x, origin.y, origin.source, origin.canvas) == (99999, 7, "layer", (123456, 123456))


@pytest.mark.parametrize("name", ["x" * 5000, "\U0001f600" * 5000, '"\\' * 5000, "bad \udcff name"])
def test_no_name_makes_a_note_that_the_backend_refuses(tmp_path, name):
    origin = Origins(tmp_path, "s" * 12).of(replace(PHOTO, name=name))
    whole = Bounds(0, 0, 10**6, 10**6)
    note = origin.placed(whole, "{layer}", Extent(10**6, 10**6)).note()
    assert len(note) <= ORIGIN.most
    note.encode()


def test_ids_of_earlier_versions_say_it_too():
    assert origin_of("krita-1024-512-4000x3000-0f", "") == Origin("", "", "", 1024, 512, Extent(4000, 3000))
    assert origin_of("gimp-layer-8-9-40x30-0f", "").source == "layer"
    assert origin_of("krita-8-9-0f", "") == Origin(x=8, y=9)
    assert origin_of("3f6c-layer-1", "") == Origin()


@pytest.mark.parametrize("note", ["", "{", "[]", "{}", '{"at": [1, 2]}', '{"at": 3}', "null", "[" * 1000])
def test_notes_of_other_programs_are_no_origin(note):
    assert origin_of("shell-1", note) == Origin()


def test_a_picture_is_known_while_it_is_open_and_by_its_file_afterwards(tmp_path):
    made = Origins(tmp_path, "monday").of(PHOTO)
    assert "/photos" not in made.note(), "the backend may be another computer"
    tuesday = Origins(tmp_path, "tuesday")
    assert tuesday.is_of(made, replace(PHOTO, key="7"))
    assert not tuesday.is_of(made, replace(PHOTO, file="/photos/copy of photo.png"))
    assert not tuesday.is_of(made, replace(PHOTO, file="")), "keys begin anew in every session"


def test_a_new_picture_is_known_again_after_it_was_saved_and_closed(tmp_path):
    monday = Origins(tmp_path, "monday")
    made = monday.of(NEW)
    saved = replace(NEW, file="/photos/new.kra")
    monday.see(saved)
    assert monday.is_of(made, saved)
    assert Origins(tmp_path, "tuesday").is_of(made, replace(saved, key="9"))
    assert not Origins(tmp_path, "tuesday").is_of(made, PHOTO)


def test_saving_under_another_name_takes_along_what_was_made_before_and_no_more(tmp_path):
    monday = Origins(tmp_path, "monday")
    first = monday.of(PHOTO)
    renamed = replace(PHOTO, file="/photos/photo.kra")
    monday.see(renamed)
    second = monday.of(renamed)
    tuesday = Origins(tmp_path, "tuesday")
    assert tuesday.is_of(first, replace(renamed, key="4"))
    assert tuesday.is_of(second, replace(renamed, key="4"))
    assert tuesday.is_of(first, replace(PHOTO, key="5"))
    assert not tuesday.is_of(second, replace(PHOTO, key="5"))


def test_a_picture_that_was_saved_twice_under_other_names_keeps_all(tmp_path):
    monday = Origins(tmp_path, "monday")
    made = monday.of(NEW)
    for file in ("/photos/a.kra", "/photos/b.kra"):
        monday.see(replace(NEW, file=file))
    assert Origins(tmp_path, "tuesday").is_of(made, replace(NEW, key="3", file="/photos/b.kra"))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 3}', '{"a": [3, ["b"], ["c", 4]]}'])
def test_a_damaged_list_is_begun_anew(tmp_path, content):
    (tmp_path / PLACE).write_text(content)
    origins = Origins(tmp_path, "monday")
    made = origins.of(NEW)
    origins.see(replace(NEW, file="/photos/new.kra"))
    assert Origins(tmp_path, "tuesday").is_of(made, replace(NEW, key="2", file="/photos/new.kra"))


def test_editors_open_at_a_time_keep_what_the_other_wrote(tmp_path):
    """Also of a file that both knew at their start, and which of them is the latest."""
    photo = replace(NEW, file="/photos/photo.kra")
    first = Origins(tmp_path, "first")
    made = [first.of(NEW)]
    first.see(photo)
    krita, gimp = Origins(tmp_path, "krita"), Origins(tmp_path, "gimp")
    made.append(gimp.of(NEW))
    gimp.see(photo)
    elsewhere = replace(NEW, key="2", file="/photos/other.kra")
    krita.see(replace(NEW, key="2"))
    krita.see(elsewhere)
    assert krita.is_of(made[1], replace(photo, key="9")), "it knows from now on too"
    next_day = Origins(tmp_path, "tuesday")
    assert all(next_day.is_of(each, replace(photo, key="9")) for each in made)
    assert list(read(tmp_path / PLACE)) == [fingerprint(photo.file), fingerprint(elsewhere.file)]
    krita.see(replace(NEW, key="3"))
    krita.see(replace(photo, key="3"))
    assert list(read(tmp_path / PLACE)) == [fingerprint(elsewhere.file), fingerprint(photo.file)]
    assert all(Origins(tmp_path, "wednesday").is_of(each, replace(photo, key="9")) for each in made)


def test_what_could_not_be_saved_is_saved_with_the_next(tmp_path):
    folder = tmp_path / "folder"
    folder.write_text("a file, where nothing can be saved")
    origins = Origins(folder, "monday")
    made = origins.of(NEW)
    saved = replace(NEW, file="/photos/new.kra")
    origins.see(saved)
    assert origins.is_of(made, saved)
    folder.unlink()
    origins.see(replace(NEW, key="2"))
    origins.see(replace(NEW, key="2", file="/photos/second.kra"))
    assert Origins(folder, "tuesday").is_of(made, replace(saved, key="9"))


def test_the_list_does_not_grow_for_ever(tmp_path):
    origins = Origins(tmp_path, "monday")
    for number in range(300):
        facts = replace(NEW, key=str(number))
        origins.see(facts)
        origins.see(replace(facts, file=f"/photos/{number}.kra"))
    assert len((tmp_path / PLACE).read_text()) < 20_000
