"""What `palimpsest models list` says of a model in one line."""

from __future__ import annotations

from palimpsest.cli.models import described
from palimpsest.models.needs import needs


def test_it_is_said_what_an_edit_needs_of_a_card() -> None:
    details = {"family": "sdxl", "native_size": 1024, "needs": needs("sdxl", 1024, 8)}
    line = "sdxl, 1024 pixels, an edit takes 11.1 GiB of a card, slowly 0.5"
    assert described({"installed": True, "details": details}) == line


def test_nothing_is_said_where_it_isn_t_known() -> None:
    details = {"family": "demo", "native_size": 128, "needs": needs("demo", 128, 8)}
    assert described({"installed": True, "details": details}) == "demo, 128 pixels"
