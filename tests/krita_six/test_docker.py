"""The docker draws what the panel says and tells it what people do; in PyQt6, as Krita 6 has it."""

from __future__ import annotations

import gc
import json
from dataclasses import replace
from gettext import NullTranslations
from itertools import pairwise

import pytest

import translate
from client.desk import SHOWS
from client.scripted import Backend, concept, picture
from krita_six import six
from krita_six.six import dialog_of
from palimpsest_client.editor.editor import LayerFacts
from palimpsest_client.editor.geometry import Bounds, Extent
from palimpsest_client.editor.png import Layout, encode
from palimpsest_client.http.protocol import RefusedError
from palimpsest_client.learning.state import DETAIL
from palimpsest_client.panel.status import START, Offer
from palimpsest_client.text.language import catalogue, write_language
from palimpsest_client.text.sentences import Word, words
from palimpsest_client.text.wording import speak

LINE_EDGE = 4  # px beside the text of a line


def seen(docker, *names: str) -> set[str]:
    """Which of these parts are shown."""
    return {name for name in names if not docker.view[name].isHidden()}


def sliders(docker) -> set[str]:
    names = ("structure", "strength", "grow", "feather")
    return {name for name in names if docker.view[name].isVisibleTo(docker)}


def buttons(flow) -> list:
    return flow.widgets


@pytest.mark.parametrize(
    ("operation", "parts", "rows"),
    [
        ("replace", {"second"}, {"structure", "strength", "grow", "feather"}),
        ("insert", {"second"}, {"strength", "grow", "feather"}),
        ("restyle", {"second"}, {"structure", "strength", "grow", "feather"}),
        ("remove", {"second"}, {"grow", "feather"}),
        ("reweight", {"weights"}, {"structure", "grow", "feather"}),
    ],
)
def test_each_operation_shows_only_its_controls(room, operation, parts, rows):
    room.panel.draft.write_source_prompt(SHOWS)
    chosen = room.docker.view["operations"].buttons[operation]
    chosen.click()
    assert room.panel.form.operation == operation
    assert chosen.isChecked()
    assert seen(room.docker, "second", "weights") == parts
    assert sliders(room.docker) == rows


def style():
    return six.part("qt").Qt.ToolButtonStyle


def six_say(key: str) -> str:
    from palimpsest_client.text.wording import say

    return say(key)


def test_what_is_written_and_moved_reaches_the_request(room):
    docker = room.docker
    docker.view["first"].setPlainText(SHOWS)
    docker.view["second"].setPlainText("a photo of a dog on grass")
    docker.view["structure"].setValue(10 + 5)
    docker.view["feather"].setValue(21)
    grown = docker.view["grow"]
    assert grown.value() == 21, "replace grows by as much as the soft edge is wide"
    grown.setValue(5)
    docker.view["unfold"].click()
    docker.view["steps"].setValue(12)
    docker.view["self_attention"].setValue(30)
    docker.view["variations"].setValue(3)
    assert docker.view["changes"].text() == "cat → dog"
    assert docker.view["apply"].isEnabled()
    docker.view["apply"].click()
    room.until(lambda _: room.backend.submitted)
    request = room.backend.submitted[0]["request"]
    assert (request["source_prompt"], request["target_prompt"]) == (SHOWS, "a photo of a dog on grass")
    assert (request["grow"], request["feather"]) == (5, 21)
    assert (request["variations"], request["inversion"]["steps"]) == (3, 12)
    assert request["control"] == {"cross": [0.0, 0.9], "self_attention": [0.0, 0.3]}


@pytest.mark.parametrize("name", ["variations", "steps", "method", "sentence"])
def test_return_applies_in_every_field(room, name):
    room.panel.draft.write_source_prompt(SHOWS)
    room.panel.draft.choose_operation("restyle")
    room.panel.draft.write_operand("an oil painting")
    room.docker.view["unfold"].click()
    field = room.docker.view[name]
    room.until(lambda _: field.isVisible() and room.docker.view["apply"].isEnabled())
    if name in ("variations", "steps"):
        field.lineEdit().selectAll()
        six.type_in(field, "3")
    six.press(field, "Return")
    room.until(lambda _: room.backend.submitted)
    request = room.backend.submitted[0]["request"]
    if name in ("variations", "steps"):
        assert request.get(name, request["inversion"].get(name)) == 3


def test_presets_are_a_menu(room):
    menu = room.docker.view["presets"].menu()
    room.panel.draft.set(structure=0.2)
    room.panel.draft.keep_preset("R&D")
    room.panel.draft.recommend("structure")
    menu.aboutToShow.emit()
    assert [action.text() for action in menu.actions()] == ["R&&D", "Keep these settings…"]
    menu.actions()[0].trigger()
    assert room.panel.form.settings.structure == 0.2
    menu.aboutToShow.emit()
    assert [action.isChecked() for action in menu.actions()] == [True, False, False, False]
    menu.actions()[3].trigger()
    assert room.panel.state.presets == ()


def test_apply_says_why_it_is_not_possible(room):
    docker = room.docker
    assert not docker.view["apply"].isEnabled()
    assert docker.view["reason"].text() == docker.view["apply"].toolTip() == "Say what the picture shows."
    room.editor.change(refusal="This picture is CMYK.", remedy="Make an RGB copy")
    room.until(lambda s: s.document.refusal)
    assert docker.view["reason"].text() == "This picture is CMYK."
    (remedy,) = buttons(docker.view["offers"])
    remedy.click()
    assert room.editor.remedied == ["d1"]
    room.editor.facts = None
    room.until(lambda s: s.document is None)
    assert docker.view["reason"].text() == "Open a picture to begin."


def test_buttons_that_are_replaced_are_seen_no_more(room):
    """Also where nothing that is to be deleted later ever is, as while Krita starts."""
    offers = room.docker.view["status-offers"]
    (before,) = buttons(offers)
    status = replace(room.panel.state.status, offers=(Offer(START, "Start it"),))
    room.panel.state = replace(room.panel.state, status=status)
    room.docker.show_state(room.panel.state)
    (after,) = buttons(offers)
    assert (before.isVisible(), after.isVisible()) == (False, True)


def test_progress_preview_cancel_and_done(room):
    docker = room.docker
    working = {"phase", "bar", "cancel", "preview"}
    assert seen(docker, *working) == set()
    docker.view["first"].setPlainText(SHOWS)
    docker.view["second"].setPlainText("a photo of a dog on grass")
    docker.view["apply"].click()
    room.until(lambda _: room.backend.submitted)
    room.backend.tell("started", device="cpu", attempt=1)
    room.backend.tell("progressed", phase="editing", index=1, total=4, seconds_left=3.0)
    room.backend.tell("previewed", image=room.backend.keep(picture(20, 10)), name="")
    room.until(lambda s: s.preview)
    assert seen(docker, *working) == working
    assert (docker.view["phase"].text(), docker.view["bar"].value()) == ("Editing · 1 of 4 · 3 s", 250)
    assert docker.view["preview"].pixmap().width() == 56
    docker.view["cancel"].click()
    assert docker.view["phase"].text() == "Cancelling…"
    room.until(lambda s: s.progress is None)
    assert docker.view["message"].text() == "Cancelled."
    docker.view["apply"].click()
    room.until(lambda _: len(room.backend.submitted) == 2)
    room.backend.finish_edit()
    room.until(lambda s: s.progress is None)
    assert docker.view["message"].text() == "New layer “cat → dog”."
    assert docker.view["fidelity"].text() == "This photo is remembered: it can be reproduced at 34 dB"
    assert len(room.editor.inserted) == 1


@pytest.mark.parametrize(
    ("backend", "text", "offer"),
    [
        (Backend(down=True), "The backend isn't installed here", "Connect to another computer…"),
        (
            Backend(refusal=RefusedError(401, {"code": "token_invalid", "message": "No."})),
            "The backend at http://127.0.0.1:9 refused the token.",
            "Choose the token…",
        ),
        (Backend(protocol=9), "The backend speaks version 9", "Copy command"),
    ],
)
def test_the_state_line_says_what_is_the_matter(closed_room, text, offer):
    room = closed_room
    room.docker.show()
    room.until(lambda s: s.status.text.startswith(text))
    assert room.docker.view["status"].text().startswith(text)
    (made,) = buttons(room.docker.view["status-offers"])
    assert made.text() == offer
    made.click()
    if offer == "Copy command":
        assert room.application.clipboard().text().startswith("python3 install.py")
    else:
        dialog_of("SettingsWindow").close()


def test_concepts_are_put_where_the_cursor_is(room):
    docker = room.docker
    room.backend.the_concepts = [concept("bear"), concept("big", family="sd1")]
    room.panel.backend.refresh_concepts()
    room.until(lambda s: len(s.concepts) == 2)
    bear, big = buttons(docker.view["concepts"])
    assert (bear.text(), bear.icon().isNull(), big.isEnabled()) == ("bear", False, False)
    assert big.toolTip() == "<big> was learned for sd1 models"
    docker.view["second"].setPlainText("a photo of on grass")
    cursor = docker.view["second"].textCursor()
    cursor.setPosition(len("a photo of"))
    docker.view["second"].setTextCursor(cursor)
    bear.click()
    assert docker.view["second"].toPlainText() == "a photo of <bear> on grass"


def test_places_are_found_behind_what_qt_counts_as_two(room):
    first, second = room.docker.view["first"], room.docker.view["second"]
    first.setPlainText("a 😀 dog on grass")
    second.setPlainText("a 😀 cat on grass")
    assert marked(second) == ["cat"]
    (dog,) = (word for word in words(first.toPlainText()) if word.text == "dog")
    first.choose(dog)
    assert first.textCursor().selectedText() == "dog"
    second.setPlainText("a 😀 with on grass")
    cursor = second.textCursor()
    cursor.setPosition(len("a 😀 with".encode("utf-16-le")) // 2)
    second.setTextCursor(cursor)
    room.docker.insert_concept("bear")
    assert second.toPlainText() == "a 😀 with <bear> on grass"
    second.setPlainText("😀 <be")
    second.moveCursor(six.part("qt").QTextCursor.MoveOperation.End)
    assert second.place(second.textCursor()) == len("😀 <be")


def marked(field) -> list[str]:
    return [mark.cursor.selectedText() for mark in field.extraSelections()]


def test_marks_stay_where_the_same_is_written_again(room):
    """As by pasting over all of it: nothing is new for the panel then."""
    first, second = room.docker.view["first"], room.docker.view["second"]
    first.setPlainText(SHOWS)
    second.setPlainText("a photo of a helicopter on grass")
    before = marked(second)
    assert "helicopter" in before
    second.setPlainText("a photo of a helicopter on grass")
    assert marked(second) == before
    assert marked(first) == ["cat"]


def test_describe_lies_beside_the_bar_of_a_long_sentence(room):
    room.resize(200)
    field, button = room.docker.view["first"], room.docker.view["describe"]
    bar = field.verticalScrollBar()
    for text, long in ((SHOWS, False), (" ".join([SHOWS] * 9), True), (SHOWS, False)):
        field.setPlainText(text)
        room.until(lambda s, long=long: bar.isVisible() == long)
        left = bar.mapTo(field, bar.rect().topLeft()).x() if long else field.width()
        assert button.geometry().right() < left <= button.geometry().right() + 6


def test_words_are_links_and_sliders(room):
    docker = room.docker
    docker.view["first"].setPlainText(SHOWS)
    assert 'href="cat"' in docker.view["words"].text()
    room.panel.draft.emphasise("cat")
    assert {"weight-cat", "weight-grass"} <= set(docker.view)
    docker.view["weight-grass"].setValue(0)
    assert dict(room.panel.form.weights) == {"cat": 0.5, "grass": -1.0}


def test_a_word_to_be_replaced_is_chosen_where_what_is_written_is_completed(room):
    """No dialog asks for it: the sentence's own field completes words and marks them."""
    docker = room.docker
    room.backend.the_concepts = [concept("bear")]
    room.panel.backend.refresh_concepts()
    room.until(lambda s: s.concepts)
    docker.activateWindow()
    docker.view["first"].setPlainText(SHOWS)
    room.panel.draft.choose_operation("insert")
    field = docker.view["second"]
    first = docker.view.drawer("words").part.menu("cat")[0]
    assert (first.text, first.ask) == ("Replace “cat” with…", "")
    first.do()
    room.application.processEvents()
    assert field.hasFocus()
    assert field.textCursor().selectedText() == "cat"
    six.type_in(field, "<be")
    six.press(field, "Return")
    assert room.panel.form.operand == "a photo of a <bear> on grass"


def past(backend: Backend, job: str) -> dict:
    image = backend.keep(picture(64, 48))
    request = {
        "operation": "replace",
        "source_prompt": SHOWS,
        "target_prompt": "a photo of a dog on grass",
        "weights": {},
    }
    region = {"canvas": [64, 48], "box": [0, 0, 64, 48], "work": [64, 64]}
    return {
        "id": job,
        "kind": "edit",
        "state": "finished",
        "preview": None,
        "artifacts": {"layer": image, "composite": image},
        "result": {"recipe": {"request": request, "region": region}},
    }


def test_results_of_before_are_shown_and_put_into_the_picture_again(closed_room, backend):
    backend.past = [past(backend, "krita-0-0-aa"), past(backend, "krita-900-0-bb")]
    room = closed_room.open()
    room.docker.view["everything"].click()
    room.until(lambda s: len(s.results) == 2)
    room.until(lambda _: not any(made.icon().isNull() for made in buttons(room.docker.view["results"])))
    results = room.docker.view
    fits, beyond = buttons(results["results"])
    assert fits.accessibleName() == "cat → dog"
    assert results["looked-at"].isHidden()
    fits.click()
    room.until(lambda s: s.strip.shown is not None)
    assert room.editor.shown.bounds == Bounds(0, 0, 64, 48)
    assert (fits.isChecked(), beyond.isChecked()) == (True, False)
    room.until(lambda _: not results["looked-at"].isHidden())
    results["original"].pressed.emit()
    assert room.editor.veiled
    results["original"].released.emit()
    assert not room.editor.veiled
    results["keep"].click()
    room.until(lambda s: s.progress is None and room.editor.inserted)
    assert room.editor.inserted[0].bounds == Bounds(0, 0, 64, 48)
    assert results["looked-at"].isHidden()
    beyond.click()
    assert "64 × 48" in room.docker.view["message"].text()
    assert not beyond.isChecked()


def test_the_result_that_is_looked_at_has_the_frame_and_the_keyboard(closed_room, backend):
    backend.past = [past(backend, "krita-0-0-aa"), past(backend, "krita-0-0-bb")]
    room = closed_room.open()
    room.docker.view["everything"].click()
    room.until(lambda s: len(s.results) == 2)
    first, second = buttons(room.docker.view["results"])
    first.setFocus()
    first.click()
    room.until(lambda _: first.property("framed"))
    assert not second.property("framed")
    six.press(first, "Right")
    room.until(lambda _: second.property("framed"))
    assert room.docker.focusWidget() is second
    assert not first.property("framed")
    room.docker.view["first"].setFocus()
    room.docker.view["before"].click()
    room.until(lambda _: first.property("framed"))
    assert room.docker.focusWidget() is room.docker.view["first"]
    assert not second.property("framed")


def test_a_long_word_for_presets_ends_in_dots_where_the_docker_is_narrow(room):
    presets = room.docker.view["presets"]
    presets.setText("Voreinstellungen des Werkzeugs")  # as long as any language has it, and longer
    room.resize(six.WIDTH - 64)
    assert presets.fitting.endswith("…")
    assert presets.visibleRegion().boundingRect() == presets.rect()


def test_a_tip_goes_when_one_writes(room):
    qt, first = six.part("qt"), room.docker.view["first"]
    describe = room.docker.view["describe"]
    ten_minutes = 600_000  # ms, or it would go by itself
    at, tip = describe.mapToGlobal(qt.QPoint(2, 2)), describe.toolTip()
    qt.QToolTip.showText(at, tip, describe, describe.rect(), ten_minutes)
    assert qt.QToolTip.isVisible()
    six.type_in(first, "cat")
    room.until(lambda _: not qt.QToolTip.isVisible())


def test_another_theme_reaches_words_and_icons_that_are_shown(room):
    qt, view = six.part("qt"), room.docker.view
    room.panel.draft.write_source_prompt("cat on grass")
    room.until(lambda s: s.words)
    icon, palette = view["settings"].icon().cacheKey(), room.docker.palette()
    palette.setColor(qt.QPalette.ColorRole.WindowText, qt.QColor("#13579b"))
    room.docker.setPalette(palette)
    room.until(lambda _: "color: #13579b" in view["words"].text())
    assert view["settings"].icon().cacheKey() != icon


def test_a_long_name_of_a_model_ends_in_dots_where_its_box_is_narrow(room):
    def box(name: str, width: int):
        made = six.part("inputs").Choice(None, lambda value: None)
        made.addItem(name, name)
        made.resize(width, 24)
        return made

    long = box("a model with a very long name, as people give them", 110)
    written = long.fitting.currentText
    assert written.endswith("…")
    assert long.grab().toImage() == box(written, 110).grab().toImage()
    assert box(long.currentText(), 900).fitting.currentText == long.currentText()


def test_an_action_asks_which_word_of_the_sentence_is_meant(room, monkeypatch):
    room.krita.extensions[0].createActions(room.krita.window)
    room.until(lambda _: room.krita.settings)  # the docker is shown once, which is noted there
    room.panel.draft.write_source_prompt("cat on grass")
    answers, asked = [("grass", False), ("grass", True)], []
    dialog = six.part("qt").QInputDialog
    monkeypatch.setattr(dialog, "getItem", lambda *told: asked.append(told[3]) or answers.pop(0))
    before = room.panel.form.operation
    room.krita.window.actions["palimpsest_emphasise"].trigger()
    assert room.panel.form.operation == before, "it was cancelled"
    room.krita.window.actions["palimpsest_emphasise"].trigger()
    assert room.panel.form.operation == "reweight"
    assert asked == [["cat", "grass"]] * 2


def test_every_action_is_there_and_does_what_it_says(room):
    extension = room.krita.extensions[0]
    extension.createActions(room.krita.window)
    actions = room.krita.window.actions
    texts = [action.text for action in actions.values()]
    assert len(texts) == 15
    assert all(text.startswith("Palimpsest: ") for text in texts)
    room.docker.hide()
    actions["palimpsest_insert"].trigger()
    assert room.docker.isVisible()
    assert room.panel.form.operation == "insert"
    assert room.docker.focusWidget() is room.docker.view["first"]
    room.docker.view["first"].setPlainText(SHOWS)
    actions["palimpsest_replace"].trigger()
    assert room.panel.form.operation == "replace"
    assert room.docker.focusWidget() is room.docker.view["second"]
    room.docker.view["second"].clearFocus()
    actions["palimpsest_show"].trigger()
    assert room.docker.focusWidget() is room.docker.view["second"]
    actions["palimpsest_concepts"].trigger()
    dialog_of("ConceptsWindow").close()
    actions["palimpsest_remember"].trigger()
    room.until(lambda _: room.backend.submitted)
    assert room.backend.submitted[0]["kind"] == "invert"
    room.backend.finish({}, reconstruction_psnr=30.0)
    room.until(lambda s: s.progress is None)
    actions["palimpsest_reopen"].trigger()
    assert room.docker.view["message"].text() == "This layer wasn't made by Palimpsest: choose one that was."
    actions["palimpsest_remove"].trigger()
    assert room.docker.view["message"].text() == "Select what should go."
    room.editor.select_bounds(Bounds(10, 10, 20, 12))
    actions["palimpsest_remove"].trigger()
    room.until(lambda _: len(room.backend.submitted) == 2)
    assert room.backend.submitted[1]["request"]["operation"] == "remove"


def test_a_new_docker_is_shown_once_and_not_against_the_users_will(closed_room):
    room = closed_room
    six.part("extension").show_once()
    assert room.docker.isVisible()
    room.docker.hide()
    six.part("extension").show_once()
    assert not room.docker.isVisible()


def learning_dialog():
    six.part("shared_panel").shared_panel().windows.learn()
    return dialog_of("LearnWindow")


def answers(frame):
    """The buttons beside a picture, by their text."""
    kind = six.part("qt").QPushButton
    return {made.text(): made for made in frame.findChildren(kind)}


def thumbnail(frame):
    return frame.layout().itemAt(0).widget().pixmap()


def test_the_learn_dialog_offers_a_quick_learning_and_one_with_detail(room):
    dialog = learning_dialog()
    assert not dialog.view["thorough"].isHidden()
    assert [
        made.isChecked() for made in dialog.view["thorough"].findChildren(six.part("qt").QRadioButton)
    ] == [
        True,
        False,
    ]
    dialog.content.learning.set(chosen=DETAIL)
    buttons_there = dialog.view["thorough"].findChildren(six.part("qt").QRadioButton)
    assert [made.text() for made in buttons_there] == ["quick", "with detail"]
    assert [made.isChecked() for made in buttons_there] == [False, True]
    assert "Takes longer" in buttons_there[1].toolTip()
    assert all(made.isEnabled() for made in buttons_there)


def test_the_learn_dialog_names_the_odd_picture_and_leaves_it_out(room, tmp_path):
    dialog = learning_dialog()
    dialog.view["name"].setText("my-toy")
    dialog.view["noun"].setText("toy")
    assert not dialog.view["learn"].isEnabled()
    places = [tmp_path / f"{number}.png" for number in range(3)]
    for number, place in enumerate(places):
        place.write_bytes(picture(8, 8, number))
    dialog.content.learning.pictures.add_files([str(place) for place in places])
    room.until(lambda _: len(dialog.content.learning.state.examples) == 3)
    room.until(lambda _: not any(thumbnail(frame).isNull() for frame in buttons(dialog.view["pictures"])))
    room.editor.the_layers = [LayerFacts("layer:1", "Bear", True)]
    dialog.content.learning.pictures.add_layers()
    room.until(lambda _: len(dialog.content.learning.state.examples) == 4)
    dialog.view["learn"].click()
    room.until(lambda _: room.backend.submitted)
    assert dialog.view["stop"].isEnabled()
    assert dialog.view["preview"].isHidden()
    room.backend.tell("started", device="cpu", attempt=1)
    room.backend.tell("previewed", image=room.backend.keep(picture(20, 10)), name="")
    room.until(lambda _: not dialog.view["preview"].isHidden())
    assert dialog.view["preview"].pixmap().width() == 72
    odd = {"picture": 3, "problem": "odd", "message": "Picture 4 doesn't seem to show the same toy."}
    error = {"code": "concept_images", "message": odd["message"], "hint": "", "details": {"pictures": [odd]}}
    room.backend.tell("failed", error=error)
    room.until(lambda _: dialog.content.learning.state.examples[3].odd)
    assert dialog.view["message"].text() == "Picture 4 doesn't seem to show the same toy."
    assert not dialog.view["preview"].isHidden(), "how it looked last stays"
    frames = buttons(dialog.view["pictures"])
    assert [list(answers(frame)) for frame in frames] == [["×"]] * 3 + [["Leave out", "It is meant"]]
    answers(frames[3])["Leave out"].click()
    assert len(dialog.content.learning.state.examples) == 3
    dialog.close()
    again = learning_dialog()
    kept = again.content.learning.state.examples
    assert (again.view["name"].text(), len(kept)) == ("my-toy", 3), "as it was left"
    again.view["name"].setText("My Toy 2")
    assert (again.view["name"].text(), again.view["name-note"].isHidden()) == ("my-toy-2", False)
    again.close()


def test_what_is_said_of_a_name_moves_no_field(room):
    dialog = learning_dialog()
    kind, note = dialog.view["kind"], dialog.view["name-note"]
    room.application.processEvents()
    before = kind.mapTo(dialog, kind.rect().topLeft()).y()
    dialog.view["name"].setText("My Toy")
    room.application.processEvents()
    assert (note.text() != "", note.isVisible()) == (True, True)
    assert kind.mapTo(dialog, kind.rect().topLeft()).y() == before
    dialog.close()


def test_what_is_not_learned_is_dark_and_what_is_transparent_chequered(room):
    seen = six.part("sights").sight
    image = six.part("qt").QImage
    grey = encode(bytes([255] * 8 + [0] * 8) * 16, Layout(Extent(16, 16), 1))
    shown = seen(picture(16, 16, 200), grey, 16)
    left, right = shown.pixelColor(2, 8), shown.pixelColor(13, 8)
    assert (left.red(), left.green(), left.blue()) == (200, 80, 40)
    assert right.red() < left.red() / 2
    clear = seen(encode(bytes(16 * 16 * 4), Layout(Extent(16, 16), 4)), None, 16)
    assert {clear.pixelColor(x, 2).red() for x in range(16)} == {255, 190}
    assert isinstance(clear, image)
    assert seen(b"no picture", None, 16).isNull()


def test_another_computer_is_chosen_and_models_are_fetched(room, tmp_path):
    windows = six.part("shared_panel").shared_panel().windows
    windows.settings()
    dialog = dialog_of("SettingsWindow").view
    dialog["where"].findChildren(six.part("qt").QRadioButton)[1].click()
    dialog["address"].setText("nonsense")
    dialog["connect"].click()
    assert "For instance http:" in dialog["message"].text()
    windows.models()
    models = dialog_of("ModelsWindow").view
    fetch = models["fetch-sd15"]
    assert fetch.accessibleName() == "Download Stable Diffusion 1.5"
    assert models["downloading"].isHidden()
    fetch.click()
    assert not models["downloading"].isHidden()
    room.until(lambda _: room.backend.submitted)
    assert (room.backend.submitted[0]["kind"], room.backend.submitted[0]["request"]) == (
        "pull",
        {"model": "sd15"},
    )


def test_the_models_title_is_shown_once_it_is_known(room):
    """Before the backend has answered it is its short name."""
    room.until(lambda s: s.models)
    room.panel.draft.set(steps=room.panel.form.settings.steps)
    choice = room.docker.view["model"]
    room.until(lambda _: choice.currentText() == "built-in model (for trying out)")
    assert choice.currentData() == "built-in"


def test_it_is_narrow_reachable_by_keyboard_and_named(room):
    docker = room.docker
    room.panel.draft.write_source_prompt(SHOWS)
    room.application.processEvents()
    assert docker.widget().minimumSizeHint().width() <= 160
    inside = docker.widget()
    assert inside.minimumSizeHint().width() <= six.WIDTH
    nameless, reached = [], set()
    widget = docker.view["first"]
    for _ in range(200):
        widget = widget.nextInFocusChain()
        policy = widget.focusPolicy().value & 1  # by Tab
        if policy and widget.isVisible() and inside.isAncestorOf(widget):
            reached.add(widget)
            if not widget.accessibleName() and not getattr(widget, "text", lambda: "")():
                nameless.append(type(widget).__name__)
    strength = docker.view["strength"]
    assert {docker.view["first"], docker.view["second"], strength, docker.view["apply"]} <= reached
    assert [name for name in nameless if not name.startswith(("QLineEdit", "QScroll"))] == []


def test_closing_krita_leaves_the_job_and_keeps_the_words(room, tmp_path):
    room.editor.change(file="/photos/one.png")
    room.until(lambda s: s.document.file)
    room.docker.view["first"].setPlainText(SHOWS)
    for call in room.krita.notifier().closing:
        call()
    told = json.loads((tmp_path / "config" / "sentences.json").read_text())
    assert told["/photos/one.png"]["first"] == SHOWS


def test_what_does_not_fit_in_one_row_shows_icons(room):
    buttons = room.docker.view["operations"].buttons
    room.panel.draft.choose_operation("restyle")
    wide, narrow = style().ToolButtonTextUnderIcon, style().ToolButtonIconOnly
    room.resize(420)
    assert {made.toolButtonStyle() for made in buttons.values()} == {wide}
    room.resize(200)
    named = {name for name, made in buttons.items() if made.toolButtonStyle() != narrow}
    assert named == {"restyle"}
    assert not any(made.icon().isNull() for made in buttons.values())
    assert len({made.y() for made in buttons.values()}) == 1


def test_what_is_folded_away_can_be_read_in_a_narrow_panel(room):
    """A field's name stands above it where both don't fit."""
    room.docker.view["unfold"].click()
    room.resize(200)
    for name in ("steps", "cross", "model"):
        field = room.docker.view[name]
        assert field.width() >= 100, name
        assert field.mapTo(room.docker, field.rect().topRight()).x() < 200


@pytest.fixture(params=["en", *translate.codes()])
def language(request, tmp_path):
    """As it was chosen in the settings, before the editor started."""
    write_language(tmp_path / "config", request.param)
    yield request.param
    speak(NullTranslations())


@pytest.mark.parametrize("width", [200, 260])
def test_what_number_fields_say_is_whole(language, room, width):
    """Also where automatic is a long word."""
    room.docker.view["unfold"].click()
    room.resize(width)
    inside = room.docker.view["inside"]
    assert room.docker.view["apply"].text() == catalogue(language).pgettext("apply", "Apply")
    fields = [field for field in inside.findChildren(six.part("inputs").Number) if field.isVisible()]
    assert len(fields) > 6
    for field in fields:
        line = field.lineEdit()
        assert line.fontMetrics().horizontalAdvance(field.text()) <= line.width() - LINE_EDGE, field.text()
        assert field.mapTo(inside, field.rect().topRight()).x() < inside.width(), field.text()


@pytest.mark.parametrize("width", [200, 260])
def test_nothing_is_cut_where_it_is_narrow(room, width):
    room.panel.draft.write_source_prompt(SHOWS)
    room.resize(width)
    docker = room.docker
    parts = [*docker.view["operations"].buttons.values(), docker.view["settings"], docker.view["describe"]]
    for part in [*parts, docker.view["variations"], docker.view["apply"]]:
        right = part.mapTo(docker, part.rect().topRight()).x()
        assert part.isVisible()
        assert right < docker.width(), part.accessibleName()


def test_it_stays_narrow_while_edits_wait_and_a_layer_is_in_hand(room):
    work = room.docker.view
    work["queue"].setText("+12")
    for key in ("bar", "queue", "cancel", "new", "updating", "reopen", "remember"):
        work[key].show()
    room.resize(200)
    assert room.docker.width() == 200
    for made in (work["new"], work["cancel"]):
        assert made.width() > made.fontMetrics().horizontalAdvance(made.text())


def test_what_may_be_noted_scrolls_and_leaves_the_results_their_room(room):
    docker, work = room.docker, room.docker.view
    before = work["work"].sizeHint().height()
    for part in (work["updating"], work["reopen"], work["remember"], work["fidelity"], work["sight"]):
        part.show()
        assert docker.view["scroll"].isAncestorOf(part)
    assert work["work"].sizeHint().height() == before


def test_a_sentence_grows_with_its_words_and_holds_describe(room):
    words = room.docker.view
    assert words["describe"].toolButtonStyle() == style().ToolButtonTextBesideIcon
    low = words["first"].height()
    words["first"].setPlainText(" ".join(["a photo of a cat on grass"] * 5))
    room.application.processEvents()
    assert words["first"].height() > low
    assert words["first"].verticalScrollBar().maximum() == 0
    assert words["describe"].toolButtonStyle() == style().ToolButtonIconOnly
    assert words["describe"].accessibleName() == "Describe"
    assert words["first"].rect().contains(words["describe"].geometry())
    words["describe"].click()
    room.until(lambda _: room.backend.submitted)
    assert room.backend.submitted[0]["kind"] == "describe"


def test_a_word_that_describe_doubts_is_dotted(room):
    words = room.docker.view
    words["describe"].click()
    room.until(lambda _: room.backend.submitted)
    doubt = {"start": 2, "stop": 5, "probability": 0.41}
    room.backend.finish({}, caption="a cat on grass", confidence=0.9, doubts=[doubt])
    room.until(lambda state: state.form.source_prompt == "a cat on grass" and state.doubts)
    (mark,) = words["first"].extraSelections()
    assert mark.cursor.selectedText() == "cat"
    assert mark.format.underlineStyle() == mark.format.UnderlineStyle.DotLine


def test_marking_words_leaves_nothing_to_be_collected(room):
    sentence = room.docker.view["first"]

    def cursors():
        return sum(type(made).__name__ == "QTextCursor" for made in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = cursors()
        sentence.mark([Word("a", 0, 1), Word("photo", 2, 7)], (), ())
        assert cursors() == before
    finally:
        gc.enable()


def test_apply_stays_where_it_is_whatever_comes_and_goes_above_it(room):
    docker = room.docker

    def place():
        room.application.processEvents()
        return docker.view["apply"].mapTo(docker, docker.view["apply"].rect().topLeft())

    before = place()
    room.panel.draft.write_source_prompt(SHOWS)
    room.editor.change(has_recipe=True)
    room.until(lambda s: s.can_reopen)
    assert not docker.view["reopen"].isHidden()
    assert place() == before
    room.panel.draft.write_operand("a photo of a dog on grass")
    docker.view["apply"].click()
    room.until(lambda s: s.progress is not None)
    assert not docker.view["cancel"].isHidden()
    assert docker.view["bar"].accessibleDescription() == docker.view["phase"].text()
    assert place() == before


def test_all_concepts_are_searched_used_renamed_and_deleted(room, monkeypatch):
    names = ["my-toy", *[f"toy-{n}" for n in range(40)]]
    room.backend.the_concepts = [concept(name) for name in names]
    room.panel.backend.refresh_concepts()
    room.until(lambda s: len(s.concepts) == 41)
    words = room.docker.view
    shown = [made for made in words["concepts"].widgets if not made.isHidden()]
    assert 1 <= len(shown) < 5, "one row of them"
    assert words["all"].isVisible()
    assert words["all"].mapTo(room.docker, words["all"].rect().topRight()).x() < room.docker.width()
    words["all"].click()
    dialog = dialog_of("ConceptsWindow")
    assert dialog.windowFlags() & six.part("qt").Qt.WindowType.WindowStaysOnTopHint
    dialog.view["search"].setText("my")
    assert dialog.view["list"].count() == 1
    room.panel.draft.write_source_prompt(SHOWS)
    room.docker.view["second"].setPlainText("a photo of on grass")
    dialog.view["use"].click()
    assert "<my-toy>" in room.panel.form.operand
    asked = six.part("qt")
    monkeypatch.setattr(asked.QInputDialog, "getText", lambda *_, **__: ("bear", True))
    dialog.view["rename"].click()
    dialog.view["search"].setText("bear")
    room.until(lambda s: "bear" in [c.name for c in s.concepts] and dialog.view["list"].count() == 1)
    assert "<bear>" in room.panel.form.operand
    room.backend.the_concepts = []
    asked_for, yes = [], asked.QMessageBox.StandardButton.Yes
    monkeypatch.setattr(asked.QMessageBox, "question", lambda *told: asked_for.append(told) or yes)
    dialog.view["delete"].click()
    room.until(lambda _: dialog.view["message"].text() == "There is no concept <bear>.")
    assert asked_for[0][-1] == asked.QMessageBox.StandardButton.No, "what Return does"
    dialog.close()


def test_the_model_is_chosen_in_the_state_line(room):
    room.backend.the_models = [*room.backend.the_models, {**room.backend.the_models[0], "name": "other"}]
    room.panel.refresh()
    room.until(lambda s: len(s.models) == 3)
    status = room.docker.view
    assert status["model-menu"].isVisible()
    assert not status["status"].isVisible()
    status["model-menu"].menu().aboutToShow.emit()
    built_in, other, _, get = status["model-menu"].menu().actions()
    assert (built_in.isChecked(), other.isChecked(), get.text()) == (True, False, "Get a real model…")
    other.trigger()
    assert room.panel.form.settings.model == "other"
    assert status["model-menu"].text() == "other"


@pytest.mark.parametrize("part", ["settings", "all", "unfold", "structure"])
def test_what_has_the_keyboard_has_a_frame(room, part):
    """Krita's style hardly shows it on a flat button or a slider."""
    room.backend.the_concepts = [concept("toy")]
    room.panel.backend.refresh_concepts()
    room.until(lambda s: s.concepts)
    widget = room.docker.view[part]
    room.docker.activateWindow()
    room.docker.view["first"].setFocus()

    def corner() -> str:
        room.application.processEvents()
        return widget.grab().toImage().pixelColor(0, 0).name()

    before = corner()
    widget.setFocus()
    assert widget.hasFocus()
    highlight = widget.palette().color(widget.palette().ColorRole.Highlight).name()
    assert (before == highlight, corner()) == (False, highlight)


def test_tab_goes_through_the_panel_as_it_is_read(room):
    """Also through what was made anew meanwhile."""
    room.backend.the_concepts = [concept("bear"), concept("toy")]
    room.panel.backend.refresh_concepts()
    room.panel.draft.write_source_prompt(SHOWS)
    room.until(lambda s: len(s.concepts) == 2)
    room.panel.draft.choose_operation("insert")
    room.resize(420)
    docker = room.docker
    places, widget = [], docker.view["model-menu"]
    while True:
        if widget.focusPolicy().value & 1 and widget.isVisible() and docker.widget().isAncestorOf(widget):
            at = widget.mapTo(docker, widget.rect().center())
            places.append((at.y(), at.x(), widget.accessibleName() or type(widget).__name__))
        widget = widget.nextInFocusChain()
        if widget is docker.view["model-menu"]:
            break
    assert len(places) > 15
    steps = [(before, after) for before, after in pairwise(places) if after[0] < before[0] - 16]
    assert steps == [], "never up by more than a part of a line"
    row = [name for _, _, name in places if name in ("bear", "toy", "Learn a concept…", "All…")]
    assert row == ["bear", "toy", "Learn a concept…", "All…"]
