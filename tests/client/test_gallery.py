"""The row of results: those of this picture, looked at before they are kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from client.desk import Desk, fill
from client.scripted import Backend, picture
from palimpsest.errors import Text, noticed
from palimpsest_client.editor.geometry import Bounds, Extent
from palimpsest_client.panel.origins import Origins
from palimpsest_client.panel.results import MOST_RESULTS

FILE = "/photos/photo.png"
CANVAS = Extent(64, 48)  # of the scripted editor


def note(desk: Desk, file: str = FILE, canvas: Extent = CANVAS) -> str:
    """Of a job made on another day from a picture with this file."""
    origins = Origins(desk.panel.folder / "other", "another-day")
    facts = replace(desk.editor.opened, file=file, name=file.rpartition("/")[2])
    return origins.of(facts).placed(canvas.bounds, "canvas", canvas).note()


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    desk.editor.change(file=FILE)
    desk.ready()
    yield desk
    desk.panel.stop()


def brought(desk: Desk, count: int) -> None:
    desk.panel.gallery.refresh()
    desk.until(lambda s: len(s.results) == count)


def shown(desk: Desk, number: int) -> None:
    desk.panel.gallery.show(desk.state.results[number])
    key = desk.state.results[number].key
    desk.until(lambda s: s.strip.shown == key)


def test_only_what_this_editor_made_from_this_picture_is_shown(desk):
    desk.backend.past_edit("krita-1", note(desk))
    desk.backend.past_edit("krita-2", note(desk, "/photos/other.png"))
    desk.backend.past_edit("gimp-3", note(desk))
    desk.backend.past_edit("krita-0-0-64x48-ab")
    desk.backend.past_edit("shell-5")
    brought(desk, 1)
    assert [result.job for result in desk.state.results] == ["krita-1"]
    assert desk.state.strip.foreign == frozenset()


def test_results_that_come_and_go_elsewhere_come_and_go_here(desk):
    desk.backend.past_edit("krita-1", note(desk))
    desk.backend.results += 1
    desk.until(lambda s: [result.job for result in s.results] == ["krita-1"])
    desk.backend.forget("krita-1")
    desk.backend.results += 1
    desk.until(lambda s: s.results == ())


def test_a_picture_s_results_are_found_however_many_others_came_after(desk):
    desk.backend.past_edit("krita-1", note(desk))
    for number in range(130):
        desk.backend.past_edit(f"krita-other-{number}", note(desk, "/photos/other.png"))
    brought(desk, 1)


def test_all_results_are_shown_when_asked_for_and_others_are_marked(desk):
    desk.backend.past_edit("krita-1", note(desk))
    desk.backend.past_edit("gimp-2", note(desk, "/photos/other.png"))
    desk.backend.past_edit("shell-3")
    desk.panel.gallery.show_everything(True)
    desk.until(lambda s: len(s.results) == 3)
    strip = desk.state.strip
    assert strip.foreign == {("shell-3", "layer"), ("gimp-2", "layer")}
    assert "Made from another picture: other.png" in strip.tip(strip.results[1])
    assert "another picture" not in strip.tip(strip.results[2])
    desk.panel.gallery.show_everything(False)
    assert [result.job for result in desk.state.results] == ["krita-1"], "at once"


def test_another_picture_has_other_results_at_once(desk):
    desk.backend.past_edit("krita-1", note(desk))
    desk.backend.past_edit("krita-2", note(desk, "/photos/other.png"))
    brought(desk, 1)
    desk.backend.down = True
    desk.editor.change(key="d2", file="/photos/other.png")
    desk.until(lambda s: s.document.key == "d2")
    assert desk.state.results == (), "before the backend has answered"
    desk.backend.down = False
    desk.until(lambda s: [result.job for result in s.results] == ["krita-2"])


def test_what_is_made_now_is_among_them_and_stays_when_the_picture_gets_a_name(desk):
    desk.editor.change(key="d3", file="")
    desk.until(lambda s: s.document.key == "d3")
    fill(desk.panel)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    sent = desk.backend.submitted[-1]
    desk.backend.past_edit(sent["id"], sent["origin"])
    desk.backend.finish_edit()
    desk.until(lambda s: len(s.results) == 1)
    desk.editor.change(file="/photos/new.kra")
    desk.until(lambda s: s.document.file)
    brought(desk, 1)


def test_every_variation_has_its_own_small_picture(desk):
    desk.backend.past_edit("krita-1", note(desk, canvas=Extent(4000, 3000)), 12, canvas=(4000, 3000))
    brought(desk, 12)
    assert [result.number for result in desk.state.results] == list(range(1, 13))
    assert len({result.thumbnail for result in desk.state.results}) == 12
    assert None not in {result.thumbnail for result in desk.state.results}


def test_jobs_without_small_pictures_show_what_they_showed(desk):
    for id, canvas in (("krita-1", (64, 48)), ("krita-2", (4000, 3000))):
        desk.backend.past_edit(id, note(desk, canvas=Extent(*canvas)), canvas=canvas)
        job = desk.backend.past[0]
        del job["artifacts"]["thumbnail"]
        job["preview"] = desk.backend.keep(b"preview of " + id.encode())
        job["artifacts"]["composite"] = desk.backend.keep(b"composite of " + id.encode())
    brought(desk, 2)
    pictures = [result.thumbnail for result in desk.state.results]
    assert pictures == [b"preview of krita-2", b"composite of krita-1"]


def test_a_result_is_looked_at_and_kept_as_one_layer(desk):
    desk.backend.past_edit("krita-1", note(desk), variations=2)
    brought(desk, 2)
    shown(desk, 1)
    assert desk.editor.shown.name == "Preview: cat → dog"
    assert desk.editor.inserted == []
    assert desk.state.message == "This is a preview. Keep it as a layer, or discard it."
    desk.panel.gallery.keep()
    desk.until(lambda s: desk.editor.inserted and s.progress is None)
    assert (desk.editor.shown, desk.state.strip.shown) == (None, None)
    assert [layer.name for layer in desk.editor.inserted] == ["cat → dog (2 of 2)"]
    assert desk.editor.inserted[0].image == picture(64, 48, 2)


def test_what_can_be_redone_is_ended_by_a_preview_only_when_it_is_wished_again(desk):
    desk.backend.past_edit("krita-1", note(desk), variations=2)
    brought(desk, 2)
    desk.editor.redoable = True
    first, second = desk.state.results
    for result in (first, second):
        desk.panel.gallery.show(result)
        assert desk.state.message.startswith("What you have undone could not be redone after a preview.")
        assert desk.editor.shown is None
    shown(desk, 1)
    desk.panel.gallery.discard()
    desk.panel.gallery.show(second)
    assert desk.editor.shown is None, "something else was undone since"
    desk.panel.gallery.keep(second)
    desk.until(lambda s: desk.editor.inserted)


def test_a_preview_that_ended_nothing_once_is_warned_of_when_it_would(desk):
    desk.backend.past_edit("krita-1", note(desk))
    brought(desk, 1)
    shown(desk, 0)
    desk.panel.gallery.discard()
    desk.editor.redoable = True
    desk.panel.gallery.show(desk.state.results[0])
    assert desk.state.message.startswith("What you have undone could not be redone after a preview.")
    assert desk.editor.shown is None
    shown(desk, 0)


def test_it_is_warned_anew_of_what_was_undone_since(desk):
    desk.backend.past_edit("krita-1", note(desk))
    brought(desk, 1)
    for _ in range(2):
        desk.editor.redoable = True
        desk.panel.gallery.show(desk.state.results[0])
        assert desk.state.message.startswith("What you have undone could not be redone after a preview.")
        assert not desk.panel.gallery.looking
        desk.editor.redoable = False  # by a step of people's own
        desk.panel.look()
    shown(desk, 0)


def test_steps_go_through_variations_and_history_and_end_at_the_ends(desk):
    desk.backend.past_edit("krita-1", note(desk))
    desk.backend.past_edit("krita-2", note(desk), variations=2)
    brought(desk, 3)
    keys = [result.key for result in desk.state.results]
    for step, at in ((1, 0), (1, 1), (1, 2), (1, 2), (-1, 1), (-1, 0), (-1, 0)):
        desk.panel.gallery.step(step)
        desk.until(lambda s, at=at: s.strip.shown == keys[at])


def test_the_original_is_seen_as_long_as_one_holds(desk):
    desk.backend.past_edit("krita-1", note(desk))
    brought(desk, 1)
    shown(desk, 0)
    for original in (True, False):
        desk.panel.gallery.compare(original)
        assert desk.editor.veiled == desk.state.strip.original == original


@pytest.mark.parametrize("way", ["discard", "apply", "stop", "other document", "no document"])
def test_a_preview_is_never_left_behind(desk, way):
    desk.backend.past_edit("krita-1", note(desk))
    brought(desk, 1)
    shown(desk, 0)
    fill(desk.panel)
    desk.editor.hidden.clear()
    if way == "discard":
        desk.panel.gallery.discard()
    elif way == "apply":
        desk.panel.apply()
        desk.until(lambda s: desk.editor.captured)
    elif way == "stop":
        desk.panel.stop()
    else:
        other = replace(desk.editor.opened, key="d2", file="")
        desk.editor.facts = other if way == "other document" else None
        desk.until(lambda s: s.document == desk.editor.facts)
    assert desk.editor.hidden[0] == "d1"
    assert (desk.editor.shown, desk.state.strip.shown) == (None, None)


def test_a_preview_that_a_file_kept_is_taken_away_when_the_file_is_opened(desk):
    desk.editor.hidden.clear()
    desk.editor.change(key="d2")
    desk.until(lambda s: s.document.key == "d2")
    assert desk.editor.hidden == ["d2"]


def test_a_preview_that_goes_by_another_way_is_gone_here_too(desk):
    desk.backend.past_edit("krita-1", note(desk))
    brought(desk, 1)
    shown(desk, 0)
    desk.editor.shown = None  # an undo
    desk.until(lambda s: s.strip.shown is None)


def test_what_does_not_fit_is_refused_by_a_sentence(desk):
    desk.backend.past_edit("krita-1", note(desk, canvas=Extent(50, 40)), canvas=(50, 40))
    brought(desk, 1)
    for call in (desk.panel.gallery.show, desk.panel.gallery.keep):
        desk.panel.refuse("")
        call(desk.state.results[0])
        assert "50 × 40 pixels and has 64 × 48 now" in desk.state.outcome.text
    assert (desk.editor.shown, desk.editor.inserted) == (None, [])


def test_a_click_while_a_job_runs_says_why_nothing_is_shown(desk):
    desk.backend.past_edit("krita-1", note(desk))
    brought(desk, 1)
    fill(desk.panel)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    desk.panel.gallery.show(desk.state.results[0])
    assert desk.state.outcome_text == "Wait until this job is done, or press Cancel."
    assert desk.state.progress is not None
    assert desk.editor.shown is None
    desk.backend.finish_edit()
    desk.idle()
    assert desk.state.outcome_text.startswith("New layer")


def test_another_picture_s_result_is_kept_only_after_it_was_looked_at(desk):
    desk.backend.past_edit("krita-1", note(desk, "/photos/other.png"))
    desk.panel.gallery.show_everything(True)
    desk.until(lambda s: len(s.results) == 1)
    desk.panel.gallery.keep(desk.state.results[0])
    assert desk.state.outcome.text.startswith("That result was made from another picture.")
    assert desk.editor.inserted == []
    shown(desk, 0)
    assert desk.state.message.startswith("Made from another picture: other.png. ")
    desk.panel.gallery.keep()
    desk.until(lambda s: desk.editor.inserted)


def test_a_result_that_comes_too_late_is_not_shown(desk):
    desk.backend.past_edit("krita-1", note(desk))
    brought(desk, 1)
    desk.panel.gallery.show(desk.state.results[0])
    desk.panel.gallery.discard()
    asked = []
    desk.panel.session.ask(lambda client: None, asked.append)
    desk.until(lambda s: asked)
    assert desk.editor.shown is None


def test_escape_discards_a_result_that_is_still_on_its_way(desk):
    desk.backend.past_edit("krita-1", note(desk))
    brought(desk, 1)
    gallery = desk.panel.gallery
    gallery.show(desk.state.results[0])
    assert desk.state.strip.shown is None
    assert gallery.press("escape")
    assert not gallery.looking
    asked = []
    desk.panel.session.ask(lambda client: None, asked.append)
    desk.until(lambda s: asked)
    assert desk.editor.shown is None
    assert not gallery.press("escape"), "nothing is on its way: it is somebody else's key"


def test_a_picture_that_is_kept_no_more_is_said(desk):
    desk.backend.past_edit("krita-1", note(desk))
    brought(desk, 1)
    desk.backend.images.clear()
    desk.panel.gallery.show(desk.state.results[0])
    desk.until(lambda s: s.outcome is not None)
    assert desk.state.outcome.text == "That result is not kept any more."


def test_what_it_has_to_say_is_in_its_tip(desk):
    desk.backend.past_edit("krita-1", note(desk))
    desk.backend.past[0]["result"].update(noticed(Text("mirror-image-unknown")))
    brought(desk, 1)
    (result,) = desk.state.results
    assert Text("mirror-image-unknown") in desk.state.strip.tip(result).splitlines()


def test_its_words_seed_and_settings_can_be_used_again(desk):
    request = {"image": "5" * 64, "selection": None, "model": "built-in", "grow": 3, "feather": 5}
    request.update(context=0.5, inversion={"method": "direct", "steps": 12, "guidance": 2.0})
    request["inversion"]["working_size"] = None
    request.update(control={"cross": None, "self_attention": None}, source_prompt="a photo of a cat")
    request["target_prompt"] = "a photo of a dog"
    desk.backend.past_edit("krita-1", note(desk), variations=3, request=request)
    brought(desk, 3)
    second = desk.state.results[1]
    assert second.sentences == "a photo of a cat\na photo of a dog"
    assert "Seed 6" in desk.state.strip.tip(second)
    assert "(2 of 3) · 2001-09-" in desk.state.strip.label(second)
    desk.panel.draft.set(source="layer")
    desk.panel.draft.choose_operation("restyle")
    desk.panel.draft.set(structure=0.9)
    desk.panel.draft.write_operand("an oil painting")
    desk.panel.draft.weigh("cat", 0.5)
    desk.panel.use_settings(second)
    form = desk.state.form
    assert (form.with_operation("restyle").operand, form.weights) == ("an oil painting", {"cat": 0.5})
    assert form.with_operation("restyle").settings.structure == 0.9
    assert (form.operation, form.source_prompt, form.operand) == (
        "replace",
        "a photo of a cat",
        "a photo of a dog",
    )
    assert (form.settings.seed, form.settings.variations, form.settings.steps) == (6, 1, 12)
    assert (form.settings.grow, form.settings.feather, form.settings.source) == (3, 5, "layer")


def test_a_deleted_result_goes_with_its_variations(desk):
    desk.backend.past_edit("krita-1", note(desk))
    desk.backend.past_edit("krita-2", note(desk), variations=2)
    brought(desk, 3)
    shown(desk, 0)
    desk.panel.gallery.delete(desk.state.results[1])
    desk.until(lambda s: len(s.results) == 1)
    assert [job["id"] for job in desk.backend.past] == ["krita-1"]
    assert desk.editor.shown is None


def test_the_row_has_an_end(desk):
    for number in range(MOST_RESULTS + 5):
        desk.backend.past_edit(f"krita-{number}", note(desk))
    brought(desk, MOST_RESULTS)


def test_where_a_result_lies_is_in_its_note(desk):
    desk.editor.select_bounds(Bounds(10, 10, 20, 12))
    desk.until(lambda s: s.document.selection is not None)
    fill(desk.panel)
    desk.panel.draft.set(source="layer")
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    sent = desk.backend.submitted[-1]
    desk.backend.past_edit(sent["id"], sent["origin"])
    desk.backend.finish_edit()
    desk.until(lambda s: len(s.results) == 1 and s.progress is None)
    origin = desk.state.results[0].origin
    assert (origin.source, origin.canvas, origin.name) == ("layer", (64, 48), "photo.png")
    desk.panel.gallery.keep(desk.state.results[0])
    desk.until(lambda s: len(desk.editor.inserted) == 2)
    assert desk.editor.inserted[1].source == "layer"


def test_a_result_of_the_region_alone_lies_where_the_region_is(desk):
    desk.backend.past_edit("krita-1", note(desk), box=[20, 8, 52, 40])
    brought(desk, 1)
    assert desk.state.results[0].bounds == Bounds(20, 8, 32, 32)
    desk.panel.gallery.keep(desk.state.results[0])
    desk.until(lambda s: desk.editor.inserted)
    layer = desk.editor.inserted[0]
    assert (layer.bounds, layer.content) == (Bounds(20, 8, 32, 32), Bounds(20, 8, 32, 32))


def test_backends_of_before_tell_no_note(tmp_path):
    backend = Backend()
    backend.past_edit("krita-8-9-64x48-ab", canvas=(50, 30))
    del backend.past[0]["origin"], backend.past[0]["created"]
    desk = Desk(tmp_path, backend).ready()
    desk.panel.gallery.show_everything(True)
    desk.until(lambda s: len(s.results) == 1)
    [result] = desk.state.results
    assert result.bounds == Bounds(8, 9, 50, 30)
    assert desk.state.strip.label(result) == "cat → dog"
    desk.panel.stop()


def test_keys_mean_something_where_they_can_do_something(desk):
    desk.backend.past_edit("krita-1", note(desk), variations=2)
    brought(desk, 2)
    gallery, first, second = desk.panel.gallery, *(result.key for result in desk.state.results)
    for key in ("return", "escape", "o", "a"):
        assert not gallery.press(key), "nothing is shown: it is somebody else's key"
    for key, at in (("right", first), ("right", second), ("left", first)):
        assert gallery.press(key)
        desk.until(lambda s, at=at: s.strip.shown == at)
    for down in (True, False):
        assert gallery.press("o", down)
        assert desk.editor.veiled == down
    assert gallery.press("return", down=False)
    assert desk.editor.inserted == [], "a key that is let go does nothing"
    assert gallery.press("escape")
    assert desk.state.strip.shown is None
    desk.panel.gallery.step(1)
    desk.until(lambda s: s.strip.shown == first)
    assert gallery.press("return")
    desk.until(lambda s: desk.editor.inserted)


def test_its_menu_copies_and_fills_in(desk):
    desk.backend.past_edit("krita-1", note(desk), variations=2)
    brought(desk, 2)
    copied, used = [], []
    entries = dict(desk.panel.gallery.menu(desk.state.results[1], used.append, copied.append))
    entries["Copy the sentences"]()
    entries["Copy the seed (6)"]()
    entries["Use its words and settings"]()
    assert (copied, used) == (["a cat\na dog", "6"], [desk.state.results[1]])
    entries["Delete it and its variations (2)"]()
    desk.until(lambda s: not s.results)


def test_a_click_that_other_work_overtakes_says_so(desk):
    """It was accepted, and its picture comes when something else is under way."""
    desk.backend.past_edit("krita-1", note(desk))
    brought(desk, 1)
    fill(desk.panel)
    desk.panel.gallery.show(desk.state.results[0])
    desk.panel.remember()
    desk.until(lambda s: s.outcome_text == "Wait until this job is done, or press Cancel.")
    assert (desk.editor.shown, desk.state.strip.shown) == (None, None)
    assert not desk.panel.gallery.looking


def test_a_result_that_cannot_be_shown_is_not_waited_for(desk):
    desk.backend.past_edit("krita-1", note(desk))
    brought(desk, 1)
    desk.backend.images.clear()
    desk.panel.gallery.show(desk.state.results[0])
    desk.until(lambda s: s.outcome is not None)
    assert not desk.panel.gallery.looking
