"""What the backend refuses is said in the panel's language: its texts, their way over the wire, and back."""

from __future__ import annotations

import ast
import copy
import inspect
import json
import pickle
import string
from collections.abc import Iterator
from gettext import NullTranslations
from pathlib import Path
from typing import Any

import pytest

from palimpsest import errors
from palimpsest.core.learning.gate import Finding
from palimpsest.errors import (
    ConceptImagesError,
    JobNotFoundError,
    NotFiniteError,
    OutOfMemoryError,
    PalimpsestError,
    Text,
    in_a_row,
    noticed,
)
from palimpsest.jobs.events import Failed, to_json
from palimpsest_client.http.job_view import JobView
from palimpsest_client.http.problems import error_json
from palimpsest_client.http.protocol import RefusedError
from palimpsest_client.learning.examples import Example, judged
from palimpsest_client.panel.outcome import outcome_of
from palimpsest_client.text.language import catalogue
from palimpsest_client.text.refusals import REFUSALS
from palimpsest_client.text.wording import error_text, notices_text, original_notices, original_text, speak

BACKEND = Path(errors.__file__).parent
CLASSES: dict[str, Any] = dict(inspect.getmembers(errors, inspect.isclass))
TRANSLATED = {
    "concept_exists", "concept_images", "concept_in_use", "concept_not_found", "checksum", "disk_full",
    "image_not_found", "image_hash", "image_too_large", "image_too_small", "image_unreadable",
    "image_unsupported", "internal", "job_not_found", "job_stalled", "model_busy", "model_incapable",
    "model_not_found", "model_pickled", "model_unreadable", "network", "not_finite", "not_remembered",
    "offline", "out_of_memory", "prompt_too_long", "queue_full", "quota_exceeded", "request_invalid",
    "selection_empty", "selection_size", "server_died", "storage", "word_not_found", "worker_died",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _english_afterwards() -> Iterator[None]:
    yield
    speak(NullTranslations())


def calls() -> list[ast.Call]:
    files = (path.read_text(encoding="utf-8") for path in sorted(BACKEND.rglob("*.py")))
    nodes = (node for file in files for node in ast.walk(ast.parse(file)))
    return [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]


CALLS = calls()


def named(call: ast.Call, name: str) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == name


def names_of(call: ast.Call) -> set[str]:
    """Of one Text(…): its name, or either of two."""
    constants = (node.value for node in ast.walk(call.args[0]) if isinstance(node, ast.Constant))
    return {value for value in constants if isinstance(value, str)}


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def on_the_wire(error: PalimpsestError) -> dict:
    return json.loads(json.dumps(error.to_json()))


def test_every_text_is_raised_and_every_text_that_is_raised_is_there():
    used = set().union(*(names_of(call) for call in CALLS if named(call, "Text") and call.args))
    assert used == set(REFUSALS)


def test_a_text_is_given_what_it_needs():
    for call in CALLS:
        if named(call, "Text") and call.args and all(keyword.arg is not None for keyword in call.keywords):
            given = {keyword.arg for keyword in call.keywords}
            assert all(fields(REFUSALS[name]) == given for name in names_of(call)), ast.unparse(call)


def test_these_codes_are_translated():
    raised = [c for c in CALLS if isinstance(c.func, ast.Name) and c.func.id in CLASSES and c.args]
    told_so = [c for c in raised if any(isinstance(n, ast.Call) and named(n, "Text") for a in c.args
                                        for n in ast.walk(a))]  # fmt: skip
    codes = {CLASSES[c.func.id].code for c in told_so if isinstance(c.func, ast.Name)}
    assert codes - {"concept_images"} == TRANSLATED - {"concept_images"}  # its sentences are put in a row


def test_a_text_is_english_and_says_which_it_is():
    text = Text("memory-short", device="cuda:0", what=Text("what-drawing", width=64, height=32))
    assert text == "The memory of cuda:0 is not enough for drawing 64 x 32 pixels."
    assert text.to_json() == {
        "name": "memory-short",
        "values": {
            "device": "cuda:0",
            "what": {"name": "what-drawing", "values": {"width": 64, "height": 32}},
        },
    }


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda error_json: pickle.loads(pickle.dumps(error_json))])
def test_a_text_is_copied_and_goes_through_a_pipe_as_it_is(copied):
    """A job's journal copies its events, and a worker's come through a pipe."""
    text = Text("memory-short", device="cuda:0", what=Text("what-drawing", width=64, height=32))
    again = copied(text)
    assert (again, again.to_json()) == (text, text.to_json())


def test_an_error_as_json_is_of_plain_strings():
    error_json = OutOfMemoryError(Text("memory-out"), Text("killed-for-memory")).to_json()
    assert {type(error_json[field]) for field in ("message", "hint")} == {str}


def test_a_failed_jobs_event_is_written_down():
    error_json = OutOfMemoryError(Text("memory-out"), Text("killed-for-memory")).to_json()
    written = json.loads(json.dumps(to_json(Failed(error_json))))
    assert written["error"] == error_json


def test_a_failed_job_is_told_in_the_panels_language():
    what = Text("what-editing", width=768, height=512)
    error = OutOfMemoryError(Text("memory-short", device="cuda:0", what=what), Text("lower-size"))
    speak(catalogue("de"))
    said = JobView("1", "failed", error=on_the_wire(error)).text()
    assert "cuda:0" in said
    assert "768" in said
    assert "Der Speicher" in said
    assert "memory" not in said
    assert "pixels" not in said


def test_the_english_is_kept_where_it_is_told_otherwise():
    message = Text("not-finite", part="The UNet", n="3", precision="float16")
    error = NotFiniteError(message, Text("other-file"))
    view = JobView("1", "failed", error=on_the_wire(error))
    assert outcome_of(view).original == ""
    speak(catalogue("de"))
    assert outcome_of(view).text != str(error)
    assert outcome_of(view).original == str(error)


def test_a_refused_request_is_told_in_the_panels_language():
    error = JobNotFoundError(Text("job-not-there", job="edit-1"), Text("removed-by-age"))
    speak(catalogue("de"))
    refused = RefusedError(404, on_the_wire(error))
    assert "edit-1" in str(refused)
    assert str(refused) != str(error)
    assert original_text(error_json(refused)) == str(error)
    assert error_text(error_json(refused)) == str(refused)


def test_each_picture_of_a_set_is_judged_in_the_panels_language():
    odd = Text("set-picture-odd", n=2, noun="toy")
    error = ConceptImagesError(odd, pictures=[Finding(1, "odd", odd).to_json()])
    came = on_the_wire(error)
    speak(catalogue("de"))
    examples = [Example("one", b""), Example("two", b"")]
    problem = judged(examples, came["details"]["pictures"])[1].problem
    assert problem in error_text(came, "message")
    assert problem != odd
    assert "toy" in problem


@pytest.mark.parametrize("language", ["de", "ja", "zh_CN"])
@pytest.mark.parametrize(
    "texts",
    [
        {},
        None,
        {"message": {"name": "of-tomorrow", "values": {}}},
        {"message": {"name": "memory-short", "values": {"device": "cpu"}}},
        {"message": {"name": "memory-short", "values": {"device": "cpu", "what": {"name": "x"}}}},
        {"message": {"name": ["memory-out"], "values": {}}},
        {"message": "memory-out"},
        [],
    ],
)
def test_what_is_not_known_here_is_told_as_it_came(texts, language):
    speak(catalogue(language))
    error = {"code": "new", "message": "A new thing.", "hint": "Mend it.", "details": {}, "texts": texts}
    assert error_text(error) == "A new thing. Mend it."
    assert original_text(error) == ""


def test_sentences_follow_each_other_as_the_language_has_it():
    error = on_the_wire(JobNotFoundError(Text("job-not-there", job="edit-1"), Text("removed-by-age")))
    for code, gap in (("zh_CN", ""), ("de", " ")):
        speak(catalogue(code))
        assert str(RefusedError(404, error)) == error_text(error, "message") + gap + error_text(error, "hint")


def test_an_older_backends_error_is_told_as_it_came():
    assert error_text({"code": "x", "message": "Broken.", "hint": "", "details": {}}) == "Broken."


def test_an_error_that_another_process_told_is_the_same_again():
    inner = Text("set-picture-odd", n=2, noun="toy")
    error = ConceptImagesError(in_a_row([inner, inner]), Text("removed-by-age"), pictures=[])
    again = errors.from_json(on_the_wire(error))
    assert type(again) is ConceptImagesError
    assert again.to_json() == error.to_json()


def test_an_error_of_another_version_is_taken_as_it_came():
    wire = on_the_wire(JobNotFoundError(Text("job-not-there", job="edit-1")))
    for changed in ({"message": "Otherwise."}, {"texts": {"message": {"name": "of-tomorrow"}}}, {"texts": 3}):
        again = errors.from_json({**wire, **changed}).to_json()
        assert (again["message"], again["texts"]) == ({**wire, **changed}["message"], {})


def test_what_a_result_has_to_say_is_told_in_the_panels_language():
    left = in_a_row((Text("mirror-image-unknown"), Text("select-image-or-draw")))
    came = noticed("(blue:1.4) counts for nothing here.", Text("profile-as-srgb"), left)
    result = json.loads(json.dumps(came))
    assert result["notices"][1:] == [str(Text("profile-as-srgb")), str(left)]
    assert notices_text(result) == f"{Text('profile-as-srgb')} {left}", "of the words it is told before"
    assert original_notices(result) == ""
    speak(catalogue("de"))
    assert "Spiegelbild" in notices_text(result)
    assert "mirror" not in notices_text(result).replace("--mirror", "")
    assert original_notices(result) == f"{Text('profile-as-srgb')} {left}"


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"notices": ["A new thing."]},
        {"notices": [], "texts": {"notices": []}},
        {"notices": ["A new thing."], "texts": 3},
        {"notices": ["A new thing."], "texts": None},
        {"notices": 3, "texts": {"notices": []}},
        {"notices": ["A new thing."], "texts": {"notices": 3}},
    ],
)
def test_a_result_that_has_nothing_to_say_tells_nothing(result):
    assert (notices_text(result), original_notices(result)) == ("", "")


def test_a_notice_of_another_version_is_told_as_it_came():
    texts = {"notices": [{"name": "of-tomorrow", "values": {}}]}
    assert notices_text({"notices": ["A new thing."], "texts": texts}) == "A new thing."
    result = {"notices": [3], "texts": {"notices": [3]}}
    assert (notices_text(result), original_notices(result)) == ("3", "")
