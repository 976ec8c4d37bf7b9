"""The state line: what is said of a backend that isn't there."""

from __future__ import annotations

from palimpsest_client.http.session import SessionState
from palimpsest_client.panel.status import CONNECT, START, LocalBackend, status_of
from palimpsest_client.text.wording import say

WAS_THERE = SessionState(system={"version": "1"})


def test_a_backend_that_has_stopped_is_not_said_to_be_missing():
    """One that was started in a shell, and has no record by which it can be started here."""
    told = status_of(WAS_THERE, LocalBackend(), False, "built-in", None)
    assert told.text == say("stopped")
    assert CONNECT in [offer.key for offer in told.offers]


def test_one_that_can_be_started_here_is_started_with_a_button():
    told = status_of(WAS_THERE, LocalBackend(can_start=True), False, "built-in", None)
    assert (told.text, told.offers[0].key) == (say("searching"), START)


def test_one_that_never_was_there_is_missing():
    told = status_of(SessionState(), LocalBackend(), False, "built-in", None)
    assert told.text == say("not-installed")
