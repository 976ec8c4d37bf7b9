"""Learning a word in the real Krita: from layers, stopped, learned on, seen in a sentence."""

from __future__ import annotations

import uuid
from pathlib import Path

import numpy as np
from PIL import Image

from editors.krita_panel import DEMO, LONG, SHOWS, KritaPanel, photo
from editors.pictures import Pixels, as_krita, read


def toy(number: int) -> Pixels:
    """A cut-out: nothing around it."""
    with Image.open(DEMO / f"toy-{number}.png") as image, Image.open(DEMO / f"toy-{number}-mask.png") as mask:
        pixels = np.dstack([np.asarray(image.convert("RGB")), np.asarray(mask.convert("L"))])
    pixels[[0, -1], [0, -1], 3] = 255  # so that the layer is as large as the picture
    return np.ascontiguousarray(pixels)


def learning_request(panel: KritaPanel, number: int = 0) -> dict:
    """The jobs of learning, the latest first."""
    return [job for job in panel.backend.client.jobs()["jobs"] if job["kind"] == "learn"][number]


def test_a_word_is_learned_from_layers_stopped_learned_on_and_seen_in_a_sentence(panel: KritaPanel):
    number = uuid.uuid4().hex[:6]  # each Krita's own: both have one backend
    name = f"layer-toy-{number}"
    panel.show(photo())
    panel.call("write", "replace", SHOWS, "")
    panel.call("learn", "", "", [])
    panel.call("type_learning", "name", f"Layer Toy {number}", "")
    assert panel.call("learning")["name"] == name
    assert panel.call("learning")["note"].startswith(f"It is written <{name}>")
    panel.call("type_learning", "noun", "star", "")
    panel.call("choose_detail")  # which takes so long that it can be stopped
    for number in (1, 2, 3):
        raw = panel.file(as_krita(toy(number)).tobytes())
        panel.call("add_layer", f"toy {number}", raw, 0, 0, 128, 128)
        panel.call("activate_layer", f"toy {number}")
        panel.call("learn_from", "layers")
        panel.until("learning_has", number)
    told = panel.call("learning")
    assert told["pictures"] == ["toy 1", "toy 2", "toy 3"]
    panel.call("type_learning", "name", "", "Return")
    panel.until("learning_at", 4, patience=LONG)
    panel.call("type_learning", "", "", "Escape")
    assert not panel.call("learning_is_open")
    panel.until("panel_running")
    assert "Learning" in panel.told()["progress"]
    assert panel.call("learning")["pictures"] == told["pictures"], "open again, as it was"
    panel.call("stop_learning")
    panel.until("learning_shows", name, patience=LONG)
    kept = panel.call("learning")
    assert kept["message"].startswith("Stopped after ")
    assert (kept["button"], kept["buttons"]) == ("Learn more", told["buttons"]), "no button moved"
    assert name in panel.told()["concepts"]
    for number, source in enumerate(learning_request(panel)["request"]["images"], start=1):
        sent = read(panel.backend.client.download(source))
        assert np.array_equal(sent, toy(number)), "a cut-out is sent with its transparency"
    assert learning_request(panel)["request"]["detail"] is True
    steps = panel.backend.client.concept(name)["provenance"]["steps"]
    sentence = f"a <{name}> on sand"
    panel.call("type_learning", "sentence", sentence, "Return")
    panel.until("learning_shows", name, patience=LONG)
    sketch = next(job for job in panel.backend.client.jobs()["jobs"])
    assert (sketch["kind"], sketch["request"]["prompt"]) == ("draw", sentence)
    assert panel.call("learning")["drawn"] == sketch["artifacts"]["picture"] != kept["drawn"]
    panel.call("press_learn")
    panel.until("learning_at", steps + 2, patience=LONG)
    panel.call("stop_learning")
    panel.until("learning_shows", name, patience=LONG)
    assert panel.backend.client.concept(name)["provenance"]["steps"] >= steps + 2
    panel.call("clear_learning")
    panel.call("close_learning")


def test_the_picture_that_does_not_fit_is_marked_where_it_is(panel: KritaPanel):
    """Within seconds, and all pictures are still there."""
    panel.show(photo())
    panel.call("write", "replace", SHOWS, "")
    names = ("toy-1", "toy-2", "photo", "toy-3")
    files = [str(panel.file((DEMO / f"{name}.png").read_bytes(), ".png")) for name in names]
    panel.call("learn", "odd-toy", "star", files)
    panel.until("learning_has", 4)
    panel.call("press_learn")
    panel.until("learning_ended", patience=LONG)
    told = panel.call("learning")
    assert [bool(problem) for problem in told["problems"]] == [False, False, True, False]
    assert told["message"] == told["problems"][2]
    assert panel.call("answer_odd", 2) == ["Leave out", "It is meant"]
    assert panel.call("learning")["pictures"] == [Path(files[at]).name for at in (0, 1, 3)]
    panel.call("clear_learning")
    panel.call("close_learning")
