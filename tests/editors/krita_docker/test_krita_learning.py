"""Learning a word in the real Krita: from layers, stopped, learned on, seen in a sentence."""

from __future__ import annotations

import uuid
from pathlib import Path

import numpy as np
from PIL import Image

from editors.display import Display
from editors.krita_panel import DEMO, HEIGHT, LONG, SHOWS, WIDTH, KritaPanel, photo
from editors.krita_pictures import RGB_8, KritaDocuments
from editors.pictures import BALL, BESIDE_IT, Pixels, as_krita, changed_only, oval, picture_of, read
from editors.running import Kritas

SIDE = 256  # px of the photo that is edited


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


def test_a_word_from_layers_is_inserted_and_takes_a_things_place(
    panel: KritaPanel, display: Display, kritas: Kritas
):
    """As people click; what was saved is looked at in a Krita that knows nothing of it."""
    name, shown = f"own-toy-{uuid.uuid4().hex[:6]}", picture_of("photo", SIDE)
    panel.open_tree([panel.layer(f"toy {n}", picture_of(f"toy-{n}")) for n in (1, 2, 3)], (128, 128))
    panel.call("show_docker", WIDTH, HEIGHT)
    panel.until("panel_sees_document", False)
    panel.call("learn", name, "star", [])
    for number in (1, 2, 3):
        panel.call("activate_layer", f"toy {number}")
        click(panel, display, "add-layers")
        panel.until("learning_has", number)
    click(panel, display, "learn")
    panel.until("learning_shows", name, patience=LONG)
    told = panel.call("learning")
    assert told["message"].startswith(f"<{name}> is learned.")
    assert "in 3 of 3 pictures" in told["found"]
    assert learning_request(panel)["result"]["found"] == told["bright"] == [True] * 3
    panel.call("clear_learning")
    panel.call("close_learning")
    place, ball = oval(SIDE, *BESIDE_IT), oval(SIDE, *BALL)
    panel.show(shown, selected=place)
    panel.call("set_panel", {"feather": 0})
    asked = (("insert", f"a <{name}>", place), ("replace", f"a photo of a <{name}> on grass", ball))
    for operation, words, where in asked:
        panel.select(where)
        panel.call("write", operation, SHOWS, words)
        x, y, usable = panel.call("place_of", "work.apply")
        assert usable
        display.click(x, y)
        assert "0 pixels changed outside the selection" in panel.end()["message"]
    layers = panel.layers()
    assert len(layers) == 3
    file = panel.file(name=".kra")
    panel.call("save_as", file)
    saved, seen = file.read_bytes(), panel.pixels()
    kritas.close()
    again = KritaDocuments(kritas.get())
    again.open_file(again.file(saved, ".kra"), RGB_8)
    assert again.layers() == layers
    assert np.array_equal(again.pixels(), seen)
    assert changed_only(shown, seen, (place, ball))
    for layer, where in zip(layers[1:], (place, ball), strict=True):
        path = again.file()
        again.krita.call("mask_of", layer, path)
        shows = np.frombuffer(path.read_bytes(), np.uint8).reshape(where.shape) > 0
        assert shows.any()
        assert not shows[where == 0].any()
    again.krita.call("close_documents")


def click(panel: KritaPanel, display: Display, key: str) -> None:
    """On a button of the window, as soon as it can be pressed."""
    panel.until("can_be_pressed", "LearnWindow", key)
    x, y, _ = panel.call("place_stays", "LearnWindow", key)
    display.click(x, y)


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
