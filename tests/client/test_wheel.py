"""Turns of a wheel or a touchpad over a slider of GIMP's panel, as whole places."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from palimpsest_client.gimp.wheel import Wheel, notches


@pytest.mark.parametrize(
    ("turns", "places"),
    [
        ([1, 1, -1], [1, 1, -1]),
        ([0.4, 0.4, 0.4, 0.4, 0.4], [0, 0, 1, 0, 1]),
        ([-0.4, -0.4, -0.4], [0, 0, -1]),
        ([0.1] * 10, [0] * 9 + [1]),
        ([2.5, 0.5], [2, 1]),
        ([0.9, -0.9, -0.1], [0, 0, -1]),
        ([0.9, 0, 0.1], [0, 0, 1]),
    ],
    ids=["notches", "a touchpad", "back", "tenths", "fast", "the other way", "a stop between"],
)
def test_parts_of_notches_add_up_to_places(turns, places):
    wheel = Wheel(lambda _: None)
    assert [wheel.places(turn) for turn in turns] == places


@pytest.mark.parametrize(
    ("direction", "right", "down", "turned"),
    [
        ("up", 0, 0, 1),
        ("down", 0, 0, -1),
        ("left", 0, 0, -1),
        ("right", 0, 0, 1),
        ("smooth", 0, 0.25, -0.25),
        ("smooth", 0.25, 0.1, 0.25),
        ("smooth", 0, 0, 0),
    ],
)
def test_up_and_to_the_right_is_more(direction, right, down, turned):
    assert notches(direction, right, down) == turned


def test_nobody_else_moves_the_slider():
    moved = []
    wheel = Wheel(moved.append)
    event = SimpleNamespace(direction=SimpleNamespace(value_nick="smooth"), delta_x=0, delta_y=-0.5)
    assert [wheel.turned(None, event) for _ in range(4)] == [True] * 4
    assert moved == [1, 1]
