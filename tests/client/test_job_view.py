"""The client's view of a job follows the events, whatever order or repetition the network makes of them."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from palimpsest.jobs import events
from palimpsest.jobs.state import ENDED
from palimpsest_client.http.job_view import CHANGES, JobView
from palimpsest_client.text.wording import duration

STORY = [
    events.Queued(),
    events.Started("cpu"),
    events.Progressed("inverting", 3, 10, 65.0),
    events.Queued(2, "The worker ended."),
    events.Started("cpu", 2),
    events.Progressed("editing", 5, 10, 4.2),
    events.Previewed("ab" * 32),
    events.Finished({"layer": "cd" * 32}, {"psnr": 34.0}),
]
TOLD = [{"sequence": i, "time": 0.0, **events.to_json(event)} for i, event in enumerate(STORY, 1)]


def view_of(told) -> JobView:
    view = JobView("a")
    for event in told:
        view = view.after(event)
    return view


def test_the_story_is_told_in_lines_for_people():
    lines = [view_of(TOLD[:count]).text() for count in range(1, len(TOLD) + 1)]
    assert lines[0] == "Waiting."
    assert JobView("a").with_ahead(2).text() == "Waiting: 2 jobs before yours."
    assert JobView("a").with_ahead(1).text() == "Waiting: 1 job before yours."
    assert lines[2] == "Inverting the photo · 3 of 10 · 1 min"
    assert lines[5] == "Editing · 5 of 10 · 4 s"
    assert lines[-1] == "Done."
    assert view_of(TOLD[:4]).notice == "The worker ended."


@given(st.lists(st.integers(1, len(TOLD)), max_size=30))
def test_repeats_after_reconnecting_change_nothing(cuts):
    """Each reconnect replays from some earlier event."""
    view, seen = JobView("a"), 0
    for cut in cuts:
        for event in TOLD[:cut]:
            view = view.after(event)
        seen = max(seen, cut)
        assert view == view_of(TOLD[:seen])


def test_a_failure_and_a_cancellation_are_told():
    failed = events.Failed({"code": "x", "message": "It broke.", "hint": "Mend it.", "details": {}})
    assert JobView("a").after({"sequence": 1, **events.to_json(failed)}).text() == "It broke. Mend it."
    cancelled = JobView("a").after({"sequence": 1, **events.to_json(events.Cancelled("why"))})
    assert (cancelled.text(), cancelled.notice, cancelled.ended) == ("Cancelled.", "why", True)


def test_every_event_of_the_server_is_understood_and_one_of_a_later_server_is_not_fatal():
    assert set(CHANGES) == set(events.EVENTS)
    assert JobView("a").after({"sequence": 1, "event": "painted"}) == dataclasses.replace(
        JobView("a"), sequence=1
    )
    assert {"finished", "failed", "cancelled"} == set(ENDED)


def test_durations_are_short():
    assert [duration(seconds) for seconds in (0.4, 59, 90, 5400)] == ["0 s", "59 s", "2 min", "2 h"]
