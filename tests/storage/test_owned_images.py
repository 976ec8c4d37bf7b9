"""Pictures stay while something needs them, and go when they are old or too many."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time

import pytest

from palimpsest.errors import ImageHashError, ImageNotFoundError
from palimpsest.jobs.events import Cancelled, Finished, Queued, Started
from palimpsest.jobs.state import Submission
from palimpsest.storage.database import Database
from palimpsest.storage.images import ImageStore
from palimpsest.storage.owned_images import GRACE_SECONDS, Album, Arrival, Retention
from palimpsest.storage.owners import Owners

FOREVER, PLENTY = 1e9, 10**9


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path / "jobs.db", Owners(tmp_path / "images"))
    yield database
    database.close()


@pytest.fixture
def album(tmp_path, database):
    return Album(ImageStore(tmp_path / "images"), database)


def bring(album: Album, content: bytes, owner: str = "anna", hours_ago: float = 0.0) -> str:
    arrival = Arrival(album.images.folder)
    for start in range(0, len(content), 3):
        arrival.write(content[start : start + 3])
    image = hashlib.sha256(content).hexdigest()
    album.accept(arrival, image, owner)
    then = time.time() - hours_ago * 3600
    os.utime(album.images.path(image), (then, then))
    album._database._connection.execute("UPDATE image_owners SET used = ? WHERE image = ?", (then, image))
    return image


def test_a_picture_is_found_by_those_who_brought_it(album):
    image = bring(album, b"a picture")
    assert album.find(image, "anna").read_bytes() == b"a picture"
    with pytest.raises(ImageNotFoundError):
        album.find(image, "bert")
    bring(album, b"a picture", "bert")
    assert album.find(image, "bert") == album.find(image, "anna")


def test_bytes_with_another_hash_are_not_kept(album):
    arrival = Arrival(album.images.folder)
    arrival.write(b"something else")
    with pytest.raises(ImageHashError):
        album.accept(arrival, "0" * 64, "anna")
    arrival.discard()
    assert [path for path in album.images.folder.rglob("*") if path.is_file()] == []


def test_the_oldest_go_first_until_the_rest_fits(album):
    old, middle, new = (bring(album, bytes([i]) * 100, hours_ago=30 - i) for i in range(3))
    assert album.sweep(Retention(FOREVER, 200)) == 1
    assert [album.images.has(image) for image in (old, middle, new)] == [False, True, True]
    with pytest.raises(ImageNotFoundError):
        album.find(old, "anna")


def test_a_sweep_that_is_to_end_leaves_the_rest_for_the_next(album):
    images = [bring(album, bytes([i]) * 100, hours_ago=30 - i) for i in range(3)]
    asked = iter([False, True])
    assert album.sweep(Retention(FOREVER, 0), lambda: next(asked)) == 1
    assert [album.images.has(image) for image in images] == [False, True, True]


def test_what_is_older_than_the_limit_goes_and_what_is_fresh_stays(album):
    old, fresh = bring(album, b"old", hours_ago=50), bring(album, b"fresh")
    album.sweep(Retention(40 * 3600, 0))
    assert [album.images.has(image) for image in (old, fresh)] == [False, True]


def test_what_a_job_needs_stays_until_the_job_has_ended(album, database):
    image = bring(album, b"needed", hours_ago=50)
    job = database.add(Submission("a", "anna", "edit", {}, images=(image,)), Queued())
    database._connection.execute("UPDATE image_owners SET used = 0")
    assert album.sweep(Retention(1, 0)) == 0
    database.append(job.number, Cancelled())
    assert album.sweep(Retention(1, 0)) == 1


def test_a_held_picture_is_used_just_now(album):
    image = bring(album, b"held", hours_ago=50)
    album.hold((image,), "anna")
    assert album.sweep(Retention(1, 0)) == 0
    with pytest.raises(ImageNotFoundError):
        album.hold((image,), "bert")


def test_a_clock_that_goes_back_removes_nothing(album):
    image = bring(album, b"from the future", hours_ago=-1000)
    assert album.sweep(Retention(1, 0)) == 0
    assert album.images.has(image)


def test_half_an_upload_of_a_killed_server_is_removed_later(album):
    arrival = Arrival(album.images.folder)
    arrival.write(b"half")
    album.sweep(Retention(1, 0))
    assert arrival.path.exists()
    then = time.time() - 2 * GRACE_SECONDS
    os.utime(arrival.path, (then, then))
    album.sweep(Retention(1, 0))
    assert not arrival.path.exists()


LOSSES = {
    "removed": lambda path: path.unlink(),
    "emptied": lambda path: path.write_bytes(b""),
    "without its head": lambda path: path.write_bytes(b"\0" * 100 + path.read_bytes()[100:]),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:5000]),
    "garbage": lambda path: path.write_bytes(b"garbage" * 1000),
    "not lost": lambda path: None,
}
#: How far a server gets before it is killed. It is then started again, from the beginning.
STAGES = {
    "not even a database": lambda folder: None,
    "an open database": lambda folder: started(folder)[0].close(),
    "half of the pictures seen": lambda folder: see_half(*started(folder)),
    "a sweep": lambda folder: sweep_once(*started(folder)),
    "a sweep and a job": lambda folder: sweep_once(*started(folder), job=True),
}
KEEP = Retention(30 * 86400, PLENTY)


def started(folder):
    database = Database(folder / "jobs.db", Owners(folder / "images"))
    return database, Album(ImageStore(folder / "images"), database)


def see_half(database, album):
    half = sorted(album.images)[::2]
    database.see_images({image: album.owners.of(image) for image in half})
    database.close()


def sweep_once(database, album, job=False):
    assert album.sweep(KEEP) == 0
    if job:
        database.add(Submission("again", "bert", "edit", {}), Queued())
    database.close()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("stage", STAGES)
def test_wherever_in_its_start_a_server_loses_its_database_pictures_and_owners_are_kept(
    tmp_path, stage, loss
):
    """Lost before the first start, and again at every point that a start can reach."""
    database, album = started(tmp_path)
    anna, bert = bring(album, b"anna's photo", "anna", 9000), bring(album, b"bert's", "bert", 9000)
    both = bring(album, b"everybody's", "anna", 9000)
    bring(album, b"everybody's", "bert", 9000)
    number = database.add(Submission("a", "anna", "edit", {}, images=(anna,)), Queued()).number
    result = album.images.put(b"a result")
    database.append(number, Started())
    database.append(number, Finished({"layer": result}))
    nobodys = album.images.put(b"older than any record")
    for image in album.images:
        os.utime(album.images.path(image), (1e9, 1e9))
    database.close()
    lose(tmp_path, "garbage")
    STAGES[stage](tmp_path)
    lose(tmp_path, loss)
    database, album = started(tmp_path)
    found = {image: owners_of(album, image) for image in album.images}
    assert album.sweep(KEEP) == 0
    assert {image: owners_of(album, image) for image in album.images} == found
    assert found == {
        anna: {"anna"},
        bert: {"bert"},
        both: {"anna", "bert"},
        result: {"anna"},
        nobodys: set(),
    }
    database.close()


def lose(folder, loss: str) -> None:
    path = folder / "jobs.db"
    if path.exists():
        LOSSES[loss](path)
    if loss != "not lost":
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)


def owners_of(album, image: str) -> set[str]:
    found = set()
    for owner in ("anna", "bert", "", "carla"):
        with contextlib.suppress(ImageNotFoundError):
            album.find(image, owner)
            found.add(owner)
    return found - {""}


def test_what_nobody_owns_goes_when_it_has_been_known_for_long_enough(album, database, monkeypatch):
    image = album.images.put(b"left by a killed worker")
    os.utime(album.images.path(image), (1e9, 1e9))
    assert album.sweep(KEEP) == 0
    later = time.time() + KEEP.seconds + 60
    monkeypatch.setattr("palimpsest.storage.owned_images.time.time", lambda: later)
    assert album.sweep(KEEP) == 1
    assert not album.images.has(image)


def test_a_picture_that_goes_leaves_no_record_of_its_owners(album):
    image = bring(album, b"old", hours_ago=50)
    assert album.owners.of(image) == {"anna"}
    assert album.sweep(Retention(40 * 3600, 0)) == 1
    assert [path for path in album.images.folder.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("content", [b"", b"{}", b"[1, null]", b"[" * 100_000, b"\xff", b'"anna"'])
def test_a_record_of_owners_that_cannot_be_read_names_nobody(album, content):
    image = bring(album, b"a picture")
    next(album.images.folder.rglob("*.owners")).write_bytes(content)
    assert album.owners.of(image) == frozenset()
    album.owners.add(image, "bert")
    assert album.owners.of(image) == {"bert"}
