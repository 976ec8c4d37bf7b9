"""The server's benchmark runs to its end and measures what it says."""

from __future__ import annotations

import numpy as np

from palimpsest.bench.server import measure, noise, spread
from palimpsest.storage.pictures import read_picture


def test_everything_is_measured(tmp_path):
    found = measure(tmp_path, jobs=2, clients=3, upload_side=700)
    assert found["first_event_ms"]["count"] == found["cancel_ms"]["count"] == 2
    assert found["poll_by_3_clients_ms"]["count"] > 3
    assert found["overhead_per_job_ms"]["median"] > 0
    assert found["upload_mib"] == 3
    assert found["upload_s"] > 0


def test_what_is_uploaded_is_a_16_bit_picture():
    picture = read_picture(noise(90))
    assert (picture.size, picture.pixels.dtype) == ((90, 90), np.uint16)
    assert len(np.unique(picture.pixels)) > 10_000


def test_the_spread_is_of_the_sorted_values():
    assert spread([3.0, 1.0, 2.0, 4.0]) == {"count": 4, "median": 2.5, "p95": 3.0, "worst": 4.0}
