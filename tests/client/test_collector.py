"""Garbage in a cycle is freed on the thread that asks for it, and on no other."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest

from palimpsest_client.editor.collector import Collector

MANY = 10 * gc.get_threshold()[0]


class Widget:
    """In a cycle, as a widget and what it calls are; it writes down where it was freed."""

    def __init__(self, freed: list[int]) -> None:
        self.itself, self.freed = self, freed

    def __del__(self) -> None:
        self.freed.append(threading.get_ident())


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.stop()
    assert gc.isenabled()


def work() -> None:
    """More objects than Python makes without collecting."""
    thread = threading.Thread(target=lambda: [[] for _ in range(MANY)])
    thread.start()
    thread.join()


def test_another_thread_frees_what_it_never_had_unless_it_is_kept_from_it():
    freed: list[int] = []
    gc.collect()  # or this thread may have to, in a moment
    Widget(freed)
    work()
    assert len(freed) == 1
    assert freed != [threading.get_ident()]


def test_it_is_freed_where_it_is_collected(collector: Collector):
    freed: list[int] = []
    collector.start()
    Widget(freed)
    work()
    assert freed == []
    kept = [[] for _ in range(MANY)]
    collector.collect()
    assert freed == [threading.get_ident()]
    assert len(kept) == MANY


def test_nothing_is_done_before_there_is_enough(collector: Collector):
    freed: list[int] = []
    collector.start()
    gc.collect()
    Widget(freed)
    collector.collect()
    assert freed == []


def test_what_others_switched_off_stays_off(collector: Collector):
    freed: list[int] = []
    gc.disable()
    try:
        collector.start()
        Widget(freed)
        kept = [[] for _ in range(MANY)]
        collector.collect()
        collector.stop()
        assert freed == []
        assert not gc.isenabled()
        assert len(kept) == MANY
    finally:
        gc.enable()
