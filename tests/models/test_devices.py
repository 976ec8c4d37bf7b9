"""Which devices are refused without loading PyTorch, on which machine."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from palimpsest.errors import DeviceNotFoundError
from palimpsest.models.devices import Machine, graphics_cards, require_devices, torch_build
from palimpsest.models.pool import device_named

PLAIN = Machine("linux", arm=False, build="cpu", cards=0)
WITH_TWO = Machine("linux", arm=False, build="cuda", cards=2)
BARE_CUDA = Machine("linux", arm=False, build="cuda", cards=0)
UNKNOWN = Machine("win32", arm=False, build="cuda", cards=None)
MAC = Machine("darwin", arm=True, build="cpu", cards=None)


@pytest.mark.parametrize(
    ("machine", "names"),
    [
        (PLAIN, "auto"),
        (PLAIN, "cpu"),
        (WITH_TWO, "cuda"),
        (WITH_TWO, "cuda:0, cuda:1"),
        (UNKNOWN, "cuda:3"),  # PyTorch will say
        (MAC, "mps"),
    ],
)
def test_what_may_be_there_is_let_through(machine: Machine, names: str) -> None:
    require_devices(names, machine)


@pytest.mark.parametrize(
    ("machine", "names", "says"),
    [
        (PLAIN, "cuda", "setup --torch cuda"),
        (PLAIN, "mps", "only Macs"),
        (PLAIN, "gpu", "'gpu' is no device"),
        (PLAIN, "cpu:x", "is no device"),
        (WITH_TWO, "cuda:0,cuda:2", "The device cuda:2 isn't here: this machine has 2"),
        (BARE_CUDA, "cuda", "no graphics card"),
        (MAC, "cuda", "build for the processor"),
    ],
)
def test_what_surely_is_not_there_is_refused(machine: Machine, names: str, says: str) -> None:
    with pytest.raises(DeviceNotFoundError, match=says):
        require_devices(names, machine)


def test_the_build_is_the_one_that_is_installed() -> None:
    told = "cuda" if torch.version.cuda else "rocm" if torch.version.hip else "cpu"
    assert torch_build() == told


def test_cards_are_counted_by_their_nodes(tmp_path: Path) -> None:
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert graphics_cards(tmp_path) == 2
    (tmp_path / "kfd").touch()
    assert graphics_cards(tmp_path) is None


def test_what_pytorch_does_not_find_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("palimpsest.models.pool.require_devices", lambda name: None)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(DeviceNotFoundError, match="The device cuda:1 isn't here: PyTorch finds 0"):
        device_named("cuda:1")
    assert device_named("cpu").type == "cpu"
