"""A download is whole, checked and resumed only where that is safe, whatever the server does."""

from __future__ import annotations

import hashlib
import itertools
import shutil

import pytest

from models.file_server import CONTENT, shelf
from palimpsest.errors import ChecksumError, DiskFullError, NetworkError, OfflineError, StorageError
from palimpsest.models import download as module
from palimpsest.models.download import Remote, download
from palimpsest.storage import room

SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(monkeypatch):
    for name in module.OFFLINE:
        monkeypatch.delenv(name, raising=False)
    with shelf() as served:
        yield served


@pytest.fixture
def target(tmp_path):
    return tmp_path / "folder" / "file"


def remote(server, **known) -> Remote:
    return Remote(server.url(), **{"size": len(CONTENT), "sha256": SHA256, **known})


def leftovers(target) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir() if path != target)


def test_a_file_comes_whole_and_says_how_far_it_is(server, target):
    told = list(download(remote(server), target))
    assert target.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert leftovers(target) == []


def test_a_connection_that_breaks_goes_on_where_it_was(server, target):
    server.break_after = [1_000_000, 500_000]
    list(download(remote(server), target))
    assert target.read_bytes() == CONTENT
    assert server.asked[0] is None
    assert all(asked is not None for asked in server.asked[1:])


def test_a_stopped_download_goes_on_where_it_was(server, target):
    stopped = download(remote(server), target)
    list(itertools.islice(stopped, 2))
    stopped.close()
    assert not target.exists()
    list(download(remote(server), target))
    assert target.read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={2 * module.CHUNK}-"]


@pytest.mark.parametrize(
    "trouble", ["another etag", "ranges ignored", "range shifted", "another file", "weak etag"]
)
def test_where_going_on_is_not_safe_it_begins_again(server, target, trouble):
    server.etag = 'W/"one"' if trouble == "weak etag" else server.etag
    server.break_after = [1_500_000]
    stopped = download(remote(server), target)
    next(stopped)
    stopped.close()
    server.break_after = []
    if trouble in ("another etag", "another file"):
        server.etag = '"two"'
    server.ignore_ranges = trouble == "ranges ignored"
    server.shift = 10 if trouble == "range shifted" else 0
    if trouble == "another file":
        server.files["/file"] = CONTENT[::-1]
        list(download(Remote(server.url()), target))
        assert target.read_bytes() == CONTENT[::-1]
        return
    if trouble == "range shifted":
        with pytest.raises((ChecksumError, NetworkError)):
            list(download(remote(server), target))
        assert not target.exists()
        return
    list(download(remote(server), target))
    assert target.read_bytes() == CONTENT


def test_a_file_with_another_hash_is_not_kept(server, target):
    server.files["/file"] = CONTENT[:-1] + b"\0"
    with pytest.raises(ChecksumError, match=SHA256):
        list(download(remote(server), target))
    assert not target.exists()
    assert leftovers(target) == []


def test_the_hash_that_git_gives_a_small_file_is_checked(server, target):
    blob = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()
    list(download(remote(server, sha256=None, git_sha1=blob), target))
    target.unlink()
    with pytest.raises(ChecksumError):
        list(download(remote(server, sha256=None, git_sha1="0" * 40), target))


def test_a_connection_that_always_breaks_is_given_up_and_its_part_kept(server, target):
    server.break_after = [100_000] * 20
    with pytest.raises(NetworkError, match="broke"):
        list(download(remote(server), target))
    assert leftovers(target) == ["file.part", "file.part.json"]
    server.break_after = []
    list(download(remote(server), target))
    assert target.read_bytes() == CONTENT


def test_a_full_disk_is_said_before_anything_comes(server, target, monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=len(CONTENT))
    monkeypatch.setattr(room.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(DiskFullError, match="PALIMPSEST_HOME"):
        list(download(remote(server), target))


def test_a_folder_that_cannot_be_written_is_said(server, tmp_path):
    (tmp_path / "file").write_bytes(b"in the way")
    with pytest.raises(StorageError):
        list(download(remote(server), tmp_path / "file" / "inside"))


@pytest.mark.parametrize(
    ("status", "hint"), [(401, "HF_TOKEN"), (403, "HF_TOKEN"), (404, "address"), (500, "address")]
)
def test_a_refusal_says_what_to_do(server, target, status, hint):
    server.status = status
    with pytest.raises(NetworkError) as caught:
        list(download(remote(server), target))
    assert hint in caught.value.hint


def test_nothing_listening_is_a_network_error(target, monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with pytest.raises(NetworkError, match="broke"):
        list(download(Remote("http://127.0.0.1:9/file"), target))


@pytest.mark.parametrize("name", module.OFFLINE)
def test_offline_nothing_is_asked(server, target, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    with pytest.raises(OfflineError, match=name):
        list(download(remote(server), target))
    assert server.asked == []
