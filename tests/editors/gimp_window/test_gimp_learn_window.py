"""The window in which a word is learned, in the real GIMP, by keyboard and mouse."""

from __future__ import annotations

from editors.gimp_panel import Desk, until
from editors.gimp_pictures import RGB_8
from editors.pictures import picture_of

SIDE = 128  # px of the demo's pictures
PLACE = (860, 0, 420, 700)  # of the window on the screen
NAME, STOP, CLOSE = (1000, 24), (1162, 671), (1234, 671)  # in it; the last two never move
TO_LAYERS, TO_NOUN, TO_DETAIL = 10, 3, 2  # presses of Tab: the first two from the name, then from the noun
LONG = 300.0


NAMES = {"learn": "window-toy", "draw": "<window-toy>"}


def jobs(desk: Desk, kind: str) -> list[dict]:
    """About our word, the latest first."""
    found = (job for job in desk.backend.client.jobs()["jobs"] if job["kind"] == kind)
    return [job for job in found if NAMES[kind] in str(job["request"])]


def open_learning(desk: Desk, image: int) -> str:
    desk.tell(f"learn-concept {image}")
    window = until(lambda: desk.windows("^Learn a concept$"), "the window for learning")[-1]
    desk.display.place(window, *PLACE)
    desk.display.focus(window)
    desk.until_drawn()
    return window


def begin(desk: Desk) -> None:
    """The chosen layers, a new name, a noun, and with detail, which takes longer; then Return."""
    desk.display.key(*["Tab"] * TO_LAYERS, "space")
    desk.display.click(*NAME)
    desk.display.type("Window Toy")
    desk.display.key(*["Tab"] * TO_NOUN)
    desk.display.type("star")
    desk.display.key(*["Tab"] * TO_DETAIL, "space")

    def sent() -> bool:
        desk.display.key("Return")  # refused until the layers have been read
        return bool(jobs(desk, "learn"))

    until(sent, "a job of learning")


def steps_of(job: dict) -> int:
    progress = job["progress"]
    return progress["index"] if progress is not None and progress["phase"] == "learning" else 0


def test_a_word_is_learned_closed_opened_stopped_and_kept(desk: Desk):
    image = desk.open()
    for number in (1, 2, 3):
        path = desk.images.files / "layer"
        path.write_bytes(picture_of(f"toy-{number}").tobytes())
        desk.gimp.call("add_layer", image, str(path), [9 * number, 5 * number, SIDE, SIDE], RGB_8.format)
    desk.gimp.call("choose_layers", image, [0, 1, 2])
    panel = desk.window()
    open_learning(desk, image)
    begin(desk)
    until(lambda: steps_of(jobs(desk, "learn")[0]) >= 4, "steps of learning", LONG)
    asked = jobs(desk, "learn")[0]["request"]
    assert (asked["name"], asked["noun"], len(asked["images"])) == ("window-toy", "star", 3)
    assert asked["detail"] is True
    desk.display.key("Escape")
    until(lambda: not desk.windows("^Learn a concept$"), "the window is closed")
    assert desk.windows("^Palimpsest$") == [panel]
    assert jobs(desk, "learn")[0]["state"] == "running", "it goes on"
    open_learning(desk, image)
    desk.display.click(*STOP)
    until(lambda: jobs(desk, "draw") and jobs(desk, "draw")[0]["state"] == "finished", "a drawing", LONG)
    kept = jobs(desk, "learn")[0]
    assert (kept["state"], kept["request"]["finish"]) == ("finished", True)
    assert desk.backend.client.concept("window-toy")["provenance"]["steps"] >= 4
    desk.until_drawn()
    desk.display.click(*CLOSE)
    until(lambda: not desk.windows("^Learn a concept$"), "Close is where it was")
