"""The content-addressed store: what comes out is what went in, and an id is never a path."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from palimpsest.errors import DiskFullError, ImageHashError, ImageNotFoundError
from palimpsest.storage.images import ImageStore

CONTENT = b"any bytes at all"
ID = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


def files(store: ImageStore) -> list[Path]:
    return [path for path in store.folder.rglob("*") if path.is_file()]


def test_bytes_are_stored_under_their_sha256(store: ImageStore) -> None:
    assert not store.has(ID)
    assert store.put(CONTENT) == store.put(CONTENT, ID) == ID
    assert store.has(ID)
    assert store.get(ID) == CONTENT
    assert files(store) == [store.path(ID)] == [store.folder / ID[:2] / ID]
    assert list(store) == [ID]


def test_bytes_that_are_not_what_was_announced_are_refused(store: ImageStore) -> None:
    with pytest.raises(ImageHashError, match=ID):
        store.put(b"something else", ID)
    assert not store.folder.exists()


def test_damage_on_the_disk_is_noticed_and_can_be_mended(store: ImageStore) -> None:
    store.put(CONTENT)
    store.path(ID).write_bytes(b"any bytes at alL")
    with pytest.raises(ImageHashError, match="damaged"):
        store.get(ID)
    assert not store.has(ID)
    store.put(CONTENT)
    assert store.get(ID) == CONTENT


def test_a_cut_off_file_is_mended_by_storing_again(store: ImageStore) -> None:
    store.put(CONTENT)
    store.path(ID).write_bytes(CONTENT[:3])
    store.put(CONTENT)
    assert store.get(ID) == CONTENT


def test_what_is_not_there_is_named(store: ImageStore) -> None:
    with pytest.raises(ImageNotFoundError, match=ID):
        store.get(ID)
    store.discard(ID)
    store.put(CONTENT)
    store.discard(ID)
    assert not store.has(ID)
    assert list(store) == []


@given(st.one_of(st.text(max_size=80), st.just(ID.upper()), st.just(ID + "\n"), st.just("../" + ID[3:])))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_but_an_id_becomes_a_path(store: ImageStore, name: str) -> None:
    for act in (store.path, store.has, store.get, store.discard):
        with pytest.raises(ImageNotFoundError):
            act(name)


def test_a_full_disk_leaves_nothing_half_written(store: ImageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DiskFullError):
        store.put(CONTENT)
    assert files(store) == []
    assert not store.has(ID)
