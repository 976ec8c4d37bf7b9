"""Learning a word in the real Krita: from layers, stopped, learned on, seen in a sentence."""

from __future__ import annotations

import uuid
from pathlib import Path

import numpy as np
from PIL import Image

from editors.krita_panel import DEMO, LONG, SHOWS, Desk, photo
from editors.pictures import Pixels, as_krita, read


def toy(number: int) -> Pixels:
    """A cut-out: nothing around it."""
    with Image.open(DEMO / f"toy-{number}.png") as image, Image.open(DEMO / f"toy-{number}-mask.png") as mask:
        pixels = np.dstack([np.asarray(image.convert("RGB")), np.asarray(mask.convert("L"))])
    pixels[[0, -1], [0, -1], 3] = 255  # so that the layer is as large as the picture
    return np.ascontiguousarray(pixels)


def learning_request(desk: Desk, number: int = 0) -> dict:
    """The jobs of learning, the latest first."""
    return [job for job in desk.backend.client.jobs()["jobs"] if job["kind"] == "learn"][number]


def test_a_word_is_learned_from_layers_stopped_learned_on_and_seen_in_a_sentence(desk: Desk):
    number = uuid.uuid4().hex[:6]  # each Krita's own: both have one backend
    name = f"layer-toy-{number}"
    desk.show(photo())
    desk.call("write", "replace", SHOWS, "")
    desk.call("learn", "", "", [])
    desk.call("type_learning", "name", f"Layer Toy {number}", "")
    assert desk.call("learning")["name"] == name
    assert desk.call("learning")["note"].startswith(f"It is written <{name}>")
    desk.call("type_learning", "noun", "star", "")
    desk.call("choose_detail")  # which takes so long that it can be stopped
    for number in (1, 2, 3):
        raw = desk.file(as_krita(toy(number)).tobytes())
        desk.call("add_layer", f"toy {number}", raw, 0, 0, 128, 128)
        desk.call("activate_layer", f"toy {number}")
        desk.call("learn_from", "layers")
        desk.until("learning_has", number)
    told = desk.call("learning")
    assert told["pictures"] == ["toy 1", "toy 2", "toy 3"]
    desk.call("type_learning", "name", "", "Return")
    desk.until("learning_at", 4, patience=LONG)
    desk.call("type_learning", "", "", "Escape")
    assert not desk.call("learning_is_open")
    desk.until("panel_running")
    assert "Learning" in desk.told()["progress"]
    assert desk.call("learning")["pictures"] == told["pictures"], "open again, as it was"
    desk.call("stop_learning")
    desk.until("learning_shows", name, patience=LONG)
    kept = desk.call("learning")
    assert kept["message"].startswith("Stopped after ")
    assert (kept["button"], kept["buttons"]) == ("Learn more", told["buttons"]), "no button moved"
    assert name in desk.told()["concepts"]
    for number, source in enumerate(learning_request(desk)["request"]["images"], start=1):
        sent = read(desk.backend.client.download(source))
        assert np.array_equal(sent, toy(number)), "a cut-out is sent with its transparency"
    assert learning_request(desk)["request"]["detail"] is True
    steps = desk.backend.client.concept(name)["provenance"]["steps"]
    sentence = f"a <{name}> on sand"
    desk.call("type_learning", "sentence", sentence, "Return")
    desk.until("learning_shows", name, patience=LONG)
    sketch = next(job for job in desk.backend.client.jobs()["jobs"])
    assert (sketch["kind"], sketch["request"]["prompt"]) == ("draw", sentence)
    assert desk.call("learning")["drawn"] == sketch["artifacts"]["picture"] != kept["drawn"]
    desk.call("press_learn")
    desk.until("learning_at", steps + 2, patience=LONG)
    desk.call("stop_learning")
    desk.until("learning_shows", name, patience=LONG)
    assert desk.backend.client.concept(name)["provenance"]["steps"] >= steps + 2
    desk.call("clear_learning")
    desk.call("close_learning")


def test_the_picture_that_does_not_fit_is_marked_where_it_is(desk: Desk):
    """Within seconds, and all pictures are still there."""
    desk.show(photo())
    desk.call("write", "replace", SHOWS, "")
    names = ("toy-1", "toy-2", "photo", "toy-3")
    files = [str(desk.file((DEMO / f"{name}.png").read_bytes(), ".png")) for name in names]
    desk.call("learn", "odd-toy", "star", files)
    desk.until("learning_has", 4)
    desk.call("press_learn")
    desk.until("learning_ended", patience=LONG)
    told = desk.call("learning")
    assert [bool(problem) for problem in told["problems"]] == [False, False, True, False]
    assert told["message"] == told["problems"][2]
    assert desk.call("answer_odd", 2) == ["Leave out", "It is meant"]
    assert desk.call("learning")["pictures"] == [Path(files[at]).name for at in (0, 1, 3)]
    desk.call("clear_learning")
    desk.call("close_learning")
