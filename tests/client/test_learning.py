"""Learning a concept: pictures from files, layers and selections, the one that doesn't fit, and the end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from client.desk import Desk, fill
from client.scripted import concept, picture
from client.spoken import Spoken
from palimpsest.limits import is_name
from palimpsest.models.listing import list_all
from palimpsest_client.editor.editor import LayerFacts
from palimpsest_client.editor.geometry import Bounds
from palimpsest_client.editor.picture_file import PictureFile
from palimpsest_client.http.job_view import JobView
from palimpsest_client.http.sending import Outgoing
from palimpsest_client.learning.dialog import Learning
from palimpsest_client.learning.examples import sentence_for
from palimpsest_client.learning.state import MORE, NEW, REPLACE
from palimpsest_client.panel.status import Progress
from palimpsest_client.text.wording import speak


class School(Desk):
    def __init__(self, folder) -> None:
        super().__init__(folder)
        self.folder = folder
        self.ready()
        self.shown = []
        self.learning = Learning(self.panel, self.editor)
        self.learning.show_to(self.shown.append)

    @property
    def told(self):
        return self.learning.state

    def files(self, count: int) -> list[str]:
        places = [self.folder / f"{number}.png" for number in range(count)]
        for number, place in enumerate(places):
            place.write_bytes(picture(8, 8, number))
        return [str(place) for place in places]

    def learns(self, sent: int = 1) -> dict:
        """Presses Learn; the order that comes of it."""
        self.learning.learn()
        self.until(lambda _: len(self.backend.submitted) == sent)
        return self.backend.submitted[-1]["request"]

    def learned(self, sent: int = 1, artifacts=None, **result) -> None:
        """The learning ends, and the test sentence that is sent then is drawn."""
        told = {"name": "my-toy", "start": None, "best_step": 90, "steps": 100, **result}
        self.backend.finish(artifacts or {}, **told)
        self.until(lambda _: len(self.backend.submitted) == sent + 1)
        self.backend.finish({"picture": b"a drawing"})
        self.until(lambda _: self.told.drawn == b"a drawing" and self.told.progress is None)

    def filled(self, count: int = 3) -> None:
        self.learning.set(name="<my-toy>", noun="toy")
        self.learning.pictures.add_files(self.files(count))
        self.until(lambda _: len(self.told.examples) == count)


def demo_spec() -> dict:
    return next(told["details"] for told in list_all(Path("nowhere"), ())[0] if told["name"] == "built-in")


@pytest.fixture
def school(tmp_path):
    school = School(tmp_path)
    yield school
    school.panel.stop()


def test_what_is_missing_is_said_in_its_order(school):
    learning = school.learning
    assert school.told.cannot_learn == "Give the concept a name."
    learning.set(name="<my-toy>")
    assert (school.told.name, school.told.note) == ("my-toy", "")
    assert school.told.cannot_learn.startswith("Say what it is")
    learning.set(noun="toy")
    assert school.told.cannot_learn == "Add at least 3 pictures; three to five are best."
    learning.learn()
    assert school.told.outcome.kind == "error"
    assert school.backend.submitted == []
    learning.pictures.add_files(school.files(6))
    school.until(lambda _: len(school.told.examples) == 6)
    assert school.told.cannot_learn == ""
    assert school.told.message == "Three to five good pictures are enough."


def test_a_concept_is_learned_from_files_layers_and_a_selection(school):
    learning, editor = school.learning, school.editor
    learning.set(name="my-toy", noun="toy")
    learning.pictures.add_selection()
    assert school.told.message == "Nothing is selected: select something in the picture first."
    learning.pictures.add_layers()
    assert school.told.message.startswith("Choose layers")
    editor.select_bounds(Bounds(20, 10, 8, 8))
    editor.the_layers = [LayerFacts("layer:1", "Bear", True), LayerFacts("layer:2", "Sky", False)]
    school.until(lambda s: s.document.selection is not None)
    learning.pictures.add_selection()
    learning.pictures.add_layers()
    learning.pictures.add_files(school.files(1))
    school.until(lambda _: len(school.told.examples) == 3)
    assert [capture[1:] for capture in editor.captured] == [
        ("canvas", Bounds(18, 8, 12, 12)),
        ("layer:1", None),
    ]
    learning.learn()
    school.until(lambda _: school.backend.submitted)
    request = school.backend.submitted[0]["request"]
    assert (request["name"], request["noun"], request["kind"]) == ("my-toy", "toy", "subject")
    assert len(set(request["images"])) == 3
    assert [mask is not None for mask in request["masks"]] == [True, False, False]
    school.backend.tell("started", device="cpu", attempt=1)
    school.backend.tell("progressed", phase="learning", index=5, total=20, seconds_left=20.0)
    school.until(lambda _: school.told.progress and school.told.progress.text == "Learning · 5 of 20 · 20 s")
    school.backend.tell("previewed", image=school.backend.keep(b"a look"), name="")
    school.until(lambda _: school.told.preview == b"a look")
    school.backend.the_concepts = [concept("my-toy")]
    school.learned()
    assert school.told.message == "<my-toy> is learned. Write it into a sentence like a word."
    assert school.told.preview == b"a look", "how it looked last stays"
    assert [known.name for known in school.state.concepts] == ["my-toy"]
    assert (school.state.outcome.kind, school.state.message) == ("done", school.told.message)


def test_what_is_read_to_learn_from_beside_an_apply_does_not_go_its_way(school):
    """Each has a file of its own: the Apply's is sent while it is read, the lesson's with the others."""
    editor = school.editor
    editor.hold = True
    editor.the_layers = [LayerFacts("layer:1", "Bear", True), LayerFacts("layer:2", "Sky", True)]
    school.learning.pictures.add_layers()
    fill(school.panel)
    school.panel.apply()
    assert [capture[1] for capture in editor.captured] == ["layer:1", "canvas"]
    editor.hold = False
    editor.release()
    school.until(lambda _: len(school.told.examples) == 2 and school.backend.submitted)
    assert [capture[1] for capture in editor.captured] == ["layer:1", "canvas", "layer:2"]
    assert [type(file) for file in editor.files] == [PictureFile, Outgoing, PictureFile]


TYPED = {
    "my-toy": ("my-toy", False),
    "<my-toy>": ("my-toy", False),
    "My Toy": ("my-toy", True),
    "Bär_2": ("bar_2", True),
    "  - the  TOY!": ("the-toy", True),
    "x" * 99: ("x" * 64, True),
}


@pytest.mark.parametrize(("typed", "expected"), TYPED.items())
def test_a_name_is_made_of_what_is_typed_and_that_is_said(school, typed, expected):
    name, said = expected
    school.learning.set(name=typed)
    assert (school.told.name, bool(school.told.note)) == (name, said)
    if said:
        assert school.told.note == f"It is written <{name}>: a name has small letters, digits, - and _."
        school.learning.set(name=school.told.field + "e")
        assert school.told.note, "it is still said while one goes on typing"
    assert is_name(name)


def test_a_name_may_end_as_it_likes_while_it_is_typed(school):
    for typed, field, name in (("my", "my", "my"), ("my ", "my-", "my"), ("my-t", "my-t", "my-t")):
        school.learning.set(name=typed)
        assert (school.told.field, school.told.name) == (field, name)


def test_a_name_of_other_letters_is_not_lost_in_silence(school):
    school.learning.set(name="玩具")
    assert (school.told.name, school.told.note) == (
        "",
        "玩具 can't be a name: write small letters, digits, - and _.",
    )


def test_the_picture_that_does_not_fit_is_named_and_left_out_or_meant(school):
    school.filled(4)
    school.learning.learn()
    school.until(lambda _: school.backend.submitted)
    odd = {"picture": 2, "problem": "odd", "message": "Picture 3 doesn't seem to show the same toy."}
    error = {"code": "concept_images", "message": odd["message"], "hint": "", "details": {"pictures": [odd]}}
    school.backend.tell("failed", error=error)
    school.until(lambda _: school.told.outcome is not None)
    assert [bool(example.problem) for example in school.told.examples] == [False, False, True, False]
    assert [example.odd for example in school.told.examples] == [False, False, True, False]
    school.learning.accept_outliers()
    school.until(lambda _: len(school.backend.submitted) == 2)
    assert school.backend.submitted[1]["request"]["accept_outliers"] is True
    school.backend.tell("failed", error=error)
    school.until(lambda _: school.told.outcome is not None)
    school.learning.leave_out(2)
    assert [example.name for example in school.told.examples] == ["0.png", "1.png", "3.png"]
    assert not any(example.odd or example.problem for example in school.told.examples)
    school.learning.learn()
    school.until(lambda _: len(school.backend.submitted) == 3)
    assert school.backend.submitted[2]["request"]["accept_outliers"] is False


def at(school: School, index: int) -> None:
    school.backend.tell("started", device="cpu", attempt=1)
    school.backend.tell("progressed", phase="learning", index=index, total=100, seconds_left=9.0)
    school.until(lambda _: school.told.progress and f"{index} of 100" in school.told.progress.text)


def test_what_another_job_shows_is_not_taken_for_the_word(school):
    school.filled()
    school.learns()
    at(school, 5)
    session, jobs = school.panel.session, school.panel.jobs
    session.state = replace(session.state, job=JobView("somebody-else's"))
    jobs.preview_picture, jobs.progress = b"an edit", Progress("Editing")
    school.learning.set(noun="doll")
    assert (school.told.preview, school.told.progress.text) == (None, "Learning · 5 of 100 · 9 s")
    school.learning.stop()
    school.learning.set(noun="bear")
    assert school.told.progress.text == "Learning · 5 of 100 · 9 s", "nor is it stopped for it"
    assert jobs.progress.text == "Editing"


def test_a_learning_that_is_stopped_at_once_leaves_the_pictures(school):
    school.filled()
    school.learns()
    school.learning.stop()
    school.until(lambda _: school.told.outcome is not None)
    assert school.told.message == "Stopped before anything was learned."
    assert school.backend.cancelled == [school.backend.submitted[0]["id"]]
    assert (len(school.told.examples), school.told.learned, school.told.mode) == (3, "", "new")
    assert len(school.backend.submitted) == 1


def test_what_was_learned_until_it_was_stopped_is_kept_and_goes_on(school):
    school.filled()
    first = school.learns()
    at(school, 40)
    assert school.told.learns
    school.learning.stop()
    school.until(lambda _: len(school.backend.submitted) == 2)
    assert school.backend.submitted[1]["request"] == {**first, "finish": True}
    school.learned(2, steps=40)
    assert (
        school.told.message
        == "Stopped after 40 steps. <my-toy> is the best of them; Learn more goes on from there."
    )
    assert (school.told.learned, school.told.mode, school.told.learn_text) == ("my-toy", "more", "Learn more")
    assert school.told.cost.startswith("Up to 60 steps")
    again = school.learns(4)
    assert again == {**first, "replace": True}, "the very same run is taken up again"
    school.learned(4)
    assert school.told.message.startswith("<my-toy> is learned.")
    more = school.learns(6)
    assert (more["start"], more["replace"], more["images"]) == ("my-toy", True, first["images"])
    school.learned(6, start={"name": "<my-toy>"}, best_step=0)
    assert school.told.message.startswith("No step made <my-toy> better")


def test_a_stopped_run_with_other_pictures_begins_with_what_was_kept(school):
    school.filled(4)
    school.learns()
    at(school, 40)
    school.learning.stop()
    school.until(lambda _: len(school.backend.submitted) == 2)
    school.learned(2, steps=40)
    school.learning.leave_out(0)
    more = school.learns(4)
    assert (more["start"], more["replace"], len(more["images"])) == ("my-toy", True, 3)


def test_a_taken_name_is_replaced_or_learned_on_only_when_said_so(school):
    school.backend.the_concepts = [concept("my-toy")]
    school.panel.backend.refresh_concepts()
    school.until(lambda s: s.concepts)
    school.filled()
    assert school.told.exists
    assert school.told.cannot_learn.startswith("There is a concept <my-toy> already")
    school.learning.set(mode=REPLACE)
    assert school.told.cannot_learn == ""
    request = school.learns()
    assert (request["replace"], "start" in request) == (True, False)
    school.learned()
    school.learning.set(name="other")
    assert (school.told.mode, school.told.exists, school.told.learned) == ("new", False, "")


def lesson(school: School, count: int) -> list[str]:
    """A concept that was learned before, with its job."""
    images = [school.backend.keep(picture(8, 8, shade)) for shade in range(count)]
    mask = school.backend.keep(b"a mask")
    masks = [mask, *[None] * (count - 1)]
    told = {"settings": {"masks": [True, *[False] * (count - 1)]}, "sources": images}
    school.backend.the_concepts = [{**concept("my-toy"), "provenance": told}]
    asked = {"model": "built-in", "images": images, "masks": masks}
    result = {"rows_hash": "my-toy", "seconds_per_step": 0.5, "seconds": 60.0, "steps": 100}
    job = {"id": "x", "kind": "learn", "state": "finished", "request": asked, "result": result}
    school.backend.past = [job]
    school.panel.backend.refresh_concepts()
    school.until(lambda s: s.concepts)
    return images


def test_the_pictures_of_a_concept_that_is_learned_on_are_brought(school):
    lesson(school, 4)
    school.learning.set(name="my-toy")
    school.learning.set(mode=MORE)
    school.until(lambda _: len(school.told.examples) == 4)
    assert [example.mask for example in school.told.examples] == [b"a mask", None, None, None]
    assert (school.told.noun, school.told.cannot_learn) == ("toy", "")


FOUND = {"kind": "subject", "masks": [False] * 3, "found": [True, False, True], "cutouts": "found"}


def test_what_the_model_found_is_shown_and_what_to_do_if_it_is_wrong(school):
    """It is no mask that somebody gave: what is learned on is sent as before."""
    school.filled()
    first = school.learns()
    school.learned(1, {"thumbnail": b"toy", "found:1": b"here", "found:3": b"there"}, **FOUND)
    assert [example.found for example in school.told.examples] == [b"here", None, b"there"]
    assert [bool(example.dark) for example in school.told.examples] == [True, False, True]
    assert "What is bright it found, in 2 of 3 pictures" in school.told.found
    assert "select the thing, press “+ this selection”, and learn again" in school.told.found
    school.learning.leave_out(1)
    assert [example.found for example in school.told.examples] == [b"here", b"there"]
    school.learning.pictures.add_files(school.files(2))
    school.until(lambda _: len(school.told.examples) == 3)
    request = school.learns(3)
    assert request["masks"] == first["masks"] == [None] * 3
    assert (school.told.found, {example.found for example in school.told.examples}) == ("", {None})
    found = {**FOUND, "found": [False] * 3, "cutouts": None}
    school.learned(3, **found)
    assert "the model didn't find it: no edit begins from its pictures" in school.told.found
    school.learns(5)
    school.learned(5, **{**FOUND, "masks": [True, False, False], "found": [False] * 3, "cutouts": "marked"})
    assert school.told.found == "", "somebody said where it is"


def test_a_run_that_was_stopped_is_taken_up_though_something_was_found(school):
    school.filled()
    first = school.learns()
    at(school, 40)
    school.learning.stop()
    school.until(lambda _: len(school.backend.submitted) == 2)
    school.learned(2, {"found:1": b"here"}, **{**FOUND, "found": [True, False, False]}, steps=40)
    assert school.told.examples[0].found == b"here"
    assert school.learns(4) == {**first, "replace": True}


def test_what_was_found_comes_back_with_the_pictures_that_are_learned_on(school):
    images = lesson(school, 3)
    (job,) = school.backend.past
    job["request"]["masks"] = [None] * 3
    job["result"].update(FOUND, name="my-toy")
    job["artifacts"] = {"found:1": school.backend.keep(b"here"), "found:3": images[0]}
    school.learning.set(name="my-toy")
    school.learning.set(mode=MORE)
    school.until(lambda _: len(school.told.examples) == 3)
    assert [example.found for example in school.told.examples] == [
        b"here",
        None,
        school.backend.images[images[0]],
    ]
    assert "2 of 3 pictures" in school.told.found


def test_pictures_and_masks_that_are_not_kept_are_told(school):
    images = lesson(school, 4)
    del school.backend.images[images[3]]
    school.learning.set(name="my-toy")
    school.learning.set(mode=MORE)
    school.until(lambda _: len(school.told.examples) == 3)
    assert school.told.message.startswith("1 picture of <my-toy> isn't kept any more.")
    school.learning.clear()
    school.backend.past = []
    school.learning.set(name="my-toy")
    school.learning.set(mode=MORE)
    school.until(lambda _: len(school.told.examples) == 3)
    assert school.told.message.startswith("The selections in the pictures of <my-toy> aren't kept")


def test_how_long_it_will_take_is_this_machines_own_pace_or_is_not_said(school):
    school.filled()
    unknown = "Up to 100 steps. How long they take here is known after the first time."
    assert (school.told.good_set, school.told.message) == (f"3 pictures · {unknown}", "")
    lesson(school, 3)
    school.learning.show_to(school.shown.append)
    school.learning.set(name="other-toy")
    school.until(lambda _: "about" in school.told.cost)
    assert school.told.cost == "Up to 100 steps: about 1 min on this machine."


def test_it_is_learned_with_detail_when_that_is_chosen(school):
    school.filled()
    assert "detail" not in school.learns()
    school.learned()
    school.learning.clear()
    school.filled()
    school.learning.set(name="other-toy", chosen="detail")
    assert school.told.cost.startswith("Up to 150 steps")
    assert school.learns(3)["detail"] is True


def test_what_was_learned_with_detail_is_learned_on_with_it(school):
    lesson(school, 3)
    school.backend.the_concepts[0]["rank"] = 8
    school.panel.backend.refresh_concepts()
    school.until(lambda s: any(known.detail for known in s.concepts))
    school.learning.set(name="my-toy")
    assert (school.told.only_detail, school.told.detail) == (False, False)
    school.learning.set(mode=MORE)
    school.until(lambda _: len(school.told.examples) == 3)
    assert (school.told.only_detail, school.told.detail) == (True, True)
    assert school.learns()["detail"] is True


def test_what_it_costs_is_said_of_what_is_chosen_and_not_of_what_was(school):
    lesson(school, 3)
    school.backend.the_concepts[0]["rank"] = 8
    school.panel.backend.refresh_concepts()
    school.until(lambda s: any(known.detail for known in s.concepts))
    school.learning.set(name="my-toy")
    for mode, steps, only in ((MORE, 150, True), (NEW, 100, False), (MORE, 150, True), (REPLACE, 100, False)):
        school.learning.set(mode=mode)
        assert school.told.cost.startswith(f"Up to {steps} steps")
        assert school.told.only_detail is only


def test_a_run_with_detail_that_was_stopped_is_taken_up_with_it_and_not_without(school):
    school.filled()
    school.learning.set(chosen="detail")
    first = school.learns()
    at(school, 40)
    school.learning.stop()
    school.until(lambda _: len(school.backend.submitted) == 2)
    assert school.backend.submitted[-1]["request"] == {**first, "finish": True}
    school.learned(2, steps=40)
    school.learning.set(chosen="quick")
    assert school.learning._resumes is False
    school.learning.set(chosen="detail")
    assert school.learns(4) == {**first, "replace": True}


def test_how_long_detail_takes_follows_from_a_quick_learning(school):
    lesson(school, 3)
    school.filled()
    school.learning.set(name="other-toy")
    school.learning.show_to(school.shown.append)
    school.until(lambda _: "about 1 min" in school.told.cost)
    school.learning.set(chosen="detail")
    assert school.told.cost == "Up to 150 steps: about 2 min on this machine."


def test_the_window_may_close_and_open_and_all_is_as_it_was(school):
    school.filled()
    school.learns()
    at(school, 7)
    school.learning.close()
    shown = len(school.shown)
    at(school, 8)
    assert school.state.progress.text.startswith("Learning · 8 of 100")
    assert len(school.shown) == shown, "a window that is gone is drawn no more"
    school.learning.show_to(school.shown.append)
    assert (school.shown[-1].name, len(school.shown[-1].examples)) == ("my-toy", 3)
    assert school.shown[-1].progress.text.startswith("Learning · 8 of 100")
    school.learning.close()
    school.backend.finish({}, name="my-toy", start=None, best_step=9)
    school.until(lambda s: s.outcome is not None)
    assert school.state.outcome.text.startswith("<my-toy> is learned.")
    assert len(school.backend.submitted) == 1, "nobody is there to see a sentence"
    school.learning.show_to(school.shown.append)
    assert school.shown[-1].learned == "my-toy"
    school.until(lambda _: len(school.backend.submitted) == 2)
    school.backend.finish({"picture": b"a drawing"})
    school.until(lambda _: school.told.drawn == b"a drawing")
    school.learning.clear()
    assert (school.told.name, school.told.examples, school.told.drawn) == ("", (), None)


def test_the_word_is_drawn_when_what_waited_behind_it_is_done(school):
    school.filled()
    school.panel.draft.write_source_prompt("a photo of a cat on grass")
    school.panel.draft.write_operand("a photo of a dog on grass")
    learning = school.learns()
    school.panel.apply()
    school.until(lambda _: len(school.backend.submitted) == 2)
    assert learning["name"] == "my-toy"
    school.backend.finish_edit(of=1)
    school.backend.finish({}, of=0, name="my-toy", start=None, best_step=9)
    school.until(lambda _: len(school.backend.submitted) == 3)
    assert school.backend.submitted[2]["kind"] == "draw"
    assert len(school.editor.inserted) == 1, "the edit came first"
    assert school.told.learned == "my-toy"


def test_the_word_is_seen_in_a_sentence_and_in_another(school):
    school.filled()
    school.learns()
    school.learned()
    sent = school.backend.submitted[-1]
    assert (sent["kind"], sent["request"]["prompt"]) == ("draw", "a photo of a <my-toy> on a beach")
    school.learning.set(sentence="a <my-toy> in the snow")
    school.learning.draw()
    school.until(lambda _: len(school.backend.submitted) == 3)
    assert school.backend.submitted[-1]["request"]["prompt"] == "a <my-toy> in the snow"
    error = {"code": "concept_not_found", "message": "There is no concept <my-toy>.", "hint": ""}
    school.backend.tell("failed", error=error)
    school.until(lambda _: school.told.outcome is not None)
    assert "There is no concept <my-toy>." in school.told.message
    school.learning.set(sentence=" ")
    school.learning.draw()
    assert school.told.message == "Write a sentence with the word in it."


@pytest.mark.parametrize("kind", ["subject", "style"])
def test_a_test_sentence_has_no_word_that_a_model_of_few_words_lacks(kind):
    words = dict(demo_spec())["words"]
    sentence = sentence_for("toy", kind, words)
    assert set(sentence.replace("<toy>", "").split()) <= set(words)


def test_a_file_that_cannot_be_read_and_one_that_is_there_already_are_named(school):
    school.learning.pictures.add_files([str(school.folder / "missing.png")])
    school.until(lambda _: school.told.outcome is not None)
    assert school.told.message == "missing.png can't be read: No such file or directory"
    school.filled(1)
    school.learning.pictures.add_files(school.files(1))
    school.until(lambda _: school.told.outcome is not None)
    assert school.told.message == "That picture is there already: 0.png."
    assert len(school.told.examples) == 1


def test_what_is_said_depends_on_no_displayed_text(school):
    """In another language too the built-in model is known, and what is remembered is said once."""
    speak(Spoken({"built-in": "cat", "remembered": "{n} dB"}))
    try:
        school.panel.draft.write_source_prompt("a photo of a cat on grass")
        school.panel.remember()
        school.until(lambda s: school.backend.submitted)
        school.backend.finish({}, reconstruction_psnr=41.6)
        school.idle()
        assert (school.state.outcome.text, school.state.fidelity) == ("42 dB", "")
        assert [offer.key for offer in school.state.status.offers] == ["get-model"]
        school.panel.draft.write_operand("a photo of a dog on grass")
        assert school.state.fidelity == "42 dB"
    finally:
        speak(Spoken({}))
