"""The page at ``GET /`` in a real browser: the token opens it, it shows and cancels one's own jobs."""

from __future__ import annotations

import itertools
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
from tiny_task import picture

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
    idle = "found?.checkVisibility() && found.ariaDisabled !== 'true'"
    look = f"const found = {button(text, within)}, ready = {idle}"
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


def watch(page: Browser) -> None:
    """``asked``: every request from now on, as "GET /path"; those with ``held`` in it await ``release``."""
    page.evaluate(
        """
        {
            const { fetch } = window;
            Object.assign(window, { asked: [], held: null, waiting: [] });
            window.release = (error) => waiting.splice(0).forEach((go) => go(error));
            window.fetch = async (path, order) => {
                const said = `${order.method} ${path}`;
                asked.push(said);
                if (held !== null && said.includes(held)) {
                    const error = await new Promise((go) => waiting.push(go));
                    if (error) throw new TypeError(error);
                }
                return fetch(path, order);
            };
        }
        """
    )


def looked_again(page: Browser) -> None:
    """The page has looked at the server at least twice from now on. Needs ``watch``."""
    looks = "asked.filter((said) => said === 'GET /v1/system').length"
    before = page.evaluate(looks)
    eventually(lambda: page.evaluate(looks) >= before + 3, PATIENCE)


def focus(page: Browser, text: str, within: str) -> None:
    eventually(lambda: page.evaluate(f"Boolean({button(text, within)})"), PATIENCE)
    page.evaluate(f"({button(text, within)}).focus()")


def focused(page: Browser) -> str:
    """The key of the item that has the keyboard, and what is said on the button."""
    row = "document.activeElement.closest('li[data-key]')?.dataset.key"
    return page.evaluate(f"`${{{row}}} ${{document.activeElement.textContent}}`")


def ended(server: Any, *ids: str) -> None:
    """Cancelled jobs."""
    for id in ids:
        server.submit(id, "hang")
        server.ask("DELETE", f"/v1/jobs/{id}")
        assert server.follow(id)[-1]["event"] == "cancelled"


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
    image = server.bring(picture(320, 200))
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
    again = [job for job in server.ask("GET", "/v1/jobs").json()["jobs"] if job["origin"].endswith('.kra"}')]
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


def test_enter_renames_and_escape_does_not(page, server):
    assert server.ask("PUT", "/v1/concepts/by-keys", data=embedding()).status_code == 201
    enter(page, TOKENS["anna"])
    for name, key, code in (("not-this", "Escape", 27), ("by-enter", "Enter", 13)):
        press(page, "Rename", row("by-keys", "#concepts"))
        eventually(lambda: page.evaluate("document.activeElement.matches('#question input')"), PATIENCE)
        page.evaluate(f"document.activeElement.value = '{name}'")
        page.press(key, code)
        eventually(lambda: not page.evaluate("document.getElementById('question').open"), PATIENCE)
    shows(page, "<by-enter>")
    assert server.ask("GET", "/v1/concepts/not-this").status_code == 404


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


def test_what_goes_on_is_not_begun_twice_and_keeps_the_keyboard(page, server):
    grouped = '#failures > li[data-key*="3×3"]'
    server.submit("twice-1", "refuse")
    server.follow("twice-1")
    enter(page, TOKENS["anna"])
    focus(page, "Try again", grouped)
    watch(page)
    page.evaluate("held = 'POST /v1/jobs'")
    page.press("Enter", 13)
    eventually(lambda: page.evaluate("waiting.length === 1"), PATIENCE)
    server.submit("twice-2", "refuse")
    server.follow("twice-2")
    shows(page, "2 jobs: The picture is 3×3.")
    assert focused(page).endswith(" Try again")
    page.press("Enter", 13)
    page.evaluate("held = null; release()")
    eventually(lambda: state_of(server, "twice-1") == "forgotten", PATIENCE)
    assert page.evaluate("asked.filter((said) => said === 'POST /v1/jobs').length") == 1
    ids = [job["id"] for job in server.ask("GET", "/v1/jobs").json()["jobs"]]
    for id in (id for id in ids if id.startswith("twice-")):
        server.follow(id)
        server.ask("DELETE", f"/v1/jobs/{id}?forget=true")


def test_the_keyboard_goes_on_to_the_next_where_an_item_is_gone(page, server):
    ended(server, "below", "above")
    enter(page, TOKENS["anna"])
    focus(page, "Remove", row("above"))
    page.press("Enter", 13)
    eventually(lambda: state_of(server, "above") == "forgotten", PATIENCE)
    eventually(lambda: not page.evaluate(f"Boolean(document.querySelector('{row('above')}'))"), PATIENCE)
    assert focused(page) == "below Remove"


def test_what_does_not_change_is_left_alone_while_a_job_goes_on(page, server):
    ended(server, "marked")
    server.submit("goes", order={"steps": 100_000, "pause": 0.02})
    enter(page, TOKENS["anna"])
    shows(page, "Working")
    page.evaluate(f"getSelection().selectAllChildren(document.querySelector('{row('marked')} h3'))")
    marked = page.evaluate("getSelection().toString()")
    assert marked.startswith("replace: ")
    watch(page)
    looked_again(page)
    assert page.evaluate("getSelection().toString()") == marked
    assert page.evaluate("getSelection().anchorNode.isConnected")
    server.ask("DELETE", "/v1/jobs/goes")
    server.follow("goes")


def test_a_press_counts_that_lasts_while_its_item_changes(page, server):
    server.submit("pressed", order={"steps": 100_000, "pause": 0.02})
    enter(page, TOKENS["anna"])
    shows(page, "Working")
    watch(page)
    page.evaluate(f"({button('Cancel', row('pressed'))}).scrollIntoView({{block: 'center'}})")
    box = page.evaluate(f"({button('Cancel', row('pressed'))}).getBoundingClientRect().toJSON()")
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    page.do("Input.dispatchMouseEvent", type="mousePressed", button="left", clickCount=1, **at)
    looked_again(page)
    page.do("Input.dispatchMouseEvent", type="mouseReleased", button="left", clickCount=1, **at)
    assert server.follow("pressed")[-1]["event"] == "cancelled"


def test_a_client_of_a_long_name_keeps_it_when_its_job_is_tried_again(page, server):
    ended(server, "x" * 64)
    enter(page, TOKENS["anna"])
    press(page, "Try again", row("x" * 64))
    eventually(lambda: state_of(server, "x" * 64) == "forgotten", PATIENCE)
    again = [job["id"] for job in server.ask("GET", "/v1/jobs").json()["jobs"]]
    (new,) = [id for id in again if id.startswith("x" * 31 + "-")]
    press(page, "Cancel", row(new))
    assert server.follow(new)[-1]["event"] == "cancelled"


def test_times_are_rounded_as_a_whole(page):
    told = {
        0.04: "0.0 s",
        9.94: "9.9 s",
        9.96: "10 s",
        59.4: "59 s",
        59.7: "1 min 0 s",
        119.7: "2 min 0 s",
        3599.4: "59 min 59 s",
        3599.7: "1 h 0 min",
        7199: "2 h 0 min",
        9000: "2 h 30 min",
    }
    left = {59.4: "59 s left", 59.7: "1 min left", 3569: "59 min left", 3599: "1 h left", 9100: "3 h left"}
    enter(page, TOKENS["anna"])
    shows(page, "Devices")
    values = json.dumps(list(told))
    words = "import('/dashboard/words.js')"
    assert page.evaluate(f"{words}.then(({{duration}}) => {values}.map(duration))") == list(told.values())
    job = "{state: 'running', kind: 'edit', progress: {phase: 'working', seconds_left}}"
    said = f"{json.dumps(list(left))}.map((seconds_left) => progressOf({job}))"
    expected = [f"Working · {time}" for time in left.values()]
    assert page.evaluate(f"{words}.then(({{progressOf}}) => {said})") == expected


def test_after_midnight_a_time_says_its_day(page, server):
    ended(server, "yesterday")
    enter(page, TOKENS["anna"])
    said = f"document.querySelector('{row('yesterday')}')?.innerText ?? ''"
    eventually(lambda: page.evaluate(said), PATIENCE)
    created = server.ask("GET", "/v1/jobs/yesterday").json()["created"]
    day = page.evaluate(f"new Date({created} * 1000).toLocaleDateString()")
    page.evaluate(
        """
        window.Date = class extends Date {
            constructor(...when) { super(...(when.length ? when : [Date.now() + 86_400_000])); }
        }
        """
    )
    eventually(lambda: day in page.evaluate(said), PATIENCE)


def test_what_went_wrong_in_a_dialog_is_still_said_when_it_is_closed(page, server):
    painted(server, "unsaved")
    enter(page, TOKENS["anna"])
    press(page, "Open", row("unsaved"))
    eventually(lambda: page.evaluate("document.querySelector('#viewer .compare') !== null"), PATIENCE)
    watch(page)
    page.evaluate("held = 'GET /v1/images/'")
    press(page, "Download the picture", "#viewer")
    eventually(lambda: page.evaluate("waiting.length === 1"), PATIENCE)
    page.evaluate("held = null; release('broken off')")
    eventually(lambda: page.evaluate("Boolean(document.querySelector('#viewer > #trouble'))"), PATIENCE)
    page.press("Escape", 27)
    seen = "document.querySelector('#house > #trouble')?.checkVisibility() ?? false"
    eventually(lambda: page.evaluate(seen), PATIENCE)


def test_a_picture_that_is_overtaken_says_nothing_of_its_end(page, server):
    painted(server, "overtaken")
    image = server.ask("GET", "/v1/jobs/overtaken").json()["artifacts"]["composite"]
    enter(page, TOKENS["anna"])
    eventually(lambda: page.evaluate(f"Boolean({button('Open', row('overtaken'))})"), PATIENCE)
    watch(page)
    page.evaluate(f"held = '{image}'")
    press(page, "Open", row("overtaken"))
    eventually(lambda: page.evaluate("waiting.length === 1"), PATIENCE)
    choose = "{ choice.value = 'layer'; choice.dispatchEvent(new Event('change')); }"
    page.evaluate(f"{{ const choice = document.querySelector('#viewer select'); {choose} }}")
    shown = "document.querySelector('#viewer .compare .after')?.alt.startsWith('layer of: ') ?? false"
    eventually(lambda: page.evaluate(shown), PATIENCE)
    page.evaluate("release('broken off'); new Promise((done) => setTimeout(done))")
    assert page.evaluate(shown)


def test_nothing_of_ones_own_stays_on_the_page_when_the_token_is_forgotten(page, server):
    secret = "a secret of anna's"
    size = {"width": 320, "height": 200}
    image = server.bring(picture(320, 200))
    server.submit("private", "paint", order=size, request={"image": image, "target_prompt": secret})
    server.follow("private")
    enter(page, TOKENS["anna"])
    press(page, "Open", row("private"))
    eventually(lambda: page.evaluate("document.querySelector('#viewer .compare') !== null"), PATIENCE)
    page.press("Escape", 27)
    eventually(lambda: not page.evaluate("document.getElementById('viewer').open"), PATIENCE)
    press(page, "Remove", row("private"))
    press(page, "Cancel", "#question")
    content = "document.documentElement.outerHTML"
    assert secret in page.evaluate(content)
    page.evaluate("document.getElementById('forget').click()")
    assert secret not in page.evaluate(content)


def test_the_line_is_written_only_when_it_says_something_else(page, server):
    enter(page, TOKENS["anna"])
    shows(page, "Devices")
    watch(page)
    page.evaluate(
        """
        {
            const line = document.getElementById('line');
            window.said = [line.textContent];
            new MutationObserver(() => said.push(line.textContent)).observe(line, { childList: true });
        }
        """
    )
    looked_again(page)
    said = page.evaluate("said")
    assert "running" in said[0]
    assert all(one != later for one, later in itertools.pairwise(said))


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


def test_a_second_press_after_cancel_does_not_try_again(page, server):
    """The button is gone then, and the keyboard is on the job, not on what stands in the button's place."""
    server.submit("once", "hang")
    enter(page, TOKENS["anna"])
    focus(page, "Cancel", row("once"))
    watch(page)
    page.press("Enter", 13)
    eventually(lambda: page.evaluate(f"Boolean({button('Try again', row('once'))})"), PATIENCE)
    assert page.evaluate(f"document.activeElement === document.querySelector('{row('once')}')")
    page.press("Enter", 13)
    looked_again(page)
    assert page.evaluate("asked.filter((said) => said === 'POST /v1/jobs').length") == 0
    assert state_of(server, "once") == "cancelled"


def test_an_answer_to_the_token_before_is_not_shown_to_the_next(page, server):
    """Its owner has left while the page waited for it, and somebody else has come."""
    server.submit("of-anna", "hang")
    enter(page, TOKENS["anna"])
    eventually(lambda: page.evaluate(f"Boolean({button('Cancel', row('of-anna'))})"), PATIENCE)
    watch(page)
    page.evaluate("held = 'GET /v1/system'")
    eventually(lambda: page.evaluate("waiting.length === 1"), PATIENCE)
    page.evaluate("document.getElementById('forget').click()")
    page.evaluate(
        """
        window.owners = [];
        new MutationObserver(() => owners.push(document.getElementById('line').textContent)).observe(
            document.getElementById('line'), { childList: true, characterData: true, subtree: true });
        """
    )
    enter(page, TOKENS["bert"])
    eventually(lambda: page.evaluate("waiting.length === 2"), PATIENCE)  # it asks anew, and waits for neither
    page.evaluate("held = null; release()")
    shows(page, "bert")
    looked_again(page)
    assert not page.evaluate("owners.some((said) => said.includes('anna'))")
    assert not page.evaluate(f"Boolean(document.querySelector('{row('of-anna')}'))")
    server.ask("DELETE", "/v1/jobs/of-anna")
