"""Another backend is used from now on: nothing that was known of the one before is said of it.

It is another address, or the same one with another list of jobs behind it: another data folder or token.
"""

from __future__ import annotations

import pytest

import palimpsest_client.panel.backend
from client.desk import Desk, fill
from client.scripted import MODELS, Backend, concept, picture, transport
from palimpsest_client.http.connection import Choice
from palimpsest_client.learning.dialog import Learning
from palimpsest_client.panel.backend import Identity
from palimpsest_client.panel.origins import Origins
from palimpsest_client.panel.preview_jobs import QUIET_SECONDS

BUILT_IN, SD15 = MODELS
LEFT = "What was under way is the other backend's: it goes on there, and its result is kept there."


class Move:
    """A panel at one backend, and another that it is to go to."""

    def __init__(self, folder, way: str, monkeypatch) -> None:
        self.way = way
        models = [BUILT_IN, {**SD15, "installed": True}]
        self.old = Backend(the_models=models, the_concepts=[concept("my-toy")])
        self.new = Backend(store="another")
        self.desk = Desk(folder, self.old).ready()
        self.panel = self.desk.panel
        self.desk.until(lambda s: s.concepts)
        monkeypatch.setattr(palimpsest_client.panel.backend, "connector", lambda *_: self.new.connect)

    def leave(self) -> None:
        """At once, before the other one answers."""
        if self.way == "another address":
            self.new.down = True
            assert self.panel.backend.connect_to(Choice("http://127.0.0.1:8", "a-token")) == ""
        else:
            self.panel.session._connect = self.new.connect
            self.old.down = True

    def arrive(self) -> None:
        self.new.down = False
        self.desk.until(lambda s: s.status.kind == "ready" and self.panel.backend.session._client is self.new)
        self.desk.until(lambda s: s.models and not s.concepts)

    def go(self) -> None:
        self.leave()
        self.arrive()

    def applied(self) -> None:
        fill(self.panel)
        sent = len(self.old.submitted)
        self.panel.apply()
        self.desk.until(lambda s: len(self.old.submitted) > sent)
        self.old.finish_edit(of=sent)
        self.desk.until(lambda s: s.progress is None and s.updating)


@pytest.fixture(params=["another address", "another data folder"])
def move(request, tmp_path, monkeypatch):
    move = Move(tmp_path, request.param, monkeypatch)
    yield move
    move.panel.stop()


def test_its_own_models_and_words_are_shown(move):
    move.panel.draft.set(model="sd15")
    move.go()
    assert [m.name for m in move.desk.state.models if m.installed] == ["built-in"]
    assert move.desk.state.concepts == ()
    assert move.desk.state.model is None
    fill(move.panel)
    assert "sd15" in move.desk.state.cannot_apply


def test_a_photo_that_the_other_remembers_is_not_remembered(move):
    fill(move.panel)
    move.panel.remember()
    move.desk.until(lambda s: move.old.submitted)
    move.old.finish({}, reconstruction_psnr=40.0)
    move.desk.until(lambda s: s.progress is None and not s.can_remember)
    assert "remembered" in move.desk.state.outcome_text
    base = move.panel.remembered_photos.base
    move.desk.until(lambda s: base(move.panel.facts, move.panel.form, None) is not None)
    move.go()
    move.desk.until(lambda s: s.can_remember)
    assert (move.desk.state.outcome_text, move.desk.state.fidelity) == ("", "")
    assert base(move.panel.facts, move.panel.form, None) is None


def test_a_layer_in_hand_was_made_from_what_the_other_has(move):
    """Its words stay, and the next edit reads the picture."""
    move.applied()
    move.go()
    assert (move.desk.state.updating, move.desk.state.form.operand) == ("", "a photo of a dog on grass")
    move.panel.apply()
    move.desk.until(lambda s: move.new.submitted)
    assert [len(move.desk.editor.captured), len(move.old.submitted)] == [2, 1]


def test_a_small_preview_was_of_what_the_other_remembers(move):
    move.applied()
    move.panel._clock = move.panel.previews._clock = lambda: 1e9
    move.panel.draft.set(strength=0.9)
    move.panel.tick()
    move.panel.previews._clock = lambda: 1e9 + 2 * QUIET_SECONDS
    move.desk.until(lambda s: len(move.old.submitted) == 2)
    move.old.finish({"draft": picture(8, 8)}, draft=True, seconds=0.5)
    move.desk.until(lambda s: s.preview is not None)
    move.go()
    assert (move.desk.state.preview, move.desk.state.preview_text) == (None, "")


def test_results_are_its_own(move):
    origins = Origins(move.panel.folder / "other", move.panel.jobs.origins._session)
    move.old.past_edit("krita-1", origins.of(move.desk.editor.facts).note())
    move.panel.gallery.refresh()
    move.desk.until(lambda s: len(s.results) == 1)
    move.panel.gallery.show(move.desk.state.results[0])
    move.desk.until(lambda s: s.strip.shown is not None)
    move.go()
    assert (move.desk.state.results, move.desk.state.strip.shown) == ((), None)
    assert move.desk.editor.shown is None


def test_what_was_under_way_and_what_waited_goes_on_there(move):
    fill(move.panel)
    move.panel.apply()
    move.desk.until(lambda s: len(move.old.submitted) == 1)
    move.panel.apply()
    move.desk.until(lambda s: len(move.old.submitted) == 2 and s.waiting)
    move.go()
    move.desk.until(lambda s: s.outcome_text == LEFT)
    assert (move.desk.state.progress, move.desk.state.waiting) == (None, ())
    assert (move.old.cancelled, move.new.submitted) == ([], [])
    move.panel.apply()
    move.desk.until(lambda s: move.new.submitted)
    move.new.finish_edit()
    move.desk.until(lambda s: s.progress is None)
    assert len(move.desk.editor.inserted) == 1


def test_downloads_are_its_own(move):
    move.old.the_models = list(MODELS)
    move.desk.until(lambda s: not s.models[1].installed)
    move.panel.download("sd15")
    move.desk.until(lambda s: move.old.submitted and s.downloads[0].job_json)
    move.go()
    assert (move.desk.state.downloads, move.desk.state.fetched, move.old.cancelled) == ((), "", [])


def test_a_word_that_was_just_learned_is_there(move):
    learning = Learning(move.panel, move.desk.editor)
    learning.set(name="my-toy")
    learning._change(learned="my-toy", mode="more", drawn=b"a picture")
    assert learning.state.exists
    move.go()
    told = learning.state
    assert (told.learned, told.drawn, told.mode, told.name, told.exists) == ("", None, "new", "my-toy", False)


def test_nothing_of_the_other_is_said_while_it_is_looked_for(tmp_path, monkeypatch):
    move = Move(tmp_path, "another address", monkeypatch)
    move.applied()
    move.leave()
    move.desk.until(lambda s: s.status.kind == "trouble")
    assert (move.desk.state.models, move.desk.state.concepts, move.desk.state.updating) == ((), (), "")
    move.panel.stop()


def test_the_same_one_again_is_no_other(tmp_path, monkeypatch):
    """Chosen once more, or started anew: what was under way goes on."""
    move = Move(tmp_path, "another address", monkeypatch)
    move.new = move.old
    fill(move.panel)
    move.panel.apply()
    move.desk.until(lambda s: move.old.submitted)
    move.panel.backend.connect_to(move.panel.backend.choice)
    move.old.finish_edit()
    move.desk.until(lambda s: s.progress is None)
    assert (len(move.old.submitted), len(move.desk.editor.inserted)) == (1, 1)
    assert [c.name for c in move.desk.state.concepts] == ["my-toy"]
    move.panel.stop()


@pytest.mark.parametrize(
    ("stores", "other"),
    [
        (("one", "one"), False),
        (("", "one"), False),
        (("one", ""), False),
        (("", ""), False),
        (("one", "", "one"), False),
        (("one", "two"), True),
        (("one", "", "two"), True),
    ],
    ids=str,
)
def test_killed_and_started_anew_on_another_port_it_goes_on(tmp_path, stores, other):
    """Servers of earlier versions don't say which list of jobs they have: that alone makes no other one."""
    backend = Backend(store=stores[0])
    desk = Desk(tmp_path, backend).ready()
    fill(desk.panel)
    desk.panel.apply()
    desk.until(lambda s: backend.submitted)
    for port, store in enumerate(stores[1:], 8000):
        backend.down = True
        desk.until(lambda s: s.status.kind == "trouble")
        backend.store, backend.transport = store, transport(port)
        backend.down = False
        desk.until(lambda s: s.status.kind == "ready")
    if other:
        desk.until(lambda s: s.outcome_text == LEFT)
    else:
        backend.finish_edit()
        desk.until(lambda s: s.progress is None)
        assert desk.state.outcome_text.startswith("New layer"), desk.state.outcome_text
        assert desk.panel.session.state.address == backend.transport.address
    assert (len(backend.submitted), len(desk.editor.inserted)) == (1, 0 if other else 1)
    desk.panel.stop()


def test_two_names_of_whoever_one_is_there_are_two_lists():
    """A server may be told another token's file."""
    assert Identity("", "anna").differs(Identity("one", "bert"))
    assert not Identity("one", "anna").differs(Identity("", "anna"))
    assert not Identity().differs(Identity("one", "anna"))
