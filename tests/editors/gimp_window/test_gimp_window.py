"""Palimpsest in the whole GIMP, by keyboard and mouse: its window, its dialogs, undo, cancel, failures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from editors.gimp import KEYS
from editors.gimp_panel import CANCEL, SHOULD_SHOW, SHOWS, SIDE, GimpUser, embedding, pressable, until
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


def test_the_window_edits_and_one_undo_takes_it_back(user: GimpUser):
    image = user.open()
    window = user.window()
    user.write(window, image, SHOWS, SHOULD_SHOW)
    user.enter()
    user.until_layers(image, 2)
    layer = user.images.layers(image)[0]
    assert (layer["name"], layer["mask"]) == ("red ball → blue cube", True)
    assert user.display.stays_above(window) == user.main, "a window manager is asked for it"
    user.display.key("ctrl+z")  # the picture has the keyboard
    user.until_layers(image, 1)
    user.press("ctrl+y")
    user.until_layers(image, 2)
    told = user.gimp.log.read_text()
    assert "Can't undo" not in told  # which GIMP would tell people at every step back
    assert "undo_group" not in told
    assert user.windows("^Palimpsest$") == [window]


def test_what_a_result_has_to_say_stands_behind_it(user: GimpUser):
    image = user.open()
    user.write(user.window(), image, f"{SHOWS} and a mirror", f"{SHOULD_SHOW} and a mirror")
    user.enter()
    user.until_layers(image, 2)
    tells = lambda: any(say("mirror-image-unknown") in widget["text"] for widget in user.seen())  # noqa: E731
    until(tells, "that the mirror was left alone", LONG)


def test_a_small_preview_follows_a_slider_and_is_in_nobodys_way(user: GimpUser):
    """By keyboard; the strip under the slider, by mouse; then Apply right behind a change. Each update
    is one step to undo."""
    image, window = user.open(), user.window()
    user.apply(window, image, SHOULD_SHOW)
    until(lambda: user.find("Update", "Button"), "the layer is in hand", LONG)
    user.click_on("Keep structure", "Scale")
    user.display.key("Home")
    until(lambda: user.find("As it would be", "Image"), "the preview", LONG)
    assert not user.find(CONTROLS["structure"].tip, "Label"), "its tip would lie over the strip"
    assert user.layers(image) == 2
    until(lambda: not user.find("1.00", "Label"), "the strip is drawn", LONG)
    free = preview_of(user)
    with user.backend.occupied():  # no draft could be made now
        user.click_on("Keep structure 1.00: a click sets it")
        until(lambda: preview_of(user)["picture"] != free["picture"], "the strip's picture")
        assert preview_of(user)["name"] == "As it would be"
        assert (user.find("Keep structure", "Scale") or {}).get("value") == 20
        assert user.backend.drafts() == []
    user.click_on("Strength", "Scale")
    user.display.key("End")
    edit, made = user.latest_job(), recipe_of(user, image)
    user.display.key("ctrl+Return")
    update = until(lambda: user.latest_job() != edit and user.latest_job(), "the update is sent")
    user.until_state(update, "finished")
    until(lambda: not user.find("As it would be", "Image"), "the canvas has it", LONG)
    until(lambda: "updated" in "".join(widget["text"] for widget in user.seen()), "it is said to be updated")
    assert user.layers(image) == 2
    assert recipe_of(user, image) != made
    user.press("ctrl+z")
    until(lambda: recipe_of(user, image) == made, "the version before is back")
    assert user.layers(image) == 2
    user.press("ctrl+z")
    user.until_layers(image, 1)
    until(lambda: not user.backend.drafts(), "the drafts are forgotten")


def preview_of(user: GimpUser) -> dict[str, Any]:
    """The small preview, whatever it is called."""
    names = ("As it would be", "As it would be: a moment…")
    return next(w for w in user.seen() if w["type"] == "Image" and w["name"] in names)


def recipe_of(user: GimpUser, image: int) -> str:
    """Of the topmost layer."""
    return user.images.layers(image)[0]["recipe"]


def test_what_is_left_of_windows_is_freed_on_the_windows_own_thread(user: GimpUser):
    user.open()
    user.window()
    assert not user.collects


def test_a_word_that_becomes_the_selection_is_one_step_back_and_forth(user: GimpUser):
    image = user.open()
    user.gimp.call("select_ellipse", image, 10, 12, 40, 30)
    selected = lambda: user.images.selected(image, SIDE, SIDE)  # noqa: E731
    before, mask = selected(), disc(SIDE, SIDE, soft=9)
    user.images.select(image, mask)
    assert np.array_equal(selected(), mask)
    for key, expected in (("ctrl+z", before), ("ctrl+y", mask)):
        user.press(key)
        until(lambda expected=expected: np.array_equal(selected(), expected), key)


def test_a_window_opened_as_soon_as_another_is_closed_hears_menu_items(user: GimpUser):
    """The old one's program ends some time after its window is gone."""
    image, window = user.open(), user.window()
    before = user.display.programs("--name", "^Palimpsest$")
    user.close(window)
    user.press(KEYS["plug-in-palimpsest"])
    until(lambda: user.windows("^Palimpsest$"), "another window")
    until(lambda: not Path(f"/proc/{before[0]}").exists(), "the old one's program has ended")
    user.tell(f"replace {image}")
    assert len(user.windows("^Palimpsest$")) == 1


def test_the_window_goes_on_while_a_menu_item_asks_for_a_word(user: GimpUser):
    image, _ = user.open(), user.window()
    user.tell(f"word-to-selection {image}")
    asked = until(lambda: user.windows(f"^{say('select-action')}$"), "the word is asked for")[-1]
    until(lambda: user.find("OK", "Label") and user.find("Cancel", "Label"), "its buttons say so")
    user.open()
    until(lambda: user.find(f"[Untitled]-{image}", "Choice"), "it tells that another picture is open")
    user.display.focus(asked)
    user.display.key("Escape")
    until(lambda: not user.windows(f"^{say('select-action')}$"), "no word is given")


def test_an_older_window_that_ends_does_not_take_the_name_of_a_newer_one(user: GimpUser):
    """GIMP keeps every procedure of one name; the newest is called."""
    image, window = user.open(), user.window()
    program = Path(f"/proc/{user.display.programs('--name', '^Palimpsest$')[0]}")
    user.gimp.call("listen")
    try:
        user.close(window)
        until(lambda: not program.exists(), "its program has ended")
        user.press(KEYS["plug-in-palimpsest-replace"])
        assert user.gimp.until("heard") == [f"replace {image}"]
    finally:
        user.gimp.call("stop_listening")


def test_a_picture_without_a_file_keeps_its_words_when_the_window_is_closed(user: GimpUser):
    image, window = user.open(), user.window()
    user.gimp.call("set_clean", image)
    user.write(window, image, SHOWS, SHOULD_SHOW)
    user.close(window)
    user.window()
    until(lambda: {SHOWS, SHOULD_SHOW} <= {widget["text"] for widget in user.seen()}, "the words are there")
    assert user.gimp.call("is_clean", image), "there is nothing to be saved"


def test_menu_items_are_obeyed_while_the_window_asks_gimp(user: GimpUser):
    image = user.open()
    user.window()
    before = len(user.gimp.log.read_bytes())
    for item in ("replace", "insert", "remove") * 20:
        assert user.gimp.call("tell_window", f"{item} {image}")
    said = user.gimp.log.read_bytes()[before:].decode("utf-8", "replace")
    assert "Traceback" not in said, said


def test_menu_items_are_obeyed_while_the_window_reads_the_picture(user: GimpUser):
    """GIMP takes the answer to a call for pixels, and ends the window's program."""
    image, window = user.open(2048), user.window()
    before = user.latest_job()
    user.apply(window, image, SHOULD_SHOW)
    for _ in range(40):
        assert user.gimp.call("tell_window", f"replace {image}")
    until(lambda: user.latest_job() != before, "the picture was read and sent")
    user.tell(f"replace {image}")
    assert len(user.windows("^Palimpsest$")) == 1


def focused(user: GimpUser) -> list[str]:
    return [widget["name"] for widget in user.seen() if widget["focus"]]


def test_after_apply_keys_go_to_the_picture(user: GimpUser):
    image, window = user.open(), user.window()
    user.set_steps(window, 60)  # long enough to be seen running
    user.write(window, image, SHOWS, SHOULD_SHOW)
    assert focused(user) == ["It should show"]
    user.enter()
    user.until_running()
    assert focused(user) == []
    user.display.key("ctrl+a")
    until(lambda: user.images.selected(image, SIDE, SIDE).all(), "all of the picture is selected")
    user.until_layers(image, 2)
    texts = [
        widget["text"] for widget in user.seen() if widget["name"] in ("The picture shows", "It should show")
    ]
    assert [text for text in texts if text.startswith("a photo")] == [SHOWS, SHOULD_SHOW]
    assert (user.find("Variations", "Number") or {}).get("value") == 1


def test_the_keys_that_choose_an_operation_lead_to_what_it_needs(user: GimpUser):
    image, window = user.open(), user.window()
    example = until(lambda: user.find("a photo of a cat next to a mirror", "Label"), "an example is shown")
    field = until(lambda: user.find("The picture shows", "Lines"), "the field is shown")
    assert abs(middle(example) - middle(field)) <= 1, "an example stands where a sentence would"
    user.write(window, image, SHOWS, SHOULD_SHOW)
    for key, field in (("5", "red"), ("2", "Insert"), ("4", "What is selected"), ("1", "It should show")):
        user.display.key("alt+" + key)
        until(lambda field=field: focused(user) == [field], f"the keyboard is in {field}")


def test_why_a_model_did_not_come_is_told_where_it_was_asked_for(user: GimpUser):
    """The backend of these tests has no network."""
    user.open()
    user.window()
    user.click_on("Get a real model…")
    user.click_on("Download Stable Diffusion 1.5")
    until(lambda: in_window(user, "Models", "Downloads are switched off"), "the reason")
    user.display.focus(user.windows("^Models$")[-1])
    user.display.key("Escape")
    until(lambda: not user.windows("^Models$"), "the window is closed")


def in_window(user: GimpUser, title: str, begins: str) -> dict[str, Any] | None:
    """The first widget of that window whose text begins so."""
    found = (w for w in user.seen() if w["window"] == title and w["text"].startswith(begins))
    return next(found, None)


def test_a_concept_is_seen_whole_at_the_windows_own_width(user: GimpUser):
    user.backend.client.import_concept("my-toy", embedding(128), family="demo")
    user.backend.client.import_concept("stranger", embedding(768), family="sd1")
    try:
        image, window = user.open(), user.window()
        user.write(window, image, SHOWS, "a photo of a ")
        place = lambda: (user.find("my-toy", "Button") or {"box": [0, 0, 0, 0]})["box"]  # noqa: E731
        until(lambda: place()[2] > 40, "the concept's whole button")
        assert not until(lambda: user.find("stranger", "Button"), "the other")["sensitive"]
        user.click_on("my-toy")
        until(lambda: user.find("a photo of a <my-toy>"), "the sentence with the concept")
    finally:
        for name in ("my-toy", "stranger"):
            user.backend.client.remove_concept(name)


def test_a_concept_with_a_long_name_leaves_room_for_others(user: GimpUser):
    for name in ("ink", LONG_NAME):
        user.backend.client.import_concept(name, embedding(128), family="demo")
    user.open()
    user.window()
    until(lambda: user.find(LONG_NAME, "Button"), "the long one")
    assert user.find("ink", "Button")


def test_nothing_is_cut_off_at_260_px(user: GimpUser):
    """Neither while a sentence is long and words are marked, nor with a layer in hand, nor with weights,
    nor with everything unfolded."""
    image, window = user.open(), user.window()
    user.display.place(window, *NARROW)
    until(lambda: example_fits(user), "the example is where the sentence will be")
    user.write(window, image, SHOWS, SHOULD_SHOW + " beside a (strange:1.2) xyzzy")
    until(lambda: user.find("Unknown to this model", "Label"), "the words are marked")
    until(lambda: cut_off(user) == [], "everything has its place")
    user.apply(window, image, SHOULD_SHOW)
    user.until_layers(image, 2)
    until(lambda: user.find("New", "Button"), "the layer is in hand")
    until(lambda: cut_off(user) == [], "everything has its place")
    user.display.focus(window)
    user.display.key("alt+5")
    until(lambda: user.find("How much each word counts"), "the weights")
    until(lambda: cut_off(user) == [], "everything has its place")
    user.display.key("alt+1")
    user.fold_out()
    until(lambda: user.find("As recommended", "Button"), "what is under Advanced")
    until(lambda: cut_off(user) == [], "everything has its place")
    user.fold_out()


def example_fits(user: GimpUser) -> bool:
    """In the middle of the empty field, from top to bottom."""
    example = user.find("a photo of a dog next to a mirror", "Label")
    field = user.find("It should show", "Lines")
    if example is None or field is None:
        return False
    (_, top, _, height), (_, above, _, room) = example["box"], field["box"]
    return top - above == (above + room) - (top + height) > 0


def cut_off(user: GimpUser) -> list[str]:
    left, _, width, _ = NARROW
    seen = [(widget, widget["box"]) for widget in user.seen()]
    return [f"{w['type']} {w['name']}" for w, box in seen if box[0] < left or box[0] + box[2] > left + width]


def test_tab_goes_as_it_is_read_and_everything_has_a_name(user: GimpUser):
    image, window = user.open(), user.window()
    user.write(window, image, SHOWS, SHOULD_SHOW)
    until(lambda: (user.find("Apply", "Button") or {}).get("sensitive"), "Apply is possible")
    shown = user.seen()
    focusable = [widget for widget in shown if widget["focusable"] and widget["type"] != "ScrolledWindow"]
    assert [widget["type"] for widget in focusable if not widget["name"] and not widget["text"]] == []
    words = next(widget["name"] for widget in shown if widget["text"].startswith("red  ·  ball"))
    expected = ["The picture shows", "Describe", *[words] * 3, "It should show", "Learn a concept…"]
    expected += ["Keep structure", "Strength", "Grow", "Soft edge", "Advanced"]
    user.display.key("alt+Up")
    for name in expected:
        until(lambda name=name: focused(user) == [name], f"the keyboard is in {name}")
        user.display.key("Tab")


def test_of_all_concepts_one_is_searched_and_renamed(user: GimpUser):
    client = user.backend.client
    for name in ("my-toy", "lamp"):
        client.import_concept(name, embedding(128), family="demo")
    try:
        user.open()
        user.window()
        user.click_on("All…")
        user.display.focus(until(lambda: user.windows("^Concepts$"), "the list of all")[-1])
        user.display.type("lam")
        until(lambda: not listed(user, "my-toy"), "the search")
        assert listed(user, "lamp")
        user.click_on("Rename…")
        ask = until(lambda: user.find("New name of <lamp>:"), "the question")
        assert ask["window"] == "Concepts"
        user.display.focus(user.windows("^Concepts$")[-1])
        user.display.key("ctrl+a")
        user.display.type("lantern")
        user.display.key("Return")
        until(lambda: [told["name"] for told in client.concepts()] == ["lantern", "my-toy"], "the new name")
        until(lambda: user.find("lantern", "Button"), "the button of the new name")
    finally:
        for told in client.concepts():
            client.remove_concept(told["name"])


def listed(user: GimpUser, name: str) -> bool:
    return any(
        widget["window"] == "Concepts" and widget["text"].startswith(name + " ") for widget in user.seen()
    )


def test_what_was_made_is_renewed_and_each_undo_takes_one_back(user: GimpUser):
    image = user.open()
    window = user.window()
    user.apply(window, image, SHOULD_SHOW)
    user.until_layers(image, 2)

    def tells(end: str) -> bool:
        return any(f"{end} 0 pixels" in widget["text"] for widget in user.seen())

    made = [recipe_of(user, image)]
    for color in ("green", "yellow"):
        user.write(window, image, SHOWS, f"a photo of a {color} ball on grass")
        user.click_on("Update")
        until(lambda: recipe_of(user, image) != made[-1], "the layer is renewed")
        assert user.layers(image) == 2
        made.append(recipe_of(user, image))
    until(lambda: tells("updated."), "the window says so")
    for before in (1, 0):
        user.press("ctrl+z")
        until(lambda before=before: recipe_of(user, image) == made[before], "the version before is back")
        assert user.layers(image) == 2
        until(lambda: not tells("updated."), "nothing is said that isn't so")
    user.press("ctrl+z")
    user.until_layers(image, 1)


def test_the_picture_gets_no_keys_where_another_may_be_in_front(user: GimpUser):
    """An undo would be the other one's."""
    image = user.open()
    user.open()
    window = user.window()
    user.write(window, image, SHOWS, SHOULD_SHOW)
    user.enter()
    user.until_layers(image, 2)
    assert user.display.keyboard() == window
    assert focused(user) == []


def test_one_window_serves_two_pictures_in_turn(user: GimpUser):
    first = user.open()
    window = user.window()
    user.apply(window, first, SHOULD_SHOW)
    user.until_layers(first, 2)
    second = user.open()
    user.apply(window, second, "a photo of a yellow ball on grass")
    user.until_layers(second, 2)
    assert user.layers(first) == 2
    assert user.images.layers(second)[0]["name"] == "red → yellow"
    assert user.windows("^Palimpsest$") == [window]


def test_a_copy_that_no_window_shows_is_not_turned_to_and_a_file_is(user: GimpUser):
    """As GIMP makes one of every picture that it exports."""
    image = user.open()
    user.display.focus(user.window())  # which no menu item turns to a picture
    for key, text in (("alt+1", ""), ("alt+Up", SHOWS), ("alt+Down", SHOULD_SHOW)):
        user.display.key(key, *["ctrl+a"] * bool(text))
        user.display.type(text)
    until(lambda: pressable(user.find("Apply", "Button")), "Apply is possible")
    user.display.key("Return")
    user.until_layers(image, 2)
    until(lambda: user.find("Update", "Button"), "the layer is in hand")
    path = user.images.files / "opened.xcf"
    assert user.gimp.call("save", image, str(path))
    hidden = user.gimp.call("duplicate", image)
    user.place_of(lambda: user.find(f"[Untitled]-{image}", "Choice"), "both are told, and the same is meant")
    assert user.find("Update", "Button"), "the layer is still in hand"
    user.gimp.call("show", user.gimp.call("load", str(path)))
    until(lambda: user.find("opened.xcf", "Choice"), "the window turns to what is opened")
    user.gimp.call("delete", hidden)


def test_escape_cancels_the_job_and_the_window_stays(user: GimpUser):
    image = user.open()
    window = user.window()
    user.set_steps(window, 200)
    user.apply(window, image, "a photo of a green ball on grass")
    job = user.until_running()
    user.display.focus(window)
    user.display.key("Escape")
    user.until_state(job, "cancelled")
    assert user.layers(image) == 1
    assert user.windows("^Palimpsest$") == [window]


def test_a_picture_closed_in_the_middle_leaves_the_window_usable(user: GimpUser):
    lost, window = user.open(), user.window()
    user.apply(window, lost, "a photo of a white ball on grass")
    job = user.until_running()
    user.gimp.call("close_views", lost)
    user.until_state(job, "finished")
    image = user.open()
    user.apply(window, image, SHOULD_SHOW)  # at first it is busy with the lost one
    user.until_layers(image, 2)


def test_without_the_window_a_dialog_asks_and_the_last_values_are_kept(user: GimpUser):
    image = user.open()
    user.ask_for_a_cube()
    user.until_layers(image, 2)
    user.press("ctrl+f")  # Repeat Filter
    user.until_layers(image, 3)
    assert len({layer["recipe"] for layer in user.images.layers(image)[:2]}) == 2  # two jobs
    user.press("ctrl+z")
    user.until_layers(image, 2)


def test_a_dialog_that_is_cancelled_changes_nothing(user: GimpUser):
    image = user.open()
    before = user.backend.client.jobs()["jobs"]
    dialog = user.choose("-remember-photo", "^Remember Photo$")
    user.display.focus(dialog)
    user.display.key("Escape")
    until(lambda: not user.windows("^Remember Photo$"), "the dialog is closed")
    assert user.layers(image) == 1
    assert user.backend.client.jobs()["jobs"] == before


def test_a_dialog_in_which_something_is_missing_stays_and_the_cursor_is_there(user: GimpUser):
    """Also for whoever types on without looking."""
    image = user.open()
    before = user.images.selected(image, SIDE, SIDE)
    dialog = user.choose("-word-to-selection", "^Word to Selection$")
    user.display.focus(dialog)
    user.display.type(SHOWS)
    area = user.display.area(dialog)
    user.display.key("Return")  # refused: the word is missing
    user.display.type("ball")
    until(lambda: user.display.area(dialog) > area, "the dialog says why")
    user.display.key("Return")
    until(lambda: not user.windows("^Word to Selection$"), "the dialog is closed")
    until(lambda: (user.images.selected(image, SIDE, SIDE) != before).any(), "another selection")


def test_a_menu_item_without_a_backend_opens_the_window_which_helps(user: GimpUser):
    user.open()
    user.backend.stop()
    try:
        user.choose("-replace", "^Palimpsest$")
        assert not user.windows("^Replace$")
    finally:
        user.backend.start()


@pytest.fixture
def busy(user: GimpUser) -> Iterator[None]:
    with user.backend.occupied():
        yield


def test_gimps_own_cancel_stops_the_backends_job(user: GimpUser, busy: None):
    """It ends the plug-in without a word: the backend notices that nobody asks any more."""
    image = user.open()
    user.ask_for_a_cube()
    job = until(lambda: user.jobs("queued"), "a job that waits")[0]
    until(user.cancel_is_shown, "GIMP's own Cancel")
    user.display.click(*CANCEL)
    user.until_state(job, "cancelled")
    ended = user.backend.client.events(job)["events"][-1]
    assert ended["reason"] == "Nobody was waiting for it."
    assert user.layers(image) == 1


def test_a_window_without_a_backend_waits_for_it(user: GimpUser):
    user.backend.stop()
    try:
        image, window = user.open(), user.window()
        user.write(window, image, SHOWS, SHOULD_SHOW)
        user.display.key("Return")  # says why not, does nothing
    finally:
        user.backend.start()
    user.apply(window, image, SHOULD_SHOW)
    user.until_layers(image, 2)


def test_the_remedy_for_an_indexed_picture_is_a_copy_in_rgb(user: GimpUser):
    made = user.open()
    user.gimp.call("make_indexed", made)
    path = str(user.images.files / "original.xcf")
    assert user.gimp.call("save", made, path)
    image = user.gimp.call("load", path)
    assert set(user.gimp.call("file_names", image)) == {path}
    key = user.gimp.call("remedy", image)
    assert user.gimp.call("file_names", int(key)) == [], "saving the copy must not write over the original"
    facts = user.gimp.call("facts", int(key))
    assert (facts["refusal"], facts["layer"]) == ("", "Photo")
    assert "indexed" in user.gimp.call("facts", image)["refusal"]
