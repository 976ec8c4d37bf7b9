"""Nothing that is kept is thrown away because the system's clock has jumped."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from palimpsest.jobs.events import Finished, Queued, Started
from palimpsest.jobs.state import Submission
from palimpsest.storage import leftovers
from palimpsest.storage.clock import DAY, Clock
from palimpsest.storage.database import Database
from palimpsest.storage.images import ImageStore, identity
from palimpsest.storage.owned_images import OwnedImages, Retention, Upload
from palimpsest.storage.paths import Folders

KEEP = Retention(30 * DAY, 1 << 30)
NOW = 1.9e9


class World:
    """Time, as it passes and as the system's clock shows it."""

    def __init__(self) -> None:
        self.shown = NOW
        self.passed = 0.0

    def wait(self, seconds: float) -> None:
        self.shown += seconds
        self.passed += seconds

    def clock(self) -> Clock:
        return Clock(lambda: self.shown, lambda: self.passed)


@pytest.fixture
def world(monkeypatch) -> World:
    world = World()
    monkeypatch.setattr("palimpsest.storage.owned_images.time.time", lambda: world.shown)
    return world


@contextlib.contextmanager
def running(folder: Path, world: World) -> Iterator[tuple[OwnedImages, Database]]:
    """A server's stores, from its start to its end; it sweeps at once."""
    database = Database(folder / "jobs.db", clock=world.clock())
    owned_images = OwnedImages(ImageStore(folder / "images"), database)
    owned_images.sweep(KEEP)
    yield owned_images, database
    database.close()


def keep_picture(owned_images: OwnedImages, content: bytes, world: World) -> str:
    upload = Upload(owned_images.images.folder)
    upload.write(content)
    image = identity(content)
    owned_images.accept(upload, image, "anna")
    os.utime(owned_images.images.path(image), (world.shown, world.shown))
    return image


def end_job(database: Database, id: str, image: str) -> None:
    job = database.add(Submission(id, "anna", "edit", {}, images=(image,)), Queued())
    database.append(job.number, Started("cpu", 1))
    database.append(job.number, Finished({"layer": image}))


def fill(owned_images: OwnedImages, database: Database, name: str, world: World) -> None:
    end_job(database, name, keep_picture(owned_images, name.encode(), world))


def left(owned_images: OwnedImages, database: Database) -> tuple[set[str], int]:
    return {job.id for job in database.jobs("anna")}, len(list(owned_images.images))


@pytest.mark.parametrize("days", [40, -40, -3000, 20_000])
def test_a_jump_between_two_starts_and_back_again_removes_nothing(tmp_path, world, days):
    with running(tmp_path, world) as stores:
        fill(*stores, "before", world)
    world.shown += days * DAY
    with running(tmp_path, world) as stores:
        fill(*stores, "meanwhile", world)
        world.wait(2 * 3600)
        stores[0].sweep(KEEP)
        assert left(*stores) == ({"before", "meanwhile"}, 2)
    world.shown -= days * DAY
    with running(tmp_path, world) as stores:
        world.wait(2 * 3600)
        stores[0].sweep(KEEP)
        assert left(*stores) == ({"before", "meanwhile"}, 2)


@pytest.mark.parametrize("days", [40, -40, -3000, 20_000])
def test_a_jump_while_the_server_runs_removes_nothing(tmp_path, world, days):
    """Also of what is made between the jump and the next look at what is old."""
    with running(tmp_path, world) as stores:
        fill(*stores, "before", world)
        for step, name in [(days, "meanwhile"), (-days, "after")]:
            world.shown += step * DAY
            fill(*stores, name, world)
            for _ in range(3):
                world.wait(2 * 3600)
                stores[0].sweep(KEEP)
        assert left(*stores) == ({"before", "meanwhile", "after"}, 3)


def test_what_is_really_old_goes_also_after_a_jump(tmp_path, world):
    with running(tmp_path, world) as stores:
        fill(*stores, "before", world)
        world.shown -= 3000 * DAY
        fill(*stores, "meanwhile", world)
        world.wait(KEEP.seconds + DAY)
        fill(*stores, "fresh", world)
        stores[0].sweep(KEEP)
        assert left(*stores) == ({"fresh"}, 1)


def test_days_on_which_a_server_ran_now_and_then_count(tmp_path, world):
    """Whoever starts it every day finds that what is old goes, if a little later."""
    with running(tmp_path, world) as stores:
        fill(*stores, "old", world)
    for _ in range(32):
        world.wait(DAY)
        with running(tmp_path, world) as stores:
            pass
    with running(tmp_path, world) as stores:
        assert left(*stores) == (set(), 0)


def test_a_small_correction_is_no_jump(world):
    clock = world.clock()
    world.wait(1000)
    world.shown += 30
    assert clock.jump() == 0
    world.shown -= 120
    assert clock.jump() == -90
    clock.settle()
    assert clock.jump() == 0


def test_times_that_people_see_are_not_moved(tmp_path, world):
    with running(tmp_path, world) as (owned_images, database):
        fill(owned_images, database, "a", world)
        told = database.find("anna", "a")
        world.shown += 40 * DAY
        database.watch_clock()
        assert database.jumps == 1
        assert database.find("anna", "a") == told


def test_half_downloads_are_redated(tmp_path):
    folders = Folders(tmp_path, tmp_path / "cache", tmp_path / "config")
    part = folders.models / ".arriving" / "model" / "weights.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"half")
    os.utime(part, (1e9, 1e9))
    leftovers.redate(folders)
    leftovers.sweep(folders, keep_seconds=DAY)
    assert part.exists()
