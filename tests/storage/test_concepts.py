"""The concept library keeps learned words whole, under safe names, in files that other tools read."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from palimpsest.core.concept import Concept
from palimpsest.errors import (
    ConceptError,
    ConceptExistsError,
    ConceptFileError,
    ConceptIncompatibleError,
    ConceptNameError,
    ConceptNotFoundError,
    ConceptOwnedError,
    DiskFullError,
)
from palimpsest.models.families import published_widths
from palimpsest.storage.concept_card import Provenance, make_thumbnail
from palimpsest.storage.concepts import ConceptLibrary, propose_name, require_name


def a_concept(name: str = "my-toy", widths: tuple[int, ...] = (16,), family: str = "demo") -> Concept:
    generator = torch.Generator().manual_seed(len(name))
    rows = tuple(torch.randn(2, width, generator=generator) for width in widths)
    return Concept(f"<{name}>", rows, family, kind="subject", noun="toy")


LEARNED = Provenance("learned", "built-in", "abc", 150, 0, ("d" * 64, "e" * 64), {"rate": 0.005})


@pytest.fixture
def library(tmp_path: Path) -> ConceptLibrary:
    return ConceptLibrary(tmp_path / "concepts", published_widths())


def same(a: Concept, b: Concept) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.rows, b.rows, strict=True))


def test_a_saved_concept_comes_back_whole(library: ConceptLibrary) -> None:
    thumbnail = make_thumbnail(np.full((300, 200, 3), 120, np.uint8))
    card = library.save(a_concept(), LEARNED, thumbnail)
    again = library.load("my-toy")
    assert same(again, a_concept())
    assert (again.placeholder, again.family, again.kind, again.noun) == ("<my-toy>", "demo", "subject", "toy")
    assert (card.vectors, card.widths, card.provenance) == (2, (16,), LEARNED)
    assert library.list() == (card,)
    assert library.thumbnail("my-toy") == thumbnail


def test_an_empty_library_lists_nothing_and_makes_no_folder(library: ConceptLibrary) -> None:
    assert library.list() == ()
    assert not library.folder.exists()
    with pytest.raises(ConceptNotFoundError, match="empty"):
        library.load("my-toy")


def test_the_same_concept_gives_the_same_bytes(tmp_path: Path) -> None:
    files = []
    for place in ("a", "b"):
        ConceptLibrary(tmp_path / place, published_widths()).save(
            a_concept(widths=(8, 12), family="sdxl"), LEARNED
        )
        files.append((tmp_path / place / "my-toy.safetensors").read_bytes())
    assert files[0] == files[1]


def test_a_name_is_never_given_twice_unless_asked(library: ConceptLibrary) -> None:
    library.save(a_concept(), LEARNED)
    other = a_concept(widths=(24,))
    with pytest.raises(ConceptExistsError, match="<my-toy>"):
        library.save(other, LEARNED)
    assert same(library.load("my-toy"), a_concept())
    library.save(other, LEARNED, replace=True)
    assert same(library.load("my-toy"), other)


def test_renaming_keeps_rows_thumbnail_and_hash(library: ConceptLibrary) -> None:
    thumbnail = make_thumbnail(np.zeros((50, 50, 3), np.uint8))
    before = library.save(a_concept(), LEARNED, thumbnail)
    after = library.rename("my-toy", "old-toy")
    assert [card.name for card in library.list()] == ["old-toy"]
    assert after.rows_hash == before.rows_hash
    assert library.load("old-toy").placeholder == "<old-toy>"
    assert library.thumbnail("old-toy") == thumbnail


def test_renaming_onto_another_concept_loses_neither(library: ConceptLibrary) -> None:
    library.save(a_concept("one"), LEARNED)
    library.save(a_concept("three"), LEARNED)
    with pytest.raises(ConceptExistsError):
        library.rename("one", "three")
    assert same(library.load("one"), a_concept("one"))
    assert same(library.load("three"), a_concept("three"))


def test_removing_takes_the_file_and_a_second_time_says_what_is_there(library: ConceptLibrary) -> None:
    library.save(a_concept("one"), LEARNED)
    library.save(a_concept("two"), LEARNED)
    library.remove("one")
    assert [path.name for path in library.folder.iterdir()] == ["two.safetensors"]
    with pytest.raises(ConceptNotFoundError, match="<two>"):
        library.remove("one")


NO_NAMES = ["", "../evil", "a/b", "a\\b", "My Toy", "ÿ", "-a", "a-", "con", "x" * 65, "<a>"]


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_that_is_no_name_is_refused_with_a_proposal(library: ConceptLibrary, name: str) -> None:
    library.save(a_concept(), LEARNED)
    for act in (library.load, library.remove, library.card, lambda n: library.rename("my-toy", n)):
        with pytest.raises(ConceptNameError, match="For instance"):
            act(name)
    assert [card.name for card in library.list()] == ["my-toy"]


@given(st.text(max_size=80))
def test_no_text_becomes_a_path(text: str) -> None:
    """Whatever is typed, the library's file lies directly in its folder, or the name is refused."""
    for attempt in (require_name, propose_name):
        try:
            name = attempt(text)
        except ConceptNameError:
            continue
        assert re.fullmatch(r"[a-z0-9_-]{1,64}", name)
        assert require_name(name) == name
        assert (Path("/library") / f"{name}.safetensors").resolve().parent == Path("/library")


def test_a_damaged_file_is_told_and_hides_no_other(library: ConceptLibrary) -> None:
    library.save(a_concept("good"), LEARNED)
    whole = (library.folder / "good.safetensors").read_bytes()
    (library.folder / "cut.safetensors").write_bytes(whole[:-5])
    (library.folder / "noise.safetensors").write_bytes(os.urandom(100))
    assert [card.name for card in library.list() if card.name == "good"] == ["good"]
    assert {str(error).split()[0] for error in library.damaged()} == {"cut.safetensors", "noise.safetensors"}
    with pytest.raises(ConceptFileError, match=r"cut\.safetensors"):
        library.load("cut")


def test_a_full_disk_leaves_the_old_concept_and_no_litter(
    library: ConceptLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.save(a_concept(), LEARNED)

    def no_room(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(DiskFullError, match="my-toy"):
        library.save(a_concept(widths=(24,)), LEARNED, replace=True)
    assert same(library.load("my-toy"), a_concept())
    assert [path.name for path in library.folder.iterdir()] == ["my-toy.safetensors"]


def test_a_file_system_without_links_still_never_overwrites(
    library: ConceptLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    library.save(a_concept(), LEARNED)
    assert same(library.load("my-toy"), a_concept())
    target = library.folder.parent / "out.safetensors"
    library.export_file("my-toy", target)
    with pytest.raises(ConceptExistsError, match=r"out\.safetensors"):
        library.export_file("my-toy", target)


def test_an_exported_file_has_the_public_form_and_no_picture(library: ConceptLibrary, tmp_path: Path) -> None:
    thumbnail = make_thumbnail(np.zeros((50, 50, 3), np.uint8))
    library.save(a_concept("one", (768,), "sd1"), LEARNED, thumbnail)
    library.save(a_concept("two", (768, 1280), "sdxl"), LEARNED, thumbnail)
    shapes = []
    for name in ("one", "two"):
        tensors = load_file(library.export_file(name, tmp_path / f"{name}.safetensors"))
        shapes.append({key: tuple(value.shape) for key, value in tensors.items()})
    assert shapes == [{"emb_params": (2, 768)}, {"clip_l": (2, 768), "clip_g": (2, 1280)}]
    assert b"PNG" not in (tmp_path / "one.safetensors").read_bytes()
    assert b"thumbnail" not in (tmp_path / "one.safetensors").read_bytes()


def test_export_and_import_are_a_round_trip(library: ConceptLibrary, tmp_path: Path) -> None:
    card = library.save(a_concept("two", (768, 1280), "sdxl"), LEARNED)
    library.export_file("two", tmp_path / "anything.safetensors")
    elsewhere = ConceptLibrary(tmp_path / "elsewhere", published_widths())
    assert elsewhere.import_file(tmp_path / "anything.safetensors") == card
    assert same(elsewhere.load("two"), library.load("two"))


@pytest.mark.parametrize(
    ("tensors", "family"),
    [
        ({"<cat-toy>": torch.ones(768)}, "sd1"),  # diffusers, a single vector
        ({"emb_params": torch.ones(4, 768, dtype=torch.float16)}, "sd1"),
        ({"emb_params": torch.ones(1, 1024, dtype=torch.bfloat16)}, "sd2"),
        ({"clip_g": torch.ones(2, 1280), "clip_l": torch.ones(2, 768)}, "sdxl"),
        ({"text_encoders_1": torch.ones(2, 1280), "text_encoders_0": torch.ones(2, 768)}, "sdxl"),
    ],
)
def test_files_of_other_tools_are_read(
    library: ConceptLibrary, tmp_path: Path, tensors: dict[str, torch.Tensor], family: str
) -> None:
    save_file(tensors, tmp_path / "Cat Toy (v2).safetensors")
    card = library.import_file(tmp_path / "Cat Toy (v2).safetensors")
    assert card.name == ("cat-toy" if "<cat-toy>" in tensors else "cat-toy-v2")
    concept = library.load(card.name)
    assert card.family == concept.family == family
    assert card.provenance.origin == "imported"
    assert all(part.dtype == torch.float32 for part in concept.rows)
    assert [part.shape[1] for part in concept.rows] == list(card.widths)
    assert concept.vectors == max(part.shape[0] if part.ndim == 2 else 1 for part in tensors.values())


def test_widths_of_no_known_family_need_a_word(library: ConceptLibrary, tmp_path: Path) -> None:
    save_file({"emb_params": torch.ones(1, 128)}, tmp_path / "a.safetensors")
    with pytest.raises(ConceptIncompatibleError, match=r"width 128.*768 \(sd1\)"):
        library.import_file(tmp_path / "a.safetensors")
    assert library.import_file(tmp_path / "a.safetensors", family="demo").family == "demo"


def test_widths_that_contradict_the_family_are_refused(library: ConceptLibrary, tmp_path: Path) -> None:
    save_file({"emb_params": torch.ones(1, 768)}, tmp_path / "a.safetensors")
    with pytest.raises(ConceptIncompatibleError, match=r"width 768; 'sdxl' needs 768\+1280. It is for 'sd1'"):
        library.import_file(tmp_path / "a.safetensors", family="sdxl")
    assert library.list() == ()


BAD = {
    "a LoRA": {"lora_up": torch.ones(4, 4), "lora_down": torch.ones(4, 4), "alpha": torch.ones(1)},
    "one encoder of two and something": {"clip_l": torch.ones(1, 768), "extra": torch.ones(1)},
    "three dimensions": {"a": torch.ones(1, 2, 768)},
    "whole numbers": {"a": torch.ones(1, 768, dtype=torch.int64)},
    "not finite": {"a": torch.full((1, 768), float("nan"))},
    "too many vectors": {"a": torch.ones(100, 768)},
    "different vectors per encoder": {"clip_l": torch.ones(1, 768), "clip_g": torch.ones(2, 1280)},
}


@pytest.mark.parametrize("what", BAD)
def test_files_that_are_no_embeddings_are_refused(library: ConceptLibrary, tmp_path: Path, what: str) -> None:
    save_file(BAD[what], tmp_path / "bad.safetensors")
    with pytest.raises(ConceptFileError, match=r"bad\.safetensors"):
        library.import_file(tmp_path / "bad.safetensors")
    assert library.list() == ()


def test_missing_and_truncated_files_are_told(library: ConceptLibrary, tmp_path: Path) -> None:
    save_file({"emb_params": torch.ones(1, 768)}, tmp_path / "whole.safetensors")
    whole = (tmp_path / "whole.safetensors").read_bytes()
    for length in range(0, len(whole), 97):
        (tmp_path / "cut.safetensors").write_bytes(whole[:length])
        with pytest.raises(ConceptFileError, match=r"cut\.safetensors"):
            library.import_file(tmp_path / "cut.safetensors")
    with pytest.raises(ConceptFileError, match="No such file"):
        library.import_file(tmp_path / "absent.safetensors")


FIELDS = st.sampled_from(["kind", "noun", "family", "name", "provenance", "thumbnail"])
ANYTHING = st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)


@given(st.dictionaries(FIELDS, ANYTHING))
def test_metadata_of_strangers_breaks_nothing(
    tmp_path_factory: pytest.TempPathFactory, told: dict[str, object]
) -> None:
    folder = tmp_path_factory.mktemp("strange")
    save_file({"a": torch.ones(1, 768)}, folder / "a.safetensors", metadata={"palimpsest": json.dumps(told)})
    library = ConceptLibrary(folder / "library", published_widths())
    try:
        card = library.import_file(folder / "a.safetensors", name="a")
    except ConceptError:
        return
    assert library.load("a").kind in ("subject", "style")
    assert library.thumbnail("a") is None
    assert library.list() == (card,)


def test_listing_taking_in_and_giving_out_need_no_torch(library: ConceptLibrary, tmp_path: Path) -> None:
    """`palimpsest concepts list` answers at once, and the server has no torch in it."""
    library.save(a_concept(), LEARNED)
    program = (
        "import sys, pathlib; from palimpsest.storage.concepts import ConceptLibrary; "
        "from palimpsest.models.families import published_widths; "
        f"library = ConceptLibrary(pathlib.Path({str(library.folder)!r}), published_widths()); "
        f"out = library.export_file('my-toy', pathlib.Path({str(tmp_path / 'out.safetensors')!r})); "
        "library.import_file(out, 'second'); library.rename('second', 'third'); "
        "assert not library.damaged(); "
        "assert [card.name for card in library.list()] == ['my-toy', 'third']; "
        "assert 'torch' not in sys.modules"
    )
    backend = Path(__file__).parents[2] / "backend"
    environment = {**os.environ, "PYTHONPATH": str(backend)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def test_what_numpy_writes_and_reads_is_what_torch_does(library: ConceptLibrary, tmp_path: Path) -> None:
    rows = torch.randn(3, 768)
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        save_file({"emb_params": rows.to(dtype)}, tmp_path / "a.safetensors")
        library.import_file(tmp_path / "a.safetensors", replace=True)
        assert torch.equal(library.load("a").rows[0], rows.to(dtype).float())
        assert torch.equal(load_file(library.folder / "a.safetensors")["emb_params"], rows.to(dtype).float())


def test_one_owners_concept_is_not_changed_by_another(library: ConceptLibrary) -> None:
    library.save(a_concept(), LEARNED, owner="anna")
    for change in (
        lambda: library.save(a_concept(widths=(24,)), LEARNED, replace=True, owner="bert"),
        lambda: library.rename("my-toy", "his", owner="bert"),
        lambda: library.remove("my-toy", owner="bert"),
    ):
        with pytest.raises(ConceptOwnedError):
            change()
    assert library.card("my-toy").owner == "anna"
    assert same(library.load("my-toy"), a_concept())
    library.rename("my-toy", "hers", owner="anna")
    library.remove("hers")  # whoever runs the server may
    assert library.list() == ()
