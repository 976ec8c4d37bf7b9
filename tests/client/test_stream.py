"""Who listens to the stream of events hears all of it, until it leaves."""

from __future__ import annotations

from palimpsest_client.panel.stream import Changed, Connected, Event, Stream


def test_everybody_hears_everything_in_order_until_they_leave():
    stream, first, second = Stream(), [], []
    leave = stream.subscribe(first.append)
    stream.subscribe(second.append)
    stream.publish(Connected())
    leave()
    leave()
    stream.publish(Changed())
    assert first == [Connected()]
    assert second == [Connected(), Changed()]


def test_who_leaves_while_something_is_told_hears_no_more_of_it():
    stream, heard = Stream(), []
    leaves = []

    def leave_all(_: Event) -> None:
        for leave in leaves:
            leave()

    stream.subscribe(leave_all)
    leaves.append(stream.subscribe(heard.append))
    stream.publish(Changed())
    assert heard == []
