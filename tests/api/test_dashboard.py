"""The page at ``GET /`` in a real browser: the token opens it, it shows and cancels one's own jobs."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from api.browser import CHROMIUM, Browser, browsing
from api.embeddings import embedding
from api.live import TOKENS, live
from jobs.shop import eventually
from palimpsest.api import dashboard
from workplaces import picture

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


@pytest.fixture
def downloads(page, tmp_path) -> Path:
    folder = tmp_path / "downloads"
    page.do("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    return folder


def button(text: str, within: str = "body") -> str:
    """The first button of this text, as an expression."""
    wanted = json.dumps(text)
    return f"[...document.querySelectorAll('{within} button')].find((one) => one.textContent === {wanted})"


def press(page: Browser, text: str, within: str = "body") -> None:
    """Looked at and clicked at once: between the two the page may draw the button anew."""
    look = f"const found = {button(text, within)}, ready = found?.checkVisibility() && !found.disabled"
    pressed = f"(() => {{ {look}; if (ready) found.click(); return ready }})()"
    eventually(lambda: page.evaluate(pressed), PATIENCE)


def row(key: str, within: str = "#jobs") -> str:
    """A selector of one item of a list."""
    return f'{within} > li[data-key="{key}"]'


def state_of(server: Any, id: str) -> str:
    return server.ask("GET", f"/v1/jobs/{id}").json().get("state", "forgotten")


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
    press(page, "Cancel", row("long"))
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


def painted(server: Any, id: str, origin: str = "") -> None:
    """A finished edit of a photo that can be seen."""
    size = {"width": 320, "height": 200}
    image = server.bring(picture(**size))
    assert server.submit(id, "paint", order=size, request={"image": image}, origin=origin).status_code == 202
    assert server.follow(id)[-1]["event"] == "finished"


def saved(folder: Path, name: str) -> bytes:
    return eventually(lambda: (folder / name).is_file() and (folder / name).read_bytes(), PATIENCE)


def test_a_job_says_its_picture_and_its_times(page, server):
    painted(server, "timed", origin=json.dumps({"name": f"{MARKUP}cat.png"}))
    enter(page, TOKENS["anna"])
    eventually(lambda: page.evaluate(f"document.querySelector('{row('timed')}') !== null"), PATIENCE)
    said = page.evaluate(f"document.querySelector('{row('timed')}').innerText")
    assert f"{MARKUP}cat.png" in said
    assert "waited" in said
    assert "took" in said
    told = server.ask("GET", "/v1/jobs/timed").json()
    assert told["created"] <= told["started"] <= told["updated"]


def test_a_result_is_compared_by_the_keyboard_and_downloaded_with_its_recipe(page, server, downloads):
    painted(server, "seen", origin=json.dumps({"name": "holiday.jpg"}))
    enter(page, TOKENS["anna"])
    press(page, "Open", row("seen"))
    both = "document.querySelectorAll('#viewer .compare img').length === 2"
    eventually(lambda: page.evaluate(both), PATIENCE)
    shows(page, "Pixels changed outside", "3 pixels", "Before", "After")
    edge = "getComputedStyle(document.querySelector('#viewer .compare')).getPropertyValue('--at')"
    assert page.evaluate(edge) == "50%"
    page.evaluate("document.querySelector('#viewer input[type=range]').focus()")
    page.press("ArrowRight", 39)
    assert page.evaluate(edge) == "51%"
    press(page, "Download the picture", "#viewer")
    composite = server.ask("GET", "/v1/jobs/seen/artifacts/composite").content
    assert saved(downloads, "holiday-replace-composite.png") == composite
    press(page, "Download the recipe", "#viewer")
    record = json.loads(saved(downloads, "holiday-replace.json"))
    assert record["recipe"] == {"kind": "edit"}
    assert record["artifacts"]["layer"] == "holiday-replace-layer.png"
    page.press("Escape", 27)
    eventually(lambda: not page.evaluate("document.getElementById('viewer').open"), PATIENCE)


def test_failures_are_grouped_tried_again_and_dismissed(page, server):
    for id in ("krita-1", "krita-2"):
        server.submit(id, "refuse", origin=f'{{"name": "{id}.kra"}}')
        server.follow(id)
    server.submit("other", "stumble")
    server.follow("other")
    enter(page, TOKENS["anna"])
    shows(page, "2 jobs: The picture is 3×3.", "Use a larger one.", "image_too_small")
    assert page.evaluate("document.querySelectorAll('#failures > li').length") == 2
    grouped = "#failures > li:has(details)"
    press(page, "Try again", grouped)
    eventually(lambda: state_of(server, "krita-1") == state_of(server, "krita-2") == "forgotten", PATIENCE)
    again = [
        job for job in server.ask("GET", "/v1/jobs").json()["jobs"] if job["origin"].endswith('.kra"}')
    ]
    assert {job["origin"] for job in again} == {'{"name": "krita-1.kra"}', '{"name": "krita-2.kra"}'}
    assert all(job["id"].startswith("krita-") for job in again)
    for job in again:
        server.follow(job["id"])
    said = f"document.querySelector('{grouped}')?.dataset.said ?? ''"
    eventually(lambda: all(job["id"] in page.evaluate(said) for job in again), PATIENCE)
    press(page, "Dismiss", grouped)
    eventually(lambda: all(state_of(server, job["id"]) == "forgotten" for job in again), PATIENCE)
    eventually(lambda: "3×3" not in text(page), PATIENCE)
    assert state_of(server, "other") == "failed"


def test_what_could_not_be_done_is_said_until_it_is_dismissed(page, server):
    server.submit("gone", "hang")
    enter(page, TOKENS["anna"])
    press(page, "Cancel", row("gone"))
    server.follow("gone")
    eventually(lambda: page.evaluate(f"Boolean({button('Try again', row('gone'))})"), PATIENCE)
    for kept in server.ask("GET", "/v1/images").json()["images"]:
        server.ask("DELETE", f"/v1/images/{kept['image']}")
    press(page, "Try again", row("gone"))
    eventually(lambda: page.evaluate("document.getElementById('trouble').checkVisibility()"), PATIENCE)
    assert state_of(server, "gone") == "cancelled"
    press(page, "Dismiss", "#trouble")
    assert not page.evaluate("document.getElementById('trouble').checkVisibility()")


def test_a_concept_is_renamed_and_deleted_only_when_that_is_confirmed(page, server):
    for name in ("first", "foreign"):
        owner = "bert" if name == "foreign" else "anna"
        assert server.ask("PUT", f"/v1/concepts/{name}", owner, data=embedding()).status_code == 201
    enter(page, TOKENS["anna"])
    press(page, "Rename", row("first", "#concepts"))
    page.evaluate("document.querySelector('#question input').value = 'second'")
    press(page, "Rename", "#question")
    shows(page, "<second>")
    press(page, "Delete", row("second", "#concepts"))
    press(page, "Cancel", "#question")
    assert server.ask("GET", "/v1/concepts/second").status_code == 200
    press(page, "Delete", row("second", "#concepts"))
    press(page, "Delete", "#question")
    eventually(lambda: server.ask("GET", "/v1/concepts/second").status_code == 404, PATIENCE)
    assert not page.evaluate(f"Boolean({button('Delete', row('foreign', '#concepts'))})")


def test_a_model_is_downloaded_from_its_row_and_its_progress_seen(page, server):
    enter(page, TOKENS["anna"])
    press(page, "Download", row("endless", "#models"))
    shows(page, "Download An endless one?", "2.0 GiB", "Free to use")
    press(page, "Download", "#question")
    progress = f"document.querySelector('{row('endless', '#models')} progress') !== null"
    eventually(lambda: page.evaluate(progress), PATIENCE)
    press(page, "Cancel", row("endless", "#models"))
    eventually(lambda: not page.evaluate(progress), PATIENCE)


def test_the_keyboard_stays_where_it_is_while_a_job_goes_on(page, server):
    server.submit("held", order={"steps": 100_000, "pause": 0.02})
    enter(page, TOKENS["anna"])
    eventually(lambda: page.evaluate(f"Boolean({button('Cancel', row('held'))})"), PATIENCE)
    page.evaluate(f"({button('Cancel', row('held'))}).focus()")
    said = f"document.querySelector('{row('held')}').innerText"
    before = page.evaluate(said)
    eventually(lambda: page.evaluate(said) != before, PATIENCE)
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("Cancel: replace")
    page.press("Enter", 13)
    assert server.follow("held")[-1]["event"] == "cancelled"


@pytest.mark.parametrize("width", [320, 390, 1100])
def test_nothing_is_wider_than_the_window(page, server, width):
    painted(server, f"wide-{width}", origin=json.dumps({"name": "x" * 90 + ".png"}))
    page.emulate(width, 700)
    enter(page, TOKENS["anna"])
    press(page, "Open", row(f"wide-{width}"))
    eventually(lambda: page.evaluate("document.querySelector('#viewer .compare') !== null"), PATIENCE)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    inside = "(({scrollWidth, clientWidth}) => scrollWidth - clientWidth)(document.getElementById('viewer'))"
    assert page.evaluate(inside) == 0


def test_no_markup_is_made_from_text():
    """Whatever the server says is put in as text."""
    folder = Path(dashboard.__file__).parents[1] / "dashboard"
    scripts = {path.name for path in folder.glob("*.js")}
    assert scripts == {name for name in dashboard.TYPES if name.endswith(".js")}
    makers = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|ContextualFragment|eval\("
    assert [name for name in scripts if re.search(makers, (folder / name).read_text(encoding="utf-8"))] == []
