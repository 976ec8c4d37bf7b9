"""The product in the real Krita: docker, real backend, built-in model, and the pixels that come of it."""

from __future__ import annotations

import numpy as np
import pytest

from editors.backend import Backend
from editors.display import Display
from editors.krita_panel import DEMO, DOG, FEATHER, LONG, SHOWS, KritaPanel, mask, photo
from editors.krita_pictures import FLOAT, GREY_8, RGB_16, Kind
from editors.running import Kritas
from palimpsest.core.picture.selection import grown
from palimpsest_client.text.wording import say


def test_a_real_click_on_apply_brings_one_layer_and_changes_nothing_outside(
    panel: KritaPanel, display: Display
):
    panel.show(photo(), selected=mask())
    before = panel.pixels()
    panel.call("write", "replace", SHOWS, DOG)
    x, y, usable = panel.call("place_of", "work.apply")
    assert usable
    display.click(x, y)
    told = panel.end()
    changed = "0 pixels changed outside the selection, grown by 4 px."
    assert told["message"] == f"New layer “red ball → blue cube”. {changed}"
    assert told["fidelity"].startswith("This photo is remembered")
    assert panel.layers() == ["photo", "red ball → blue cube"]
    after = panel.pixels()
    outside = grown(mask(), FEATHER) == 0
    assert np.array_equal(after[outside], before[outside])
    assert np.abs(after[~outside].astype(int) - before[~outside]).mean() > 1
    file = panel.file(name=".png")
    panel.call("export", str(file))
    assert np.array_equal(panel.read(file)[outside], before[outside])
    panel.call("undo")
    assert panel.layers() == ["photo"]
    assert np.array_equal(panel.pixels(), before)
    panel.call("redo")
    assert np.array_equal(panel.pixels(), after)


def test_what_is_left_of_windows_is_freed_on_kritas_own_thread(panel: KritaPanel):
    """Else a cursor of a sentence is freed while Krita reads the sentence."""
    assert panel.call("frees_on_own_thread")


@pytest.mark.parametrize("kind", [RGB_16, FLOAT, GREY_8], ids=str)
def test_other_kinds_of_documents_keep_what_is_outside(panel: KritaPanel, kind: Kind):
    pixels = photo()
    if kind.model == "GRAYA":
        pixels = np.ascontiguousarray(pixels[..., 1::2])
    if kind.dtype is np.uint16:
        pixels = pixels.astype(np.uint16) * 257
    if kind.dtype is np.float32:
        pixels = (pixels / 255).astype(np.float32)
    panel.show(pixels, kind, selected=mask())
    before = panel.pixels()
    told = panel.apply("remove", "a red ball")
    assert told["outcome"] == "done", told["message"]
    after = panel.pixels()
    outside = grown(mask(), FEATHER) == 0
    assert np.array_equal(after[outside], before[outside])
    assert not np.array_equal(after, before)


def test_what_a_result_has_to_say_stands_behind_it(panel: KritaPanel):
    panel.show(photo(), selected=mask())
    told = panel.apply("replace", f"{DOG} and a mirror", f"{SHOWS} and a mirror")
    assert told["outcome"] == "done", told["message"]
    said = say("mirror-image-unknown"), say("select-image-or-draw")
    assert told["message"].endswith(f" {say('two-sentences', one=said[0], two=said[1])}")


def test_restyle_needs_no_selection_and_the_layer_is_opened_again(panel: KritaPanel):
    panel.show(photo())
    told = panel.apply("restyle", "an oil painting")
    assert told["message"] == "New layer “an oil painting”."
    first = panel.pixels()
    panel.until("panel_has_recipe")
    panel.call("write", "replace", "something else", "")
    panel.call("action", "reopen")
    told = panel.told()
    assert (told["first"], told["second"], told["updating"]) == (SHOWS, "an oil painting", "an oil painting")
    panel.call("set_panel", {"structure": 0.1})
    panel.call("press", "work.apply")
    assert panel.end()["message"] == "Layer “an oil painting” updated."
    assert panel.layers() == ["photo", "an oil painting"]
    assert not np.array_equal(panel.pixels(), first)


def test_what_was_made_is_renewed_and_each_undo_takes_one_back(panel: KritaPanel):
    """And a new selection means a new layer."""
    panel.show(photo(), selected=mask())
    panel.apply("replace", DOG)
    panel.until("panel_holds", "red ball → blue cube")
    seen = [panel.pixels()]
    for structure in (0.1, 0.9):
        panel.call("set_panel", {"structure": structure})
        panel.call("press", "work.apply")
        assert panel.end()["message"].startswith("Layer “red ball → blue cube” updated.")
        assert panel.layers() == ["photo", "red ball → blue cube"]
        seen.append(panel.pixels())
        assert not np.array_equal(seen[-1], seen[-2])
        panel.until("panel_holds", "red ball → blue cube")
    for before in (1, 0):
        panel.call("undo")
        assert np.array_equal(panel.pixels(), seen[before])
        panel.until("panel_tells", "")
    panel.call("undo")
    assert panel.layers() == ["photo"]
    panel.until("panel_holds", "")
    panel.call("redo")
    panel.until("panel_holds", "red ball → blue cube")
    panel.call("redo")
    assert np.array_equal(panel.pixels(), seen[1])
    panel.select(np.full((40, 40), 255, np.uint8))
    panel.until("panel_holds", "")


def test_a_small_preview_follows_a_slider_and_is_in_nobodys_way(panel: KritaPanel, display: Display):
    """By keyboard; the strip under the slider, by mouse; then Apply right behind a change. Each update
    is one step to undo."""
    panel.call("wait_for_drafts")
    panel.show(photo(), selected=mask())
    panel.apply("replace", DOG)
    panel.until("panel_holds", "red ball → blue cube")
    before, results = panel.pixels(), panel.told()["results"]
    display.click(*panel.call("control_place", "structure"))
    panel.until("has_keyboard", "structure")
    display.key("Home")
    panel.until("setting_is", "structure", 0)
    panel.until("panel_drafted", patience=LONG)
    told = panel.told()
    assert (told["progress"], told["results"]) == ("", results)
    assert panel.layers() == ["photo", "red ball → blue cube"]
    assert np.array_equal(panel.pixels(), before)
    panel.until("strip_drawn", patience=LONG)
    free = panel.call("draft_shown")
    with panel.backend.occupied():  # no draft could be made now
        display.click(*panel.call("strip_place", 4))
        panel.until("shows_another_draft", free)
        assert panel.call("setting_is", "structure", 1)
        assert panel.backend.drafts() == []
    panel.call("set_panel", {"strength": 1.0})
    x, y, _ = panel.call("place_of", "work.apply")
    display.click(x, y)
    assert panel.end()["message"].startswith("Layer “red ball → blue cube” updated.")
    panel.until("panel_shows_no_draft")
    assert panel.layers() == ["photo", "red ball → blue cube"]
    assert not np.array_equal(panel.pixels(), before)
    panel.call("undo")
    assert np.array_equal(panel.pixels(), before)
    panel.eventually(lambda: not panel.backend.drafts(), "drafts to be forgotten")


def test_a_word_becomes_the_selection(panel: KritaPanel):
    panel.show(photo())
    panel.call("write", "replace", SHOWS, "")
    panel.call("select_word", "ball")
    told = panel.end()
    assert told["message"].startswith("“ball” is selected:")
    panel.until("panel_sees_document", True)
    assert panel.told()["message"] == told["message"]
    chosen = panel.selection() > 127
    ball = mask() > 127
    assert (chosen & ball).sum() > (chosen & ~ball).sum()


def test_the_outline_of_a_selected_word_marches(panel: KritaPanel, display: Display):
    """Krita draws none for pixels that a plug-in puts into a selection."""
    panel.show(photo())
    panel.call("dock", 1200, 800)
    display.move(600, 790)  # no brush over the picture
    panel.call("write", "replace", SHOWS, "")
    panel.call("select_word", "ball")
    assert panel.end()["outcome"] == "done"
    seen = panel.canvas(display)
    panel.eventually(lambda: not np.array_equal(panel.canvas(display), seen), "the outline to march")


def test_after_apply_the_canvas_has_the_keyboard(panel: KritaPanel, display: Display):
    panel.show(photo(), selected=mask())
    panel.call("dock", 1200, 800)
    window = display.largest("--class", "krita")
    assert window
    display.focus(window)
    panel.call("write", "replace", SHOWS, DOG)
    x, y, _ = panel.call("place_of", "words.second")
    display.click(x, y)
    panel.until("keyboard_is_in", "words.second")
    display.key("Return")
    panel.until("keyboard_is_on_canvas")
    assert panel.end()["outcome"] == "done"
    display.key("5")
    panel.call("at_rest")
    display.key("ctrl+z")
    panel.until("layers_are", ["photo"])
    told = panel.told()
    assert (told["first"], told["second"], told["variations"]) == (SHOWS, DOG, 1)
    panel.call("write", "replace", SHOWS, DOG)
    x, y, _ = panel.call("place_of", "work.apply")
    display.click(x, y)
    panel.until("keyboard_is_on_canvas")
    assert panel.end()["outcome"] == "done"
    x, y, _ = panel.call("place_of", "words.first")
    display.click(x, y)
    panel.until("keyboard_is_in", "words.first")
    x, y, _ = panel.call("place_of", "work.new")
    display.click(x, y)
    panel.until("keyboard_is_on_canvas")
    assert panel.end()["outcome"] == "done"
    assert len(panel.layers()) == 3
    x, y, _ = panel.call("place_of", "words.first")
    display.click(x, y)
    panel.until("keyboard_is_in", "words.first")
    display.key("Escape")
    panel.until("keyboard_is_on_canvas")


@pytest.mark.parametrize("width", [200, 260])
def test_nothing_is_cut_off_where_the_panel_is_narrow(panel: KritaPanel, width: int):
    panel.show(photo(), selected=mask())
    panel.call("show_docker", width, 720)
    for operation in ("replace", "insert", "restyle", "remove", "reweight"):
        panel.call("write", operation, SHOWS, DOG)
        panel.call("unfold", operation == "replace")
        panel.until("panel_drawn", width)
        assert panel.call("cut_off") == [], operation


def test_a_name_of_which_nothing_can_be_read_counts_as_cut_off(panel: KritaPanel):
    """Names may end in dots: what is drawn of one always fits."""
    panel.show(photo(), selected=mask())
    panel.call("show_docker", 260, 720)
    panel.until("panel_drawn", 260)
    assert panel.call("cut_off") == []
    panel.call("squeeze", "presets", 14)
    panel.until("cuts_off", ["Presets"])
    panel.call("squeeze", "presets", 16777215)  # Qt's own most
    panel.until("cuts_off", [])


def test_cancel_in_the_middle(panel: KritaPanel):
    panel.show(photo(), selected=mask())
    panel.call("set_panel", {"steps": 400})
    panel.call("write", "replace", SHOWS, DOG)
    panel.call("press", "work.apply")
    panel.until("panel_running", patience=LONG)
    panel.call("press", "work.cancel")
    assert panel.end()["message"] == "Cancelled."
    assert panel.layers() == ["photo"]


def test_the_backend_is_killed_in_the_middle_and_the_job_goes_on(panel: KritaPanel):
    panel.show(photo(), selected=mask())
    panel.call("set_panel", {"steps": 60})
    panel.call("write", "replace", SHOWS, DOG)
    panel.call("press", "work.apply")
    panel.until("panel_running", patience=LONG)
    panel.backend.kill()
    panel.until("panel_stopped")
    assert panel.told()["text"] == "The backend stopped. Your job is kept and goes on when it is back."
    panel.backend.start()
    told = panel.end()
    assert told["outcome"] == "done", told["message"]
    assert len(panel.layers()) == 2


def test_without_a_backend_the_panel_says_so_and_finds_it_again(panel: KritaPanel):
    panel.show(photo())
    panel.backend.stop()
    panel.until("panel_stopped")
    assert "Connect to another computer…" in panel.told()["offers"]
    panel.backend.start()
    panel.until("panel_ready")


def test_a_document_closed_in_the_middle_loses_no_result(panel: KritaPanel):
    panel.show(photo(), selected=mask())
    panel.call("write", "replace", SHOWS, DOG)
    panel.call("set_panel", {"seed": 77, "steps": 60})
    panel.call("press", "work.apply")
    panel.until("panel_running", patience=LONG)
    panel.call("close_document")
    told = panel.end()
    assert told["outcome"] == "error"
    assert "Results" in told["message"] or "results" in told["message"]
    panel.show(photo())
    assert panel.told()["results"] == [], "it was made from another picture"
    panel.keep(0)
    assert panel.end()["message"] == "New layer “red ball → blue cube”."
    assert panel.layers() == ["photo", "red ball → blue cube"]


def test_a_selection_beyond_the_canvas_and_the_smallest_canvas(panel: KritaPanel):
    panel.show(photo())
    panel.select(np.full((200, 200), 255, np.uint8), -60, -60)
    panel.until("panel_sees_document", True)
    assert panel.told()["selection"] == [0, 0, 128, 128]
    panel.call("close_documents")
    panel.show(np.full((1, 1, 4), 255, np.uint8))
    told = panel.apply("restyle", "an oil painting")
    assert told["message"].startswith("The picture has 1 x 1 pixels.")


def test_a_learned_word_takes_the_place_of_another(panel: KritaPanel):
    """Learned in a moment: what is asked here is not how well."""
    client = panel.backend.client
    images = [client.upload((DEMO / f"toy-{number}.png").read_bytes()) for number in (1, 2, 3)]
    lesson = {"name": "quick-toy", "images": images, "noun": "star", "steps": 2, "replace": True}
    client.submit(f"learn-{panel.kind}-{id(panel)}".replace(" ", "-"), "learn", lesson)
    panel.show(photo(), selected=mask())
    panel.until("panel_knows", "quick-toy", patience=LONG)
    told = panel.apply("replace", "a photo of a <quick-toy> on grass")
    assert told["message"].startswith("New layer “red ball → quick-toy”.")
    assert panel.layers() == ["photo", "red ball → quick-toy"]


def test_a_wrong_token_is_told_and_mended(panel: KritaPanel):
    panel.show(photo())
    address = panel.backend.client.transport.address
    panel.call("connect_panel", address, "wrong")
    try:
        panel.until("panel_says", f"The backend at {address} refused the token.")
        assert "Choose the token…" in panel.told()["offers"]
    finally:
        panel.call("connect_panel", "", "")  # it is remembered, also by the next Krita
    panel.until("panel_ready")


def test_krita_quits_in_the_middle_and_the_job_is_found_again(kritas: Kritas, backend: Backend):
    panel = KritaPanel(kritas.get(), backend)
    panel.show(photo(), selected=mask())
    panel.call("set_panel", {"steps": 300, "seed": 5})
    panel.call("write", "replace", SHOWS, DOG)
    panel.call("press", "work.apply")
    panel.until("panel_running", patience=LONG)
    with backend.halted():  # Krita may take longer to start than the job to end
        kritas.close()
        panel = KritaPanel(kritas.get(), backend)
        panel.until("panel_busy")
    told = panel.end()
    assert told["message"] == "An earlier edit is done: its result is under Results."
    panel.show(photo())
    panel.keep(0)
    assert panel.end()["message"] == "New layer “red ball → blue cube”."
    panel.call("close_documents")
