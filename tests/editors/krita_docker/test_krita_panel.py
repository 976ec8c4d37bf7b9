"""The product in the real Krita: docker, real backend, built-in model, and the pixels that come of it."""

from __future__ import annotations

import numpy as np
import pytest

from editors.backend import Backend
from editors.display import Display
from editors.krita_panel import DEMO, DOG, FEATHER, LONG, SHOWS, Desk, mask, photo
from editors.krita_pictures import FLOAT, GREY_8, RGB_16, Kind
from editors.running import Kritas
from palimpsest.core.picture.selection import grown


def test_a_real_click_on_apply_brings_one_layer_and_changes_nothing_outside(desk: Desk, display: Display):
    desk.show(photo(), selected=mask())
    before = desk.pixels()
    desk.call("write", "replace", SHOWS, DOG)
    x, y, usable = desk.call("place_of", "work.apply")
    assert usable
    display.click(x, y)
    told = desk.end()
    changed = "0 pixels changed outside the selection, grown by 4 px."
    assert told["message"] == f"New layer “red ball → blue cube”. {changed}"
    assert told["fidelity"].startswith("This photo is remembered")
    assert desk.layers() == ["photo", "red ball → blue cube"]
    after = desk.pixels()
    outside = grown(mask(), FEATHER) == 0
    assert np.array_equal(after[outside], before[outside])
    assert np.abs(after[~outside].astype(int) - before[~outside]).mean() > 1
    file = desk.file(name=".png")
    desk.call("export", str(file))
    assert np.array_equal(desk.read(file)[outside], before[outside])
    desk.call("undo")
    assert desk.layers() == ["photo"]
    assert np.array_equal(desk.pixels(), before)
    desk.call("redo")
    assert np.array_equal(desk.pixels(), after)


def test_what_is_left_of_windows_is_freed_on_kritas_own_thread(desk: Desk):
    """Else a cursor of a sentence is freed while Krita reads the sentence."""
    assert desk.call("frees_on_own_thread")


@pytest.mark.parametrize("kind", [RGB_16, FLOAT, GREY_8], ids=str)
def test_other_kinds_of_documents_keep_what_is_outside(desk: Desk, kind: Kind):
    pixels = photo()
    if kind.model == "GRAYA":
        pixels = np.ascontiguousarray(pixels[..., 1::2])
    if kind.dtype is np.uint16:
        pixels = pixels.astype(np.uint16) * 257
    if kind.dtype is np.float32:
        pixels = (pixels / 255).astype(np.float32)
    desk.show(pixels, kind, selected=mask())
    before = desk.pixels()
    told = desk.apply("remove", "a red ball")
    assert told["outcome"] == "done", told["message"]
    after = desk.pixels()
    outside = grown(mask(), FEATHER) == 0
    assert np.array_equal(after[outside], before[outside])
    assert not np.array_equal(after, before)


def test_restyle_needs_no_selection_and_the_layer_is_opened_again(desk: Desk):
    desk.show(photo())
    told = desk.apply("restyle", "an oil painting")
    assert told["message"] == "New layer “an oil painting”."
    first = desk.pixels()
    desk.until("panel_has_recipe")
    desk.call("write", "replace", "something else", "")
    desk.call("action", "reopen")
    told = desk.told()
    assert (told["first"], told["second"], told["updating"]) == (SHOWS, "an oil painting", "an oil painting")
    desk.call("set_panel", {"structure": 0.1})
    desk.call("press", "work.apply")
    assert desk.end()["message"] == "Layer “an oil painting” updated."
    assert desk.layers() == ["photo", "an oil painting"]
    assert not np.array_equal(desk.pixels(), first)


def test_what_was_made_is_renewed_and_each_undo_takes_one_back(desk: Desk):
    """And a new selection means a new layer."""
    desk.show(photo(), selected=mask())
    desk.apply("replace", DOG)
    desk.until("panel_holds", "red ball → blue cube")
    seen = [desk.pixels()]
    for structure in (0.1, 0.9):
        desk.call("set_panel", {"structure": structure})
        desk.call("press", "work.apply")
        assert desk.end()["message"].startswith("Layer “red ball → blue cube” updated.")
        assert desk.layers() == ["photo", "red ball → blue cube"]
        seen.append(desk.pixels())
        assert not np.array_equal(seen[-1], seen[-2])
        desk.until("panel_holds", "red ball → blue cube")
    for before in (1, 0):
        desk.call("undo")
        assert np.array_equal(desk.pixels(), seen[before])
        desk.until("panel_tells", "")
    desk.call("undo")
    assert desk.layers() == ["photo"]
    desk.until("panel_holds", "")
    desk.call("redo")
    desk.until("panel_holds", "red ball → blue cube")
    desk.call("redo")
    assert np.array_equal(desk.pixels(), seen[1])
    desk.select(np.full((40, 40), 255, np.uint8))
    desk.until("panel_holds", "")


def test_a_small_preview_follows_a_slider_and_is_in_nobodys_way(desk: Desk, display: Display):
    """By keyboard; the strip under the slider, by mouse; then Apply right behind a change. Each update
    is one step to undo."""
    desk.call("wait_for_drafts")
    desk.show(photo(), selected=mask())
    desk.apply("replace", DOG)
    desk.until("panel_holds", "red ball → blue cube")
    before, results = desk.pixels(), desk.told()["results"]
    display.click(*desk.call("control_place", "structure"))
    desk.until("has_keyboard", "structure")
    display.key("Home")
    desk.until("setting_is", "structure", 0)
    desk.until("panel_drafted", patience=LONG)
    told = desk.told()
    assert (told["progress"], told["results"]) == ("", results)
    assert desk.layers() == ["photo", "red ball → blue cube"]
    assert np.array_equal(desk.pixels(), before)
    desk.until("strip_drawn", patience=LONG)
    free = desk.call("draft_shown")
    with desk.backend.occupied():  # no draft could be made now
        display.click(*desk.call("strip_place", 4))
        desk.until("shows_another_draft", free)
        assert desk.call("setting_is", "structure", 1)
        assert desk.backend.drafts() == []
    desk.call("set_panel", {"strength": 1.0})
    x, y, _ = desk.call("place_of", "work.apply")
    display.click(x, y)
    assert desk.end()["message"].startswith("Layer “red ball → blue cube” updated.")
    desk.until("panel_shows_no_draft")
    assert desk.layers() == ["photo", "red ball → blue cube"]
    assert not np.array_equal(desk.pixels(), before)
    desk.call("undo")
    assert np.array_equal(desk.pixels(), before)
    desk.eventually(lambda: not desk.backend.drafts(), "drafts to be forgotten")


def test_a_word_becomes_the_selection(desk: Desk):
    desk.show(photo())
    desk.call("write", "replace", SHOWS, "")
    desk.call("select_word", "ball")
    told = desk.end()
    assert told["message"].startswith("“ball” is selected:")
    desk.until("panel_sees_document", True)
    assert desk.told()["message"] == told["message"]
    chosen = desk.selection() > 127
    ball = mask() > 127
    assert (chosen & ball).sum() > (chosen & ~ball).sum()


def test_the_outline_of_a_selected_word_marches(desk: Desk, display: Display):
    """Krita draws none for pixels that a plug-in puts into a selection."""
    desk.show(photo())
    desk.call("dock", 1200, 800)
    display.move(600, 790)  # no brush over the picture
    desk.call("write", "replace", SHOWS, "")
    desk.call("select_word", "ball")
    assert desk.end()["outcome"] == "done"
    seen = desk.canvas(display)
    desk.eventually(lambda: not np.array_equal(desk.canvas(display), seen), "the outline to march")


def test_after_apply_the_canvas_has_the_keyboard(desk: Desk, display: Display):
    desk.show(photo(), selected=mask())
    desk.call("dock", 1200, 800)
    window = display.largest("--class", "krita")
    assert window
    display.focus(window)
    desk.call("write", "replace", SHOWS, DOG)
    x, y, _ = desk.call("place_of", "words.second")
    display.click(x, y)
    desk.until("keyboard_is_in", "words.second")
    display.key("Return")
    desk.until("keyboard_is_on_canvas")
    assert desk.end()["outcome"] == "done"
    display.key("5")
    desk.call("at_rest")
    display.key("ctrl+z")
    desk.until("layers_are", ["photo"])
    told = desk.told()
    assert (told["first"], told["second"], told["variations"]) == (SHOWS, DOG, 1)
    desk.call("write", "replace", SHOWS, DOG)
    x, y, _ = desk.call("place_of", "work.apply")
    display.click(x, y)
    desk.until("keyboard_is_on_canvas")
    assert desk.end()["outcome"] == "done"
    x, y, _ = desk.call("place_of", "words.first")
    display.click(x, y)
    desk.until("keyboard_is_in", "words.first")
    x, y, _ = desk.call("place_of", "work.new")
    display.click(x, y)
    desk.until("keyboard_is_on_canvas")
    assert desk.end()["outcome"] == "done"
    assert len(desk.layers()) == 3
    x, y, _ = desk.call("place_of", "words.first")
    display.click(x, y)
    desk.until("keyboard_is_in", "words.first")
    display.key("Escape")
    desk.until("keyboard_is_on_canvas")


@pytest.mark.parametrize("width", [200, 260])
def test_nothing_is_cut_off_where_the_panel_is_narrow(desk: Desk, width: int):
    desk.show(photo(), selected=mask())
    desk.call("show_docker", width, 720)
    for operation in ("replace", "insert", "restyle", "remove", "reweight"):
        desk.call("write", operation, SHOWS, DOG)
        desk.call("unfold", operation == "replace")
        desk.until("panel_drawn", width)
        assert desk.call("cut_off") == [], operation


def test_a_name_of_which_nothing_can_be_read_counts_as_cut_off(desk: Desk):
    """Names may end in dots: what is drawn of one always fits."""
    desk.show(photo(), selected=mask())
    desk.call("show_docker", 260, 720)
    desk.until("panel_drawn", 260)
    assert desk.call("cut_off") == []
    desk.call("squeeze", "presets", 14)
    desk.until("cuts_off", ["Presets"])
    desk.call("squeeze", "presets", 16777215)  # Qt's own most
    desk.until("cuts_off", [])


def test_cancel_in_the_middle(desk: Desk):
    desk.show(photo(), selected=mask())
    desk.call("set_panel", {"steps": 400})
    desk.call("write", "replace", SHOWS, DOG)
    desk.call("press", "work.apply")
    desk.until("panel_running", patience=LONG)
    desk.call("press", "work.cancel")
    assert desk.end()["message"] == "Cancelled."
    assert desk.layers() == ["photo"]


def test_the_backend_is_killed_in_the_middle_and_the_job_goes_on(desk: Desk):
    desk.show(photo(), selected=mask())
    desk.call("set_panel", {"steps": 60})
    desk.call("write", "replace", SHOWS, DOG)
    desk.call("press", "work.apply")
    desk.until("panel_running", patience=LONG)
    desk.backend.kill()
    desk.until("panel_stopped")
    assert desk.told()["text"] == "The backend stopped. Your job is kept and goes on when it is back."
    desk.backend.start()
    told = desk.end()
    assert told["outcome"] == "done", told["message"]
    assert len(desk.layers()) == 2


def test_without_a_backend_the_panel_says_so_and_finds_it_again(desk: Desk):
    desk.show(photo())
    desk.backend.stop()
    desk.until("panel_stopped")
    assert "Connect to another computer…" in desk.told()["offers"]
    desk.backend.start()
    desk.until("panel_ready")


def test_a_document_closed_in_the_middle_loses_no_result(desk: Desk):
    desk.show(photo(), selected=mask())
    desk.call("write", "replace", SHOWS, DOG)
    desk.call("set_panel", {"seed": 77, "steps": 60})
    desk.call("press", "work.apply")
    desk.until("panel_running", patience=LONG)
    desk.call("close_document")
    told = desk.end()
    assert told["outcome"] == "error"
    assert "Results" in told["message"] or "results" in told["message"]
    desk.show(photo())
    assert desk.told()["results"] == [], "it was made from another picture"
    desk.keep(0)
    assert desk.end()["message"] == "New layer “red ball → blue cube”."
    assert desk.layers() == ["photo", "red ball → blue cube"]


def test_a_selection_beyond_the_canvas_and_the_smallest_canvas(desk: Desk):
    desk.show(photo())
    desk.select(np.full((200, 200), 255, np.uint8), -60, -60)
    desk.until("panel_sees_document", True)
    assert desk.told()["selection"] == [0, 0, 128, 128]
    desk.call("close_documents")
    desk.show(np.full((1, 1, 4), 255, np.uint8))
    told = desk.apply("restyle", "an oil painting")
    assert told["message"].startswith("The picture has 1 x 1 pixels.")


def test_a_learned_word_takes_the_place_of_another(desk: Desk):
    """Learned in a moment: what is asked here is not how well."""
    client = desk.backend.client
    images = [client.upload((DEMO / f"toy-{number}.png").read_bytes()) for number in (1, 2, 3)]
    lesson = {"name": "quick-toy", "images": images, "noun": "star", "steps": 2, "replace": True}
    client.submit(f"learn-{desk.kind}-{id(desk)}".replace(" ", "-"), "learn", lesson)
    desk.show(photo(), selected=mask())
    desk.until("panel_knows", "quick-toy", patience=LONG)
    told = desk.apply("replace", "a photo of a <quick-toy> on grass")
    assert told["message"].startswith("New layer “red ball → quick-toy”.")
    assert desk.layers() == ["photo", "red ball → quick-toy"]


def test_a_wrong_token_is_told_and_mended(desk: Desk):
    desk.show(photo())
    address = desk.backend.client.transport.address
    desk.call("connect_panel", address, "wrong")
    try:
        desk.until("panel_says", f"The backend at {address} refused the token.")
        assert "Choose the token…" in desk.told()["offers"]
    finally:
        desk.call("connect_panel", "", "")  # it is remembered, also by the next Krita
    desk.until("panel_ready")


def test_krita_quits_in_the_middle_and_the_job_is_found_again(kritas: Kritas, backend: Backend):
    desk = Desk(kritas.get(), backend)
    desk.show(photo(), selected=mask())
    desk.call("set_panel", {"steps": 300, "seed": 5})
    desk.call("write", "replace", SHOWS, DOG)
    desk.call("press", "work.apply")
    desk.until("panel_running", patience=LONG)
    kritas.close()
    desk = Desk(kritas.get(), backend)
    told = desk.end()
    assert told["message"] == "An earlier edit is done: its result is under Results."
    desk.show(photo())
    desk.keep(0)
    assert desk.end()["message"] == "New layer “red ball → blue cube”."
    desk.call("close_documents")
