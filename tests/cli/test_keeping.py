"""``palimpsest jobs`` and ``palimpsest kept``: to be rid of what a server keeps."""

from __future__ import annotations

import json

import pytest

from api.embeddings import embedding
from api.process import find, run, serving
from palimpsest.jobs.events import Cancelled, Queued
from palimpsest.jobs.state import Submission
from palimpsest.storage.database import Database, open_requests


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with serving(home):
        yield home


@pytest.fixture
def jobs(home):
    client = find(home)
    image = client.upload(b"a photo")
    for id in ("one", "two"):
        request = {"image": image, "operation": "remove", "source_prompt": '{"do": "steps"}'}
        client.submit(id, "edit", request)
        assert list(client.follow(id))[-1]["event"] == "finished"
    return client


def test_jobs_are_listed_and_removed_with_their_pictures(home, jobs):
    assert run(home, "jobs", "list").stdout.splitlines() == ["two\tedit\tfinished", "one\tedit\tfinished"]
    removed = run(home, "jobs", "remove", "one")
    assert (removed.returncode, removed.stdout) == (0, "one\n")
    assert [job["id"] for job in jobs.jobs()["jobs"]] == ["two"]
    assert len(jobs.pictures()["images"]) > 0
    assert json.loads(run(home, "jobs", "remove", "--all", "--json").stdout) == {"removed": ["two"]}
    assert json.loads(run(home, "jobs", "list", "--json").stdout) == {"jobs": []}
    assert jobs.pictures()["images"] == []
    missing = run(home, "jobs", "remove", "one")
    assert missing.returncode == 2
    assert "job_not_found" in missing.stderr


def test_pictures_are_listed_and_removed(home):
    client = find(home)
    first, second = client.upload(b"the first"), client.upload(b"the second")
    listed = run(home, "kept", "list")
    assert set(listed.stdout.splitlines()) == {f"{first}\t9", f"{second}\t10"}
    assert run(home, "kept", "remove", first).stdout == f"{first}\n"
    assert [kept["image"] for kept in client.pictures()["images"]] == [second]
    assert json.loads(run(home, "kept", "remove", "--all", "--json").stdout) == {"removed": [second]}
    assert client.pictures()["images"] == []


@pytest.mark.parametrize("command", ["jobs", "kept"])
def test_nothing_is_removed_unless_it_is_said_what(home, command):
    refused = run(home, command, "remove")
    assert refused.returncode == 2
    assert "--all" in refused.stderr


@pytest.mark.parametrize("command", ["jobs", "kept"])
@pytest.mark.parametrize("name", ["", "a/b", "../x", "a b", "?", "é", "x" * 65])
def test_what_can_be_no_name_is_said_before_a_server_is_asked(tmp_path, command, name):
    refused = run(tmp_path, command, "remove", "a" * 64, name)
    assert refused.returncode == 2
    what = "can't be a job's id" if command == "jobs" else "is not a picture's sha256"
    assert refused.stderr.startswith("Error: ")
    assert what in refused.stderr
    assert f"palimpsest {command} list" in refused.stderr


def test_without_a_server_it_says_so(tmp_path):
    told = run(tmp_path, "jobs", "list")
    assert told.returncode != 0
    assert "palimpsest serve" in told.stderr


def test_a_concept_that_a_job_uses_is_changed_by_the_shell_neither(home, tmp_path):
    """While the server runs, and while it doesn't and its jobs wait."""
    import_file = tmp_path / "worn.safetensors"
    import_file.write_bytes(embedding())
    assert run(home, "concepts", "import", str(import_file)).returncode == 0
    client = find(home)
    order = {"source_prompt": '{"do": "hang"}', "target_prompt": "a <worn> hat"}
    client.submit("wearer", "edit", {"image": client.upload(b"a photo"), "operation": "restyle", **order})
    changes = (("remove", "worn"), ("rename", "worn", "torn"), ("import", str(import_file), "--replace"))
    for command in changes:
        refused = run(home, "concepts", *command)
        assert (refused.returncode, "concept_in_use" in refused.stderr) == (2, True), command
    client.cancel("wearer")
    list(client.follow("wearer"))
    assert run(home, "concepts", "import", str(import_file), "--replace").returncode == 0
    assert run(home, "concepts", "remove", "worn").returncode == 0


@pytest.mark.parametrize("content", [None, b"", b"garbage" * 1000])
def test_a_list_of_jobs_that_cannot_be_read_uses_no_concept(tmp_path, content):
    path = tmp_path / "jobs.sqlite"
    if content is not None:
        path.write_bytes(content)
    assert open_requests(path) == []


def test_jobs_that_wait_while_no_server_runs_still_use_their_concepts(tmp_path):
    database = Database(tmp_path / "jobs.sqlite")
    for id in ("waits", "ended"):
        job = database.add(Submission(id, "anna", "edit", {"target_prompt": f"a <{id}>"}), Queued())
    database.append(job.number, Cancelled())
    assert open_requests(tmp_path / "jobs.sqlite") == ['{"target_prompt": "a <waits>"}']
    database.close()
    assert open_requests(tmp_path / "jobs.sqlite") == ['{"target_prompt": "a <waits>"}']
