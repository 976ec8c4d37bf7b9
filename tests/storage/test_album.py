"""Pictures stay while something needs them, and go when they are old or too many."""

from __future__ import annotations

import hashlib
import os
import time

import pytest

from palimpsest.errors import ImageHashError, ImageNotFoundError
from palimpsest.jobs.events import Cancelled, Queued
from palimpsest.jobs.state import Submission
from palimpsest.storage.album import GRACE_SECONDS, Album, Arrival, Retention
from palimpsest.storage.database import Database
from palimpsest.storage.images import ImageStore

FOREVER, PLENTY = 1e9, 10**9


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path / "jobs.db")
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
