"""What is said of a backend that isn't there, and why Apply is grey."""

from __future__ import annotations

from dataclasses import replace

from palimpsest_client.fields.controls import Form
from palimpsest_client.http.session import SessionState
from palimpsest_client.panel.outcome import Outcome
from palimpsest_client.panel.reason import because
from palimpsest_client.panel.state import PanelState
from palimpsest_client.panel.status import CONNECT, START, LocalBackend, Status, status_of
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


def test_a_reason_that_was_just_told_is_known_by_its_code():
    """Whatever the words, and the same words of something else aren't it."""
    told = Outcome("error", "Sag, was das Bild zeigt.", reason="say-what-it-shows")
    state = PanelState(Status("ready", ""), Form(), cannot_apply=because("say-what-it-shows"), outcome=told)
    assert state.reason == ""
    other = replace(state, outcome=Outcome("error", say("say-what-it-shows"), reason="no-recipe"))
    assert other.reason == say("say-what-it-shows")
