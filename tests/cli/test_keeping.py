"""``palimpsest jobs``, ``results``, ``kept`` and ``logs``: what a server does, made, keeps and wrote."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time

import pytest

from api.embeddings import embedding
from api.process import environment, find, run, serving
from palimpsest.cli.status import describe
from palimpsest.jobs.events import Cancelled, Queued
from palimpsest.jobs.state import Submission
from palimpsest.storage.database import Database, open_requests
from palimpsest_client.panel.origins import Origin


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


def test_what_is_kept_in_memory_is_told():
    idle = {"lane": "cpu", "pid": 7, "running": None, "status": {"model": "built-in"}}
    system = {
        "versions": {"palimpsest": "1"}, "address": "here", "queue": {"running": 0, "waiting": 0},
        "notices": [], "workers": [idle],
    }  # fmt: skip
    assert describe(system).splitlines()[-1] == "cpu: idle, built-in"
    idle["status"]["kept"] = {"attention": 10 << 20, "pictures": 2 << 20}
    assert describe(system).splitlines()[-1] == "cpu: idle, built-in, 12 MiB kept"
    idle["pid"] = None
    assert describe(system).splitlines()[-1] == "cpu: unloaded"


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


def painted(home, id, do="paint", origin=""):
    """A job over a photo of its own."""
    client = find(home)
    order = json.dumps({"do": do, "width": 96, "height": 80})
    request = {"image": client.upload(id.encode()), "operation": "remove", "source_prompt": order}
    client.submit(id, "edit", request, origin=origin)
    return client


def test_results_are_listed_and_fetched_as_files_once(home, tmp_path):
    origin = Origin(name="lawn.kra").note()
    client = painted(home, "made", origin=origin)
    list(client.follow("made"))
    painted(home, "plain")
    list(client.follow("plain"))
    listed = run(home, "results", "list").stdout.splitlines()
    assert "made\tedit\tlawn.kra\tlayer, composite" in listed
    fetched = run(home, "results", "fetch", "made", "--output", str(tmp_path / "out"))
    names = ["lawn-remove-layer.png", "lawn-remove-composite.png", "lawn-remove.json"]
    assert fetched.stdout.splitlines() == [str(tmp_path / "out" / name) for name in names]
    assert (tmp_path / "out" / names[0]).read_bytes() == client.artifact("made", "layer")
    assert json.loads((tmp_path / "out" / names[2]).read_text())["recipe"] == {"kind": "edit"}
    again = run(home, "results", "fetch", "made", "--output", str(tmp_path / "out"))
    assert (again.returncode, "--overwrite" in again.stderr) == (2, True)
    run(home, "results", "fetch", "plain", "--output", str(tmp_path / "other"))
    assert (tmp_path / "other" / "plain-remove-layer.png").is_file()


def test_a_job_is_shown_cancelled_and_tried_again(home):
    client = painted(home, "krita-long", do="hang", origin=Origin(name="lawn.kra").note())
    nothing = run(home, "results", "fetch", "krita-long")
    assert (nothing.returncode, "has no results" in nothing.stderr) == (2, True)
    too_early = run(home, "jobs", "retry", "krita-long")
    assert (too_early.returncode, "neither failed nor" in too_early.stderr) == (2, True)
    assert run(home, "jobs", "cancel", "krita-long").stdout == "krita-long\n"
    list(client.follow("krita-long"))
    told = run(home, "jobs", "show", "krita-long").stdout.splitlines()
    assert {"state: cancelled", "picture: lawn.kra"} <= set(told)
    assert any(line.startswith("waited: ") for line in told)
    assert run(home, "jobs", "cancel", "krita-long").returncode == 2
    again = run(home, "jobs", "retry", "krita-long").stdout.strip()
    assert again.startswith("krita-")
    assert client.job(again)["origin"] == Origin(name="lawn.kra").note()
    assert "job_not_found" in run(home, "jobs", "show", "krita-long").stderr
    client.cancel(again)
    list(client.follow(again))


@pytest.mark.parametrize("action", ["show", "cancel", "retry"])
def test_what_can_be_no_id_is_said_before_a_server_is_asked_for_one(tmp_path, action):
    refused = run(tmp_path, "jobs", action, "../x")
    assert (refused.returncode, "can't be a job's id" in refused.stderr) == (2, True)


def test_the_last_lines_of_every_log_are_printed(tmp_path):
    nothing = run(tmp_path, "logs")
    assert (nothing.returncode, "no logs yet" in nothing.stderr) == (2, True)
    for name in ("config/backend.log", "cache/logs/worker-cpu.log"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_bytes(b"first\nsecond \x1b[2J\nthird\n")
    told = run(tmp_path, "logs", "--lines", "2").stdout.splitlines()
    assert told == [
        f"==> {tmp_path / 'config/backend.log'} <==",
        "second \\x1b[2J",
        "third",
        f"==> {tmp_path / 'cache/logs/worker-cpu.log'} <==",
        "second \\x1b[2J",
        "third",
    ]
    assert set(json.loads(run(tmp_path, "logs", "--json").stdout)["logs"]) == {
        str(tmp_path / "config/backend.log"),
        str(tmp_path / "cache/logs/worker-cpu.log"),
    }


def test_logs_are_followed_also_when_one_begins_anew(tmp_path):
    log = tmp_path / "config" / "backend.log"
    log.parent.mkdir()
    log.write_text("a first line\nanother line\n")
    command = [sys.executable, "-m", "palimpsest", "logs", "--follow", "--lines", "1"]
    with subprocess.Popen(command, env=environment(tmp_path), stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        late = threading.Timer(120, child.kill)
        late.start()
        try:
            assert [child.stdout.readline() for _ in range(2)][1] == "another line\n"
            with log.open("a") as file:
                file.write("a third line\n")
            assert [child.stdout.readline() for _ in range(2)][1] == "a third line\n"
            log.write_text("anew\n")
            assert [child.stdout.readline() for _ in range(2)][1] == "anew\n"
        finally:
            late.cancel()
            child.kill()


def test_the_memory_of_idle_workers_is_freed(home):
    client = find(home)

    def held():
        return [worker["pid"] for worker in client.system()["workers"] if worker["pid"] is not None]

    image = client.upload(b"a photo")
    request = {"image": image, "operation": "remove", "source_prompt": '{"do": "steps"}'}
    client.submit("held", "edit", request)
    assert list(client.follow("held"))[-1]["event"] == "finished"
    assert held()
    freed = run(home, "kept", "free")
    assert (freed.returncode, freed.stdout) == (0, "")
    assert "Idle workers end now" in freed.stderr
    until = time.monotonic() + 10
    while held() and time.monotonic() < until:
        time.sleep(0.05)
    assert not held()
