"""diffusers and transformers, quiet, and with errors of ours instead of their many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from palimpsest.errors import ModelError, ModelUnreadableError, Text


def reading(place: Path, read: Callable[[], Any]) -> Any:
    """``read()``, with whatever the libraries raise turned into one error that names the place."""
    try:
        return read()
    except (ModelError, torch.OutOfMemoryError, MemoryError):
        raise
    except Exception as error:  # the libraries raise many kinds, some of them their own
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelUnreadableError(
            Text("model-not-loaded", file=str(place), reason=first), Text("maybe-files-damaged")
        ) from error


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """No progress bars and no hints between ours; as they were afterwards."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    before = diffusers_logging.get_verbosity(), transformers_logging.get_verbosity()
    bar = transformers_logging.is_progress_bar_enabled()
    diffusers_logging.set_verbosity_error()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        diffusers_logging.set_verbosity(before[0])
        transformers_logging.set_verbosity(before[1])
        if bar:
            transformers_logging.enable_progress_bar()
