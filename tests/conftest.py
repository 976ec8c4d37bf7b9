"""Fixtures everybody may use. The default run needs no GPU, no network and no downloaded weights."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import torch

from palimpsest.core.model import DiffusionModel
from palimpsest.tasks.runner import TaskRunner
from tiny import tiny_folder, tiny_model
from tiny_task import new_runner

FAMILIES = ("sd1", "sd2", "sdxl")
hypothesis.settings.register_profile("any machine", deadline=None)  # a slow one is no reason to fail
hypothesis.settings.load_profile("any machine")


@pytest.fixture(autouse=True, scope="session")
def _one_thread_and_no_hub() -> Iterator[None]:
    """For this process and those it starts: tiny tensors run fastest, and the same way each time, on one
    thread and in float32; and a test that reaches for the hub must fail at once."""
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("PALIMPSEST_PRECISION", "float32")
        yield


@pytest.fixture(autouse=True, scope="session")
def _interruptible() -> None:
    """Whoever was started in the background ignores Ctrl-C, and so would every program a test starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def model(family: str) -> DiffusionModel:
    """One tiny random model per family; a test that uses it runs three times."""
    return tiny_model(family)


@pytest.fixture(scope="session")
def sd1_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny SD-1-like model in the diffusers layout, shared: don't change it."""
    return tiny_folder(tmp_path_factory.mktemp("models") / "tiny-sd1", "sd1")


@pytest.fixture
def runner(tmp_path: Path) -> TaskRunner:
    """Where tasks run, with stores of its own."""
    return new_runner(tmp_path)
