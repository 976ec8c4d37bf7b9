"""What people are told of a model before they fetch it, from the catalogue that the backend has."""

from __future__ import annotations

from gettext import NullTranslations

import pytest

from palimpsest.models.offers import GIB, OFFERS
from palimpsest_client.panel.catalogue import model_rows
from palimpsest_client.panel.library import Model
from palimpsest_client.text.language import catalogue
from palimpsest_client.text.wording import ENGLISH, speak

OFFERED = [Model(offer.name, False, offer.to_json()) for offer in OFFERS]


def worker(memory: int | None, *kinds: str) -> dict:
    return {"kinds": list(kinds), "device": "x", "status": {"name": "x", "memory": memory}}


def lines(name: str, *workers: dict) -> tuple[str, ...]:
    (row,) = [row for row in model_rows(OFFERED, {"workers": workers}) if row.name == name]
    return row.lines


def test_size_licence_memory_and_time_are_told():
    assert lines("sd15", worker(8 * GIB, "edit", "learn"), worker(24 * GIB, "pull")) == (
        "2.1 GB to download · CreativeML Open RAIL-M",
        "Needs about 5.0 GB of memory; this machine's 8.0 GB are enough.",
        "One edit: about 180 runs of its network at 512 px.",
    )


@pytest.mark.parametrize(
    ("workers", "says"),
    [
        ([worker(8 * GIB, "edit")], "14.0 GB of memory; this machine has 8.0 GB: edits take longer."),
        ([worker(8 * GIB, "edit"), worker(24 * GIB, "edit")], "this machine's 24.0 GB are enough."),
        ([worker(None, "edit")], "how much this device has can't be asked."),
        ([{"kinds": ["edit"], "device": "cpu", "status": {}}], "how much this device has can't be asked."),
        ([], "how much this device has can't be asked."),
    ],
)
def test_it_is_told_whether_this_machine_has_the_memory(workers, says):
    assert lines("sdxl", *workers)[1].endswith(says)


def test_what_edits_nothing_takes_no_time_to_edit():
    assert not any("runs of its network" in line for line in lines("captions"))


def test_what_is_noted_of_a_model_is_said_in_every_language():
    noted = [offer.name for offer in OFFERS if offer.note]
    assert [name for name in noted if f"model-note-{name}" not in ENGLISH] == []
    assert lines("captions")[-1] == "It says what a photo shows, for “Describe”, and edits nothing."
    try:
        speak(catalogue("de"))
        assert lines("captions")[-1].startswith("Sagt")
    finally:
        speak(NullTranslations())


def test_what_is_there_costs_nothing():
    (row,) = model_rows([Model("built-in", True, {"size": 3})], {})
    assert (row.installed, row.lines) == (True, ())
