"""Events survive the trip through JSON, and nothing else is taken for one."""

import dataclasses
import json

import pytest

from palimpsest.errors import StorageError
from palimpsest.jobs import events

ONE_OF_EACH = [
    events.Queued(2, "the worker died"),
    events.Started("cpu", 2),
    events.Progressed("inverting", 3, 50, 12.5),
    events.Previewed("ab" * 32),
    events.Finished({"layer": "cd" * 32}, {"caption": "a cat", "psnr": 34.2}),
    events.Failed({"code": "disk_full", "message": "Full.", "hint": "", "details": {}}),
    events.Cancelled("nobody was waiting for it"),
]


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: type(event).__name__)
def test_an_event_survives_json(event):
    assert events.from_json(json.loads(json.dumps(events.to_json(event)))) == event


def test_every_event_is_covered_and_frozen():
    assert {type(event) for event in ONE_OF_EACH} == set(events.EVENTS.values())
    with pytest.raises(dataclasses.FrozenInstanceError):
        ONE_OF_EACH[0].attempt = 3


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"event": "exploded"},
        {"event": ["queued"]},
        {"event": "queued", "who": 1},
        {"event": "progressed"},
    ],
)
def test_what_is_no_event_is_refused(data):
    with pytest.raises(StorageError):
        events.from_json(data)
