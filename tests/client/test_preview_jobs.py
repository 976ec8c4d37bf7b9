"""The small preview that follows words and sliders: when a draft is asked for, and what ends it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from client.desk import SHOWS, fill
from client.scripted import Backend, ScriptedEditor, picture
from jobs.shop import eventually
from palimpsest.jobs import engine
from palimpsest_client.editor.editor import DocumentFacts
from palimpsest_client.editor.geometry import Bounds
from palimpsest_client.http.protocol import UNATTENDED
from palimpsest_client.panel.panel import Panel
from palimpsest_client.panel.preferences import DEFAULTS, LIVE, OFF, ON, read_live
from palimpsest_client.panel.preview_jobs import MOST_TAKEN, QUIET_SECONDS, RETRY_SECONDS, SLOW_SECONDS
from palimpsest_client.panel.remembered_photos import CHECK_SECONDS


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class TimedPanel:
    """A panel whose time passes when a test says so."""

    def __init__(self, folder: Path) -> None:
        self.backend, self.editor, self.clock = Backend(), ScriptedEditor(), Clock()
        self.panel = Panel("krita", self.editor, lambda _: None, folder, self.clock)
        self.panel.session._connect = self.backend.connect  # type: ignore[assignment]
        self.panel.start()
        self.until(lambda: self.state.status.kind == "ready" and self.state.models)

    @property
    def state(self):
        return self.panel.state

    @property
    def drafts(self) -> list[dict[str, Any]]:
        return [job for job in self.backend.submitted if job["request"].get("draft")]

    @property
    def strips(self) -> list[dict[str, Any]]:
        return [job for job in self.drafts if "windows" in job["request"]]

    def until(self, holds):
        def ticked():
            self.panel._looked_at = float("-inf")
            self.panel.tick()
            return holds()

        return eventually(ticked)

    def pass_time(self, seconds: float = 2 * QUIET_SECONDS) -> None:
        """Looked at before and after."""
        self.panel.tick()
        self.clock.now += seconds
        self.settle()

    def begun(self) -> bool:
        """Whether the job of a preview is known to run."""
        self.settle()
        job = self.panel.previews._job
        return job is not None and job._began is not None

    def settle(self) -> None:
        """Until everything that was asked of the backend is answered."""
        answered: list[Any] = []
        self.panel.tick()
        self.panel.session.ask(lambda _: None, answered.append, answered.append)
        self.until(lambda: bool(answered))
        self.panel.tick()

    def number(self, job: dict[str, Any]) -> int:
        return self.backend.submitted.index(job)

    def apply(self, **result: Any) -> None:
        """To its end."""
        sent = len(self.backend.submitted)
        self.panel.apply()
        self.until(lambda: len(self.backend.submitted) > sent)
        self.backend.finish_edit(**result)
        self.until(lambda: self.state.progress is None)

    def move(self, strength: float) -> None:
        self.panel.draft.set(strength=strength)

    def scrub(self, structure: float) -> None:
        self.panel.draft.set(structure=structure)
        self.panel.tick()

    def drafted(self) -> dict[str, Any]:
        """The draft that has begun."""
        before = len(self.drafts)
        self.pass_time()
        self.until(lambda: len(self.drafts) > before)
        return self.drafts[-1]

    def strip_begun(self) -> dict[str, Any]:
        """The strip's draft, which begins by itself after another."""
        self.until(lambda: any(job["id"] not in self.backend.forgotten for job in self.strips))
        return self.strips[-1]

    def finish(self, draft: dict[str, Any], shade: int = 1) -> bytes:
        made = picture(8, 8, shade)
        self.backend.finish({"draft": made}, self.number(draft), draft=True, seconds=0.5)
        self.until(lambda: draft["id"] in self.backend.forgotten)
        self.until(lambda: self.state.preview == made)
        return made

    def cancelled(self, draft: dict[str, Any], reason: str) -> None:
        self.backend.tell("cancelled", self.number(draft), reason=reason)
        self.until(lambda: draft["id"] in self.backend.forgotten)
        self.settle()

    def fail(self, draft: dict[str, Any], code: str) -> None:
        self.backend.tell("failed", self.number(draft), error={"code": code, "message": "No."})
        self.until(lambda: draft["id"] in self.backend.forgotten)
        self.settle()

    def none_more(self) -> None:
        before = len(self.drafts)
        for _ in range(3):
            self.pass_time(2 * RETRY_SECONDS)
        assert len(self.drafts) == before


@pytest.fixture
def desk(tmp_path: Path):
    desk = TimedPanel(tmp_path)
    yield desk
    desk.panel.stop()


@pytest.fixture
def applied(desk: TimedPanel) -> TimedPanel:
    """A layer is in hand, its photo remembered."""
    desk.editor.select_bounds(Bounds(10, 10, 20, 12))
    desk.until(lambda: desk.state.document == desk.editor.facts)
    fill(desk.panel)
    desk.apply()
    assert desk.state.updating
    return desk


def test_a_moved_slider_is_drafted_after_a_short_quiet(applied: TimedPanel):
    edit = applied.backend.submitted[0]["request"]
    applied.scrub(0.75)
    applied.pass_time(QUIET_SECONDS / 2)
    assert not applied.drafts
    assert applied.state.preview is None
    draft = applied.drafted()
    assert draft["kind"] == "edit"
    assert draft["request"]["draft"] is True
    assert (draft["request"]["image"], draft["request"]["selection"]) == (edit["image"], edit["selection"])
    assert draft["request"]["control"] == {"cross": [0.0, 0.9], "self_attention": [0.0, 0.7]}
    made = applied.finish(draft)
    assert applied.state.preview == made
    assert applied.state.preview_text == "As it would be"
    assert len(applied.editor.captured) == 1, "nothing was read from the document for it"


def test_a_draft_is_no_job_of_the_panel_no_result_and_no_layer(applied: TimedPanel):
    told = applied.state.outcome_text
    applied.move(0.75)
    draft = applied.drafted()
    assert applied.state.progress is None
    assert applied.state.waiting == ()
    assert applied.state.cannot_ask == ""
    applied.finish(draft)
    assert applied.backend.forgotten == [draft["id"]], "the backend keeps nothing of it"
    assert not draft["id"].startswith("krita-"), "or it would be taken up after a restart"
    assert len(applied.editor.inserted) == 1
    assert applied.editor.shown is None
    assert applied.state.results == ()
    assert applied.state.outcome_text == told or applied.state.outcome_text == ""


def test_what_was_just_applied_is_not_drafted(applied: TimedPanel):
    applied.none_more()
    assert not applied.drafts


def test_a_job_that_is_told_again_begins_nothing(applied: TimedPanel):
    """While nothing happens the session tells its last job every other second."""
    applied.move(0.75)
    applied.finish(applied.drafted())
    session = applied.panel.session
    for _ in range(3):
        session._change(system=session.state.system)
        applied.pass_time()
    assert len(applied.drafts) == 1
    assert session.state.job is not None
    assert session.state.job.id == applied.backend.submitted[0]["id"], "the edit is still its last"


def test_a_further_change_takes_its_place(applied: TimedPanel):
    applied.move(0.75)
    first = applied.drafted()
    applied.move(1.0)
    applied.settle()
    assert applied.backend.cancelled == [first["id"]]
    second = applied.drafted()
    assert second["request"]["weights"] == {"dog": 3.0}
    applied.until(lambda: first["id"] in applied.backend.forgotten)
    applied.finish(second)


def test_the_last_picture_stays_until_the_next_and_says_so(applied: TimedPanel):
    applied.move(0.75)
    first = applied.finish(applied.drafted(), 1)
    applied.move(1.0)
    second = applied.drafted()
    assert (applied.state.preview, applied.state.preview_text) == (first, "As it would be: a moment…")
    applied.finish(second, 2)
    assert applied.state.preview_text == "As it would be"
    applied.move(0.5)
    assert applied.drafted()["request"]["weights"] == {}, "back to what the canvas shows, too"


def test_a_slider_that_comes_back_before_the_draft_begins_leaves_the_picture(applied: TimedPanel):
    applied.move(0.75)
    made = applied.finish(applied.drafted())
    applied.move(1.0)
    applied.panel.tick()
    applied.move(0.75)
    applied.none_more()
    assert (applied.state.preview, applied.state.preview_text) == (made, "As it would be")


def test_apply_ends_a_draft_first(applied: TimedPanel):
    applied.move(0.75)
    draft = applied.drafted()
    asked: list[tuple[str, str]] = []
    cancel, submit = applied.backend.cancel, applied.backend.submit
    applied.backend.cancel = lambda id: (asked.append(("cancel", id)), cancel(id))[1]  # type: ignore
    applied.backend.submit = lambda id, *told, **more: (  # type: ignore[method-assign]
        asked.append(("submit", id)),
        submit(id, *told, **more),
    )[1]
    applied.panel.apply()
    applied.until(lambda: len(applied.backend.submitted) == 3)
    assert [what for what, _ in asked] == ["cancel", "submit"]
    assert asked[0][1] == draft["id"]
    applied.backend.finish_edit()
    applied.until(lambda: applied.state.progress is None)
    assert [layer.updates for layer in applied.editor.inserted] == [None, "layer-1"]
    assert (applied.state.preview, applied.state.preview_text) == (None, "")
    applied.none_more()


def test_nothing_is_drafted_while_a_job_runs_or_waits(applied: TimedPanel):
    applied.panel.describe()
    applied.until(lambda: applied.backend.submitted[-1]["kind"] == "describe")
    applied.move(0.75)
    applied.none_more()
    assert not applied.drafts
    applied.panel.cancel()
    applied.until(lambda: applied.state.progress is None)
    applied.until(lambda: applied.drafts)


def test_an_edit_that_was_taken_out_of_the_queue_is_not_taken_for_what_the_canvas_shows(applied: TimedPanel):
    applied.move(0.75)
    applied.panel.apply()
    applied.until(lambda: len(applied.backend.submitted) == 2)
    applied.move(1.0)
    applied.panel.apply()
    applied.until(lambda: applied.state.waiting)
    applied.panel.cancel_waiting(applied.state.waiting[0].number)
    applied.backend.finish_edit()
    applied.until(lambda: applied.state.progress is None)
    applied.finish(applied.drafted())


def test_its_picture_stays_until_the_canvas_has_it(applied: TimedPanel):
    applied.move(0.75)
    made = applied.finish(applied.drafted())
    applied.panel.apply()
    applied.until(lambda: len(applied.backend.submitted) == 3)
    assert applied.state.preview == made
    applied.backend.finish_edit()
    applied.until(lambda: applied.state.progress is None)
    assert applied.state.preview is None


@pytest.mark.parametrize("what", ["document", "selection", "shape", "layer", "new", "closed"])
def test_another_document_selection_or_layer_ends_it(applied: TimedPanel, what: str):
    applied.move(0.75)
    applied.finish(applied.drafted())
    applied.move(1.0)
    draft = applied.drafted()
    if what == "document":
        applied.editor.facts = DocumentFacts("d2", "other.png", 64, 48, None, "Background", "layer-0")
    elif what == "selection":
        applied.editor.select_bounds(Bounds(1, 1, 9, 9))
    elif what == "shape":  # within the same bounds
        applied.editor.change(mark="another")
    elif what == "layer":
        applied.editor.activate("Background")
    elif what == "closed":
        applied.editor.facts = None
    else:
        applied.panel.new_layer_instead()
    applied.until(lambda: draft["id"] in applied.backend.cancelled)
    assert (applied.state.preview, applied.state.preview_text) == (None, "")
    applied.none_more()


def test_where_the_photo_is_not_remembered_it_is_quiet(applied: TimedPanel):
    """Until the words are again those that it is remembered with, or something was applied."""
    applied.panel.draft.write_source_prompt(SHOWS + " and sand")
    applied.fail(applied.drafted(), "not_remembered")
    applied.move(0.75)
    applied.none_more()
    assert applied.state.preview is None
    applied.panel.draft.write_source_prompt(SHOWS)
    applied.finish(applied.drafted())
    applied.panel.draft.write_source_prompt(SHOWS + " and sand")
    applied.none_more()
    assert applied.state.preview is None, "the picture would be of other words"
    applied.apply()
    applied.move(1.0)
    applied.drafted()


def test_what_failed_is_not_tried_again_by_itself(applied: TimedPanel):
    applied.move(0.75)
    applied.fail(applied.drafted(), "out_of_memory")
    applied.none_more()
    applied.move(1.0)
    applied.drafted()


def test_a_backend_that_went_is_asked_again_when_it_is_back(applied: TimedPanel):
    applied.move(0.75)
    applied.drafted()
    applied.backend.down = True
    applied.until(lambda: applied.state.status.kind == "trouble")
    applied.none_more()
    applied.backend.down = False
    applied.until(lambda: applied.state.status.kind == "ready")
    applied.pass_time(2 * RETRY_SECONDS)
    applied.until(lambda: len(applied.drafts) == 2)


def test_there_are_none_where_edits_take_long(applied: TimedPanel):
    applied.apply(seconds=SLOW_SECONDS + 1, remembered=True)
    applied.move(0.75)
    applied.none_more()
    assert not applied.drafts
    applied.apply(seconds=SLOW_SECONDS - 1, remembered=True)
    applied.move(1.0)
    applied.drafted()


def test_how_long_an_inversion_took_says_nothing(applied: TimedPanel):
    applied.apply(seconds=SLOW_SECONDS + 1, remembered=False)
    applied.move(0.75)
    applied.drafted()


def test_a_draft_that_takes_long_is_the_last(applied: TimedPanel):
    applied.move(0.75)
    draft = applied.drafted()
    applied.pass_time(SLOW_SECONDS + 1)
    assert draft["id"] not in applied.backend.cancelled, "it waited for others"
    applied.backend.tell("started", applied.number(draft), device="cpu", attempt=1)
    eventually(applied.begun)
    applied.pass_time(SLOW_SECONDS + 1)
    applied.until(lambda: draft["id"] in applied.backend.cancelled)
    applied.move(1.0)
    applied.none_more()


def test_it_is_switched_off_in_the_settings(applied: TimedPanel, tmp_path: Path):
    preferences = applied.panel.preferences
    assert preferences.drawn(LIVE).value == ON
    assert dict(preferences.drawn(LIVE).choices) == {ON: "by itself", OFF: "off"}
    applied.move(0.75)
    applied.finish(applied.drafted())
    preferences.change("live", OFF)
    applied.panel.tick()
    assert applied.state.preview is None
    applied.move(1.0)
    applied.none_more()
    assert not read_live(tmp_path / DEFAULTS)
    preferences.change("variations", 2)
    assert not read_live(tmp_path / DEFAULTS), "another setting keeps it"
    preferences.change("live", ON)
    applied.drafted()


def test_a_photo_remembered_by_itself_has_drafts_as_long_as_it_looks_so(desk: TimedPanel):
    fill(desk.panel)
    desk.panel.remember()
    desk.until(lambda: desk.backend.submitted)
    image = desk.backend.keep(picture(64, 48, 101))
    assert desk.backend.submitted[0]["kind"] == "invert"
    desk.backend.finish({}, reconstruction_psnr=34.2)
    desk.until(lambda: desk.state.progress is None)
    desk.settle()
    draft = desk.drafted()
    assert (draft["request"]["image"], draft["request"]["selection"]) == (image, None)
    made = desk.finish(draft)
    desk.editor.change(mark="another")
    desk.until(lambda: desk.state.preview is None)
    desk.none_more()
    desk.editor.change(mark="")
    desk.until(lambda: desk.state.document == desk.editor.facts)
    desk.finish(desk.drafted())
    desk.editor.activate("Background 2")
    desk.none_more()
    assert desk.state.preview == made, "what is seen is the same, whatever layer is active"
    desk.editor.pixels["d1"] = "painted on"
    desk.clock.now += CHECK_SECONDS
    desk.until(lambda: desk.state.preview is None)
    desk.none_more()
    desk.editor.pixels["d1"] = ""  # undone
    desk.clock.now += CHECK_SECONDS
    desk.until(lambda: desk.state.fidelity)
    desk.drafted()


def test_emphasise_has_drafts_once_what_the_edit_before_made_is_remembered(applied: TimedPanel):
    """It is another layer over what is seen now, which nobody has inverted yet: that is offered."""
    applied.panel.draft.emphasise("grass")
    applied.panel.draft.weigh("grass", 0.75)
    applied.none_more()
    assert applied.state.can_remember
    sent = len(applied.backend.submitted)
    applied.panel.remember()
    applied.until(lambda: len(applied.backend.submitted) > sent)
    applied.backend.finish({}, reconstruction_psnr=34.2)
    applied.until(lambda: applied.state.progress is None)
    assert not applied.state.can_remember
    applied.settle()
    draft = applied.drafted()
    assert draft["request"]["image"] == applied.backend.submitted[sent]["request"]["image"]
    assert (draft["request"]["operation"], draft["request"]["weights"]) == ("reweight", {"grass": 2.5})
    applied.finish(draft)


def test_an_edit_that_is_opened_again_has_drafts_too(desk: TimedPanel, applied: TimedPanel):
    applied.editor.activate("Background")
    applied.until(lambda: not applied.state.updating)
    applied.editor.change(layer="x", active="layer-1", has_recipe=True)
    applied.until(lambda: applied.state.can_reopen)
    applied.panel.reopen()
    applied.none_more()
    assert not applied.drafts, "the canvas shows it already"
    applied.move(0.75)
    applied.drafted()


def test_a_words_dial_is_followed_and_goes_back_to_neutral(applied: TimedPanel):
    applied.panel.draft.emphasise("grass")
    applied.none_more()
    assert not applied.drafts, "another operation is another layer, from what is seen now"
    applied.apply()
    applied.panel.draft.weigh("grass", 0.75)
    draft = applied.drafted()
    assert draft["request"]["operation"] == "reweight"
    assert draft["request"]["weights"] == {"grass": 2.5}
    applied.finish(draft, 1)
    applied.panel.draft.weigh("grass", -0.5)
    applied.finish(applied.drafted(), 2)
    applied.panel.draft.weigh("grass", 0.0)
    applied.none_more()
    assert applied.state.preview is None, "nothing is emphasised: it is as it is"


# The strip over Keep structure.


def finish_strip(desk: TimedPanel) -> list[bytes]:
    made = [picture(8, 8, 50 + number) for number in range(5)]
    names = ["draft", "draft:2", "draft:3", "draft:4", "draft:5"]
    strip = desk.strips[-1]
    desk.backend.finish(dict(zip(names, made, strict=True)), desk.number(strip), draft=True, seconds=0.5)
    desk.until(lambda: strip["id"] in desk.backend.forgotten)
    desk.settle()
    return made


@pytest.fixture
def stripped(applied: TimedPanel) -> tuple[TimedPanel, list[bytes]]:
    """The slider was moved to 0.75, and its strip is there."""
    applied.scrub(0.75)
    applied.finish(applied.drafted())
    applied.strip_begun()
    return applied, finish_strip(applied)


def test_a_place_for_each_picture_is_there_before_the_slider_is_touched(applied: TimedPanel):
    """So that nothing moves under the mouse."""
    applied.pass_time()
    assert [tile.text for tile in applied.state.structures] == ["0.00", "0.25", "0.50", "0.75", "1.00"]
    assert [tile.picture for tile in applied.state.structures] == [None] * 5
    assert [tile.chosen for tile in applied.state.structures] == [False, False, True, False, False]
    assert applied.state.structures[1].tip == "Keep structure 0.25: a click sets it"
    applied.panel.draft.choose_operation("insert")
    applied.panel.tick()
    assert applied.state.structures == (), "it has no such slider"


def test_the_strip_is_one_job_after_the_exact_picture(applied: TimedPanel):
    applied.scrub(0.75)
    draft = applied.drafted()
    assert not applied.strips
    applied.finish(draft)
    strip = applied.strip_begun()
    assert strip["request"]["windows"] == [
        {"cross": [0.0, 0.0], "self_attention": [0.0, 0.0]},
        {"cross": [0.0, 0.4], "self_attention": [0.0, 0.2]},
        {},
        {"cross": [0.0, 0.9], "self_attention": [0.0, 0.7]},
        {"cross": [0.0, 1.0], "self_attention": [0.0, 1.0]},
    ]
    assert strip["request"]["control"] == {}
    made = finish_strip(applied)
    assert [tile.picture for tile in applied.state.structures] == made
    assert [tile.chosen for tile in applied.state.structures] == [False, False, False, True, False]
    applied.none_more()


def test_a_slider_that_was_moved_while_the_edit_ran_gets_its_strip_too(applied: TimedPanel):
    sent = len(applied.backend.submitted)
    applied.panel.apply()
    applied.until(lambda: len(applied.backend.submitted) > sent)
    applied.scrub(0.75)
    applied.backend.finish_edit()
    applied.until(lambda: applied.state.progress is None)
    applied.finish(applied.drafted())
    applied.strip_begun()


def test_a_strip_that_the_backend_cancelled_is_asked_for_again(applied: TimedPanel):
    """It took us for gone: a loaded machine."""
    applied.scrub(0.75)
    applied.finish(applied.drafted())
    strip = applied.strip_begun()
    applied.backend.tell("cancelled", applied.number(strip), reason=UNATTENDED)
    applied.until(lambda: strip["id"] in applied.backend.forgotten)
    applied.settle()
    applied.pass_time(2 * RETRY_SECONDS)
    applied.until(lambda: len(applied.strips) == 2)


def test_a_draft_that_the_backend_keeps_cancelling_is_asked_for_a_few_times(applied: TimedPanel):
    applied.move(0.75)
    for times in range(1, MOST_TAKEN + 1):
        applied.pass_time(2 * RETRY_SECONDS)
        applied.until(lambda times=times: len(applied.drafts) == times)
        applied.cancelled(applied.drafts[-1], UNATTENDED)
    applied.pass_time(2 * RETRY_SECONDS)
    applied.none_more()
    applied.move(0.6)
    applied.drafted()


def test_the_panel_knows_the_reason_that_the_backend_gives():
    assert engine.UNATTENDED == UNATTENDED


def test_a_draft_that_somebody_cancelled_is_not_asked_for_again(applied: TimedPanel):
    applied.move(0.75)
    applied.cancelled(applied.drafted(), "Cancelled.")
    applied.pass_time(2 * RETRY_SECONDS)
    applied.none_more()
    applied.move(0.6)
    applied.drafted()


def test_other_sliders_ask_for_no_strip(applied: TimedPanel):
    applied.move(0.75)
    applied.finish(applied.drafted())
    applied.none_more()
    assert not applied.strips


def test_the_slider_runs_through_the_strip_at_once(stripped: tuple[TimedPanel, list[bytes]]):
    desk, made = stripped
    before = len(desk.drafts)
    for structure, place in ((0.6, 2), (0.4, 2), (0.2, 1), (0.1, 0)):
        desk.scrub(structure)
        assert desk.state.preview == made[place]
        assert desk.state.preview_text == "As it would be: a moment…"
    desk.scrub(1.0)
    assert (desk.state.preview, desk.state.preview_text) == (made[4], "As it would be")
    desk.none_more()
    assert len(desk.drafts) == before, "a picture of the strip is as good as a draft of its own"
    desk.scrub(0.9)
    exact = desk.finish(desk.drafted(), 3)
    assert (desk.state.preview, desk.state.preview_text) == (exact, "As it would be")
    desk.none_more()


def test_a_strip_goes_on_while_its_slider_is_moved(applied: TimedPanel):
    applied.scrub(0.75)
    applied.finish(applied.drafted())
    strip = applied.strip_begun()
    applied.scrub(0.3)
    applied.pass_time()
    assert strip["id"] not in applied.backend.cancelled
    made = finish_strip(applied)
    assert applied.state.preview == made[1]
    applied.until(lambda: applied.drafts[-1] is not strip)
    applied.finish(applied.drafts[-1], 2)
    assert len(applied.strips) == 1


def test_apply_ends_a_strip_and_what_was_made_of_it_stays_good(stripped: tuple[TimedPanel, list[bytes]]):
    """The layer is renewed from the same pictures: so is the strip."""
    desk, made = stripped
    desk.apply()
    desk.pass_time()
    assert desk.state.preview is None
    assert [tile.picture for tile in desk.state.structures] == made
    desk.scrub(0.25)
    assert desk.state.preview == made[1]
    desk.none_more()
    desk.move(0.9)
    desk.finish(desk.drafted())
    assert [tile.picture for tile in desk.state.structures] == [None] * 5, "they were of other settings"
    desk.scrub(0.3)
    desk.finish(desk.drafted(), 2)
    strip = desk.strip_begun()
    desk.panel.apply()
    desk.until(lambda: strip["id"] in desk.backend.cancelled)


def test_a_strip_that_memory_is_too_small_for_is_not_asked_for_again(applied: TimedPanel):
    applied.scrub(0.75)
    applied.finish(applied.drafted())
    applied.fail(applied.strip_begun(), "out_of_memory")
    assert applied.state.structures == ()
    applied.scrub(0.3)
    applied.finish(applied.drafted(), 2)
    applied.none_more()


def test_a_strip_that_takes_long_is_the_last_and_single_drafts_go_on(applied: TimedPanel):
    applied.scrub(0.75)
    applied.finish(applied.drafted())
    strip = applied.strip_begun()
    applied.backend.tell("started", applied.number(strip), device="cpu", attempt=1)
    eventually(applied.begun)
    applied.pass_time(SLOW_SECONDS + 1)
    applied.until(lambda: strip["id"] in applied.backend.cancelled)
    applied.scrub(0.3)
    applied.finish(applied.drafted(), 2)
    applied.none_more()
    assert applied.state.structures == ()


def test_there_is_no_strip_where_advanced_says_both_windows(applied: TimedPanel):
    applied.panel.draft.set(cross=0.5, self_attention=0.5)
    applied.panel.tick()
    assert applied.state.structures == ()
