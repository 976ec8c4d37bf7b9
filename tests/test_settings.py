"""Settings come from the environment; a value that can't be used is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from palimpsest.errors import RequestError
from palimpsest.settings import read_settings


def test_the_environment_is_read(tmp_path: Path) -> None:
    settings = read_settings({"PALIMPSEST_HOME": str(tmp_path), "PALIMPSEST_MAX_PIXELS": "1000"})
    assert (settings.max_pixels, settings.device) == (1000, "auto")
    assert settings.folders.concepts.is_relative_to(tmp_path)
    assert settings.learning.is_relative_to(settings.folders.cache)


@pytest.mark.parametrize("value", ["many", "0", "-3", "1.5"])
def test_a_wrong_value_is_named(value: str) -> None:
    with pytest.raises(RequestError, match=f"PALIMPSEST_MAX_PIXELS is '{value}'"):
        read_settings({"PALIMPSEST_MAX_PIXELS": value})


def test_reading_makes_nothing(tmp_path: Path) -> None:
    read_settings({"PALIMPSEST_HOME": str(tmp_path / "home")})
    assert not (tmp_path / "home").exists()


def test_proxies_are_addresses_and_networks() -> None:
    settings = read_settings({"PALIMPSEST_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/24,"})
    assert settings.trusted_proxies == ("127.0.0.1", "10.0.0.0/24")
    with pytest.raises(RequestError, match=r"TRUSTED_PROXIES names 'proxy\.example'"):
        read_settings({"PALIMPSEST_TRUSTED_PROXIES": "proxy.example"})


def test_networks_are_named_and_judged() -> None:
    variable = "PALIMPSEST_DOWNLOAD_NETWORKS"
    found = read_settings({variable: "127.0.0.0/8, fd12::/32"}).download_networks
    assert found == ("127.0.0.0/8", "fd12::/32")
    with pytest.raises(RequestError, match="here"):
        read_settings({variable: "10.0.0.0/8, here"})
