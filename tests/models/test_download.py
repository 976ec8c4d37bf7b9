"""A download is whole, checked and resumed only where that is safe, whatever the server does."""

from __future__ import annotations

import hashlib
import itertools
import shutil

import pytest

from models.file_server import CONTENT, shelf
from palimpsest.errors import (
    AddressForbiddenError,
    ChecksumError,
    DiskFullError,
    DownloadTooLargeError,
    NetworkError,
    OfflineError,
    StorageError,
)
from palimpsest.models import download as module
from palimpsest.models.download import Limits, Remote, download
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
    come = target.with_name("file.part").stat().st_size
    assert 0 < come <= 2 * module.CHUNK
    list(download(remote(server), target))
    assert target.read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={come}-"]


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


HERE = Limits(networks=("127.0.0.0/8",))


def strange(server, path: str = "/file", **known) -> Remote:
    return Remote(server.url(path), strange=True, **{"sha256": SHA256, **known})


def test_what_has_no_length_and_no_end_is_cut_off_at_the_limit_and_goes(server, target):
    server.endless = True
    told = []
    with pytest.raises(DownloadTooLargeError, match="allowed") as caught:
        told.extend(done for done, _ in download(Remote(server.url()), target, Limits(most_bytes=4 << 20)))
    assert max(told) <= 4 << 20
    assert "MAX_DOWNLOAD" in caught.value.hint
    assert leftovers(target) == []
    assert len(server.asked) == 1


def test_no_more_comes_than_the_catalogue_said(server, target):
    server.endless = True
    with pytest.raises(DownloadTooLargeError, match="said"):
        list(download(remote(server), target))
    assert leftovers(target) == []


def test_a_length_beyond_the_limit_is_refused_before_anything_comes(server, target):
    with pytest.raises(DownloadTooLargeError):
        list(download(Remote(server.url()), target, Limits(most_bytes=len(CONTENT) - 1)))
    assert leftovers(target) == []
    list(download(Remote(server.url()), target, Limits(most_bytes=len(CONTENT))))
    assert target.read_bytes() == CONTENT


def test_a_disk_that_fills_while_it_comes_keeps_its_reserve_and_gets_its_room_back(
    server, target, monkeypatch
):
    server.endless = True
    usage = shutil.disk_usage("/")

    def shrinking(folder):
        part = target.with_name("file.part")
        come = part.stat().st_size if part.exists() else 0
        return usage._replace(total=1 << 40, free=room.MOST_RESERVE + (2 << 20) - come)

    monkeypatch.setattr(room.shutil, "disk_usage", shrinking)
    told = []
    with pytest.raises(DiskFullError, match="Nothing of the download is kept"):
        told.extend(done for done, _ in download(Remote(server.url()), target))
    assert max(told) <= 2 << 20
    assert leftovers(target) == []


def test_a_disk_that_is_full_after_all_gets_its_room_back(server, target, monkeypatch):
    def no_room(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    stopped = download(remote(server), target)
    next(stopped)
    monkeypatch.setattr(module.os, "fsync", no_room)
    with pytest.raises(DiskFullError, match="Nothing of the download is kept"):
        list(stopped)
    assert leftovers(target) == []


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate"])
def test_what_comes_packed_is_refused(server, target, encoding):
    server.encoding = encoding
    with pytest.raises(NetworkError, match="packed"):
        list(download(remote(server), target))
    assert not target.exists()


def test_a_trickle_is_a_broken_connection(server, target, monkeypatch):
    monkeypatch.setattr(module, "SLOW", (0.0, 1 << 60))
    with pytest.raises(NetworkError, match="broke"):
        list(download(remote(server), target))


@pytest.mark.parametrize("by_stranger", [False, True])
def test_a_head_that_comes_in_drops_is_a_broken_connection(server, target, monkeypatch, by_stranger):
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.3)
    server.drips = 100
    with pytest.raises(NetworkError):
        list(download(strange(server) if by_stranger else remote(server), target, HERE))
    assert len(server.paths) == module.ATTEMPTS
    assert leftovers(target) == []


def test_a_head_behind_a_proxy_has_a_deadline_too(server, target, monkeypatch):
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.3)
    monkeypatch.setenv("HTTP_PROXY", server.address)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    server.drips = 100
    with pytest.raises(NetworkError, match="broke"):
        list(download(Remote("http://elsewhere.example/file", sha256=SHA256), target))
    assert server.paths == ["http://elsewhere.example/file"] * module.ATTEMPTS


def test_a_slow_head_that_is_there_in_time_is_waited_for(server, target):
    server.drips = 5
    list(download(remote(server), target))
    assert target.read_bytes() == CONTENT


def test_all_redirections_have_one_deadline(server, target, monkeypatch):
    monkeypatch.setattr(module, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(module, "ATTEMPTS", 1)
    server.drips = 6  # 0.3 seconds
    server.redirects = {"/a": "/a"}
    with pytest.raises(NetworkError, match="broke"):
        list(download(Remote(server.url("/a"), sha256=SHA256), target))
    assert 1 <= len(server.paths) <= 4


def test_the_scheme_may_be_in_capitals(server, target):
    list(download(Remote(server.url().replace("http", "HTTP"), sha256=SHA256, strange=True), target, HERE))
    assert target.read_bytes() == CONTENT


def test_redirections_are_followed_and_their_endless_bodies_not_read(server, target):
    server.redirects = {"/a": "/b", "/b": server.url()}
    list(download(Remote(server.url("/a"), sha256=SHA256), target))
    assert target.read_bytes() == CONTENT
    assert server.paths == ["/a", "/b", "/file"]


def test_a_redirection_without_end_ends(server, target):
    server.redirects = {"/a": "/a"}
    with pytest.raises(NetworkError, match=r"^https?://\S+ leads on and on: \d+ redirections\. Check"):
        list(download(Remote(server.url("/a"), sha256=SHA256), target))
    assert len(server.paths) == module.HOPS


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://[", "//[", "http:///x"]
)
def test_a_redirection_to_no_web_address_is_refused(server, target, location):
    server.redirects = {"/a": location}
    with pytest.raises(NetworkError):
        list(download(Remote(server.url("/a"), sha256=SHA256), target))
    assert not target.exists()


def test_a_token_goes_to_its_own_host_only_and_no_netrc_anywhere(server, target, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    elsewhere = server.url().replace("127.0.0.1", "localhost")
    server.redirects = {"/a": "/b", "/b": elsewhere}
    list(download(Remote(server.url("/a"), sha256=SHA256, headers=(("Authorization", "Bearer t"),)), target))
    assert [sent.get("Authorization") for sent in server.headers] == ["Bearer t", "Bearer t", None]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"]
)
def test_a_strangers_address_never_leads_to_this_machine(server, target, host):
    url = server.url().replace("127.0.0.1", host)
    with pytest.raises(AddressForbiddenError, match="public"):
        list(download(Remote(url, sha256=SHA256, strange=True), target))
    assert server.paths == []


def test_a_redirection_of_a_stranger_leads_no_further_than_the_address_itself_might(server, target):
    allowed = Limits(networks=("127.0.0.1/32",))
    server.redirects = {"/a": server.url().replace("127.0.0.1", "127.0.0.2")}
    with pytest.raises(AddressForbiddenError):
        list(download(strange(server, "/a"), target, allowed))
    assert server.paths == ["/a"]
    list(download(strange(server), target, allowed))
    assert target.read_bytes() == CONTENT


def test_of_what_answers_at_a_strangers_address_nothing_is_told(server, target):
    """Whoever is there, and whatever it says, the answer is the same as if nobody were."""
    server.redirects = {"/lost": "file:///etc/passwd", "/loop": "/loop"}
    told = set()
    for status in (401, 403, 404, 500):
        server.status = status
        told.add(refusal(strange(server), target))
    server.status = 200
    for path in ("/none", "/lost", "/loop"):
        told.add(refusal(strange(server, path), target))
    server.encoding = "gzip"
    told.add(refusal(strange(server), target))
    server.encoding = None
    server.break_after = [0] * 10
    told.add(refusal(strange(server), target))
    told.add(refusal(Remote("http://127.0.0.1:9/file", sha256=SHA256, strange=True), target))
    assert len(told) == 1
    server.break_after = []
    with pytest.raises(ChecksumError) as caught:
        list(download(strange(server, sha256="0" * 64), target, HERE))
    assert SHA256 not in str(caught.value)
    assert str(len(CONTENT)) not in str(caught.value)
    assert leftovers(target) == []


def refusal(remote: Remote, target) -> tuple[str, str, str]:
    with pytest.raises(NetworkError) as caught:
        list(download(remote, target, HERE))
    return caught.value.code, caught.value.message.replace(remote.url, "URL"), caught.value.hint
