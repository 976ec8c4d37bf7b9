"""The backend in the panel: what is the matter with it, what to do, what it is called."""

from __future__ import annotations

import json

import pytest

from client.desk import Desk, fill
from client.scripted import MODELS, Backend, concept
from palimpsest_client.http.connection import Choice
from palimpsest_client.http.protocol import RefusedError


def test_the_backend_stops_in_the_middle_and_the_job_goes_on(desk):
    fill(desk.panel)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.down = True
    desk.until(lambda s: s.status.kind == "trouble")
    gone = "The backend stopped. Your job is kept and goes on when it is back."
    assert desk.state.status.text == gone
    assert desk.state.progress is not None
    assert (desk.state.progress.text, desk.state.progress.fraction) == ("Waiting for the backend", None)
    desk.backend.down = False
    desk.until(lambda s: s.status.kind == "ready")
    desk.backend.finish_edit()
    desk.idle()
    assert len(desk.editor.inserted) == 1
    assert len(desk.backend.submitted) == 1


@pytest.mark.parametrize(
    ("backend", "text", "offers"),
    [
        (
            Backend(down=True),
            "The backend isn't installed here: run install.py, or connect to another computer.",
            ["Connect to another computer…"],
        ),
        (
            Backend(refusal=RefusedError(401, {"code": "token_invalid", "message": "No."})),
            "The backend at http://127.0.0.1:9 refused the token.",
            ["Choose the token…"],
        ),
        (
            Backend(protocol=1),
            "The backend speaks version 1, this plug-in version 2: run install.py again.",
            ["Copy command"],
        ),
    ],
)
def test_what_is_the_matter_with_the_backend_is_said_with_what_to_do(tmp_path, backend, text, offers):
    desk = Desk(tmp_path, backend)
    desk.panel.start()
    desk.until(lambda s: s.status.text == text)
    assert [offer.text for offer in desk.state.status.offers] == offers
    desk.until(lambda s: s.document is not None)
    assert desk.state.cannot_apply == text
    desk.panel.stop()


def test_starting_the_backend_says_so_and_tells_why_it_failed(tmp_path):
    command = ["/bin/sh", "-c", "echo it is broken; exit 3"]
    (tmp_path / "launch.json").write_text(json.dumps({"command": command}))
    desk = Desk(tmp_path, Backend(down=True))
    desk.panel.start()
    desk.until(lambda s: s.status.text == "Palimpsest's backend isn't running.")
    assert desk.state.status.offers[0].text == "Start it"
    desk.panel.take(desk.state.status.offers[0].key)
    assert desk.state.status.text == "Starting the backend…"
    desk.until(lambda s: s.outcome is not None)
    assert desk.state.outcome_text == "The backend could not be started: it is broken"
    (tmp_path / "launch.json").write_text(json.dumps({"command": ["/bin/sh", "-c", "exit 0"]}))
    desk.panel.backend.start()
    desk.backend.down = False
    desk.until(lambda s: s.status.text == "Ready · built-in model (for trying out) · CPU")
    desk.panel.stop()


def test_another_computer_is_remembered_and_a_token_can_be_given(tmp_path):
    desk = Desk(tmp_path, Backend()).ready()
    reason = desk.panel.backend.connect_to(Choice("nonsense", "t"))
    assert "nonsense" in reason
    assert "For instance http:" in reason
    reason = desk.panel.backend.connect_to(Choice("http://10.0.0.7:8391", ""))
    assert reason == "Paste the token of that backend."
    assert desk.panel.backend.connect_to(Choice("http://127.0.0.1:9", "secret")) == ""
    kept = tmp_path / "connection.json"
    assert json.loads(kept.read_text()) == {"address": "http://127.0.0.1:9", "token": "secret"}
    assert kept.stat().st_mode & 0o077 == 0
    assert Desk(tmp_path).panel.backend.choice == Choice("http://127.0.0.1:9", "secret")
    desk.panel.stop()


def test_what_others_change_there_is_seen_while_nothing_is_asked(desk):
    """Learned, renamed and deleted in a shell or in the other editor; the sentence follows a new name."""
    desk.backend.running = "learn"
    ready = desk.state.status.text
    desk.until(lambda s: s.status.text == f"{ready} · a word is being learned")
    desk.backend.the_concepts, desk.backend.running = [concept("my-toy")], None
    desk.until(lambda s: s.status.text == ready and [c.name for c in s.concepts] == ["my-toy"])
    fill(desk.panel, second="a photo of <my-toy> on grass")
    desk.backend.the_concepts = [{**concept("my-toy"), "name": "my-bear"}]
    desk.until(lambda s: s.form.operand == "a photo of <my-bear> on grass")
    assert (desk.state.cannot_apply, [c.name for c in desk.state.concepts]) == ("", ["my-bear"])
    desk.backend.the_concepts = []
    desk.until(lambda s: s.cannot_apply == "There is no concept <my-bear>. Learn it, or choose another.")
    desk.backend.the_models = [MODELS[0], {**MODELS[1], "installed": True}]
    desk.until(lambda s: [m.name for m in s.models if m.installed] == ["built-in", "sd15"])
    desk.backend.the_models = list(MODELS)
    desk.until(lambda s: [m.name for m in s.models if m.installed] == ["built-in"])


def test_what_others_change_there_is_seen_while_a_job_runs(desk):
    fill(desk.panel)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.tell("started", device="cpu", attempt=1)
    desk.backend.the_concepts = [concept("my-toy")]
    desk.until(lambda s: s.concepts)
    assert desk.state.progress is not None


def test_a_concept_is_renamed_and_removed(desk):
    desk.backend.the_concepts += [concept("old"), concept("other")]
    desk.panel.backend.refresh_concepts()
    desk.until(lambda s: len(s.concepts) == 2)
    fill(desk.panel, second="a photo of <old> on grass")
    failures = []
    desk.panel.rename_concept("old", "new", failures.append)
    desk.until(lambda s: {c.name for c in s.concepts} == {"new", "other"})
    assert desk.state.form.operand == "a photo of <new> on grass"
    assert desk.state.cannot_apply == ""
    desk.panel.backend.remove_concept("other", failures.append)
    desk.until(lambda s: [c.name for c in s.concepts] == ["new"])
    assert failures == []
    desk.panel.backend.remove_concept("other", failures.append)
    desk.until(lambda _: failures == ["There is no concept <other>."])


def test_concepts_that_were_used_or_learned_last_come_first(desk):
    desk.backend.the_concepts += [concept("a"), concept("b"), concept("c")]
    desk.panel.backend.refresh_concepts()
    desk.until(lambda s: [c.name for c in s.concepts] == ["a", "b", "c"])
    fill(desk.panel, second="a photo of <b> on grass")
    desk.panel.apply()
    assert [c.name for c in desk.state.concepts] == ["b", "a", "c"]
    desk.backend.the_concepts += [concept("just-learned")]
    desk.panel.backend.refresh_concepts()
    desk.until(lambda s: [c.name for c in s.concepts] == ["just-learned", "b", "a", "c"])


def test_a_device_that_is_not_chosen_yet_is_not_named(tmp_path):
    """Before the first job the worker waits to see whether there is a graphics card."""
    backend = Backend()
    backend.device, backend.worker_status = "auto", {}
    desk = Desk(tmp_path, backend).ready()
    assert desk.state.status.text == "Ready · built-in model (for trying out)"
    backend.device = "cuda:0"
    desk.until(lambda s: s.status.text == "Ready · built-in model (for trying out) · CUDA:0")
    desk.panel.stop()
