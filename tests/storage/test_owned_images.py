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
from palimpsest.storage.owned_images import GRACE_SECONDS, OwnedImages, Retention, Upload
from palimpsest.storage.owners import Owners

FOREVER, PLENTY = 1e9, 10**9


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path / "jobs.db", Owners(tmp_path / "images"))
    yield database
    database.close()


@pytest.fixture
def owned_images(tmp_path, database):
    return OwnedImages(ImageStore(tmp_path / "images"), database)


def bring(owned_images: OwnedImages, content: bytes, owner: str = "anna", hours_ago: float = 0.0) -> str:
    upload = Upload(owned_images.images.folder)
    for start in range(0, len(content), 3):
        upload.write(content[start : start + 3])
    image = hashlib.sha256(content).hexdigest()
    owned_images.accept(upload, image, owner)
    then = time.time() - hours_ago * 3600
    os.utime(owned_images.images.path(image), (then, then))
    owned_images._database._connection.execute(
        "UPDATE image_owners SET used = ? WHERE image = ?", (then, image)
    )
    return image


def test_a_picture_is_found_by_those_who_brought_it(owned_images):
    image = bring(owned_images, b"a picture")
    assert owned_images.find(image, "anna").read_bytes() == b"a picture"
    with pytest.raises(ImageNotFoundError):
        owned_images.find(image, "bert")
    bring(owned_images, b"a picture", "bert")
    assert owned_images.find(image, "bert") == owned_images.find(image, "anna")


def test_bytes_with_another_hash_are_not_kept(owned_images):
    upload = Upload(owned_images.images.folder)
    upload.write(b"something else")
    with pytest.raises(ImageHashError):
        owned_images.accept(upload, "0" * 64, "anna")
    upload.discard()
    assert [path for path in owned_images.images.folder.rglob("*") if path.is_file()] == []


def test_the_oldest_go_first_until_the_rest_fits(owned_images):
    old, middle, new = (bring(owned_images, bytes([i]) * 100, hours_ago=30 - i) for i in range(3))
    assert owned_images.sweep(Retention(FOREVER, 200)) == 1
    assert [owned_images.images.has(image) for image in (old, middle, new)] == [False, True, True]
    with pytest.raises(ImageNotFoundError):
        owned_images.find(old, "anna")


def test_a_sweep_that_is_to_end_leaves_the_rest_for_the_next(owned_images):
    images = [bring(owned_images, bytes([i]) * 100, hours_ago=30 - i) for i in range(3)]
    asked = iter([False, True])
    assert owned_images.sweep(Retention(FOREVER, 0), lambda: next(asked)) == 1
    assert [owned_images.images.has(image) for image in images] == [False, True, True]


def test_what_is_older_than_the_limit_goes_and_what_is_fresh_stays(owned_images):
    old, fresh = bring(owned_images, b"old", hours_ago=50), bring(owned_images, b"fresh")
    owned_images.sweep(Retention(40 * 3600, 0))
    assert [owned_images.images.has(image) for image in (old, fresh)] == [False, True]


def test_what_a_job_needs_stays_until_the_job_has_ended(owned_images, database):
    image = bring(owned_images, b"needed", hours_ago=50)
    job = database.add(Submission("a", "anna", "edit", {}, images=(image,)), Queued())
    database._connection.execute("UPDATE image_owners SET used = 0")
    assert owned_images.sweep(Retention(1, 0)) == 0
    database.append(job.number, Cancelled())
    assert owned_images.sweep(Retention(1, 0)) == 1


def test_a_held_picture_is_used_just_now(owned_images):
    image = bring(owned_images, b"held", hours_ago=50)
    owned_images.hold((image,), "anna")
    assert owned_images.sweep(Retention(1, 0)) == 0
    with pytest.raises(ImageNotFoundError):
        owned_images.hold((image,), "bert")


def test_a_clock_that_goes_back_removes_nothing(owned_images):
    image = bring(owned_images, b"from the future", hours_ago=-1000)
    assert owned_images.sweep(Retention(1, 0)) == 0
    assert owned_images.images.has(image)


def test_half_an_upload_of_a_killed_server_is_removed_later(owned_images):
    upload = Upload(owned_images.images.folder)
    upload.write(b"half")
    owned_images.sweep(Retention(1, 0))
    assert upload.path.exists()
    then = time.time() - 2 * GRACE_SECONDS
    os.utime(upload.path, (then, then))
    owned_images.sweep(Retention(1, 0))
    assert not upload.path.exists()


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
    return database, OwnedImages(ImageStore(folder / "images"), database)


def see_half(database, owned_images):
    half = sorted(owned_images.images)[::2]
    database.see_images({image: owned_images.owners.of(image) for image in half})
    database.close()


def sweep_once(database, owned_images, job=False):
    assert owned_images.sweep(KEEP) == 0
    if job:
        database.add(Submission("again", "bert", "edit", {}), Queued())
    database.close()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("stage", STAGES)
def test_wherever_in_its_start_a_server_loses_its_database_pictures_and_owners_are_kept(
    tmp_path, stage, loss
):
    """Lost before the first start, and again at every point that a start can reach."""
    database, owned_images = started(tmp_path)
    anna, bert = (
        bring(owned_images, b"anna's photo", "anna", 9000),
        bring(owned_images, b"bert's", "bert", 9000),
    )
    both = bring(owned_images, b"everybody's", "anna", 9000)
    bring(owned_images, b"everybody's", "bert", 9000)
    number = database.add(Submission("a", "anna", "edit", {}, images=(anna,)), Queued()).number
    result = owned_images.images.put(b"a result")
    database.append(number, Started())
    database.append(number, Finished({"layer": result}))
    nobodys = owned_images.images.put(b"older than any record")
    for image in owned_images.images:
        os.utime(owned_images.images.path(image), (1e9, 1e9))
    database.close()
    lose(tmp_path, "garbage")
    STAGES[stage](tmp_path)
    lose(tmp_path, loss)
    database, owned_images = started(tmp_path)
    found = {image: owners_of(owned_images, image) for image in owned_images.images}
    assert owned_images.sweep(KEEP) == 0
    assert {image: owners_of(owned_images, image) for image in owned_images.images} == found
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


def owners_of(owned_images, image: str) -> set[str]:
    found = set()
    for owner in ("anna", "bert", "", "carla"):
        with contextlib.suppress(ImageNotFoundError):
            owned_images.find(image, owner)
            found.add(owner)
    return found - {""}


def test_what_nobody_owns_goes_when_it_has_been_known_for_long_enough(owned_images, database, monkeypatch):
    image = owned_images.images.put(b"left by a killed worker")
    os.utime(owned_images.images.path(image), (1e9, 1e9))
    assert owned_images.sweep(KEEP) == 0
    later = time.time() + KEEP.seconds + 60
    monkeypatch.setattr("palimpsest.storage.owned_images.time.time", lambda: later)
    assert owned_images.sweep(KEEP) == 1
    assert not owned_images.images.has(image)


def test_a_picture_that_goes_leaves_no_record_of_its_owners(owned_images):
    image = bring(owned_images, b"old", hours_ago=50)
    assert owned_images.owners.of(image) == {"anna"}
    assert owned_images.sweep(Retention(40 * 3600, 0)) == 1
    assert [path for path in owned_images.images.folder.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("content", [b"", b"{}", b"[1, null]", b"[" * 100_000, b"\xff", b'"anna"'])
def test_a_record_of_owners_that_cannot_be_read_names_nobody(owned_images, content):
    image = bring(owned_images, b"a picture")
    next(owned_images.images.folder.rglob("*.owners")).write_bytes(content)
    assert owned_images.owners.of(image) == frozenset()
    owned_images.owners.add(image, "bert")
    assert owned_images.owners.of(image) == {"bert"}
