"""Settings come from the environment; a value that can't be used is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from palimpsest.errors import RequestError
from palimpsest.settings import default_home, read_settings


def test_the_environment_is_read(tmp_path: Path) -> None:
    settings = read_settings({"PALIMPSEST_HOME": str(tmp_path), "PALIMPSEST_MAX_PIXELS": "1000"})
    assert (settings.home, settings.max_pixels, settings.device) == (tmp_path, 1000, "auto")
    assert settings.concepts == tmp_path / "concepts"


def test_a_wrong_value_is_named() -> None:
    with pytest.raises(RequestError, match="PALIMPSEST_MAX_PIXELS is 'many'"):
        read_settings({"PALIMPSEST_MAX_PIXELS": "many"})


def test_each_platform_keeps_its_habit() -> None:
    assert default_home({"XDG_DATA_HOME": "/data"}, "linux") == Path("/data/palimpsest")
    assert default_home({}, "darwin").parent.name == "Application Support"
    assert default_home({"LOCALAPPDATA": "C:/L"}, "win32") == Path("C:/L/Palimpsest")


def test_reading_makes_nothing(tmp_path: Path) -> None:
    read_settings({"PALIMPSEST_HOME": str(tmp_path / "home")})
    assert not (tmp_path / "home").exists()
