"""What is one's own can be removed, by oneself alone; and nobody keeps more than a fair part."""

from __future__ import annotations

import hashlib
import os
import time

import pytest

from api.live import live
from jobs.shop import eventually
from palimpsest.errors import ImageHashError
from palimpsest.storage.owned_images import Retention


@pytest.fixture
def server(tmp_path):
    with live(tmp_path) as server:
        yield server


def done(server, id: str, owner: str = "anna", do: str = "keep") -> dict:
    server.submit(id, owner=owner, order={"do": do})
    server.follow(id, owner)
    return server.ask("GET", f"/v1/jobs/{id}", owner).json()


def forget(server, id: str, owner: str = "anna"):
    return server.ask("DELETE", f"/v1/jobs/{id}?forget=true", owner)


def there(server, image: str, owner: str = "anna") -> bool:
    return server.ask("HEAD", f"/v1/images/{image}", owner).status_code == 200


def files(server) -> list[str]:
    return sorted(
        path.name for path in server.services.owned_images.images.folder.rglob("*") if path.is_file()
    )


def test_a_forgotten_job_goes_with_its_events_and_pictures_and_leaves_nothing(server):
    job = done(server, "mine")
    assert there(server, job["artifacts"]["layer"])
    answer = forget(server, "mine")
    assert (answer.status_code, answer.json()["id"]) == (202, "mine")
    for path in ("", "/events", "/artifacts/layer"):
        assert server.ask("GET", f"/v1/jobs/mine{path}").json()["code"] == "job_not_found"
    assert forget(server, "mine").status_code == 404
    assert files(server) == []
    rows = server.services.database._read("SELECT COUNT(*) FROM events", ())
    assert rows == [(0,)]
    assert done(server, "mine")["state"] == "finished"  # the id is free again


def test_what_another_job_of_ones_own_has_stays(server):
    one, two = done(server, "one"), done(server, "two")
    assert one["artifacts"] == two["artifacts"]
    forget(server, "one")
    assert there(server, two["artifacts"]["layer"])
    assert server.ask("GET", "/v1/jobs/two/artifacts/layer").content == b"a layer"
    forget(server, "two")
    assert files(server) == []


def test_what_somebody_else_has_stays_theirs(server):
    hers, his = done(server, "same"), done(server, "same", "bert")
    layer = hers["artifacts"]["layer"]
    assert layer == his["artifacts"]["layer"]
    forget(server, "same")
    assert not there(server, layer)
    assert there(server, layer, "bert")
    assert server.ask("GET", "/v1/jobs/same/artifacts/layer", "bert").content == b"a layer"
    assert server.ask("GET", "/v1/jobs/same", "bert").json()["state"] == "finished"


def test_a_job_that_has_not_ended_and_its_pictures_are_not_removed(server):
    server.submit("busy", "hang")
    eventually(lambda: server.ask("GET", "/v1/jobs/busy").json()["state"] == "running")
    image = hashlib.sha256(b"a photo").hexdigest()
    answer = forget(server, "busy")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_open")
    answer = server.ask("DELETE", f"/v1/images/{image}")
    assert (answer.status_code, answer.json()["code"]) == (409, "image_in_use")
    assert there(server, image)
    server.ask("DELETE", "/v1/jobs/busy")
    server.follow("busy")
    assert server.ask("DELETE", f"/v1/images/{image}").status_code == 204
    assert not there(server, image)


def test_somebody_elses_job_keeps_nobody_from_removing_ones_own_and_loses_nothing(server):
    image = server.bring(b"a photo", "bert")
    server.submit("busy", "hang")
    eventually(lambda: server.ask("GET", "/v1/jobs/busy").json()["state"] == "running")
    assert server.ask("DELETE", f"/v1/images/{image}", "bert").status_code == 204
    assert not there(server, image, "bert")
    assert there(server, image)
    server.ask("DELETE", "/v1/jobs/busy")
    server.follow("busy")


def test_nobody_removes_what_is_somebody_elses(server):
    job = done(server, "hers")
    layer = job["artifacts"]["layer"]
    assert forget(server, "hers", "bert").json()["code"] == "job_not_found"
    assert server.ask("DELETE", f"/v1/images/{layer}", "bert").json()["code"] == "image_not_found"
    assert there(server, layer)


def test_ones_own_pictures_are_listed_and_nobody_elses(server):
    before = time.time()
    image = server.bring(b"anna's")
    server.bring(b"bert's", "bert")
    told = server.ask("GET", "/v1/images").json()
    assert [(kept["image"], kept["bytes"]) for kept in told["images"]] == [(image, 6)]
    assert before - 1 < told["images"][0]["used"] < time.time() + 1
    assert (told["bytes"], told["most_bytes"]) == (6, 20 << 30)


def refused(answer) -> bool:
    assert answer.status_code in (201, 202, 507), answer.text
    assert answer.status_code != 507 or answer.json()["code"] == "quota_exceeded"
    return answer.status_code == 507


def put(server, content: bytes, owner: str = "anna"):
    return server.ask("PUT", f"/v1/images/{hashlib.sha256(content).hexdigest()}", owner, data=content)


def test_nobody_keeps_more_than_a_fair_part_and_others_lose_nothing_by_it(server):
    server.services.owned_images.quota = 100
    assert not refused(put(server, b"b" * 90, "bert"))
    assert not refused(put(server, b"1" * 60))
    assert refused(put(server, b"2" * 60))
    other = hashlib.sha256(b"3" * 60).hexdigest()
    assert refused(server.ask("PUT", f"/v1/images/{other}", data=iter([b"3" * 60])))  # without a length
    assert refused(server.ask("POST", "/v1/images", data=iter([b"3" * 60])))
    assert server.ask("PUT", f"/v1/images/{hashlib.sha256(b'1' * 60).hexdigest()}", data=b"1" * 60).ok
    assert there(server, hashlib.sha256(b"b" * 90).hexdigest(), "bert")
    server.ask("DELETE", f"/v1/images/{hashlib.sha256(b'1' * 60).hexdigest()}")
    assert not refused(put(server, b"2" * 60))
    assert len(files(server)) == 4  # two pictures, each with its owners


def test_the_longest_unused_of_ones_own_makes_room(server, monkeypatch):
    server.services.owned_images.quota = 100
    old = server.bring(b"1" * 60)
    theirs = server.bring(b"b" * 60, "bert")
    later = time.time() + 7200
    monkeypatch.setattr("palimpsest.storage.owned_images.time.time", lambda: later)
    assert not refused(put(server, b"2" * 60))
    assert not there(server, old)
    assert there(server, theirs, "bert")


@pytest.fixture
def old(server) -> str:
    """A picture that was last used two hours ago; with another like it there would be too much."""
    server.services.owned_images.quota = 100
    image, then = server.bring(b"1" * 60), time.time() - 7200
    os.utime(server.services.owned_images.images.path(image), (then, then))
    server.services.database._connection.execute("UPDATE image_owners SET used = ?", (then,))
    return image


def submit(server, image: str):
    request = {"image": image, "operation": "remove", "source_prompt": '{"do": "steps"}'}
    return server.ask("POST", "/v1/jobs", json={"id": "a", "kind": "edit", "request": request})


def test_a_picture_that_is_said_to_be_there_stays(server, old):
    assert there(server, old)
    assert refused(put(server, b"2" * 60))
    assert not refused(submit(server, old))


def test_a_submission_makes_no_room_by_its_own_picture(server, old):
    server.services.owned_images.quota = 50  # as if results had come meanwhile
    assert refused(submit(server, old))
    assert there(server, old)


@pytest.mark.parametrize("found_by", ["the server", "a worker"])
def test_a_damaged_picture_that_goes_leaves_no_record_of_its_owners(server, found_by):
    image = server.bring(b"a photo")
    path = server.services.owned_images.images.path(image)
    path.write_bytes(b"a phot0")
    if found_by == "the server":
        assert server.ask("GET", f"/v1/images/{image}").json()["code"] == "image_hash"
    else:
        with pytest.raises(ImageHashError):
            server.services.owned_images.images.get(image)
        server.services.owned_images.sweep(Retention(1e9, 10**9))
    assert files(server) == []
    assert not server.services.database.owns_image(image, "anna")
    server.bring(b"a photo")
    assert there(server, image)


def test_results_of_accepted_jobs_are_kept_and_the_next_job_is_refused(server):
    server.bring(b"a photo")
    server.services.owned_images.quota = len(b"a photo") + 3
    job = done(server, "last")
    assert there(server, job["artifacts"]["layer"])
    assert refused(server.submit("next", order={"do": "keep"}))
    assert not refused(server.submit("last", order={"do": "keep"}))  # the same job again
    forget(server, "last")
    assert not refused(server.submit("next", order={"do": "keep"}))
