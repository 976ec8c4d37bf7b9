"""A file is hashed once while it stays what it was, and again when it may be another."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
import torch

from palimpsest.core.concept import Concept
from palimpsest.models.families import published_widths
from palimpsest.storage import digests
from palimpsest.storage.concept_card import Provenance
from palimpsest.storage.concepts import ConceptLibrary
from palimpsest.storage.digests import Digests

LONG_AGO = 10**18  # nanoseconds


class Counted:
    """hashlib, counting how many hashes are begun."""

    def __init__(self) -> None:
        self.begun = 0

    def sha256(self, content: bytes = b"") -> object:
        self.begun += 1
        return hashlib.sha256(content)


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted = Counted()
    monkeypatch.setattr(digests, "hashlib", counted)
    return counted


def written(path: Path, content: bytes, when: int = LONG_AGO) -> Path:
    path.write_bytes(content)
    os.utime(path, ns=(when, when))
    return path


def test_it_is_of_what_stands_after_the_start(tmp_path: Path) -> None:
    file = written(tmp_path / "a", b"head and body")
    for _ in range(2):
        assert Digests().of(file) == hashlib.sha256(b"head and body").hexdigest()
        assert Digests().of(file, 9) == hashlib.sha256(b"body").hexdigest()


def test_a_file_that_stays_is_read_once_and_one_that_changed_again(tmp_path: Path, hashes: Counted) -> None:
    known, file = Digests(), written(tmp_path / "a", b"one")
    assert known.of(file) == known.of(file)
    assert hashes.begun == 1
    for count, (content, when) in enumerate([(b"two", LONG_AGO + 1), (b"three", LONG_AGO + 1)], start=2):
        assert known.of(written(file, content, when)) == hashlib.sha256(content).hexdigest()
        assert hashes.begun == count
    written(tmp_path / "b", b"seven", LONG_AGO + 1).replace(file)
    assert known.of(file) == hashlib.sha256(b"seven").hexdigest(), "put in its place"


def test_a_file_of_just_now_may_still_change_unseen(tmp_path: Path, hashes: Counted) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"one")
    os.utime(file, (file.stat().st_atime, file.stat().st_mtime + 3600))
    known = Digests()
    assert known.of(file) == known.of(file)
    assert hashes.begun == 2


def test_no_more_are_remembered_than_are_to_be(tmp_path: Path, hashes: Counted) -> None:
    known = Digests(most=2)
    files = [written(tmp_path / name, name.encode()) for name in "abc"]
    for file in (*files, files[2], files[1], files[0]):
        known.of(file)
    assert hashes.begun == 4, "the first had to go"


def test_listings_of_the_library_dont_read_its_concepts_whole_again(tmp_path: Path, hashes: Counted) -> None:
    library = ConceptLibrary(tmp_path, published_widths())
    concepts = [Concept(f"<toy-{n}>", (torch.full((2, 16), float(n)),), "demo") for n in range(2)]
    cards = [library.save(concept, Provenance()) for concept in concepts]
    for file in tmp_path.glob("*.safetensors"):
        os.utime(file, ns=(LONG_AGO, LONG_AGO))
    hashes.begun = 0
    for _ in range(3):
        assert library.list() == tuple(cards)
        assert ConceptLibrary(tmp_path, published_widths()).pictures("toy-1") == ()
    assert hashes.begun == 2
    library.save(Concept("<toy-1>", (torch.zeros(2, 16),), "demo"), Provenance(), replace=True)
    assert library.card("toy-1").rows_hash == cards[0].rows_hash, "the same rows by now"
