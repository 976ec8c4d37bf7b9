"""``palimpsest loras``, ``--lora``: what people do with a folder of LoRAs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lora_files import make
from palimpsest.cli import main
from palimpsest.cli.arguments import lora
from palimpsest.contract import LoraUse
from palimpsest.errors import RequestError
from tiny import tiny_folder, tiny_model


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PALIMPSEST_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_they_are_listed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["loras"]) == 0
    assert f"Put .safetensors files into {home / 'data' / 'loras'}" in capsys.readouterr().out
    made = make(tiny_model("sd1"), "kohya")
    made.metadata["modelspec.trigger_phrase"] = "ink wash"
    made.save(home / "data" / "loras" / "ink.safetensors")
    (home / "data" / "loras" / "web.safetensors").write_bytes(b"<html>" + b" " * 90)
    assert main(["loras"]) == 0
    ink, web = capsys.readouterr().out.splitlines()
    assert ink.startswith("ink: reads text of width 24; ")
    assert ink.endswith("rank 4; words: ink wash")
    assert web.startswith("web: can't be used: ")
    assert main(["loras", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in told["loras"]] == ["ink", "web"]


def test_a_picture_is_drawn_with_one_and_a_wrong_one_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(tiny_folder(home / "data" / "models" / "small", "sd1"))
    make(tiny_model("sd1"), "loha").save(home / "data" / "loras" / "ink.safetensors")
    make(tiny_model("sdxl"), "kohya").save(home / "data" / "loras" / "large.safetensors")
    common = ["draw", "a cat", "--model", Path(model).name, "--steps", "2", "--local", "--device", "cpu"]
    for name, more in (("plain", []), ("ink", ["--lora", "ink:0.5"])):
        assert main([*common, "--output", name, *more]) == 0
    pictures = [(home / name / "a-cat-picture.png").read_bytes() for name in ("plain", "ink")]
    assert pictures[0] != pictures[1]
    assert list(json.loads((home / "ink" / "a-cat.json").read_text())["loras"]) == ["ink"]
    capsys.readouterr()
    for used, code in (
        ("large", "lora_incompatible"),
        ("none", "lora_not_found"),
        ("ink:9", "request_invalid"),
    ):
        assert main([*common, "--output", "refused", "--lora", used]) == 2
        assert f"({code})" in capsys.readouterr().err


def test_how_a_strength_is_written() -> None:
    assert lora("ink") == LoraUse("ink", 1.0)
    assert lora("ink:-0.5") == LoraUse("ink", -0.5)
    assert lora("a:b:0.5") == LoraUse("a:b", 0.5)
    with pytest.raises(RequestError, match="'much' is no strength"):
        lora("ink:much")
