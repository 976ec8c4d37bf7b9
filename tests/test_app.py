"""The composition: which worker does what, and what is said about models."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

from palimpsest import app
from palimpsest.api.schemas import ModelInfo
from palimpsest.app import NETWORK, ServeOptions, lanes_of, open_services, sweeping
from palimpsest.contract import KINDS
from palimpsest.models.listing import list_models
from palimpsest.models.offers import OFFERS
from palimpsest.settings import read_settings
from palimpsest.storage.owned_images import Retention


def kinds_of(device: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(lane.device, lane.kinds) for lane in lanes_of(device)]


def test_every_kind_of_job_has_a_lane_on_every_choice_of_devices():
    for device in ("auto", "cpu", "cuda:0", "cuda:0,cuda:1"):
        served = {kind for lane in (*lanes_of(device), NETWORK) for kind in lane.kinds}
        assert served == set(KINDS), device
        names = [lane.name for lane in (*lanes_of(device), NETWORK)]
        assert len(set(names)) == len(names)


def test_learning_does_not_keep_edits_waiting_where_it_can_run_beside_them():
    assert [kinds for _, kinds in kinds_of("cpu")][1] == ("learn",)
    first, second = kinds_of("cuda:0,cuda:1")
    assert "learn" not in first[1]
    assert "learn" in second[1]
    assert "learn" in kinds_of("cuda:0")[0][1]


def test_where_one_device_does_both_learning_makes_way_for_edits():
    for device in ("auto", "cuda:0", "mps", "cuda:0,cuda:1"):
        for lane in lanes_of(device):
            assert ("learn" in lane.patient) == ("learn" in lane.kinds), device


def test_models_are_told_with_what_they_can_do_and_what_could_be_had(tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "model_index.json").write_text("{half")
    told = {model["name"]: ModelInfo(**model) for model in list_models(tmp_path)}
    assert told["broken"].details["error"]["code"] == "model_unreadable"
    for offer in OFFERS:
        assert not told[offer.name].installed
        assert told[offer.name].details["licence"]


def test_an_unreadable_list_of_jobs_is_told_and_the_rest_goes_on(tmp_path):
    settings = read_settings({"PALIMPSEST_HOME": str(tmp_path)})
    settings.folders.database.parent.mkdir(parents=True)
    settings.folders.database.write_bytes(b"garbage" * 1000)
    services = open_services(settings, ServeOptions(), {"local": "t" * 32})
    assert "moved to" in services.notices[0]
    assert json.dumps(services.models())
    services.database.close()


def test_sweeping_goes_on_until_its_end_and_then_nothing_uses_the_stores(tmp_path, monkeypatch):
    settings = read_settings({"PALIMPSEST_HOME": str(tmp_path)})
    monkeypatch.setattr(app, "SWEEP_SECONDS", 0.0)
    services = open_services(settings, ServeOptions(), {"local": "t" * 32})
    assert "sweep" not in threads()
    swept, again = [], threading.Event()

    def sweep(keep: Retention, ended: Callable[[], bool]) -> int:
        swept.append(keep)
        if len(swept) > 1:
            again.set()
        return 0

    monkeypatch.setattr(services.owned_images, "sweep", sweep)
    keep = Retention(60.0, 1 << 30)
    with sweeping(settings.folders, services.database, services.owned_images, keep):
        assert again.wait(60)
    assert "sweep" not in threads()
    assert set(swept) == {keep}
    services.database.close()


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate()]
