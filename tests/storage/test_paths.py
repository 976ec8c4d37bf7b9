"""Each platform's folders, from nothing but its variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from palimpsest.storage.paths import folders

HOME = Path("/home/anna")


def test_one_variable_moves_everything() -> None:
    found = folders({"PALIMPSEST_HOME": "/box", "XDG_DATA_HOME": "/else"}, "linux", HOME)
    assert [found.data, found.cache, found.config] == [Path("/box") / n for n in ("data", "cache", "config")]


def test_a_relative_home_is_made_absolute_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert folders({"PALIMPSEST_HOME": "here"}, "linux", HOME).data == tmp_path / "here" / "data"


def test_linux_follows_the_base_directory_specification() -> None:
    plain = folders({}, "linux", HOME)
    assert plain.data == HOME / ".local/share/palimpsest"
    assert plain.cache == HOME / ".cache/palimpsest"
    assert plain.config == HOME / ".config/palimpsest"
    variables = {"XDG_CACHE_HOME": "/fast", "XDG_DATA_HOME": "not/absolute", "XDG_CONFIG_HOME": ""}
    moved = folders(variables, "linux", HOME)
    assert moved.cache == Path("/fast/palimpsest")
    assert (moved.data, moved.config) == (plain.data, plain.config), "relative and empty ones don't count"


def test_the_three_folders_differ_on_every_platform() -> None:
    for platform in ("linux", "darwin", "win32"):
        found = folders({}, platform, HOME)
        assert len({found.data, found.cache, found.config}) == 3
        assert found.inversions.is_relative_to(found.cache)
        for kept in (found.concepts, found.images, found.models, found.database):
            assert kept.is_relative_to(found.data)
            assert not kept.is_relative_to(found.cache)


def test_asking_makes_no_folder(tmp_path: Path) -> None:
    folders({"PALIMPSEST_HOME": str(tmp_path / "box")})
    assert not (tmp_path / "box").exists()
