"""Where tasks run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from palimpsest.tasks import runner


@pytest.fixture
def _threads_put_back() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


CASES = [(4, 4, 3), (4, 2, 2), (2, 2, 1), (1, 1, 1), (None, 2, 1)]


@pytest.mark.usefixtures("_threads_put_back")
@pytest.mark.parametrize(("cores", "given", "left"), CASES)
def test_one_core_stays_free_and_the_number_is_never_raised(
    monkeypatch: pytest.MonkeyPatch, cores: int | None, given: int, left: int
) -> None:
    monkeypatch.setattr(runner.os, "cpu_count", lambda: cores)
    torch.set_num_threads(given)
    runner.leave_a_core()
    assert torch.get_num_threads() == left
