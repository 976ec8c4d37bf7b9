"""What the windows are described as: the same for both editors, without a widget."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from client.desk import SHOWS, Desk, fill
from client.paper import Paper, found, parts_of, visible
from client.scripted import concept, picture
from palimpsest_client.http.connection import write_launch
from palimpsest_client.learning.examples import Example, judged
from palimpsest_client.panel.status import COPY
from palimpsest_client.views.panel_view import PanelView
from palimpsest_client.views.results_view import RESULT
from palimpsest_client.views.view import Button, Field, is_shown
from palimpsest_client.views.window import Dialog
from palimpsest_client.views.windows import Windows


class Seen:
    """A panel, and the parts that it is described as now."""

    def __init__(self, folder: Path) -> None:
        self.desk, self.paper, self.used = Desk(folder).ready(), Paper(), []
        self.windows = Windows(self.desk.panel, self.desk.editor, self.paper, self.used.append)
        self.view = PanelView(self.desk.panel, self.windows, self.paper, self.used.append)

    def __getitem__(self, key: str) -> Any:
        return found(self.view.describe(), key)

    def shown(self, *keys: str) -> set[str]:
        there = {part.key for part in visible(self.view.describe())}
        return there & set(keys)

    def window(self) -> Dialog:
        return self.paper.opened[-1]


@pytest.fixture
def seen(tmp_path):
    made = Seen(tmp_path)
    yield made
    made.desk.panel.stop()


def test_every_part_has_a_key_of_its_own_in_every_window(seen):
    seen.desk.backend.the_concepts = [concept(name) for name in ("row", "acts", "buttons", "line")]
    seen.desk.panel.backend.refresh_concepts()
    seen.desk.until(lambda s: len(s.concepts) == 4)
    seen.desk.panel.draft.write_source_prompt(SHOWS)
    seen.desk.panel.draft.choose_operation("reweight")
    seen.desk.panel.download("sd15")
    for open_window in (
        seen.windows.learn,
        seen.windows.concepts,
        seen.windows.settings,
        seen.windows.models,
    ):
        open_window()
    for described in (seen.view.describe(), *(window.describe() for window in seen.paper.opened)):
        keys = Counter(part.key for part in parts_of(described))
        assert [key for key, times in keys.items() if times > 1] == []


def test_what_forms_takes_less_room_than_a_result(seen):
    """The results above stay in sight; a small preview, while nothing is under way, is larger."""
    assert seen["preview"].side > RESULT
    fill(seen.desk.panel)
    seen.desk.panel.apply()
    assert seen["preview"].side < RESULT


def test_a_download_is_seen_in_the_panel_and_cancelled_where_it_was_begun(seen):
    seen.desk.panel.download("sd15")
    seen.desk.until(lambda _: seen.desk.backend.submitted)
    job = seen.desk.state.downloads[0].job
    link = seen[f"download-{job}"]
    assert link.text == "Stable Diffusion 1.5 · Waiting."
    link.do()
    window = seen.window()
    assert not found(window.describe(), "fetch-sd15").enabled
    found(window.describe(), f"cancel-{job}").do()
    assert not found(window.describe(), f"cancel-{job}").enabled
    seen.desk.until(lambda s: not s.downloads)
    assert found(window.describe(), "fetched").text == seen["fetched"].text == "Cancelled."
    assert f"download-{job}" not in {part.key for part in parts_of(seen.view.describe())}


def test_two_descriptions_of_one_state_are_equal_whatever_their_parts_do(seen):
    assert seen.view.describe() == seen.view.describe()
    actions = {one.name for one in fields(Button) if not one.compare}
    assert actions == {"do", "menu", "hold"}


def test_every_button_says_what_it_is(seen):
    seen.windows.settings()
    for described in (seen.view.describe(), seen.window().describe()):
        silent = [p.key for p in parts_of(described) if isinstance(p, Button) and not (p.name or p.text)]
        assert silent == []


def test_every_field_says_what_it_is_for(seen):
    seen.windows.settings()
    fields = [part for part in parts_of(seen.window().describe()) if isinstance(part, Field)]
    assert fields
    assert [part.key for part in fields if not (part.name and part.tip)] == []


def test_while_a_job_runs_it_can_be_cancelled_and_the_next_be_asked_for(seen):
    desk = seen.desk
    assert seen.shown("phase", "bar", "cancel", "queue") == set()
    fill(desk.panel)
    assert seen["apply"].enabled
    seen["apply"].do()
    assert seen.paper.left == 1, "the canvas has the keyboard"
    desk.until(lambda _: desk.backend.submitted)
    desk.backend.tell("started", device="cpu", attempt=1)
    desk.backend.tell("progressed", phase="editing", index=1, total=4, seconds_left=3.0)
    desk.until(lambda s: s.progress is not None and s.progress.fraction)
    assert seen.shown("phase", "bar", "cancel", "queue") == {"phase", "bar", "cancel"}
    assert (seen["bar"].fraction, seen["bar"].about) == (0.25, seen["phase"].text)
    assert seen["apply"].enabled
    seen["apply"].do()
    assert seen["queue"].text == "+1"
    (line, everything) = seen["queue"].menu()
    assert "cat → dog" in line.text
    everything.do()
    desk.until(lambda s: not s.waiting)
    assert seen.shown("queue") == set()


def test_new_is_possible_where_update_is(seen):
    desk = seen.desk
    fill(desk.panel)
    seen["apply"].do()
    desk.until(lambda _: desk.backend.submitted)
    desk.backend.finish_edit()
    desk.until(lambda s: s.progress is None and s.updating)
    assert [seen[key].enabled for key in ("apply", "new")] == [True, True]
    desk.panel.draft.write_operand("")
    desk.until(lambda s: s.cannot_apply)
    assert [seen[key].enabled for key in ("apply", "new")] == [False, False]
    assert seen["new"].tip == seen["apply"].tip == desk.state.cannot_apply


def test_apply_that_is_not_possible_says_why_and_leaves_the_keyboard_where_it_is(seen):
    assert not seen["apply"].enabled
    assert seen["reason"].text == seen["apply"].tip == "Say what the picture shows."
    seen.view.apply()
    assert seen.paper.left == 0


@pytest.mark.parametrize(
    ("operation", "there"),
    [
        ("replace", {"second", "structure", "strength", "grow", "feather"}),
        ("insert", {"second", "strength", "grow", "feather"}),
        ("restyle", {"second", "structure", "strength", "grow", "feather"}),
        ("remove", {"second", "grow", "feather"}),
        ("reweight", {"weight-cat", "weight-grass", "structure", "grow", "feather"}),
    ],
)
def test_each_operation_shows_what_it_needs(seen, operation, there):
    seen.desk.panel.draft.write_source_prompt(SHOWS)
    seen["operations"].choose(operation)
    assert seen["operations"].chosen == operation
    keys = ("second", "weight-cat", "weight-grass", "structure", "strength", "grow", "feather")
    assert seen.shown(*keys) == there


def test_what_most_people_never_touch_is_folded_away(seen):
    assert seen.shown("steps", "defaults") == set()
    seen["unfold"].do()
    assert seen.shown("steps", "defaults") == {"steps", "defaults"}
    seen["steps"].change(12)
    assert seen["steps"].drawn.value == 12
    seen["defaults"].do()
    assert seen["steps"].drawn.value is None


def test_a_concept_of_another_family_says_so_and_is_not_used(seen):
    seen.desk.backend.the_concepts = [concept("bear"), concept("big", family="sd1")]
    seen.desk.panel.backend.refresh_concepts()
    seen.desk.until(lambda s: len(s.concepts) == 2)
    assert [seen[key].enabled for key in ("concept-bear", "concept-big")] == [True, False]
    seen["concept-bear"].do()
    assert seen.used == ["bear"]
    seen["all"].do()
    window = seen.window()
    found(window.describe(), "list").choose("big")
    acts = [found(window.describe(), key).enabled for key in ("use", "rename", "delete")]
    assert acts == [False, True, True]
    found(window.describe(), "search").write("bea")
    assert [option.key for option in found(window.describe(), "list").options] == ["bear"]
    found(window.describe(), "search").enter()
    assert seen.used == ["bear", "bear"]


def test_a_concept_that_is_renamed_stays_the_chosen_one(seen):
    seen.desk.backend.the_concepts = [concept(name) for name in ("bear", "kite", "toy")]
    seen.desk.panel.backend.refresh_concepts()
    seen.desk.until(lambda s: len(s.concepts) == 3)
    seen["all"].do()
    window = seen.window()
    found(window.describe(), "list").choose("kite")
    seen.paper.answer = "zebra"
    found(window.describe(), "rename").do()
    assert found(window.describe(), "list").chosen == "kite", "until the backend has done it"
    seen.desk.until(lambda s: "zebra" in [c.name for c in s.concepts])
    assert found(window.describe(), "list").chosen == "zebra"


def test_a_word_of_the_picture_is_replaced_by_what_is_written(seen):
    seen.desk.panel.draft.write_source_prompt(SHOWS)
    become, emphasise, _ = seen["words"].menu("cat")
    seen.view.words.choose = lambda key, word: seen.used.append((key, word.text))
    become.do()
    assert seen.used == [("second", "cat")], "chosen in its sentence, to be written over"
    assert (seen["operations"].chosen, seen["second"].text) == ("replace", SHOWS)
    emphasise.do()
    assert seen["operations"].chosen == "reweight"


def test_an_address_that_is_none_is_refused_where_it_was_written(seen):
    seen.windows.settings()
    window = seen.window()
    assert not found(window.describe(), "server").shown
    found(window.describe(), "where").choose("there")
    assert found(window.describe(), "server").shown
    found(window.describe(), "address").write("nonsense")
    found(window.describe(), "connect").do()
    assert "For instance http:" in found(window.describe(), "message").text
    assert window.show is not None, "it stays open"


def test_an_odd_picture_is_marked_and_has_its_answers(seen):
    seen.windows.learn()
    window, learning = seen.window(), seen.windows.learning
    assert is_shown(found(window.describe(), "shelf")), "its room is kept"
    assert not found(window.describe(), "learn").enabled
    found(window.describe(), "name").write("My Toy")
    assert found(window.describe(), "name").text == "my-toy"
    for number in range(3):
        learning._came(Example(f"toy {number}", picture(8, 8, number)))
    assert found(window.describe(), "example-2-out").text == "×"
    odd = {"picture": 1, "problem": "odd", "message": "It doesn't seem to fit."}
    learning._change(examples=judged(learning.state.examples, [odd]))
    described = window.describe()
    assert found(described, "odd-1-problem").text == "It doesn't seem to fit."
    assert {"odd-1-out", "odd-1-meant"} <= {part.key for part in visible(described)}
    found(described, "odd-1-out").do()
    assert len(learning.state.examples) == 2


def test_what_the_model_found_is_bright_in_its_picture(seen):
    seen.windows.learn()
    window, learning = seen.window(), seen.windows.learning
    assert not is_shown(found(window.describe(), "found"))
    learning._change(examples=(Example("toy", picture(8, 8), found=b"where"),), found="It is there.")
    shown = found(window.describe(), "example-0-picture")
    assert (shown.mask, shown.tip) == (b"where", "Picture 1: toy\nWhat is bright the model took for it.")
    assert is_shown(found(window.describe(), "found"))


def test_the_command_that_is_copied_is_that_of_the_installed_backend(tmp_path):
    seen = Seen(tmp_path)
    write_launch(seen.desk.panel.folder, tmp_path / "python", "palimpsest plugins")
    seen.windows.take(COPY)
    assert seen.paper.copied == "palimpsest plugins"


def test_a_menu_asks_for_no_word_of_an_empty_sentence(seen):
    seen.desk.panel.draft.write_source_prompt("")
    offered = seen.windows.actions(lambda: None)
    (deed,) = [deed for name, _, deed in offered if name == "select"]
    deed()
    assert list(seen.paper.options) == []
    assert seen.desk.state.outcome.text == "Say what the picture shows."


def test_what_a_menu_offers_begins_an_operation_asks_for_a_word_or_opens_a_window(seen):
    focused = []
    offered = seen.windows.actions(lambda: focused.append(seen.desk.state.form.operation))
    deeds = {name: deed for name, _, deed in offered}
    assert len(deeds) == len({text for _, text, _ in offered}) == len(offered)
    for operation in ("insert", "restyle", "replace"):
        deeds[operation]()
    assert focused == ["insert", "restyle", "replace"]
    seen.desk.panel.draft.write_source_prompt("cat on grass")
    for seen.paper.answer, operation in ((None, "replace"), ("grass", "reweight")):
        deeds["emphasise"]()
        assert list(seen.paper.options) == ["cat", "grass"]
        assert seen.desk.state.form.operation == operation
    for name in ("learn", "concepts", "settings"):
        deeds[name]()
    assert [type(window).__name__ for window in seen.paper.opened] == [
        "LearnWindow",
        "ConceptsWindow",
        "SettingsWindow",
    ]
