"""The window in which a word is learned, in the real GIMP, by keyboard and mouse."""

from __future__ import annotations

from editors.gimp_panel import GimpUser, until
from editors.gimp_pictures import RGB_8
from editors.pictures import picture_of

SIDE = 128  # px of the demo's pictures
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


def steps_of(job: dict) -> int:
    progress = job["progress"]
    return progress["index"] if progress is not None and progress["phase"] == "learning" else 0


def test_a_word_is_learned_closed_opened_stopped_and_kept(user: GimpUser):
    image = user.open()
    for number in (1, 2, 3):
        path = user.images.files / "layer"
        path.write_bytes(picture_of(f"toy-{number}").tobytes())
        user.gimp.call("add_layer", image, str(path), [9 * number, 5 * number, SIDE, SIDE], RGB_8.format)
    user.gimp.call("choose_layers", image, [0, 1, 2])
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
