"""The list of models always answers, whatever lies in the folders, and names what it can't tell."""

from __future__ import annotations

import json
import os
import shutil
import struct
import sys
from pathlib import Path

import pytest

from palimpsest.errors import PalimpsestError
from palimpsest.models import listing
from palimpsest.models.listing import list_all, list_models


def header(raw: bytes) -> bytes:
    return struct.pack("<Q", len(raw)) + raw


BAD_FILES = {
    "nothing": b"",
    "a nest": header(
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":' + b"[" * 950 + b"]" * 950 + b"}"
    ),
    "a deeper nest": header(b'{"a":' * 50_000),
    "half a character": header(b'{"\\ud800": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}'),
    "half a character in its words": header(b'{"__metadata__": {"a": "\\ud800"}}'),
    "a long number": header(
        b'{"a": {"dtype": "F32", "shape": [' + b"9" * 5000 + b'], "data_offsets": [0, 4]}}'
    ),
    "a huge header": struct.pack("<Q", 1 << 62) + b"{}",
    "a web page": b"<html>",
}
BAD_CONFIGURATIONS = {
    "a nest": "[" * 100_000,
    "half": "{half",
    "a list": "[]",
    "NaN": '{"sample_size": NaN}',
    "a long number": '{"sample_size": ' + "9" * 5000 + "}",
}


def names(models: list[dict]) -> set[str]:
    assert json.dumps(models, allow_nan=False, ensure_ascii=False).encode()
    return {model["name"] for model in models if model["installed"]}


@pytest.mark.parametrize("what", BAD_FILES)
def test_one_bad_file_is_named_with_the_reason_and_hides_no_other(tmp_path, what):
    (tmp_path / "bad.safetensors").write_bytes(BAD_FILES[what])
    found = list_models(tmp_path)
    assert names(found) == {"built-in", "bad"}
    (bad,) = [model for model in found if model["name"] == "bad"]
    assert bad["details"]["error"]["code"] == "model_unreadable"


@pytest.mark.parametrize("place", ["unet/config.json", "palimpsest.json", "config.json", "model_index.json"])
@pytest.mark.parametrize("what", BAD_CONFIGURATIONS)
def test_one_bad_folder_hides_no_other(tmp_path, sd1_folder, what, place):
    shutil.copytree(sd1_folder, tmp_path / "bad")
    (tmp_path / "bad" / place).write_text(BAD_CONFIGURATIONS[what])
    assert names(list_models(tmp_path)) == {"built-in", "bad"}


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", '"\\ud800"', "9" * 400])
def test_numbers_and_words_that_json_has_not_are_not_told(tmp_path, sd1_folder, value):
    shutil.copytree(sd1_folder, tmp_path / "bad")
    field = "family" if value.startswith('"') else "guidance"
    (tmp_path / "bad" / "palimpsest.json").write_text(f'{{"{field}": {value}}}')
    assert names(list_models(tmp_path)) == {"built-in", "bad"}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="file names are text elsewhere")
def test_a_name_that_is_no_text_is_left_out_and_named(tmp_path):
    (tmp_path / os.fsdecode(b"\xff.safetensors")).write_bytes(b"")
    found = list_all(tmp_path)
    assert names(found.models) == {"built-in"}
    assert [left["name"] for left in found.left_out] == ["'\\udcff'"]


def test_an_unreadable_list_of_other_folders_hides_no_model(tmp_path):
    (tmp_path / "elsewhere.txt").write_bytes(b"\xff\xfe")
    (tmp_path / "mine.safetensors").write_bytes(b"")
    found = list_all(tmp_path)
    assert names(found.models) == {"built-in", "mine"}
    assert [left["code"] for left in found.left_out] == ["storage"]


def test_what_goes_while_it_is_listed_hides_no_other(tmp_path, monkeypatch):
    (tmp_path / "gone.safetensors").write_bytes(b"")
    monkeypatch.setattr(listing.os.path, "exists", lambda place: True)
    real = Path.stat

    def stat(self, **rest):
        if self.name == "gone.safetensors":
            raise PermissionError(13, "Permission denied")
        return real(self, **rest)

    monkeypatch.setattr(Path, "stat", stat)
    assert "built-in" in names(list_models(tmp_path))


def test_whatever_reading_a_model_raises_the_others_are_listed(tmp_path, monkeypatch, caplog):
    def surprised(place):
        raise RuntimeError("a mistake of ours")

    (tmp_path / "odd.safetensors").write_bytes(b"odd")
    monkeypatch.setattr(listing, "read_spec", surprised)
    listing._of_a_file.cache_clear()
    found = list_models(tmp_path)
    assert names(found) == {"built-in", "odd"}
    assert "RuntimeError" in caplog.text
    assert not issubclass(RuntimeError, PalimpsestError)
    listing._of_a_file.cache_clear()
