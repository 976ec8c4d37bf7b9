"""Models on their way: beside what is asked for the open picture, and whoever began them."""

from __future__ import annotations

import pytest

from client.desk import Desk, fill
from client.scripted import MODELS, Backend, concept
from palimpsest_client.http.protocol import RefusedError

BUILT_IN, SD15 = MODELS
SDXL = {"name": "sdxl", "installed": False, "details": {"title": "SDXL", "size": 7 << 30}}


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path, Backend(the_models=[BUILT_IN, SD15, SDXL]))
    yield desk.ready()
    desk.panel.stop()


def sent(desk: Desk, kind: str) -> list[int]:
    """Numbers of the jobs of this kind among those that the backend got."""
    return [number for number, job in enumerate(desk.backend.submitted) if job["kind"] == kind]


def begun(desk: Desk, model: str = "sd15") -> int:
    """Its number among those that the backend got."""
    before = len(sent(desk, "pull"))
    desk.panel.download(model)
    desk.until(lambda s: len(sent(desk, "pull")) > before)
    return sent(desk, "pull")[-1]


def come(desk: Desk, number: int) -> None:
    """That model is installed on the backend."""
    name = desk.backend.submitted[number]["request"]["model"]
    desk.backend.the_models = [
        {**model, "installed": model["installed"] or model["name"] == name}
        for model in desk.backend.the_models
    ]
    desk.backend.tell("finished", number, artifacts={}, result={"model": name})


def lines(state) -> list[str]:
    return [one.line for one in state.downloads]


def test_it_says_how_far_it_is_and_its_model_is_chosen_when_it_is_there(desk):
    number = begun(desk)
    assert lines(desk.state) == ["Stable Diffusion 1.5 · Waiting."]
    desk.backend.tell("started", number, device="", attempt=1)
    desk.backend.tell("progressed", number, phase="downloading", index=512, total=2150, seconds_left=95.0)
    desk.until(lambda s: lines(s) == ["Stable Diffusion 1.5 · 0.5 of 2.1 GB · 2 min"])
    assert desk.state.downloads[0].progress.fraction == pytest.approx(512 / 2150)
    come(desk, number)
    desk.until(lambda s: s.form.settings.model == "sd15" and s.model is not None)
    assert (desk.state.downloads, desk.state.fetched) == ((), "sd15 is installed.")


def test_one_that_edits_nothing_is_not_chosen(desk):
    """A captioning model is in no list of models once it is there."""
    captions = {"name": "captions", "installed": False, "details": {"title": "BLIP"}}
    desk.backend.the_models = [BUILT_IN, captions]
    desk.until(lambda s: s.models[-1].name == "captions")
    number = begun(desk, "captions")
    desk.backend.the_models = [BUILT_IN]
    desk.backend.tell("finished", number, artifacts={}, result={})
    desk.until(lambda s: s.fetched and len(s.models) == 1)
    assert desk.state.form.settings.model == "built-in"


def test_edits_go_on_beside_it_and_it_beside_edits(desk):
    number = begun(desk)
    fill(desk.panel)
    assert desk.state.cannot_apply == desk.state.cannot_describe == desk.state.cannot_learn == ""
    desk.panel.apply()
    desk.until(lambda s: sent(desk, "edit"))
    assert desk.state.progress is not None
    other = begun(desk, "sdxl")
    assert len(desk.state.downloads) == 2
    desk.panel.cancel()
    desk.until(lambda s: s.progress is None)
    assert len(desk.state.downloads) == 2, "cancelling an edit cancels no download"
    desk.panel.apply()
    desk.until(lambda s: len(sent(desk, "edit")) == 2)
    come(desk, number)
    desk.until(lambda s: len(s.downloads) == 1)
    assert desk.state.progress is not None, "its end is not the edit's"
    assert desk.state.form.settings.model == "built-in", "nobody changes the model of an edit under way"
    desk.backend.finish_edit(of=sent(desk, "edit")[-1])
    desk.until(lambda s: s.progress is None)
    assert len(desk.editor.inserted) == 1
    come(desk, other)
    desk.until(lambda s: s.downloads == ())
    assert (desk.state.updating, desk.state.form.settings.model) == ("cat → dog", "built-in")


def test_each_is_cancelled_alone(desk):
    first, second = begun(desk), begun(desk, "sdxl")
    job = desk.backend.submitted[first]["id"]
    desk.panel.cancel_download(job)
    desk.until(lambda s: [one.model for one in s.downloads] == ["sdxl"])
    assert (desk.backend.cancelled, desk.state.fetched) == ([job], "Cancelled.")
    come(desk, second)
    desk.until(lambda s: s.downloads == ())


def test_the_same_is_not_fetched_twice_at_once(desk):
    begun(desk)
    desk.panel.download("sd15")
    begun(desk, "sdxl")
    assert len(sent(desk, "pull")) == 2


def test_why_it_did_not_come_is_told_until_the_next_apply(desk):
    number = begun(desk)
    error = {"code": "download_failed", "message": "No network.", "hint": "Try again later."}
    desk.backend.tell("failed", number, error=error)
    desk.until(lambda s: s.fetched == "No network. Try again later.")
    fill(desk.panel)
    desk.panel.apply()
    assert desk.state.fetched == ""


def test_one_that_is_refused_says_why(desk, monkeypatch):
    def refuse(*_, **__):
        raise RefusedError(503, {"code": "queue_full", "message": "Too many jobs wait."})

    monkeypatch.setattr(desk.backend, "submit", refuse)
    desk.panel.download("sd15")
    desk.until(lambda s: s.fetched == "Too many jobs wait.")
    assert desk.state.downloads == ()


def test_one_whose_model_is_not_there_can_be_fetched_for_that(desk):
    desk.panel.draft.set(model="sd15")
    assert "sd15" in desk.state.cannot_apply
    assert desk.state.cannot_download == ""


def test_a_panel_that_is_opened_later_finds_it_whoever_began_it(tmp_path):
    backend = Backend()
    backend.resume("shell-7", "pull", {"model": "sd15"})
    backend.tell("started", device="", attempt=1)
    backend.tell("progressed", phase="downloading", index=1024, total=2048, seconds_left=None)
    desk = Desk(tmp_path, backend).ready()
    desk.until(lambda s: lines(s) == ["Stable Diffusion 1.5 · 1.0 of 2.0 GB"])
    assert desk.state.progress is None
    come(desk, 0)
    desk.until(lambda s: s.downloads == () and s.models[1].installed)
    assert (desk.state.fetched, desk.state.form.settings.model) == ("sd15 is installed.", "built-in")
    desk.panel.stop()


def test_it_outlives_a_backend_that_goes_for_a_while(desk):
    number = begun(desk)
    desk.until(lambda s: s.downloads[0].job_json)
    desk.backend.down = True
    desk.until(lambda s: s.status.kind == "trouble")
    assert lines(desk.state) == ["Stable Diffusion 1.5 · Waiting."]
    assert desk.state.cannot_download == desk.state.status.text
    desk.backend.down = False
    come(desk, number)
    desk.until(lambda s: s.fetched == "sd15 is installed.")


def test_a_word_is_learned_beside_it(desk):
    begun(desk)
    desk.backend.the_concepts = [concept("my-toy")]
    desk.until(lambda s: s.concepts)
    assert len(desk.state.downloads) == 1
