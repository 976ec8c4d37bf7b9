"""A concept's pictures lie beside it, go where it goes, and never belong to another one."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from palimpsest.contract import MOST_EXAMPLES
from palimpsest.core.concept import Concept
from palimpsest.core.picture.cutout import cut_out
from palimpsest.errors import ConceptFileError, DiskFullError
from palimpsest.models.families import published_widths
from palimpsest.storage import cutouts
from palimpsest.storage.concept_card import Provenance
from palimpsest.storage.concepts import ConceptLibrary


@pytest.fixture
def library(tmp_path: Path) -> ConceptLibrary:
    return ConceptLibrary(tmp_path / "concepts", published_widths())


def concept(seed: int = 0, name: str = "my-toy") -> Concept:
    rows = torch.randn(2, 16, generator=torch.Generator().manual_seed(seed))
    return Concept(f"<{name}>", (rows,), "demo", "subject", "toy")


def pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (height, 9, 4), np.uint8) for height in (12, 70, 1)]


def same(found: tuple[np.ndarray, ...], kept: list[np.ndarray]) -> bool:
    return len(found) == len(kept) and all(map(np.array_equal, found, kept))


def test_they_come_back_in_their_order_and_are_no_concept(library: ConceptLibrary) -> None:
    library.save(concept(), Provenance(), pictures=pictures())
    assert same(library.pictures("my-toy"), pictures())
    assert library.names() == ("my-toy",)
    assert library.damaged() == ()


def test_a_large_picture_is_cut_out_and_comes_back_as_it_was(library: ConceptLibrary) -> None:
    """Made smaller it lies in memory channel by channel, and its bytes were taken as they lay."""
    large = np.random.default_rng(0).random((900, 700, 3), np.float32)
    cut = cut_out(large, np.full((900, 700), 255, np.uint8), None, cutouts.MOST_SIDE)
    assert cut.shape == (512, 398, 4)
    library.save(concept(), Provenance(), pictures=[cut])
    assert same(library.pictures("my-toy"), [cut])


def test_there_is_room_for_all_that_a_concept_can_be_learned_from() -> None:
    assert cutouts.MOST_PICTURES == MOST_EXAMPLES


def test_a_concept_without_pictures_has_none(library: ConceptLibrary) -> None:
    library.save(concept(), Provenance())
    assert library.pictures("my-toy") == ()


def test_they_are_for_the_concepts_owner_and_for_whoever_runs_the_server(library: ConceptLibrary) -> None:
    library.save(concept(), Provenance(), owner="anna", pictures=pictures())
    assert same(library.pictures("my-toy", "anna"), pictures())
    assert same(library.pictures("my-toy"), pictures())
    assert library.pictures("my-toy", "bert") == ()
    assert library.load("my-toy").noun == "toy", "the word is for all"


def test_they_are_renamed_and_removed_with_it(library: ConceptLibrary) -> None:
    library.save(concept(), Provenance(), pictures=pictures())
    library.rename("my-toy", "old-toy")
    assert same(library.pictures("old-toy"), pictures())
    library.remove("old-toy")
    assert list(library.folder.iterdir()) == []


def test_another_concept_of_the_name_doesnt_inherit_them(library: ConceptLibrary, tmp_path: Path) -> None:
    library.save(concept(), Provenance(), pictures=pictures())
    file = next(library.folder.glob("*.cutouts"))
    kept = file.read_bytes()
    library.save(concept(seed=1), Provenance(), replace=True)
    assert library.pictures("my-toy") == ()
    assert not file.exists()
    file.write_bytes(kept)  # as after a power cut between the two files
    assert library.pictures("my-toy") == ()
    library.save(concept(), Provenance(), replace=True, pictures=pictures())
    exported = library.export_file("my-toy", tmp_path / "my-toy.safetensors")
    library.import_file(exported, replace=True)
    assert library.pictures("my-toy") == (), "an exported concept holds no picture"


@pytest.mark.parametrize("fails", ["the pictures", "the concept"])
@pytest.mark.parametrize("there", [False, True])
def test_without_room_for_both_nothing_changes(
    library: ConceptLibrary, monkeypatch: pytest.MonkeyPatch, fails: str, there: bool
) -> None:
    if there:
        library.save(concept(), Provenance(), pictures=pictures())
    before = {path: path.read_bytes() for path in library.folder.glob("*")}
    writes = iter([fails == "the pictures", True])

    def require_room(folder: Path, count: int) -> None:
        if next(writes):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("palimpsest.storage.atomic.require_room", require_room)
    with pytest.raises(DiskFullError, match="Nothing was changed"):
        library.save(concept(seed=1), Provenance(), replace=True, pictures=pictures()[:1])
    assert {path: path.read_bytes() for path in library.folder.glob("*")} == before


@pytest.mark.parametrize("damage", ["cut short", "no file of its kind", "another shape", "too large"])
def test_damaged_ones_are_told_with_what_to_do(library: ConceptLibrary, damage: str) -> None:
    card = library.save(concept(), Provenance(), pictures=pictures())
    file = next(library.folder.glob("*.cutouts"))
    if damage == "cut short":
        file.write_bytes(file.read_bytes()[:-7])
    elif damage == "no file of its kind":
        file.write_bytes(b"PK" + bytes(100))
    else:
        shape = (8, 8, 3) if damage == "another shape" else (600, 2, 4)
        save_file({"00": np.zeros(shape, np.uint8)}, file, metadata={cutouts.ROWS: card.rows_hash})
    with pytest.raises(ConceptFileError, match=r"my-toy\.cutouts can't be read") as refusal:
        library.pictures("my-toy")
    assert "--begin-from noise" in (refusal.value.hint or "")
    assert library.load("my-toy").noun == "toy"
