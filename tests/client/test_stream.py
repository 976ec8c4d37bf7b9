"""Who listens to the stream of events hears all of it, until it leaves."""

from __future__ import annotations

from palimpsest_client.panel.stream import Changed, Connected, Stream


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
    stream.subscribe(lambda _: [leave() for leave in leaves])
    leaves.append(stream.subscribe(heard.append))
    stream.publish(Changed())
    assert heard == []
