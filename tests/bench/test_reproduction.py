"""The photo comes back by null-text inversion, as published and with the weights that are shipped."""

from __future__ import annotations

from palimpsest.bench.quality import reproduce
from palimpsest.bench.quality_cases import SPLITS
from palimpsest.contract import BUILT_IN
from palimpsest.tasks.runner import TaskRunner

MARGIN = 10.0
"""dB: a tenth of plain DDIM's squared error is left, at most. docs/quality.md has 21 on average."""


def test_null_text_leaves_a_tenth_of_the_error_of_plain_ddim(runner: TaskRunner) -> None:
    """Against what the autoencoder leaves of the photo; steps, guidance and optimising as recommended."""
    found = reproduce(runner, BUILT_IN, SPLITS["development"][0], ("ddim", "null-text"))
    assert found["null-text against autoencoder"] > found["ddim against autoencoder"] + MARGIN
    assert found["null-text"] > found["ddim"]
