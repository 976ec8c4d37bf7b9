"""What is kept is closed to other accounts, whatever the umask, from the moment it is made."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from palimpsest.storage.announcement import make_token
from palimpsest.storage.atomic import SHARED, make_folder, private, tighten, write_atomically
from palimpsest.storage.database import Database
from palimpsest.storage.owned_images import Upload

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="permissions are another matter there")


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def open_places(folder: Path) -> list[str]:
    """What other accounts could enter, read or write."""
    return [str(place.relative_to(folder)) for place in folder.rglob("*") if mode(place) & 0o077]


def test_files_and_folders_are_made_private(tmp_path, umask):
    write_atomically(tmp_path / "a" / "b" / "file", b"x")
    make_token(tmp_path / "config" / "token")
    Upload(tmp_path / "images").discard()
    database = Database(tmp_path / "data" / "jobs.sqlite")
    upload = Upload(tmp_path / "images")
    with open(tmp_path / "a" / "log", "ab", opener=private) as file:
        file.write(b"x")
    assert len(list(tmp_path.rglob("*"))) > 10
    assert open_places(tmp_path) == []
    upload.discard()
    database.close()


def test_what_a_person_asked_for_has_the_persons_permissions(tmp_path, umask):
    write_atomically(tmp_path / "out" / "layer.png", b"x", mode=SHARED)
    assert mode(tmp_path / "out") == 0o777 & ~umask
    assert mode(tmp_path / "out" / "layer.png") == 0o666 & ~umask


def test_a_file_is_never_seen_with_wider_permissions(tmp_path, umask, monkeypatch):
    """They are given when it is made, not afterwards."""
    seen: list[int] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        seen.append(os.fstat(descriptor).st_mode & 0o077)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    write_atomically(tmp_path / "new" / "file", b"x")
    assert set(seen[:1] + seen[-1:]) <= {0, tmp_path.stat().st_mode & 0o077}
    assert open_places(tmp_path) == []


def test_what_was_left_open_is_closed(tmp_path):
    for folder in ("data", "data/images", "data/images/ab"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder).chmod(0o775)
    for file in ("data/jobs.sqlite", "data/images/x"):
        (tmp_path / file).write_bytes(b"")
        (tmp_path / file).chmod(0o664)
    assert tighten(tmp_path / "data") == []
    assert open_places(tmp_path) == []
    assert mode(tmp_path / "data" / "images") == 0o700
    assert mode(tmp_path / "data" / "jobs.sqlite") == 0o600


def test_links_lead_to_what_is_not_ours_to_close(tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o755)
    (tmp_path / "elsewhere").chmod(0o755)
    (tmp_path / "elsewhere" / "model").write_bytes(b"")
    (tmp_path / "elsewhere" / "model").chmod(0o644)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "models").symlink_to(tmp_path / "elsewhere")
    assert tighten(tmp_path / "data") == []
    assert (mode(tmp_path / "elsewhere"), mode(tmp_path / "elsewhere" / "model")) == (0o755, 0o644)


def test_a_folder_that_is_a_file_is_said_to_be_none(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        make_folder(tmp_path / "file")
