"""The page at ``GET /`` in a real browser: the token opens it, it shows and cancels one's own jobs."""

from __future__ import annotations

import json
import os

import pytest

from api.browser import CHROMIUM, Browser, browsing
from api.embeddings import embedding
from api.live import TOKENS, live
from jobs.shop import eventually

REQUIRED = os.environ.get("PALIMPSEST_REQUIRE_EDITORS") == "1"
pytestmark = pytest.mark.skipif(CHROMIUM is None and not REQUIRED, reason="needs Chromium")
MARKUP = "<img src=x onerror=document.title='broken'>"
PATIENCE = 120.0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with live(tmp_path_factory.mktemp("server"), notices=("The disk is old.",)) as server:
        yield server


@pytest.fixture
def page(server, tmp_path):
    with browsing(tmp_path) as browser:
        browser.do("Page.navigate", url=server.address + "/")
        yield browser


def text(page: Browser) -> str:
    return page.evaluate("document.body.innerText")


def shows(page: Browser, *words: str) -> None:
    eventually(lambda: all(word in text(page) for word in words), PATIENCE)


def enter(page: Browser, token: str) -> None:
    eventually(lambda: page.evaluate("document.getElementById('door')?.checkVisibility() ?? false"), PATIENCE)
    page.evaluate(f"document.getElementById('token').value = {json.dumps(token)}")
    page.evaluate("document.querySelector('#door button').click()")


def test_without_the_token_nothing_is_shown(page, server):
    enter(page, "wrong" * 8)
    shows(page, "not the server's token")
    assert "Devices" not in text(page)
    enter(page, TOKENS["anna"])
    shows(page, "Devices", "main", "anna", "The disk is old.")
    page.evaluate("document.getElementById('forget').click()")
    shows(page, "Token")
    assert "Devices" not in text(page)
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0


def test_jobs_are_seen_as_they_go_and_cancelled(page, server):
    server.submit("quick")
    server.follow("quick")
    server.submit("long", order={"steps": 100_000, "pause": 0.02}, request={"target_prompt": MARKUP})
    server.submit("berts", owner="bert", request={"target_prompt": "a secret of bert's"})
    enter(page, TOKENS["anna"])
    shows(page, "Working", " of 100000", "Done.", MARKUP)
    assert "secret" not in text(page)
    assert page.evaluate("document.title") == "Palimpsest"
    page.evaluate("document.querySelector('#jobs button').click()")
    shows(page, "Cancelled.")
    assert server.follow("long")[-1]["event"] == "cancelled"


def test_concepts_and_models_are_listed(page, server):
    assert server.ask("PUT", "/v1/concepts/my-toy", data=embedding()).status_code == 201
    enter(page, TOKENS["anna"])
    shows(page, "<my-toy>", "built-in")


def test_nothing_is_loaded_from_elsewhere_or_refused_by_its_own_policy(page, server):
    enter(page, TOKENS["anna"])
    shows(page, "Devices")
    loaded = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert loaded
    assert all(name.startswith(server.address) for name in loaded)
