"""The cache gives back exactly what was put in, or nothing."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from palimpsest.storage.inversions import InversionCache, key, pixels_hash

KEY, OTHER, THIRD = key(n=1), key(n=2), key(n=3)
TENSORS = {
    "latents": torch.randn(5, 1, 4, 8, 8, generator=torch.Generator().manual_seed(0)),
    "timesteps": torch.tensor([801, 601, 401, 201, 1]),
    "nulls": torch.randn(4, 1, 6, 8, generator=torch.Generator().manual_seed(1)).to(torch.bfloat16),
    "flag": torch.tensor(True),
    "none": torch.zeros(0, 3),
}
METADATA = {"prompt": "a cat 🐈", "method": "null-text"}


@pytest.fixture
def cache(tmp_path: Path) -> InversionCache:
    return InversionCache(tmp_path / "inversions", limit=1 << 20)


def files(cache: InversionCache) -> list[Path]:
    return list(cache.folder.iterdir()) if cache.folder.exists() else []


def test_what_was_put_in_comes_out_bit_for_bit(cache: InversionCache) -> None:
    assert cache.get(KEY) is None
    assert cache.put(KEY, TENSORS, METADATA) == "kept"
    entry = cache.get(KEY)
    assert entry is not None
    assert entry.metadata == METADATA
    assert entry.tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert entry.tensors[name].dtype == tensor.dtype
        assert torch.equal(entry.tensors[name], tensor)


def test_the_same_entry_is_the_same_bytes(tmp_path: Path) -> None:
    first, second = InversionCache(tmp_path / "a", 1 << 20), InversionCache(tmp_path / "b", 1 << 20)
    first.put(KEY, TENSORS, METADATA)
    second.put(KEY, dict(reversed(TENSORS.items())), dict(reversed(METADATA.items())))
    assert files(first)[0].read_bytes() == files(second)[0].read_bytes()


def test_views_and_tensors_that_share_memory_can_be_stored(cache: InversionCache) -> None:
    whole = torch.arange(24.0).reshape(4, 6)
    assert cache.put(KEY, {"whole": whole, "part": whole[1:, ::2], "same": whole}, {}) == "kept"
    entry = cache.get(KEY)
    assert entry is not None
    assert torch.equal(entry.tensors["part"], whole[1:, ::2])


@pytest.mark.parametrize("at", [0, 9, 60, -1])
def test_one_damaged_byte_is_noticed_and_the_entry_dropped(cache: InversionCache, at: int) -> None:
    cache.put(KEY, TENSORS, METADATA)
    path = files(cache)[0]
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(bytes(content))
    assert cache.get(KEY) is None
    assert files(cache) == []
    assert cache.put(KEY, TENSORS, METADATA) == "kept"
    assert cache.get(KEY) is not None


@pytest.mark.parametrize("content", [b"", b"\x80", b"\xff" * 100])
def test_a_file_that_is_no_entry_is_dropped(cache: InversionCache, content: bytes) -> None:
    cache.put(KEY, TENSORS, METADATA)
    files(cache)[0].write_bytes(content)
    assert cache.get(KEY) is None
    assert files(cache) == []


def test_an_entry_under_another_name_is_not_believed(cache: InversionCache) -> None:
    cache.put(KEY, TENSORS, METADATA)
    files(cache)[0].rename(cache.folder / f"{OTHER}.safetensors")
    assert cache.get(OTHER) is None


def test_the_least_recently_used_goes_first(cache: InversionCache) -> None:
    size = len(_content(cache, KEY))
    cache.limit = 2 * size + 10
    cache.put(KEY, TENSORS, METADATA)
    cache.put(OTHER, TENSORS, METADATA)
    for age, name in ((200, KEY), (100, OTHER)):
        _age(cache, name, age)
    assert cache.get(KEY) is not None, "used again: now the younger one"
    cache.put(THIRD, TENSORS, METADATA)
    assert cache.get(OTHER) is None
    assert cache.get(KEY) is not None
    assert cache.get(THIRD) is not None
    assert cache.size() <= cache.limit


def test_replacing_an_entry_keeps_the_others(cache: InversionCache) -> None:
    size = len(_content(cache, KEY))
    cache.limit = 2 * size + 10
    for name in (KEY, OTHER, KEY, KEY):
        assert cache.put(name, TENSORS, METADATA) == "kept"
    assert cache.get(OTHER) is not None
    assert len(files(cache)) == 2


def test_what_is_larger_than_the_limit_is_not_kept_and_evicts_nothing(cache: InversionCache) -> None:
    cache.put(KEY, TENSORS, METADATA)
    assert cache.put(OTHER, {"big": torch.zeros(1 << 20)}, {}) == "over the limit"
    assert cache.get(KEY) is not None


def test_a_limit_of_zero_switches_it_off(tmp_path: Path) -> None:
    off = InversionCache(tmp_path / "off", 0)
    assert off.put(KEY, TENSORS, METADATA) == "over the limit"
    assert off.get(KEY) is None
    assert not (tmp_path / "off").exists()


def test_a_full_disk_loses_the_memory_but_not_the_work(
    cache: InversionCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert cache.put(KEY, TENSORS, METADATA) == "not written"
    assert files(cache) == []


def test_clearing_forgets_everything(cache: InversionCache) -> None:
    cache.put(KEY, TENSORS, METADATA)
    cache.clear()
    assert cache.get(KEY) is None
    assert cache.size() == 0


def test_every_part_of_the_key_counts() -> None:
    base = {"pixels": "ab", "prompt": "a cat", "steps": 50, "guidance": 7.5, "box": [0, 64], "size": None}
    changes = {"pixels": "ac", "prompt": "a cat ", "steps": 51, "guidance": 7.0, "box": [0, 65], "size": 0}
    keys = {key(**base), *(key(**{**base, name: value}) for name, value in changes.items())}
    assert len(keys) == 1 + len(changes)
    assert key(**base) == key(**dict(reversed(base.items())))


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}, b"bytes"])
def test_a_key_of_something_vague_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        key(value=value)


def test_pixels_are_told_apart_by_value_shape_and_type() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert pixels_hash(pixels) == pixels_hash(np.asfortranarray(pixels))
    others = (pixels.reshape(4, 2, 3), pixels.astype(np.uint16), pixels ^ 1)
    assert len({pixels_hash(pixels), *map(pixels_hash, others)}) == 4


def _content(cache: InversionCache, name: str) -> bytes:
    cache.put(name, TENSORS, METADATA)
    content = files(cache)[0].read_bytes()
    cache.clear()
    return content


def _age(cache: InversionCache, name: str, seconds: int) -> None:
    path = cache.folder / f"{name}.safetensors"
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def test_a_cache_that_cannot_be_written_loses_the_memory_but_not_the_work(
    cache: InversionCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = key(photo="known")
    cache.put(known, {"x": torch.ones(2)}, {})

    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    for place in ("palimpsest.storage.atomic.os.open", "palimpsest.storage.inversions.os.utime"):
        monkeypatch.setattr(place, read_only)
    assert cache.put(key(photo="new"), {"x": torch.ones(2)}, {}) == "not written"
    found = cache.get(known)  # what is there is still read, though its use can't be noted
    assert found is not None
    assert torch.equal(found.tensors["x"], torch.ones(2))
    assert len(files(cache)) == 1


def test_a_folder_that_cannot_be_made_is_a_cache_that_remembers_nothing(tmp_path: Path) -> None:
    (tmp_path / "inversions").write_bytes(b"a file in the way")
    cache = InversionCache(tmp_path / "inversions", 1 << 20)
    assert cache.put(key(photo="new"), {"x": torch.ones(2)}, {}) == "not written"
    assert cache.get(key(photo="new")) is None
