"""The database keeps what it promised through kills, locks, full disks and unreadable files."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap

import pytest

from palimpsest.errors import DiskFullError, StorageError
from palimpsest.jobs.events import Finished, Previewed, Progressed, Queued, Started
from palimpsest.jobs.state import Submission
from palimpsest.storage import sqlite_file as module
from palimpsest.storage.database import Database

ONE, TWO = "1" * 64, "2" * 64


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path / "jobs.db")
    yield database
    database.close()


def submission(id: str = "a", owner: str = "anna", **rest) -> Submission:
    return Submission(id, owner, "edit", {"image": ONE, "seed": 0}, "batch", (ONE,), **rest)


def test_a_job_comes_back_as_it_was_submitted(database):
    job = database.add(submission(unattended_seconds=2.5, origin="of a photo"), Queued())
    found = database.find("anna", "a")
    assert found == job
    assert found.submission.request == {"image": ONE, "seed": 0}
    assert (found.submission.priority, found.submission.unattended_seconds) == ("batch", 2.5)
    assert found.submission.origin == "of a photo"
    assert database.find("bert", "a") is None


def test_an_event_that_may_not_follow_is_not_written(database):
    job = database.add(submission(), Queued())
    with pytest.raises(AssertionError, match="cannot follow"):
        database.append(job.number, Finished())
    assert database.job(job.number).sequence == 1
    assert database.append(job.number, Started()).sequence == 2


def test_the_last_event_of_a_kind_is_found(database):
    job = database.add(submission(), Queued())
    database.append(job.number, Started())
    for index in range(12):
        database.append(job.number, Progressed("working", index, 12))
    database.append(job.number, Previewed(TWO))
    assert database.last(job.number, Progressed) == Progressed("working", 11, 12)
    assert database.last(job.number, Finished) is None


def test_pictures_are_needed_until_the_job_ends_and_belong_to_its_owner(database):
    job = database.add(submission(), Queued())
    database.append(job.number, Started())
    database.append(job.number, Previewed(TWO))
    assert database.needed_images() == {ONE, TWO}
    assert database.owns_image(TWO, "anna")
    assert not database.owns_image(TWO, "bert")
    database.append(job.number, Finished({"layer": TWO}))
    assert database.needed_images() == set()


def test_only_ended_jobs_are_removed_and_their_numbers_never_come_back(database):
    old = database.add(submission("old"), Queued())
    database.append(old.number, Started())
    database.append(old.number, Finished())
    waiting = database.add(submission("waiting"), Queued())
    assert database.remove_jobs(before=2e12) == 1
    assert database.find("anna", "old") is None
    assert database.entries(old.number, 0, 10) == []
    assert database.find("anna", "waiting") == waiting
    assert database.add(submission("old"), Queued()).number > waiting.number


def test_jobs_are_listed_newest_first_in_pages(database):
    for id in "abc":
        database.add(submission(id), Queued())
    first = database.jobs("anna", limit=2)
    assert [job.id for job in first] == ["c", "b"]
    assert [job.id for job in database.jobs("anna", before=first[-1].number)] == ["a"]
    assert database.jobs("bert") == []


def test_a_file_stays_the_same_one_and_a_new_one_is_another(tmp_path):
    identities = []
    for name in ("one", "one", "two"):
        with contextlib.closing(Database(tmp_path / name)) as database:
            identities.append(database.identity)
    assert identities[0] == identities[1] != identities[2]


def test_results_are_others_when_an_edit_ends_or_is_forgotten_and_drafts_are_none(database):
    def ended(id: str, **request) -> int:
        order = Submission(id, "anna", request.pop("kind", "edit"), {"image": ONE, **request}, "batch")
        job = database.add(order, Queued())
        database.append(job.number, Started("cpu", 1))
        database.append(job.number, Finished())
        return job.number

    seen = [database.results_revision("anna")]
    number = ended("edit")
    seen.append(database.results_revision("anna"))
    database.remove_job(ended("draft", draft=True))
    ended("word", kind="learn")
    assert database.results_revision("anna") == seen[-1]
    database.remove_job(number)
    seen.append(database.results_revision("anna"))
    assert len(set(seen)) == 3
    assert database.remove_jobs(before=2**40) == 1
    assert database.results_revision("anna") not in seen


def test_results_of_two_starts_are_never_taken_for_the_same(tmp_path):
    """A client that was away meanwhile asks for them again."""
    seen = []
    for _ in range(2):
        database = Database(tmp_path / "jobs.sqlite")
        seen += [database.results_revision("anna")] * 2
        database.close()
    assert (seen[0], seen[2]) == (seen[1], seen[3])
    assert seen[0] != seen[2]


def test_downloads_are_told_as_long_as_they_are_open(database):
    jobs = [
        database.add(Submission(id, owner, kind, {"model": "m"}, "batch"), Queued())
        for id, owner, kind in (("a", "anna", "pull"), ("b", "bert", "pull"), ("c", "anna", "invert"))
    ]
    assert database.open_pulls("anna") == ["a"]
    database.append(jobs[0].number, Started("", 1))
    assert database.open_pulls("anna") == ["a"]
    database.append(jobs[0].number, Finished())
    assert database.open_pulls("anna") == []


def test_a_killed_process_loses_nothing_it_was_told_is_written(tmp_path):
    script = textwrap.dedent("""
        import sys
        from pathlib import Path
        from palimpsest.jobs.events import Queued, Started, Progressed
        from palimpsest.jobs.state import Submission
        from palimpsest.storage.database import Database
        database = Database(Path(sys.argv[1]))
        job = database.add(Submission("a", "anna", "edit", {}), Queued())
        database.append(job.number, Started())
        for index in range(10**9):
            print(database.append(job.number, Progressed("working", index, 10**9)).sequence, flush=True)
    """)
    path = tmp_path / "jobs.db"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert child.stdout is not None
    for line in child.stdout:
        if int(line) > 50:
            break
    os.kill(child.pid, signal.SIGKILL)
    told = [int(line) for line in child.stdout.read().split("\n")[:-1]] or [51]
    child.wait()
    database = Database(path)
    job = database.find("anna", "a")
    assert job is not None
    assert job.sequence >= told[-1]
    sequences = [entry.sequence for entry in database.entries(job.number, 0, 10**6)]
    assert sequences == list(range(1, job.sequence + 1))
    database.close()


@pytest.mark.parametrize("damage", ["garbage", "middle", "future"])
def test_an_unreadable_file_is_moved_aside_and_a_new_one_is_begun(tmp_path, damage):
    path = tmp_path / "jobs.db"
    before = Database(path)
    for index in range(200):
        before.add(submission(str(index)), Queued())
    before.close()
    spoil(path, damage)
    spoiled = path.read_bytes()
    after = Database(path)
    assert after.jobs("anna") == []
    assert after.moved_aside is not None
    assert after.moved_aside.read_bytes() == spoiled
    after.add(submission(), Queued())
    after.close()
    assert Database(path).moved_aside is None


def spoil(path, damage: str) -> None:
    if damage == "future":
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA user_version = 99")
        db.close()
        return
    content = bytearray(path.read_bytes())
    if damage == "garbage":
        content[:] = b"\x00garbage" * 512
    else:
        content[4096 : len(content) // 2] = os.urandom(len(content) // 2 - 4096)
    path.write_bytes(content)


def test_a_locked_file_is_waited_for_and_then_said(database, monkeypatch):
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    database._connection.execute("PRAGMA busy_timeout = 50")
    with pytest.raises(StorageError, match="locked"):
        database.add(submission(), Queued())
    other.execute("ROLLBACK")
    other.close()
    assert database.add(submission(), Queued()).sequence == 1


def test_a_locked_file_is_not_taken_for_an_unreadable_one(tmp_path, monkeypatch):
    path = tmp_path / "jobs.db"
    Database(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.05)
    with pytest.raises(StorageError, match="locked"):
        Database(path)
    other.close()
    assert list(tmp_path.glob("*unreadable*")) == []


def test_a_full_disk_is_said_and_nothing_half_is_kept(database):
    pages = database._connection.execute("PRAGMA page_count").fetchone()[0]
    database._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    big = Submission("big", "anna", "edit", {"text": "x" * 100_000})
    with pytest.raises(DiskFullError):
        database.add(big, Queued())
    database._connection.execute("PRAGMA max_page_count = 100000")
    assert database.find("anna", "big") is None
    assert database.add(big, Queued()).state == "queued"


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError):
        Database(tmp_path / "jobs.db")
    tmp_path.chmod(0o700)


def test_a_closed_database_says_so(tmp_path):
    database = Database(tmp_path / "jobs.db")
    database.close()
    with pytest.raises(StorageError, match="closed"):
        database.remove_jobs(0.0)
