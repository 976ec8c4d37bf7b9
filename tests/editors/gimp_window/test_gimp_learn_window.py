"""The window in which a word is learned, in the real GIMP, by keyboard and mouse."""

from __future__ import annotations

import numpy as np

from editors.gimp_panel import SHOWS, GimpUser, until
from editors.gimp_pictures import RGB_8, GimpImages
from editors.pictures import BALL, BESIDE_IT, changed_only, oval, picture_of
from editors.running import Gimps
from palimpsest.core.picture.selection import grown

SIDE, PHOTO = 128, 256  # px of the demo's pictures; of the one that is edited
PLACE = (860, 0, 420, 700)  # of the window on the screen
NAME, STOP, CLOSE = (1000, 24), (1162, 671), (1234, 671)  # in it; the last two never move
TO_LAYERS, TO_NOUN, TO_DETAIL = 10, 3, 2  # presses of Tab: the first two from the name, then from the noun
LONG = 300.0


NAMES = {"learn": "window-toy", "draw": "<window-toy>"}


def jobs(user: GimpUser, kind: str) -> list[dict]:
    """About our word, the latest first."""
    found = (job for job in user.backend.client.jobs()["jobs"] if job["kind"] == kind)
    return [job for job in found if NAMES[kind] in str(job["request"])]


def open_learning(user: GimpUser, image: int) -> str:
    user.tell(f"learn-concept {image}")
    window = until(lambda: user.windows("^Learn a concept$"), "the window for learning")[-1]
    user.display.place(window, *PLACE)
    user.display.focus(window)
    user.until_drawn()
    return window


def begin(user: GimpUser) -> None:
    """The chosen layers, a new name, a noun, and with detail, which takes longer; then Return."""
    user.display.key(*["Tab"] * TO_LAYERS, "space")
    user.display.click(*NAME)
    user.display.type("Window Toy")
    user.display.key(*["Tab"] * TO_NOUN)
    user.display.type("star")
    user.display.key(*["Tab"] * TO_DETAIL, "space")

    def sent() -> bool:
        user.display.key("Return")  # refused until the layers have been read
        return bool(jobs(user, "learn"))

    until(sent, "a job of learning")


def three_toys(user: GimpUser, image: int) -> None:
    """As layers, all of them chosen."""
    for number in (1, 2, 3):
        path = user.images.files / "layer"
        path.write_bytes(picture_of(f"toy-{number}").tobytes())
        user.gimp.call("add_layer", image, str(path), [9 * number, 5 * number, SIDE, SIDE], RGB_8.format)
    user.gimp.call("choose_layers", image, [0, 1, 2])


def steps_of(job: dict) -> int:
    progress = job["progress"]
    return progress["index"] if progress is not None and progress["phase"] == "learning" else 0


def test_a_word_is_learned_closed_opened_stopped_and_kept(user: GimpUser):
    image = user.open()
    three_toys(user, image)
    panel = user.window()
    open_learning(user, image)
    begin(user)
    until(lambda: steps_of(jobs(user, "learn")[0]) >= 4, "steps of learning", LONG)
    asked = jobs(user, "learn")[0]["request"]
    assert (asked["name"], asked["noun"], len(asked["images"])) == ("window-toy", "star", 3)
    assert asked["detail"] is True
    user.display.key("Escape")
    until(lambda: not user.windows("^Learn a concept$"), "the window is closed")
    assert user.windows("^Palimpsest$") == [panel]
    assert jobs(user, "learn")[0]["state"] == "running", "it goes on"
    open_learning(user, image)
    user.display.click(*STOP)
    until(lambda: jobs(user, "draw") and jobs(user, "draw")[0]["state"] == "finished", "a drawing", LONG)
    kept = jobs(user, "learn")[0]
    assert (kept["state"], kept["request"]["finish"]) == ("finished", True)
    assert user.backend.client.concept("window-toy")["provenance"]["steps"] >= 4
    user.until_drawn()
    user.display.click(*CLOSE)
    until(lambda: not user.windows("^Learn a concept$"), "Close is where it was")


def test_a_word_from_layers_is_inserted_and_takes_a_things_place(user: GimpUser, consoles: Gimps):
    """As people click and type; what was saved is looked at in a GIMP that knows nothing of it."""
    toys = user.open()
    three_toys(user, toys)
    window = user.window()
    open_learning(user, toys)
    user.display.type("own-toy")
    user.display.key(*["Tab"] * TO_NOUN)
    user.display.type("star")
    user.click_on("+ chosen layers")
    user.click_on("Learn")
    until(lambda: "own-toy" in [told["name"] for told in user.backend.client.concepts()], "the word", LONG)
    until(lambda: any("found, in 3 of 3 pictures" in seen["text"] for seen in user.seen()), "what it found")
    until(lambda: not user.jobs("running"), "the word is drawn", LONG)
    user.click_on("Close")
    until(lambda: not user.windows("^Learn a concept$"), "the window is closed")
    shown, size = picture_of("photo", PHOTO), (PHOTO, PHOTO)
    image = user.show(user.images.new(shown, RGB_8))
    place, ball = oval(PHOTO, *BESIDE_IT), oval(PHOTO, *BALL)
    asked = (("insert", "a <own-toy>", place), ("replace", "a photo of a <own-toy> on grass", ball))
    for count, (operation, words, where) in enumerate(asked, start=2):
        user.images.select(image, where)
        assert user.images.selected(image, *size).any()
        user.write(window, image, SHOWS, words, operation)
        user.enter()
        user.display.focus(window)
        until(lambda count=count: user.layers(image) == count, operation, LONG)
        until(lambda: not user.jobs("running"), "the job has ended")
    edited = grown(ball, user.jobs_told()[0]["result"]["grown"])
    file = user.images.files / "edited.xcf"
    assert user.gimp.call("save", image, str(file))
    seen, layers = user.images.seen(image, shown), user.images.layers(image)
    again = GimpImages(consoles.get())
    copy = again.files / "edited.xcf"
    copy.write_bytes(file.read_bytes())
    opened = again.gimp.call("load", str(copy))
    assert [layer["name"] for layer in again.layers(opened)] == [layer["name"] for layer in layers]
    assert np.array_equal(again.seen(opened, shown), seen)
    assert changed_only(shown, seen, (place, edited))
    again.gimp.call("hide_topmost", opened)
    assert changed_only(shown, again.seen(opened, shown), (place,))
    again.gimp.call("close_documents")
