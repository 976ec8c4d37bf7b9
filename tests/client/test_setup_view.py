"""What a panel without a backend shows, and what a press does: with stand-ins for uv and the index."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from client.desk import Desk
from client.paper import Paper, found, visible
from client.scripted import Backend
from client.setup_bench import Bench, setup_bench
from palimpsest_client.setup import state as setting_up
from palimpsest_client.views.panel_view import PanelView
from palimpsest_client.views.setup_view import SetupWindow
from palimpsest_client.views.windows import Windows

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in for uv is a script")


class Newcomer:
    """A panel of an editor in which only the plug-in was put."""

    def __init__(self, bench: Bench, backend: Backend) -> None:
        self.bench, self.desk, self.paper = bench, Desk(bench.folder, backend), Paper()
        panel = self.desk.panel
        self.setup = panel.backend.setup
        self.windows = Windows(panel, self.desk.editor, self.paper, lambda word: None)
        self.view = PanelView(panel, self.windows, self.paper, lambda word: None)
        panel.start()

    def offers(self) -> list[str]:
        return [offer.text for offer in self.desk.state.status.offers]

    def until(self, holds) -> None:
        self.desk.until(holds)

    def press(self, key: str) -> None:
        found(self.view.describe(), key).do()

    @property
    def window(self) -> SetupWindow:
        window = self.paper.opened[-1]
        assert isinstance(window, SetupWindow)
        return window

    def seen(self) -> dict:
        return {part.key: part for part in visible(self.window.describe())}


@pytest.fixture
def bench(tmp_path, monkeypatch):
    with setup_bench(tmp_path, monkeypatch) as bench:
        monkeypatch.setenv("UV_DEFAULT_INDEX", bench.index.address)
        monkeypatch.setattr(setting_up, "find_bundle", lambda _: bench.bundle)
        monkeypatch.setattr(setting_up, "this_home", lambda: bench.home)
        monkeypatch.setattr(setting_up, "build_for", lambda _: "cpu")
        yield bench.with_uv()


@pytest.fixture
def newcomer(bench):
    made = Newcomer(bench, Backend(down=True))
    made.until(lambda state: state.document is not None)
    yield made
    made.desk.panel.stop()


def test_without_a_backend_the_panel_offers_to_set_one_up(newcomer):
    state = newcomer.desk.state
    assert state.status.text.startswith("The backend isn't installed here yet: set it up")
    assert newcomer.offers() == ["Set up the backend…", "Connect to another computer…"]
    assert state.cannot_apply == state.status.text
    newcomer.press("status-offers-setup")
    seen = newcomer.seen()
    assert str(newcomer.bench.home.place) in seen["setup-costs"].text
    assert seen["setup-build"].chosen == "cpu"
    assert seen["setup-index"].text == newcomer.bench.index.address
    assert "setup-remove" not in seen
    assert newcomer.bench.calls() == []  # nothing begins before people say so


def test_a_press_sets_it_up_and_then_it_is_started(newcomer):
    newcomer.press("status-offers-setup")
    newcomer.seen()["setup-begin"].do()
    assert newcomer.desk.state.status.kind == "busy"
    assert newcomer.offers() == ["Show"]
    newcomer.until(lambda state: not state.setup.running)
    assert newcomer.desk.state.setup.message == "The backend is set up."
    assert newcomer.desk.state.status.text == "Starting the backend…"
    seen = newcomer.seen()
    assert seen["setup-begin"].text == "Repair"
    assert "setup-costs" not in seen
    newcomer.until(lambda state: state.status.text != "Starting the backend…")  # the stand-in is no backend
    assert "Repair the backend…" in newcomer.offers()


def test_it_is_cancelled_where_its_progress_is_shown(newcomer):
    newcomer.bench.order(hang="torch")
    newcomer.press("status-offers-setup")
    newcomer.seen()["setup-begin"].do()
    newcomer.until(lambda state: state.setup.text.startswith("Fetching PyTorch"))
    assert newcomer.desk.state.status.text == newcomer.desk.state.setup.text
    assert newcomer.desk.state.cannot_apply == newcomer.desk.state.setup.text
    seen = newcomer.seen()
    assert {"setup-bar", "setup-cancel"} <= set(seen)
    assert not seen["setup-begin"].enabled
    assert not seen["setup-index"].enabled
    seen["setup-cancel"].do()
    newcomer.until(lambda state: not state.setup.running)
    seen = newcomer.seen()
    assert seen["setup-told"].text.startswith("Cancelled.")
    assert seen["setup-begin"].text == "Go on"
    assert "setup-bar" not in seen
    assert newcomer.offers() == ["Set up the backend…", "Connect to another computer…"]


def test_a_wrong_mirror_is_mended_where_it_is_said(newcomer):
    (newcomer.bench.programs / "uv").unlink()
    newcomer.bench.index.status = 404
    newcomer.press("status-offers-setup")
    newcomer.seen()["setup-begin"].do()
    newcomer.until(lambda state: not state.setup.running)
    assert "doesn't serve this" in newcomer.seen()["setup-told"].text
    newcomer.seen()["setup-index"].write("http://127.0.0.1:9/simple")
    assert "setup-told" not in newcomer.seen()
    assert newcomer.desk.state.setup.index == "http://127.0.0.1:9/simple"


def test_closing_the_panel_ends_what_runs(newcomer):
    newcomer.bench.order(hang="runtime")
    newcomer.setup.begin()
    newcomer.until(lambda state: state.setup.text.startswith("Fetching the libraries"))
    newcomer.desk.panel.stop()
    newcomer.until(lambda state: not state.setup.running)
    assert newcomer.desk.state.setup.kind == "incomplete"


def test_a_newer_plugin_offers_an_update_beside_a_backend_that_runs(bench):
    bench.done()
    bench.bundle = bench.bring("0.2.0")
    made = Newcomer(bench, Backend())
    made.until(lambda state: state.status.kind == "ready")
    assert "Update the backend…" in made.offers()
    made.desk.panel.stop()


def test_a_record_of_a_backend_that_is_gone_keeps_nobody_from_a_setup(newcomer):
    record = newcomer.bench.folder / "launch.json"
    record.write_text('{"command": ["/gone/python", "-m", "palimpsest"]}')
    newcomer.until(lambda _: newcomer.offers()[:1] == ["Start it"])
    newcomer.press("status-offers-start")
    newcomer.until(lambda _: "Set up the backend…" in newcomer.offers())


def test_nothing_is_removed_unless_it_is_meant(bench):
    bench.done()
    made = Newcomer(bench, Backend(down=True))
    made.until(lambda state: state.document is not None)
    made.windows.settings()
    settings = found(made.paper.opened[-1].describe(), "setup")
    assert settings.shown
    settings.do()
    made.seen()["setup-remove"].do()
    assert not made.desk.state.setup.running
    made.paper.answer = "yes"
    made.seen()["setup-remove"].do()
    made.until(lambda state: not state.setup.running)
    assert made.desk.state.setup.kind == "absent"
    made.until(lambda _: made.offers()[:1] == ["Set up the backend…"])
    made.desk.panel.stop()


def test_where_nothing_was_brought_along_nothing_is_offered(tmp_path, monkeypatch):
    monkeypatch.setattr(setting_up, "find_bundle", lambda _: None)
    made = Newcomer(SimpleNamespace(folder=tmp_path), Backend(down=True))  # pyright: ignore
    made.until(lambda state: state.document is not None)
    assert made.offers() == ["Connect to another computer…"]
    made.windows.settings()
    assert not found(made.paper.opened[-1].describe(), "setup").shown
    made.desk.panel.stop()
