"""The documentation is complete: every route, event, setting, option and error code is in it, and is real."""

from __future__ import annotations

import argparse
import dataclasses
import re
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from palimpsest import errors
from palimpsest.api import concepts, pictures, routes
from palimpsest.cli import serve
from palimpsest.contract import KINDS
from palimpsest.jobs.events import EVENTS
from palimpsest.models.download import OFFLINE
from palimpsest.settings import PREFIX, Settings

DOCS = Path(__file__).parent.parent / "docs"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def table(text: str) -> dict[str, list[str]]:
    """First column (its code span) → the other columns, of every table row of a page."""
    rows = re.findall(r"^\| `([^`]+)`.*?\|(.*)\|$", text, re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in rows}


def test_every_route_is_described_and_no_other():
    described = set(re.findall(r"^\| `([A-Z]+ /v1[^`]*)`", page("http-api.md"), re.MULTILINE))
    there = {
        f"{method} /v1{route.path}"
        for router in (routes.public, routes.router, pictures.router, concepts.router)
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    assert described == there


def test_every_kind_of_job_is_named():
    for kind in KINDS:
        assert f"`{kind}`" in page("http-api.md"), kind


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_is_described_with_its_fields(name):
    fields = {field.name for field in dataclasses.fields(EVENTS[name])}
    told = table(page("events.md"))
    assert set(told) == set(EVENTS)
    assert set(re.findall(r"`(\w+)`", told[name][0])) == fields


def test_every_error_code_is_described_with_its_status():
    told = table(page("errors.md"))
    known = {
        cls.code: cls.status
        for cls in vars(errors).values()
        if isinstance(cls, type) and issubclass(cls, errors.PalimpsestError)
    }
    assert {code: int(cells[0]) for code, cells in told.items()} == known


def test_every_setting_is_described_and_no_other():
    told = set(re.findall(r"`(PALIMPSEST_\w+)", page("settings.md")))
    fields = {
        PREFIX + field.name.upper() for field in dataclasses.fields(Settings) if field.name != "folders"
    }
    assert told == fields | {"PALIMPSEST_HOME", "PALIMPSEST_OFFLINE"}
    for name in OFFLINE:
        assert name in page("settings.md")


def test_the_defaults_of_whole_numbers_are_the_real_ones():
    told = table(page("settings.md"))
    for field in dataclasses.fields(Settings):
        cells = told.get(PREFIX + field.name.upper())
        if cells is not None and isinstance(field.default, int):
            number, _, unit = cells[0].partition(" ")
            assert int(number) << (30 if unit == "GiB" else 0) == field.default, field.name


def test_every_option_of_serve_is_described():
    commands = argparse.ArgumentParser().add_subparsers()
    serve.add_parser(commands)
    options = re.findall(r"--[a-z-]+", commands.choices["serve"].format_help())
    described = set(re.findall(r"^\| `(--[a-z-]+)", page("headless.md"), re.MULTILINE))
    assert described == set(options) - {"--help"}
