"""The concept library over HTTP. Files from strangers are read in a process of their own."""

from __future__ import annotations

import json
import pickle
import struct

import pytest

from api.live import live
from jobs.shop import eventually


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with live(tmp_path_factory.mktemp("server")) as server:
        yield server


def embedding(value: float = 0.5) -> bytes:
    """A one-vector Stable Diffusion 1 embedding, as other tools write it."""
    header = json.dumps(
        {"emb_params": {"dtype": "F32", "shape": [1, 768], "data_offsets": [0, 3072]}}
    ).encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + struct.pack("<f", value) * 768


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
    assert server.ask("GET", "/v1/concepts/other/thumbnail").json()["code"] == "artifact_not_found"
    assert server.ask("DELETE", "/v1/concepts/other").status_code == 204
    assert server.ask("GET", "/v1/concepts/other").json()["code"] == "concept_not_found"


@pytest.mark.parametrize("content", [b"", b"nonsense", pickle.dumps({"a": 1}), embedding()[:-100]])
def test_a_file_that_is_no_embedding_is_refused(server, content):
    answer = server.ask("PUT", "/v1/concepts/broken", data=content)
    assert (answer.status_code, answer.json()["code"]) == (422, "concept_file")
    assert server.ask("GET", "/v1/concepts/broken").status_code == 404


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
