"""One server over one set of folders, and what is said of it is true."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from palimpsest.errors import ServerRunningError, StorageError
from palimpsest.storage.announcement import LOCK_FILE, Announcement, hold, holder

posix = pytest.mark.skipif(sys.platform == "win32", reason="locks are another matter there")


def test_each_folder_has_one_server(tmp_path):
    data, other, config = tmp_path / "data", tmp_path / "other", tmp_path / "config"
    with hold(data, config):
        assert holder(data) == holder(config) == os.getpid()
        for folders in [(data, other), (other, config)]:
            with pytest.raises(ServerRunningError, match=f"process {os.getpid()}"), hold(*folders):
                pass
        with hold(other):
            assert holder(other) == os.getpid()
    assert [holder(folder) for folder in (data, other, config)] == [None] * 3
    with hold(data, other, config):
        pass


def test_asking_makes_nothing(tmp_path):
    assert holder(tmp_path / "nothing") is None
    assert not (tmp_path / "nothing").exists()


def strangers_lock(path: Path) -> subprocess.Popen[str]:
    """A program that is no server holds the lock."""
    code = "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print(1, flush=True)"
    child = subprocess.Popen(
        [sys.executable, "-c", f"{code}; input()", str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "1\n"
    return child


def gone() -> int:
    """The number of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


@posix
@pytest.mark.parametrize("signed", [True, False])
def test_a_strangers_lock_is_no_server_and_keeps_none_from_starting(tmp_path, signed):
    """As a file allowed that an older version left readable for all."""
    lock = tmp_path / LOCK_FILE
    lock.write_text(f"{gone()}\n" if signed else "")
    lock.chmod(0o644)
    Announcement("http://127.0.0.1:1", gone(), 1, "0", "").publish(tmp_path)
    stranger = strangers_lock(lock)
    try:
        assert holder(tmp_path) is None
        with hold(tmp_path):
            assert holder(tmp_path) == os.getpid()
            assert lock.stat().st_mode & 0o777 == 0o600
            with pytest.raises(ServerRunningError), hold(tmp_path):
                pass
    finally:
        stranger.communicate("\n")


@posix
@posix
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL])
def test_where_nothing_can_be_locked_that_is_said_and_no_other_server(tmp_path, monkeypatch, number):
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(StorageError, match=os.strerror(number)) as told, hold(tmp_path):
        pass
    assert "PALIMPSEST_HOME" in told.value.hint
    assert holder(tmp_path) is None


@posix
@pytest.mark.parametrize("number", [errno.EWOULDBLOCK, errno.EACCES])
def test_a_lock_that_is_held_is_another_servers(tmp_path, monkeypatch, number):
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", refuse)
    monkeypatch.setattr("palimpsest.storage.announcement.TURN_SECONDS", 0.1)
    with pytest.raises(ServerRunningError, match="starting"), hold(tmp_path):
        pass


def test_a_server_of_an_older_version_is_known_by_its_state_file(tmp_path):
    """It wrote no number into its lock."""
    (tmp_path / LOCK_FILE).touch()
    server = strangers_lock(tmp_path / LOCK_FILE)
    try:
        Announcement("http://127.0.0.1:1", server.pid, 1, "0", "").publish(tmp_path)
        assert holder(tmp_path) == server.pid
        with pytest.raises(ServerRunningError), hold(tmp_path):
            pass
    finally:
        server.communicate("\n")


@posix
@pytest.mark.parametrize("kind", ["link", "folder"])
def test_a_lock_that_is_not_ours_is_not_followed(tmp_path, kind):
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "data").mkdir()
    lock = tmp_path / "data" / LOCK_FILE
    lock.symlink_to(tmp_path / "victim") if kind == "link" else lock.mkdir()
    with pytest.raises(StorageError), hold(tmp_path / "data"):
        pass
    assert (tmp_path / "victim").read_text() == "precious"


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs another account")
def test_a_lock_of_another_account_is_refused(tmp_path):
    (tmp_path / LOCK_FILE).touch()
    os.chown(tmp_path / LOCK_FILE, 65534, 65534)
    with pytest.raises(StorageError, match="another account"), hold(tmp_path):
        pass
