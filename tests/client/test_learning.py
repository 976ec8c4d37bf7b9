"""Learning a concept: pictures from files, layers and selections, the one that doesn't fit, and the end."""

from __future__ import annotations

import pytest

from client.scripted import concept, picture
from client.spoken import Spoken
from client.test_panel import Desk
from palimpsest_client.editor import LayerFacts
from palimpsest_client.geometry import Bounds
from palimpsest_client.learning import Learning
from palimpsest_client.wording import speak


class School(Desk):
    def __init__(self, folder) -> None:
        super().__init__(folder)
        self.folder = folder
        self.ready()
        self.shown = []
        self.learning = Learning(self.panel, self.editor, self.shown.append)

    @property
    def told(self):
        return self.learning.state

    def files(self, count: int) -> list[str]:
        places = [self.folder / f"{number}.png" for number in range(count)]
        for number, place in enumerate(places):
            place.write_bytes(picture(8, 8, number))
        return [str(place) for place in places]

    def filled(self, count: int = 3) -> None:
        self.learning.set(name="<my-toy>", noun="toy")
        self.learning.add_files(self.files(count))
        self.until(lambda _: len(self.told.examples) == count)


@pytest.fixture
def school(tmp_path):
    school = School(tmp_path)
    yield school
    school.learning.close()
    school.panel.stop()


def test_what_is_missing_is_said_in_its_order(school):
    learning = school.learning
    assert school.told.cannot_learn == "Give the concept a name."
    learning.set(name="My Toy")
    assert school.told.cannot_learn == "A name has small letters, digits, - and _: My Toy has not."
    learning.set(name="<my-toy>")
    assert school.told.name == "my-toy"
    assert school.told.cannot_learn.startswith("Say what it is")
    learning.set(noun="toy")
    assert school.told.cannot_learn == "Add at least 3 pictures; three to five are best."
    learning.learn()
    assert school.told.outcome.kind == "error"
    assert school.backend.submitted == []
    learning.add_files(school.files(6))
    school.until(lambda _: len(school.told.examples) == 6)
    assert school.told.cannot_learn == ""
    assert school.told.message == "Three to five good pictures are enough."


def test_a_concept_is_learned_from_files_layers_and_a_selection(school):
    learning, editor = school.learning, school.editor
    learning.set(name="my-toy", noun="toy")
    learning.add_selection()
    assert school.told.message == "Nothing is selected."
    learning.add_layers()
    assert school.told.message.startswith("Choose layers")
    editor.select_bounds(Bounds(20, 10, 8, 8))
    editor.the_layers = [LayerFacts("layer:1", "Bear", True), LayerFacts("layer:2", "Sky", False)]
    school.until(lambda s: s.document.selection is not None)
    learning.add_selection()
    learning.add_layers()
    learning.add_files(school.files(1))
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
    school.until(
        lambda _: school.told.progress and school.told.progress.text == "Learning · 5 of 20 · 20 s"
    )
    school.backend.tell("previewed", image=school.backend.keep(b"a look"), name="")
    school.until(lambda _: school.told.preview == b"a look")
    school.backend.the_concepts = [concept("my-toy")]
    school.backend.finish({}, name="my-toy")
    school.until(lambda s: school.told.learned and s.concepts)
    assert school.told.message == "<my-toy> is learned. Write it into a sentence like a word."
    assert school.told.progress is None
    assert school.state.outcome.kind == "done"


def test_the_picture_that_does_not_fit_is_named_and_left_out_or_meant(school):
    school.filled(4)
    school.learning.learn()
    school.until(lambda _: school.backend.submitted)
    odd = {"picture": 2, "problem": "odd", "message": "Picture 3 doesn't seem to show the same toy."}
    error = {"code": "concept_images", "message": odd["message"], "hint": "", "details": {"pictures": [odd]}}
    school.backend.tell("failed", error=error)
    school.until(lambda _: school.told.outcome is not None)
    assert [bool(example.problem) for example in school.told.examples] == [False, False, True, False]
    assert school.told.can_mean
    school.learning.mean_it()
    school.until(lambda _: len(school.backend.submitted) == 2)
    assert school.backend.submitted[1]["request"]["accept_outliers"] is True
    school.backend.tell("failed", error=error)
    school.until(lambda _: school.told.outcome is not None)
    school.learning.leave_out(2)
    assert [example.name for example in school.told.examples] == ["0.png", "1.png", "3.png"]
    assert not school.told.can_mean
    school.learning.learn()
    school.until(lambda _: len(school.backend.submitted) == 3)
    assert school.backend.submitted[2]["request"]["accept_outliers"] is False


def test_learning_is_stopped(school):
    school.filled()
    school.learning.learn()
    school.until(lambda _: school.backend.submitted)
    school.learning.stop()
    school.until(lambda _: school.told.outcome is not None)
    assert school.told.message == "Stopped. The next Learn goes on from here."
    assert school.backend.cancelled == [school.backend.submitted[0]["id"]]


def test_a_taken_name_is_replaced_only_when_said_so(school):
    school.backend.the_concepts = [concept("my-toy")]
    school.panel.refresh_concepts()
    school.until(lambda s: s.concepts)
    school.filled()
    assert school.told.exists
    assert school.told.cannot_learn.startswith("There is a concept <my-toy> already")
    school.learning.set(replaces=True)
    assert school.told.cannot_learn == ""


def test_a_file_that_cannot_be_read_and_one_that_is_there_already_are_named(school):
    school.learning.add_files([str(school.folder / "missing.png")])
    school.until(lambda _: school.told.outcome is not None)
    assert school.told.message == "missing.png can't be read: No such file or directory"
    school.filled(1)
    school.learning.add_files(school.files(1))
    school.until(lambda _: school.told.outcome is not None)
    assert school.told.message == "That picture is there already: 0.png."
    assert len(school.told.examples) == 1


def test_two_dialogs_hear_of_the_panel_and_may_close_in_any_order(school):
    other = Learning(school.panel, school.editor, lambda _: None)
    school.learning.close()
    school.panel.write_first("a photo of a cat on grass")
    assert school.state.form.first == "a photo of a cat on grass"
    other.close()
    school.panel.write_first("a photo of a dog on grass")
    assert school.states[-1].form.first == "a photo of a dog on grass"


def test_what_is_said_depends_on_no_displayed_text(school):
    """In another language too the built-in model is known, and what is remembered is said once."""
    speak(Spoken({"built-in": "cat", "remembered": "{n} dB"}))
    try:
        school.panel.write_first("a photo of a cat on grass")
        school.panel.remember()
        school.until(lambda s: school.backend.submitted)
        school.backend.finish({}, reconstruction_psnr=41.6)
        school.idle()
        assert (school.state.outcome.text, school.state.fidelity) == ("42 dB", "")
        assert [offer.key for offer in school.state.status.offers] == ["get-model"]
        school.panel.write_second("a photo of a dog on grass")
        assert school.state.fidelity == "42 dB"
    finally:
        speak(Spoken({}))
