"""What GIMP's procedures answer, with the jobs that they run stood in for."""

from __future__ import annotations

import pytest

from client.scripted import ScriptedEditor
from palimpsest_client.editor.slices import WorkError
from palimpsest_client.gimp import procedure_calls, procedure_run
from palimpsest_client.gimp.procedure_calls import Answer, Call, refusing
from palimpsest_client.gimp.procedure_run import CancelledError
from palimpsest_client.gimp.procedures import BY_NAME, CALLING, CANCEL, EXECUTION, PREFIX, SUCCESS
from palimpsest_client.http.protocol import UnreachableError

SHOWS = "a photo of a cat on grass"


class Bar(procedure_run.Bar):
    def __init__(self, title: str) -> None:
        self.title, self.ended = title, 0

    def end(self) -> None:
        self.ended += 1


@pytest.fixture
def bars(monkeypatch) -> list[Bar]:
    """Of the calls of a test. Every job returns its name and what it was called with, or ``raises``."""
    made: list[Bar] = []
    monkeypatch.setattr(Run, "raises", None)
    monkeypatch.setattr(procedure_calls, "ProcedureRun", Run)
    return made


class Run:
    raises: Exception | None = None

    def __init__(self, editor, bar, turning) -> None:
        self.bar = bar

    def __getattr__(self, name):
        def run(*about):
            if self.raises is not None:
                raise self.raises
            return (name, *about)

        return run

    def close(self) -> None:
        assert self.bar.ended == 0


def answer(bars: list[Bar], name: str, /, **values) -> Answer:
    told = BY_NAME[PREFIX + name]
    given = {argument.name: argument.default for argument in told.arguments}

    def bar(title: str) -> Bar:
        bars.append(Bar(title))
        return bars[-1]

    return Call(told, {**given, **values}, "1", ScriptedEditor(), bar, print).answer()


@pytest.mark.parametrize(
    ("name", "values", "run"),
    [
        ("replace", {"shows": SHOWS}, "edit"),
        ("emphasise-word", {"shows": SHOWS, "word": "cat"}, "edit"),
        ("remember-photo", {"shows": SHOWS}, "remember"),
        ("word-to-selection", {"shows": SHOWS, "word": " cat "}, "select_word"),
        ("learn-concept", {"name": "my-toy", "noun": "toy"}, "learn"),
    ],
)
def test_each_runs_its_job_under_the_bar(bars: list[Bar], name: str, values: dict, run: str):
    found = answer(bars, name, **values)
    assert (found.status, found.text, found.value[0]) == (SUCCESS, "", run)
    assert [bar.ended for bar in bars] == [1]
    assert bars[0].title == BY_NAME[PREFIX + name].title


def test_the_word_is_given_without_what_is_around_it(bars: list[Bar]):
    assert answer(bars, "word-to-selection", shows=SHOWS, word=" cat ").value[2] == "cat"


@pytest.mark.parametrize(
    ("raised", "status", "text"),
    [
        (CancelledError("cancelled"), CANCEL, ""),
        (WorkError("Say what the picture shows."), EXECUTION, "Say what the picture shows."),
        (UnreachableError("It isn't running."), EXECUTION, "It isn't running."),
        (FileNotFoundError("no such file"), EXECUTION, "no such file"),
    ],
)
def test_why_a_job_failed_is_the_answer(bars: list[Bar], monkeypatch, raised, status, text):
    monkeypatch.setattr(Run, "raises", raised)
    assert answer(bars, "replace", shows=SHOWS) == Answer(status, text)
    assert [bar.ended for bar in bars] == [1]


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("replace", {"shows": SHOWS, "soft-edge": -3}, "soft-edge is -3"),
        ("emphasise-word", {"shows": SHOWS, "word": " "}, "Choose a word"),
        ("learn-concept", {"kind": "smell"}, "kind is smell"),
        ("server", {"address": "nonsense"}, "nonsense is no address"),
    ],
)
def test_a_wrong_value_is_the_callers_mistake_and_no_bar_is_shown(bars, name: str, values: dict, said: str):
    found = answer(bars, name, **values)
    assert found.status == CALLING
    assert said in found.text
    assert bars == []


def test_a_layer_without_a_recipe_says_so(bars: list[Bar]):
    found = answer(bars, "reopen-edit")
    assert found.status == EXECUTION
    assert "wasn't made by Palimpsest" in found.text


@pytest.mark.parametrize("name", ["reopen-edit", "learn-concept", "server"])
def test_what_asks_more_has_no_dialog(name: str):
    assert refusing(BY_NAME[PREFIX + name], dict, ScriptedEditor()) is None


def test_without_a_backend_there_is_no_dialog(monkeypatch):
    def nobody():
        raise WorkError("It isn't running.")

    monkeypatch.setattr(procedure_calls, "find_backend", nobody)
    assert refusing(BY_NAME[PREFIX + "replace"], dict, ScriptedEditor()) is None


def test_a_dialog_says_what_is_wrong_with_its_values_now(monkeypatch):
    class Found:
        def refusal(self, facts, form, edits):
            return "" if form.source_prompt else "Say what the picture shows."

    monkeypatch.setattr(procedure_calls, "find_backend", Found)
    told = BY_NAME[PREFIX + "replace"]
    values = {argument.name: argument.default for argument in told.arguments}
    why_not = refusing(told, lambda: values, ScriptedEditor())
    assert why_not is not None
    assert why_not() == "Say what the picture shows."
    values["shows"] = SHOWS
    assert why_not() == ""
    values["soft-edge"] = -3
    assert "soft-edge is -3" in why_not()
