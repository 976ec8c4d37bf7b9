"""The concept library over HTTP: files are judged, lists always answer, words stay their owners'."""

from __future__ import annotations

import json
import pickle
import sys

import pytest

from api.embeddings import embedding, with_adapters
from api.live import live
from jobs.shop import eventually
from palimpsest.storage.embedding_file import MOST_WITH_ADAPTERS


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with live(tmp_path_factory.mktemp("server")) as server:
        yield server


def test_a_concept_goes_in_is_renamed_comes_out_and_goes(server):
    put = server.ask("PUT", "/v1/concepts/my-toy", data=embedding())
    assert put.status_code == 201, put.text
    assert (put.json()["family"], put.json()["vectors"], put.json()["thumbnail"]) == ("sd1", 1, False)
    again = server.ask("PUT", "/v1/concepts/my-toy", data=embedding(0.1))
    assert (again.status_code, again.json()["code"]) == (409, "concept_exists")
    renamed = server.ask("PATCH", "/v1/concepts/my-toy", json={"name": "other"}).json()
    assert renamed["rows_hash"] == put.json()["rows_hash"]
    assert [card["name"] for card in server.ask("GET", "/v1/concepts").json()["concepts"]] == ["other"]
    exported = server.ask("GET", "/v1/concepts/other/file")
    assert exported.content[-3072:] == embedding()[-3072:]
    lora = server.ask("GET", "/v1/concepts/other/file?part=lora")
    assert (lora.status_code, "without detail" in lora.json()["message"]) == (422, True)
    assert server.ask("GET", "/v1/concepts/other/file?part=embedding").content == exported.content
    assert server.ask("GET", "/v1/concepts/other/file?part=half").status_code == 400
    assert server.ask("GET", "/v1/concepts/other/thumbnail").json()["code"] == "artifact_not_found"
    assert server.ask("DELETE", "/v1/concepts/other").status_code == 204
    assert server.ask("GET", "/v1/concepts/other").json()["code"] == "concept_not_found"


def test_a_concept_with_detail_goes_in_as_large_as_the_library_takes_it(server):
    """Adapters of rank 8 for SDXL have 46 MB."""
    content = with_adapters(18)
    assert len(content) > 16 << 20
    put = server.ask("PUT", "/v1/concepts/detailed", data=content)
    assert (put.status_code, put.json().get("rank")) == (201, 8), put.text
    assert server.services.limits.concept_bytes == MOST_WITH_ADAPTERS
    server.ask("DELETE", "/v1/concepts/detailed")


@pytest.mark.parametrize("content", [b"", b"nonsense", pickle.dumps({"a": 1}), embedding()[:-100]])
def test_a_file_that_is_no_embedding_is_refused(server, content):
    answer = server.ask("PUT", "/v1/concepts/broken", data=content)
    assert (answer.status_code, answer.json()["code"]) == (422, "concept_file")
    assert server.ask("GET", "/v1/concepts/broken").status_code == 404


@pytest.mark.parametrize("content", [pickle.dumps({"a": 1}), b"PK\x03\x04" + bytes(100)])
def test_a_pickled_upload_names_no_place_on_the_server(server, content):
    told = server.ask("PUT", "/v1/concepts/broken", data=content).json()
    assert told["code"] == "concept_file"
    assert "pickled" in told["message"]
    assert str(server.services.scratch) not in json.dumps(told)
    assert sys.executable not in json.dumps(told)
    assert "palimpsest concepts import FILE" in told["hint"]


@pytest.mark.parametrize("name", ["..%2fx", "A b", "con", "x" * 65, "%00"])
def test_a_name_that_cannot_be_is_refused(server, name):
    for method in ("GET", "DELETE"):
        assert server.ask(method, f"/v1/concepts/{name}").status_code in (404, 422)


def test_a_concept_that_a_job_uses_stays(server):
    server.ask("PUT", "/v1/concepts/used", data=embedding())
    server.submit("user", "hang", request={"target_prompt": "a photo of <used>"})
    eventually(lambda: server.ask("GET", "/v1/jobs/user").json()["state"] == "running")
    for method, body in [("DELETE", None), ("PATCH", {"name": "gone"})]:
        answer = server.ask(method, "/v1/concepts/used", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "concept_in_use")
    server.ask("DELETE", "/v1/jobs/user")
    server.follow("user")
    assert server.ask("DELETE", "/v1/concepts/used").status_code == 204


NEST = '{"provenance": {"settings": ' + '{"a":' * 100 + "1" + "}" * 102
HOSTILE = {
    "half a character": '{"noun": "\\ud800"}',
    "half a character in the provenance": '{"provenance": {"model": "\\ud800"}}',
    "a nest": NEST,
    "a nest of lists": '{"thumbnail": ' + "[" * 100_000,
    "a long noun": json.dumps({"noun": "x" * 100_000}),
    "a noun that is none": '{"noun": {"a": 1}}',
    "a long family": json.dumps({"family": "x" * 10_000}),
    "a family that is none": '{"family": 5}',
    "a long number": '{"provenance": {"seed": ' + "9" * 4000 + "}}",
    "NaN": '{"provenance": {"seed": NaN}}',
    "a list": "[]",
    "twice": '{"noun": "a", "noun": "b"}',
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_would_break_the_list_is_refused_when_it_comes(server, what):
    answer = server.ask("PUT", "/v1/concepts/hostile", data=embedding(described=HOSTILE[what]))
    assert (answer.status_code, answer.json()["code"]) == (422, "concept_file")
    assert server.ask("GET", "/v1/concepts").status_code == 200
    assert server.ask("GET", "/v1/concepts/hostile").status_code == 404


def test_a_header_that_is_mostly_words_is_refused(server):
    answer = server.ask("PUT", "/v1/concepts/hostile", data=embedding(described="x" * (15 << 20)))
    assert (answer.status_code, answer.json()["code"]) == (422, "concept_file")


@pytest.mark.parametrize("what", [*HOSTILE, "a folder", "cut", "unknown widths"])
def test_a_list_always_answers_and_names_what_it_left_out(server, what):
    """However it came into the folder."""
    server.ask("PUT", "/v1/concepts/good", data=embedding())
    place = server.services.concepts.folder / "bad.safetensors"
    if what == "cut":
        place.write_bytes(embedding()[:40])
    elif what == "unknown widths":
        place.write_bytes(embedding().replace(b"[1, 768]", b"[2, 384]"))
    elif what != "a folder":
        place.write_bytes(embedding(described=HOSTILE[what]))
    else:
        place.mkdir()
    told = server.ask("GET", "/v1/concepts").json()
    assert [card["name"] for card in told["concepts"]] == ["good"]
    if what == "a folder":
        place.rmdir()
        return
    assert [left["name"] for left in told["left_out"]] == ["bad"]
    assert "bad.safetensors" in told["left_out"][0]["message"]
    assert server.ask("GET", "/v1/concepts/bad").status_code == 422
    assert server.ask("DELETE", "/v1/concepts/bad", "bert").json()["code"] == "concept_owned"
    assert server.services.concepts.folder.exists()
    place.unlink()


def use(server, word: str, id: str) -> None:
    server.submit(id, "hang", request={"target_prompt": f"a photo of <{word}>"})
    eventually(lambda: server.ask("GET", f"/v1/jobs/{id}").json()["state"] == "running")


def end(server, id: str) -> None:
    server.ask("DELETE", f"/v1/jobs/{id}")
    server.follow(id)


def learn(server, id: str, owner: str = "anna", **rest):
    images = [server.bring(bytes([number]), owner) for number in range(3)]
    request = {"name": "worn", "images": images, "noun": "endless", **rest}
    return server.ask("POST", "/v1/jobs", owner, json={"id": id, "kind": "learn", "request": request})


def test_a_concept_that_a_job_uses_is_not_replaced_either(server):
    server.ask("PUT", "/v1/concepts/worn", data=embedding())
    use(server, "worn", "wearer")
    for owner in ("anna", "bert"):
        answer = server.ask("PUT", "/v1/concepts/worn?replace=true", owner, data=embedding(0.1))
        assert (answer.status_code, answer.json()["code"]) == (409, "concept_in_use")
    answer = learn(server, "again", replace=True)
    assert (answer.status_code, answer.json()["code"]) == (409, "concept_in_use")
    assert server.ask("GET", "/v1/concepts/worn/file").content[-3072:] == embedding()[-3072:]
    end(server, "wearer")
    assert server.ask("PUT", "/v1/concepts/worn?replace=true", data=embedding(0.1)).status_code == 201
    assert server.ask("DELETE", "/v1/concepts/worn").status_code == 204


def test_everybody_uses_a_concept_and_its_owner_alone_changes_it(server):
    put = server.ask("PUT", "/v1/concepts/hers", data=embedding()).json()
    assert put["owner"] == "anna"
    assert server.ask("GET", "/v1/concepts/hers", "bert").json() == put
    tries = [
        server.ask("PUT", "/v1/concepts/hers?replace=true", "bert", data=embedding(0.1)),
        server.ask("PATCH", "/v1/concepts/hers", "bert", json={"name": "his"}),
        server.ask("DELETE", "/v1/concepts/hers", "bert"),
        learn(server, "steal", "bert", name="hers", replace=True),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in tries] == [(403, "concept_owned")] * 4
    assert server.ask("GET", "/v1/concepts/hers").json() == put
    renamed = server.ask("PATCH", "/v1/concepts/hers", json={"name": "still-hers"}).json()
    assert renamed["owner"] == "anna"
    exported = server.ask("GET", "/v1/concepts/still-hers/file", "bert").content
    assert b"anna" not in exported
    taken = server.ask("PUT", "/v1/concepts/his", "bert", data=exported).json()
    assert taken["owner"] == "bert"
    server.ask("DELETE", "/v1/concepts/his", "bert")
    server.ask("DELETE", "/v1/concepts/still-hers")


def test_a_concept_that_is_learned_on_is_not_changed_meanwhile(server):
    server.ask("PUT", "/v1/concepts/begun", data=embedding())
    assert learn(server, "on", name="begun-more", start="begun").status_code == 202
    tries = [
        server.ask("PUT", "/v1/concepts/begun?replace=true", data=embedding(0.1)),
        server.ask("DELETE", "/v1/concepts/begun"),
        learn(server, "itself", name="begun", start="begun", replace=True),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in tries] == [(409, "concept_in_use")] * 3
    end(server, "on")
    assert server.ask("DELETE", "/v1/concepts/begun").status_code == 204


def test_a_name_that_somebody_learns_is_not_taken_meanwhile(server):
    server.ask("PUT", "/v1/concepts/other", "bert", data=embedding())
    assert learn(server, "slow", name="coming").status_code == 202
    tries = [
        server.ask("PUT", "/v1/concepts/coming", "bert", data=embedding()),
        server.ask("PATCH", "/v1/concepts/other", "bert", json={"name": "coming"}),
        learn(server, "too", "bert", name="coming"),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in tries] == [(409, "concept_in_use")] * 3
    assert learn(server, "slow", name="coming").status_code == 202  # the same job again
    end(server, "slow")
    assert server.ask("PUT", "/v1/concepts/coming", "bert", data=embedding()).status_code == 201
    for name in ("coming", "other"):
        server.ask("DELETE", f"/v1/concepts/{name}", "bert")


def test_import_export_and_renaming_start_no_process(server, monkeypatch):
    def no_process(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    with monkeypatch.context() as patch:
        patch.setattr("subprocess.Popen", no_process)
        assert server.ask("PUT", "/v1/concepts/light", data=embedding()).status_code == 201
        assert server.ask("PATCH", "/v1/concepts/light", json={"name": "lighter"}).status_code == 200
        assert server.ask("GET", "/v1/concepts/lighter/file").status_code == 200
    server.ask("DELETE", "/v1/concepts/lighter")
