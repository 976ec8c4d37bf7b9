"""Files are whole or not there, safe on the disk, leave a reserve free, and a killed writer's litter goes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from palimpsest.errors import DiskFullError, StorageError
from palimpsest.storage import atomic, room
from palimpsest.storage.atomic import UNFINISHED, require_writable, sweep, write_atomically
from palimpsest.storage.images import ImageStore
from palimpsest.storage.owned_images import Upload
from palimpsest.storage.room import MOST_RESERVE, reserve_of

MB = 1 << 20


@pytest.fixture
def disk(monkeypatch):
    """A disk of 1 TB on which ``disk["free"]`` bytes are free."""
    told = {"free": 100 * MB}
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(
        room.shutil, "disk_usage", lambda folder: usage._replace(total=1 << 40, free=told["free"])
    )
    return told


def test_the_reserve_is_a_part_of_a_small_disk_and_no_more_than_needed_of_a_large_one():
    assert reserve_of(1 << 40) == MOST_RESERVE
    assert reserve_of(420 * MB) == 21 * MB


def test_what_is_large_leaves_the_reserve_and_what_is_small_may_use_it(disk, tmp_path):
    disk["free"] = MOST_RESERVE + 10
    write_atomically(tmp_path / "fits", b"x" * 10)
    with pytest.raises(DiskFullError, match="free"):
        write_atomically(tmp_path / "large", b"x" * 11)
    write_atomically(tmp_path / "small", b"x" * 11, reserved=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fits", "small"]


def test_an_upload_leaves_the_reserve_piece_by_piece(disk, tmp_path):
    disk["free"] = MOST_RESERVE + 5
    upload = Upload(tmp_path)
    upload.write(b"12345")
    disk["free"] = MOST_RESERVE
    with pytest.raises(DiskFullError):
        upload.write(b"6")
    upload.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_result_leaves_the_reserve(disk, tmp_path):
    disk["free"] = MOST_RESERVE
    with pytest.raises(DiskFullError):
        ImageStore(tmp_path / "images").put(b"a layer")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_after_a_rename_the_folder_is_synced_and_so_are_new_folders(tmp_path, monkeypatch):
    synced: list[Path] = []
    real = atomic.sync_folder
    monkeypatch.setattr(atomic, "sync_folder", lambda folder: (synced.append(folder), real(folder)))
    write_atomically(tmp_path / "a" / "b" / "file", b"x")
    assert synced[-1] == tmp_path / "a" / "b"
    assert set(synced) == {tmp_path, tmp_path / "a", tmp_path / "a" / "b"}
    synced.clear()
    write_atomically(tmp_path / "other", b"x", replace=False)
    assert synced == [tmp_path]


def test_a_folder_that_cannot_be_written_is_known_before_the_work(tmp_path):
    require_writable(tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
    (tmp_path / "in the way").write_bytes(b"a file")
    with pytest.raises(StorageError, match="in the way"):
        require_writable(tmp_path / "in the way")


KILLED = """
    import os, sys
    from pathlib import Path
    from palimpsest.storage import atomic
    def stop(descriptor):
        print("written", flush=True)
        sys.stdin.read()
    atomic.os.fsync = stop
    atomic.write_atomically(Path(sys.argv[1]), b"half", reserved=False)
"""


@pytest.mark.skipif(os.name != "posix", reason="elsewhere the system itself keeps open files")
def test_what_a_killed_writer_left_is_swept_and_what_is_being_written_is_not(tmp_path):
    (tmp_path / "below").mkdir()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path / "below" / "file")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"written\n"
    (litter,) = tmp_path.rglob(f"{UNFINISHED}*")
    assert sweep(tmp_path) == 0
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert litter.exists()
    assert sweep(tmp_path) == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
