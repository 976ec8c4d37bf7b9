"""Palimpsest in the whole GIMP, by keyboard and mouse: its window, its dialogs, undo, cancel, failures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from editors.gimp import KEYS
from editors.gimp_panel import CANCEL, SHOULD_SHOW, SHOWS, SIDE, Desk, embedding, pressable, until
from editors.pictures import disc
from palimpsest_client.fields.settings import CONTROLS
from palimpsest_client.text.wording import say

NARROW = (900, 0, 260, 720)  # left, top, width, height
LONG_NAME = "grandmothers-very-old-porcelain-vase"
LONG = 300.0  # seconds for a job on a slow machine


def middle(widget: dict[str, Any]) -> float:
    """Its height on the screen."""
    _, top, _, height = widget["box"]
    return top + height / 2


def test_the_window_edits_and_one_undo_takes_it_back(desk: Desk):
    image = desk.open()
    window = desk.window()
    desk.write(window, image, SHOWS, SHOULD_SHOW)
    desk.enter()
    desk.until_layers(image, 2)
    layer = desk.images.layers(image)[0]
    assert (layer["name"], layer["mask"]) == ("red ball → blue cube", True)
    assert desk.display.stays_above(window) == desk.main, "a window manager is asked for it"
    desk.display.key("ctrl+z")  # the picture has the keyboard
    desk.until_layers(image, 1)
    desk.press("ctrl+y")
    desk.until_layers(image, 2)
    told = desk.gimp.log.read_text()
    assert "Can't undo" not in told  # which GIMP would tell people at every step back
    assert "undo_group" not in told
    assert desk.windows("^Palimpsest$") == [window]


def test_a_small_preview_follows_a_slider_and_is_in_nobodys_way(desk: Desk):
    """By keyboard; the strip under the slider, by mouse; then Apply right behind a change. Each update
    is one step to undo."""
    image, window = desk.open(), desk.window()
    desk.apply(window, image, SHOULD_SHOW)
    until(lambda: desk.find("Update", "Button"), "the layer is in hand", LONG)
    desk.click_on("Keep structure", "Scale")
    desk.display.key("Home")
    until(lambda: desk.find("As it would be", "Image"), "the preview", LONG)
    assert not desk.find(CONTROLS["structure"].tip, "Label"), "its tip would lie over the strip"
    assert desk.layers(image) == 2
    until(lambda: not desk.find("1.00", "Label"), "the strip is drawn", LONG)
    free = preview_of(desk)
    with desk.backend.occupied():  # no draft could be made now
        desk.click_on("Keep structure 1.00: a click sets it")
        until(lambda: preview_of(desk)["picture"] != free["picture"], "the strip's picture")
        assert preview_of(desk)["name"] == "As it would be"
        assert (desk.find("Keep structure", "Scale") or {}).get("value") == 20
        assert desk.backend.drafts() == []
    desk.click_on("Strength", "Scale")
    desk.display.key("End")
    edit, made = desk.latest_job(), recipe_of(desk, image)
    desk.display.key("ctrl+Return")
    update = until(lambda: desk.latest_job() != edit and desk.latest_job(), "the update is sent")
    desk.until_state(update, "finished")
    until(lambda: not desk.find("As it would be", "Image"), "the canvas has it", LONG)
    until(lambda: "updated" in "".join(widget["text"] for widget in desk.seen()), "it is said to be updated")
    assert desk.layers(image) == 2
    assert recipe_of(desk, image) != made
    desk.press("ctrl+z")
    until(lambda: recipe_of(desk, image) == made, "the version before is back")
    assert desk.layers(image) == 2
    desk.press("ctrl+z")
    desk.until_layers(image, 1)
    until(lambda: not desk.backend.drafts(), "the drafts are forgotten")


def preview_of(desk: Desk) -> dict[str, Any]:
    """The small preview, whatever it is called."""
    names = ("As it would be", "As it would be: a moment…")
    return next(w for w in desk.seen() if w["type"] == "Image" and w["name"] in names)


def recipe_of(desk: Desk, image: int) -> str:
    """Of the topmost layer."""
    return desk.images.layers(image)[0]["recipe"]


def test_what_is_left_of_windows_is_freed_on_the_windows_own_thread(desk: Desk):
    desk.open()
    desk.window()
    assert not desk.collects


def test_a_word_that_becomes_the_selection_is_one_step_back_and_forth(desk: Desk):
    image = desk.open()
    desk.gimp.call("select_ellipse", image, 10, 12, 40, 30)
    selected = lambda: desk.images.selected(image, SIDE, SIDE)  # noqa: E731
    before, mask = selected(), disc(SIDE, SIDE, soft=9)
    desk.images.select(image, mask)
    assert np.array_equal(selected(), mask)
    for key, expected in (("ctrl+z", before), ("ctrl+y", mask)):
        desk.press(key)
        until(lambda expected=expected: np.array_equal(selected(), expected), key)


def test_a_window_opened_as_soon_as_another_is_closed_hears_menu_items(desk: Desk):
    """The old one's program ends some time after its window is gone."""
    image, window = desk.open(), desk.window()
    before = desk.display.programs("--name", "^Palimpsest$")
    desk.close(window)
    desk.press(KEYS["plug-in-palimpsest"])
    until(lambda: desk.windows("^Palimpsest$"), "another window")
    until(lambda: not Path(f"/proc/{before[0]}").exists(), "the old one's program has ended")
    desk.tell(f"replace {image}")
    assert len(desk.windows("^Palimpsest$")) == 1


def test_the_window_goes_on_while_a_menu_item_asks_for_a_word(desk: Desk):
    image, _ = desk.open(), desk.window()
    desk.tell(f"word-to-selection {image}")
    asked = until(lambda: desk.windows(f"^{say('select-action')}$"), "the word is asked for")[-1]
    until(lambda: desk.find("OK", "Label") and desk.find("Cancel", "Label"), "its buttons say so")
    desk.open()
    until(lambda: desk.find(f"[Untitled]-{image}", "Choice"), "it tells that another picture is open")
    desk.display.focus(asked)
    desk.display.key("Escape")
    until(lambda: not desk.windows(f"^{say('select-action')}$"), "no word is given")


def test_an_older_window_that_ends_does_not_take_the_name_of_a_newer_one(desk: Desk):
    """GIMP keeps every procedure of one name; the newest is called."""
    image, window = desk.open(), desk.window()
    program = Path(f"/proc/{desk.display.programs('--name', '^Palimpsest$')[0]}")
    desk.gimp.call("listen")
    try:
        desk.close(window)
        until(lambda: not program.exists(), "its program has ended")
        desk.press(KEYS["plug-in-palimpsest-replace"])
        assert desk.gimp.until("heard") == [f"replace {image}"]
    finally:
        desk.gimp.call("stop_listening")


def test_a_picture_without_a_file_keeps_its_words_when_the_window_is_closed(desk: Desk):
    image, window = desk.open(), desk.window()
    desk.gimp.call("set_clean", image)
    desk.write(window, image, SHOWS, SHOULD_SHOW)
    desk.close(window)
    desk.window()
    until(lambda: {SHOWS, SHOULD_SHOW} <= {widget["text"] for widget in desk.seen()}, "the words are there")
    assert desk.gimp.call("is_clean", image), "there is nothing to be saved"


def test_menu_items_are_obeyed_while_the_window_asks_gimp(desk: Desk):
    image = desk.open()
    desk.window()
    before = len(desk.gimp.log.read_bytes())
    for item in ("replace", "insert", "remove") * 20:
        assert desk.gimp.call("tell_window", f"{item} {image}")
    said = desk.gimp.log.read_bytes()[before:].decode("utf-8", "replace")
    assert "Traceback" not in said, said


def test_menu_items_are_obeyed_while_the_window_reads_the_picture(desk: Desk):
    """GIMP takes the answer to a call for pixels, and ends the window's program."""
    image, window = desk.open(2048), desk.window()
    before = desk.latest_job()
    desk.apply(window, image, SHOULD_SHOW)
    for _ in range(40):
        assert desk.gimp.call("tell_window", f"replace {image}")
    until(lambda: desk.latest_job() != before, "the picture was read and sent")
    desk.tell(f"replace {image}")
    assert len(desk.windows("^Palimpsest$")) == 1


def focused(desk: Desk) -> list[str]:
    return [widget["name"] for widget in desk.seen() if widget["focus"]]


def test_after_apply_keys_go_to_the_picture(desk: Desk):
    image, window = desk.open(), desk.window()
    desk.set_steps(window, 60)  # long enough to be seen running
    desk.write(window, image, SHOWS, SHOULD_SHOW)
    assert focused(desk) == ["It should show"]
    desk.enter()
    desk.until_running()
    assert focused(desk) == []
    desk.display.key("ctrl+a")
    until(lambda: desk.images.selected(image, SIDE, SIDE).all(), "all of the picture is selected")
    desk.until_layers(image, 2)
    texts = [
        widget["text"] for widget in desk.seen() if widget["name"] in ("The picture shows", "It should show")
    ]
    assert [text for text in texts if text.startswith("a photo")] == [SHOWS, SHOULD_SHOW]
    assert (desk.find("Variations", "Number") or {}).get("value") == 1


def test_the_keys_that_choose_an_operation_lead_to_what_it_needs(desk: Desk):
    image, window = desk.open(), desk.window()
    example = until(lambda: desk.find("a photo of a cat next to a mirror", "Label"), "an example is shown")
    field = until(lambda: desk.find("The picture shows", "Lines"), "the field is shown")
    assert abs(middle(example) - middle(field)) <= 1, "an example stands where a sentence would"
    desk.write(window, image, SHOWS, SHOULD_SHOW)
    for key, field in (("5", "red"), ("2", "Insert"), ("4", "What is selected"), ("1", "It should show")):
        desk.display.key("alt+" + key)
        until(lambda field=field: focused(desk) == [field], f"the keyboard is in {field}")


def test_why_a_model_did_not_come_is_told_where_it_was_asked_for(desk: Desk):
    """The backend of these tests has no network."""
    desk.open()
    desk.window()
    desk.click_on("Get a real model…")
    desk.click_on("Download Stable Diffusion 1.5")
    until(lambda: in_window(desk, "Models", "Downloads are switched off"), "the reason")
    desk.display.focus(desk.windows("^Models$")[-1])
    desk.display.key("Escape")
    until(lambda: not desk.windows("^Models$"), "the window is closed")


def in_window(desk: Desk, title: str, begins: str) -> dict[str, Any] | None:
    """The first widget of that window whose text begins so."""
    found = (w for w in desk.seen() if w["window"] == title and w["text"].startswith(begins))
    return next(found, None)


def test_a_concept_is_seen_whole_at_the_windows_own_width(desk: Desk):
    desk.backend.client.import_concept("my-toy", embedding(128), family="demo")
    desk.backend.client.import_concept("stranger", embedding(768), family="sd1")
    try:
        image, window = desk.open(), desk.window()
        desk.write(window, image, SHOWS, "a photo of a ")
        place = lambda: (desk.find("my-toy", "Button") or {"box": [0, 0, 0, 0]})["box"]  # noqa: E731
        until(lambda: place()[2] > 40, "the concept's whole button")
        assert not until(lambda: desk.find("stranger", "Button"), "the other")["sensitive"]
        desk.click_on("my-toy")
        until(lambda: desk.find("a photo of a <my-toy>"), "the sentence with the concept")
    finally:
        for name in ("my-toy", "stranger"):
            desk.backend.client.remove_concept(name)


def test_a_concept_with_a_long_name_leaves_room_for_others(desk: Desk):
    for name in ("ink", LONG_NAME):
        desk.backend.client.import_concept(name, embedding(128), family="demo")
    desk.open()
    desk.window()
    until(lambda: desk.find(LONG_NAME, "Button"), "the long one")
    assert desk.find("ink", "Button")


def test_nothing_is_cut_off_at_260_px(desk: Desk):
    """Neither while a sentence is long and words are marked, nor with a layer in hand, nor with weights,
    nor with everything unfolded."""
    image, window = desk.open(), desk.window()
    desk.display.place(window, *NARROW)
    until(lambda: example_fits(desk), "the example is where the sentence will be")
    desk.write(window, image, SHOWS, SHOULD_SHOW + " beside a (strange:1.2) xyzzy")
    until(lambda: desk.find("Unknown to this model", "Label"), "the words are marked")
    until(lambda: cut_off(desk) == [], "everything has its place")
    desk.apply(window, image, SHOULD_SHOW)
    desk.until_layers(image, 2)
    until(lambda: desk.find("New", "Button"), "the layer is in hand")
    until(lambda: cut_off(desk) == [], "everything has its place")
    desk.display.focus(window)
    desk.display.key("alt+5")
    until(lambda: desk.find("How much each word counts"), "the weights")
    until(lambda: cut_off(desk) == [], "everything has its place")
    desk.display.key("alt+1")
    desk.fold_out()
    until(lambda: desk.find("As recommended", "Button"), "what is under Advanced")
    until(lambda: cut_off(desk) == [], "everything has its place")
    desk.fold_out()


def example_fits(desk: Desk) -> bool:
    """In the middle of the empty field, from top to bottom."""
    example = desk.find("a photo of a dog next to a mirror", "Label")
    field = desk.find("It should show", "Lines")
    if example is None or field is None:
        return False
    (_, top, _, height), (_, above, _, room) = example["box"], field["box"]
    return top - above == (above + room) - (top + height) > 0


def cut_off(desk: Desk) -> list[str]:
    left, _, width, _ = NARROW
    seen = [(widget, widget["box"]) for widget in desk.seen()]
    return [f"{w['type']} {w['name']}" for w, box in seen if box[0] < left or box[0] + box[2] > left + width]


def test_tab_goes_as_it_is_read_and_everything_has_a_name(desk: Desk):
    image, window = desk.open(), desk.window()
    desk.write(window, image, SHOWS, SHOULD_SHOW)
    until(lambda: (desk.find("Apply", "Button") or {}).get("sensitive"), "Apply is possible")
    shown = desk.seen()
    focusable = [widget for widget in shown if widget["focusable"] and widget["type"] != "ScrolledWindow"]
    assert [widget["type"] for widget in focusable if not widget["name"] and not widget["text"]] == []
    words = next(widget["name"] for widget in shown if widget["text"].startswith("red  ·  ball"))
    expected = ["The picture shows", "Describe", *[words] * 3, "It should show", "Learn a concept…"]
    expected += ["Keep structure", "Strength", "Grow", "Soft edge", "Advanced"]
    desk.display.key("alt+Up")
    for name in expected:
        until(lambda name=name: focused(desk) == [name], f"the keyboard is in {name}")
        desk.display.key("Tab")


def test_of_all_concepts_one_is_searched_and_renamed(desk: Desk):
    client = desk.backend.client
    for name in ("my-toy", "lamp"):
        client.import_concept(name, embedding(128), family="demo")
    try:
        desk.open()
        desk.window()
        desk.click_on("All…")
        desk.display.focus(until(lambda: desk.windows("^Concepts$"), "the list of all")[-1])
        desk.display.type("lam")
        until(lambda: not listed(desk, "my-toy"), "the search")
        assert listed(desk, "lamp")
        desk.click_on("Rename…")
        ask = until(lambda: desk.find("New name of <lamp>:"), "the question")
        assert ask["window"] == "Concepts"
        desk.display.focus(desk.windows("^Concepts$")[-1])
        desk.display.key("ctrl+a")
        desk.display.type("lantern")
        desk.display.key("Return")
        until(lambda: [told["name"] for told in client.concepts()] == ["lantern", "my-toy"], "the new name")
        until(lambda: desk.find("lantern", "Button"), "the button of the new name")
    finally:
        for told in client.concepts():
            client.remove_concept(told["name"])


def listed(desk: Desk, name: str) -> bool:
    return any(
        widget["window"] == "Concepts" and widget["text"].startswith(name + " ") for widget in desk.seen()
    )


def test_what_was_made_is_renewed_and_each_undo_takes_one_back(desk: Desk):
    image = desk.open()
    window = desk.window()
    desk.apply(window, image, SHOULD_SHOW)
    desk.until_layers(image, 2)

    def tells(end: str) -> bool:
        return any(f"{end} 0 pixels" in widget["text"] for widget in desk.seen())

    made = [recipe_of(desk, image)]
    for color in ("green", "yellow"):
        desk.write(window, image, SHOWS, f"a photo of a {color} ball on grass")
        desk.click_on("Update")
        until(lambda: recipe_of(desk, image) != made[-1], "the layer is renewed")
        assert desk.layers(image) == 2
        made.append(recipe_of(desk, image))
    until(lambda: tells("updated."), "the window says so")
    for before in (1, 0):
        desk.press("ctrl+z")
        until(lambda before=before: recipe_of(desk, image) == made[before], "the version before is back")
        assert desk.layers(image) == 2
        until(lambda: not tells("updated."), "nothing is said that isn't so")
    desk.press("ctrl+z")
    desk.until_layers(image, 1)


def test_the_picture_gets_no_keys_where_another_may_be_in_front(desk: Desk):
    """An undo would be the other one's."""
    image = desk.open()
    desk.open()
    window = desk.window()
    desk.write(window, image, SHOWS, SHOULD_SHOW)
    desk.enter()
    desk.until_layers(image, 2)
    assert desk.display.keyboard() == window
    assert focused(desk) == []


def test_one_window_serves_two_pictures_in_turn(desk: Desk):
    first = desk.open()
    window = desk.window()
    desk.apply(window, first, SHOULD_SHOW)
    desk.until_layers(first, 2)
    second = desk.open()
    desk.apply(window, second, "a photo of a yellow ball on grass")
    desk.until_layers(second, 2)
    assert desk.layers(first) == 2
    assert desk.images.layers(second)[0]["name"] == "red → yellow"
    assert desk.windows("^Palimpsest$") == [window]


def test_a_copy_that_no_window_shows_is_not_turned_to_and_a_file_is(desk: Desk):
    """As GIMP makes one of every picture that it exports."""
    image = desk.open()
    desk.display.focus(desk.window())  # which no menu item turns to a picture
    for key, text in (("alt+1", ""), ("alt+Up", SHOWS), ("alt+Down", SHOULD_SHOW)):
        desk.display.key(key, *["ctrl+a"] * bool(text))
        desk.display.type(text)
    until(lambda: pressable(desk.find("Apply", "Button")), "Apply is possible")
    desk.display.key("Return")
    desk.until_layers(image, 2)
    until(lambda: desk.find("Update", "Button"), "the layer is in hand")
    path = desk.images.files / "opened.xcf"
    assert desk.gimp.call("save", image, str(path))
    hidden = desk.gimp.call("duplicate", image)
    desk.place_of(lambda: desk.find(f"[Untitled]-{image}", "Choice"), "both are told, and the same is meant")
    assert desk.find("Update", "Button"), "the layer is still in hand"
    desk.gimp.call("show", desk.gimp.call("load", str(path)))
    until(lambda: desk.find("opened.xcf", "Choice"), "the window turns to what is opened")
    desk.gimp.call("delete", hidden)


def test_escape_cancels_the_job_and_the_window_stays(desk: Desk):
    image = desk.open()
    window = desk.window()
    desk.set_steps(window, 200)
    desk.apply(window, image, "a photo of a green ball on grass")
    job = desk.until_running()
    desk.display.focus(window)
    desk.display.key("Escape")
    desk.until_state(job, "cancelled")
    assert desk.layers(image) == 1
    assert desk.windows("^Palimpsest$") == [window]


def test_a_picture_closed_in_the_middle_leaves_the_window_usable(desk: Desk):
    lost, window = desk.open(), desk.window()
    desk.apply(window, lost, "a photo of a white ball on grass")
    job = desk.until_running()
    desk.gimp.call("close_views", lost)
    desk.until_state(job, "finished")
    image = desk.open()
    desk.apply(window, image, SHOULD_SHOW)  # at first it is busy with the lost one
    desk.until_layers(image, 2)


def test_without_the_window_a_dialog_asks_and_the_last_values_are_kept(desk: Desk):
    image = desk.open()
    desk.ask_for_a_cube()
    desk.until_layers(image, 2)
    desk.press("ctrl+f")  # Repeat Filter
    desk.until_layers(image, 3)
    assert len({layer["recipe"] for layer in desk.images.layers(image)[:2]}) == 2  # two jobs
    desk.press("ctrl+z")
    desk.until_layers(image, 2)


def test_a_dialog_that_is_cancelled_changes_nothing(desk: Desk):
    image = desk.open()
    before = desk.backend.client.jobs()["jobs"]
    dialog = desk.choose("-remember-photo", "^Remember Photo$")
    desk.display.focus(dialog)
    desk.display.key("Escape")
    until(lambda: not desk.windows("^Remember Photo$"), "the dialog is closed")
    assert desk.layers(image) == 1
    assert desk.backend.client.jobs()["jobs"] == before


def test_a_dialog_in_which_something_is_missing_stays_and_the_cursor_is_there(desk: Desk):
    """Also for whoever types on without looking."""
    image = desk.open()
    before = desk.images.selected(image, SIDE, SIDE)
    dialog = desk.choose("-word-to-selection", "^Word to Selection$")
    desk.display.focus(dialog)
    desk.display.type(SHOWS)
    area = desk.display.area(dialog)
    desk.display.key("Return")  # refused: the word is missing
    desk.display.type("ball")
    until(lambda: desk.display.area(dialog) > area, "the dialog says why")
    desk.display.key("Return")
    until(lambda: not desk.windows("^Word to Selection$"), "the dialog is closed")
    until(lambda: (desk.images.selected(image, SIDE, SIDE) != before).any(), "another selection")


def test_a_menu_item_without_a_backend_opens_the_window_which_helps(desk: Desk):
    desk.open()
    desk.backend.stop()
    try:
        desk.choose("-replace", "^Palimpsest$")
        assert not desk.windows("^Replace$")
    finally:
        desk.backend.start()


@pytest.fixture
def busy(desk: Desk) -> Iterator[None]:
    with desk.backend.occupied():
        yield


def test_gimps_own_cancel_stops_the_backends_job(desk: Desk, busy: None):
    """It ends the plug-in without a word: the backend notices that nobody asks any more."""
    image = desk.open()
    desk.ask_for_a_cube()
    job = until(lambda: desk.jobs("queued"), "a job that waits")[0]
    until(desk.cancel_is_shown, "GIMP's own Cancel")
    desk.display.click(*CANCEL)
    desk.until_state(job, "cancelled")
    ended = desk.backend.client.events(job)["events"][-1]
    assert ended["reason"] == "Nobody was waiting for it."
    assert desk.layers(image) == 1


def test_a_window_without_a_backend_waits_for_it(desk: Desk):
    desk.backend.stop()
    try:
        image, window = desk.open(), desk.window()
        desk.write(window, image, SHOWS, SHOULD_SHOW)
        desk.display.key("Return")  # says why not, does nothing
    finally:
        desk.backend.start()
    desk.apply(window, image, SHOULD_SHOW)
    desk.until_layers(image, 2)


def test_the_remedy_for_an_indexed_picture_is_a_copy_in_rgb(desk: Desk):
    made = desk.open()
    desk.gimp.call("make_indexed", made)
    path = str(desk.images.files / "original.xcf")
    assert desk.gimp.call("save", made, path)
    image = desk.gimp.call("load", path)
    assert set(desk.gimp.call("file_names", image)) == {path}
    key = desk.gimp.call("remedy", image)
    assert desk.gimp.call("file_names", int(key)) == [], "saving the copy must not write over the original"
    facts = desk.gimp.call("facts", int(key))
    assert (facts["refusal"], facts["layer"]) == ("", "Photo")
    assert "indexed" in desk.gimp.call("facts", image)["refusal"]
