"""Clocks that go back, disks that are full or read-only, a list of jobs that is locked or destroyed: the
right answer, and nothing that was accepted is lost."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import sqlite3
from pathlib import Path

import pytest

from api.live import live
from api.process import find, run, serving
from jobs.shop import eventually
from palimpsest.storage.owned_images import Retention


@pytest.fixture
def server(tmp_path):
    with live(tmp_path) as server:
        yield server


def code(answer) -> tuple[int, str]:
    assert set(answer.json()) == {"code", "message", "hint", "details", "texts"}
    return answer.status_code, answer.json()["code"]


def test_a_clock_that_goes_backwards_changes_no_order_and_removes_nothing(server, monkeypatch):
    ticks = itertools.count()
    with monkeypatch.context() as patch:
        patch.setattr(server.services.database._clock, "_wall", lambda: 2e9 - 3600.0 * next(ticks))
        for index in range(3):
            server.submit(f"job-{index}", order={"do": "keep"})
        told = [server.follow(f"job-{index}") for index in range(3)]
    for events in told:
        assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
        assert [event["event"] for event in events][-1] == "finished"
        assert [event["time"] for event in events] == sorted((e["time"] for e in events), reverse=True)
    listed = server.ask("GET", "/v1/jobs").json()["jobs"]
    assert [job["id"] for job in listed] == ["job-2", "job-1", "job-0"]
    server.services.owned_images.sweep(
        Retention(seconds=30 * 86400.0, image_bytes=1 << 30)
    )  # by today's clock again
    assert server.ask("GET", "/v1/jobs/job-1/artifacts/layer").content == b"a layer"


def test_a_locked_list_of_jobs_is_said_and_the_job_can_be_posted_again(server):
    server.bring(b"a photo")
    database = server.services.database
    database._connection.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    image = hashlib.sha256(b"a photo").hexdigest()
    request = {"image": image, "operation": "remove", "source_prompt": '{"do": "steps"}'}
    job = {"id": "patient", "kind": "edit", "request": request}
    assert code(server.ask("POST", "/v1/jobs", json=job)) == (503, "storage")
    assert server.ask("GET", "/v1/jobs").json()["jobs"] == []
    other.execute("ROLLBACK")
    other.close()
    assert server.ask("POST", "/v1/jobs", json=job).status_code == 202
    assert server.follow("patient")[-1]["event"] == "finished"


def fill(server) -> None:
    database = server.services.database
    pages = database._connection.execute("PRAGMA page_count").fetchone()[0]
    database._connection.execute(f"PRAGMA max_page_count = {pages}")


def make_room(server) -> None:
    server.services.database._connection.execute("PRAGMA max_page_count = 1000000")


def test_a_full_disk_refuses_jobs_and_takes_them_when_there_is_room(server):
    server.submit("before")
    server.follow("before")
    fill(server)
    answers = [server.submit(f"job-{index}", request={"target_prompt": "x" * 1900}) for index in range(12)]
    refused = [index for index, answer in enumerate(answers) if answer.status_code != 202]
    assert refused
    assert {code(answers[index]) for index in refused} == {(507, "disk_full")}
    make_room(server)
    for index in range(12):
        again = server.submit(f"job-{index}", request={"target_prompt": "x" * 1900})
        assert again.status_code == 202
        assert server.follow(f"job-{index}")[-1]["event"] == "finished"


def test_a_job_that_ends_on_a_full_disk_is_told_when_there_is_room(server, caplog):
    server.submit("unlucky", order={"steps": 400, "pause": 0.005})
    eventually(lambda: server.ask("GET", "/v1/jobs/unlucky").json()["state"] == "running")
    fill(server)
    eventually(lambda: "Finished was not written" in caplog.text, 120)
    assert server.ask("GET", "/v1/jobs/unlucky").json()["state"] == "running"
    make_room(server)
    events = server.follow("unlucky")
    assert events[-1]["event"] == "finished"
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))


def test_a_read_only_disk_is_said_and_leaves_nothing(server, monkeypatch):
    def read_only(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    image = hashlib.sha256(b"a photo").hexdigest()
    with monkeypatch.context() as patch:
        patch.setattr("palimpsest.storage.atomic.os.replace", read_only)
        answer = server.ask("PUT", f"/v1/images/{image}", data=b"a photo")
        assert code(answer) == (503, "storage")
        assert "Read-only" in answer.json()["message"]
    assert not list(server.services.owned_images.images.folder.glob(".arriving*"))
    assert server.ask("HEAD", f"/v1/images/{image}").status_code == 404
    server.bring(b"a photo")


def test_a_destroyed_list_of_jobs_is_moved_aside_with_a_message_and_pictures_are_kept(tmp_path):
    with serving(tmp_path):
        client = find(tmp_path)
        image = client.upload(b"a photo")
        run(tmp_path, "stop")
    for picture in (tmp_path / "data" / "images").rglob("*"):
        os.utime(picture, (1e9, 1e9))  # long ago
    jobs = tmp_path / "data" / "jobs.sqlite"
    jobs.write_bytes(b"\0garbage" * 2048)
    with serving(tmp_path):
        client = find(tmp_path)
        notice = client.system()["notices"][0]
        aside = Path(notice.partition("moved to ")[2].partition(". ")[0])
        assert aside.read_bytes() == b"\0garbage" * 2048
        assert notice in run(tmp_path, "status").stdout
        assert (tmp_path / "data" / "images" / image[:2] / image).read_bytes() == b"a photo"
        assert client.download(image) == b"a photo"
        assert client.jobs()["jobs"] == []
        client.submit("again", "edit", {"image": image, "operation": "remove", **STEPS})
        assert list(client.follow("again"))[-1]["event"] == "finished"


STEPS = {"source_prompt": '{"do": "steps"}'}


def test_a_list_of_jobs_destroyed_while_it_is_used_is_said_and_the_server_lives(server):
    server.submit("before")
    server.follow("before")
    database = server.services.database
    database._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = database.path.read_bytes()
    with database.path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(len(content) - 4096))
    database._connection.execute("PRAGMA shrink_memory")
    answer = server.ask("GET", "/v1/jobs")
    assert code(answer) == (503, "storage")
    assert "Restart" in answer.json()["hint"]
    assert server.ask("GET", "/v1/health").status_code == 200


def test_what_a_killed_server_left_half_is_gone_after_the_next_start(tmp_path):
    images, cache = tmp_path / "data" / "images", tmp_path / "cache"
    download = tmp_path / "data" / "models" / ".arriving" / "m.safetensors.part"
    left = [
        images / ".arriving-0123456789abcdef",
        images / "ab" / ".writing-0123456789abcdef",
        tmp_path / "data" / "concepts" / ".writing-0123456789abcdef",
        cache / "inversions" / ".writing-0123456789abcdef",
        cache / "learning" / ".writing-0123456789abcdef",
        cache / ".writing-0123456789abcdef",
        cache / "arriving" / "0123456789abcdef" / "upload.safetensors",
        tmp_path / "config" / ".writing-0123456789abcdef",
        download.with_name("old.safetensors.part"),
    ]
    for path in (*left, download):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    os.utime(left[-1], (1e9, 1e9))
    with serving(tmp_path):
        eventually(lambda: not any(path.exists() for path in left))
        assert download.exists()  # it may be gone on with


def test_a_result_that_cannot_be_kept_fails_its_job_with_the_reason(server):
    """Not the cache's trouble: without its result an edit is nothing."""
    image = hashlib.sha256(b"a layer").hexdigest()
    in_the_way = server.services.owned_images.images.path(image).parent
    in_the_way.parent.mkdir(parents=True, exist_ok=True)
    in_the_way.write_bytes(b"")
    server.submit("vain", order={"do": "keep"})
    failed = server.follow("vain")[-1]
    assert (failed["event"], failed["error"]["code"]) == ("failed", "storage")
    assert str(in_the_way) in failed["error"]["message"]
    in_the_way.unlink()
    server.submit("again", order={"do": "keep"})
    assert server.follow("again")[-1]["event"] == "finished"
